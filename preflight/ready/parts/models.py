"""Bedrock: each declared model exists in its region, the account may use it, and the Chat Completions API serves it."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from preflight.account.lines import CannotTellError, Group, Line, joined
from preflight.account.session import Account, RefusedError
from preflight.ready.context import Part, ReadyContext

CHAT_COMPLETIONS = "/openai/v1/chat/completions"
"""Bedrock user guide, "Chat Completions API": https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html"""
PROMPT = "Answer with the word ready."
SIGNING_NAME = "bedrock"
GUARDRAIL_HEADERS = ("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion")
"""The headers that the task's proxy sends (``assembly/task.py``; a test compares the two)."""
TOKENS_PER_MINUTE = "model inference tokens per minute for "
"""Part of the names of the quotas, after how a model is called: see ``_called``."""
PROFILE = re.compile(r"^(global|[a-z]{2}|us-gov|apac)\.[a-z0-9-]+\.")
"""Beginnings of the ids of cross-region inference profiles."""
SUCCESS, THROTTLED, SERVER_FAULT = 200, 429, 500


def existence(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The model, or the inference profile, exists in the region, and the account is entitled to it."""
    for region, model in context.wanted.bedrock_models:
        subject = f"{model} in {region}"
        if area := _area(model):
            profile = context.account.find(
                "bedrock",
                "get_inference_profile",
                ("ResourceNotFoundException", "ValidationException"),
                region,
                inferenceProfileIdentifier=model,
            )
            status = profile["status"] if profile else "unknown there"
            yield group.holds(subject, status == "ACTIVE", f"inference profile is {status}", _another(context))
            if profile and area != "global":
                yield _destinations(context, group, region, profile)
            continue
        found = context.account.find(
            "bedrock",
            "get_foundation_model",
            ("ResourceNotFoundException", "ValidationException"),
            region,
            modelIdentifier=model,
        )
        if found is None:
            yield group.missing(subject, "the model does not exist in the region", _another(context))
            continue
        status = found["modelDetails"].get("modelLifecycle", {}).get("status", "")
        yield group.holds(subject, status == "ACTIVE", f"exists, {status or 'without status'}", _another(context))
        yield from _availability(context, group, region, model)


def _another(context: ReadyContext) -> str:
    return f"choose a model of the region in models.groups of Pulumi.{context.wanted.stack}.yaml, or another region"


def _destinations(context: ReadyContext, group: Group, region: str, profile: Mapping[str, Any]) -> Line:
    """Whether the task may call the model in every region to which the profile may send a prompt."""
    model = str(profile["inferenceProfileId"])
    routed = {str(one["modelArn"]).split(":")[3] for one in profile["models"]}
    declared = context.wanted.destinations(region, model)
    wrong = [
        *(f"{one} is not listed" for one in sorted(routed - declared)),
        *(f"{one} is listed, but no destination" for one in sorted(declared - routed)),
    ]
    return group.holds(
        f"destinations of {model} in {region}",
        not wrong,
        joined(wrong) if wrong else f"as listed: {', '.join(sorted(routed))}",
        f"set destinationRegions of the upstream to [{', '.join(sorted(routed))}] in Pulumi.{context.wanted.stack}.yaml",
    )


def _availability(context: ReadyContext, group: Group, region: str, model: str) -> Iterator[Line]:
    subject = f"access to {model} in {region}"
    try:
        found = context.account.ask("bedrock", "get_foundation_model_availability", region, modelId=model)
    except CannotTellError as error:
        yield group.cannot_tell(subject, error.reason, error.fix)
        return
    facts = {
        "agreement": found["agreementAvailability"]["status"],
        "authorization": found["authorizationStatus"],
        "entitlement": found["entitlementAvailability"],
        "region": found["regionAvailability"],
    }
    lost = [f"{name} {value}" for name, value in facts.items() if value not in {"AVAILABLE", "AUTHORIZED"}]
    yield group.holds(
        subject,
        not lost,
        joined(lost) if lost else "agreement, authorization, entitlement and region are in order",
        "open the model in the Bedrock console (Model catalog) in this region and accept its terms",
    )


def quotas(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The quota of tokens per minute for each model covers the hourly use at which the alarm fires."""
    needed = math.ceil(context.wanted.settings.models.tokens_per_hour / 60)
    for region in sorted({region for region, _ in context.wanted.bedrock_models}):
        known = context.account.every("service-quotas", "list_service_quotas", "Quotas", region, ServiceCode="bedrock")
        for model in [m for r, m in context.wanted.bedrock_models if r == region]:
            subject = f"tokens per minute of {model} in {region}"
            prefix = f"{_called(model)} {TOKENS_PER_MINUTE}"
            limits = {
                _plain(quota["QuotaName"].removeprefix(prefix)): float(quota["Value"])
                for quota in known
                if quota["QuotaName"].startswith(prefix)
            }
            name = _plain(re.sub(r"-v?\d+:\d+$", "", model.removeprefix(f"{_area(model)}.").partition(".")[2]))
            matching = [value for key, value in limits.items() if key.endswith(name)]
            if len(matching) != 1:
                yield group.cannot_tell(
                    subject,
                    f"{len(matching)} of Bedrock's quotas match the model's name",
                    f"check in the console that it is {needed} or more: Service Quotas, Amazon Bedrock",
                )
                continue
            yield group.holds(
                subject,
                matching[0] >= needed,
                f"quota {matching[0]:.0f}; models.tokensPerHour allows up to {needed} per minute",
                f"request an increase to {needed}: Service Quotas, Amazon Bedrock, in {region}",
            )


def _area(model: str) -> str:
    """The area of an inference profile, such as ``eu``; empty for a model."""
    found = PROFILE.match(model)
    return found[1] if found else ""


def _called(model: str) -> str:
    """The first words of the names of Bedrock's quotas for this kind of call
    (https://docs.aws.amazon.com/general/latest/gr/bedrock.html)."""
    return {"": "On-demand", "global": "Global cross-region"}.get(_area(model), "Cross-region")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def calls(context: ReadyContext, group: Group) -> Iterator[Line]:
    """One signed request for one token to each model, as the task's proxy sends it: with the stack's guardrail if an
    earlier ``up`` has created it."""
    guardrails = {region: _guardrail(context, region) for region in {r for r, _ in context.wanted.bedrock_models}}
    for region, model in context.wanted.mantle_models:
        # IAM classifies the call as writing, which this command never is permitted.
        yield group.cannot_tell(
            f"Chat Completions of {model} at bedrock-mantle in {region}",
            "the command sends no request to bedrock-mantle, and looks up neither the model nor its quotas there",
            "compare the id and the path with AWS's page of the model, check the quotas of Bedrock Mantle in Service Quotas, and ask "
            "the model a question after the deployment",
        )
    for region, model in context.wanted.bedrock_models:
        if model in context.wanted.embedding_models:
            yield group.cannot_tell(
                f"embeddings of {model} in {region}",
                "the command sends no request for embeddings",
                "upload a document after the deployment and ask about it",
            )
            continue
        subject = f"Chat Completions of {model} in {region}"
        if not context.call_models:
            yield group.cannot_tell(subject, "not called (--no-model-call)", "run the command without --no-model-call")
            continue
        try:
            headers = guardrails[region]
            status, said = chat(context.account, region, model, headers)
            yield _evaluated(group, subject, status, said, another=_another(context), guarded=bool(headers))
        except CannotTellError as error:
            yield group.cannot_tell(subject, error.reason, error.fix)


def _guardrail(context: ReadyContext, region: str) -> dict[str, str]:
    """The headers that name the stack's guardrail in a region; none if it does not exist or may not be listed."""
    names = {
        str(inputs["name"])
        for inputs in context.wanted.inputs("aws:bedrock/guardrail:Guardrail")
        if str(inputs.get("region") or context.wanted.region) == region
    }
    try:
        known = context.account.every("bedrock", "list_guardrails", "guardrails", region) if context.call_models else []
    except (CannotTellError, RefusedError):
        return {}
    for found in known:
        if found["name"] in names:
            return {GUARDRAIL_HEADERS[0]: str(found["id"]), GUARDRAIL_HEADERS[1]: str(found["version"])}
    return {}


def chat(
    account: Account, region: str, model: str, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and body of one request for at most one token, signed with the session's credentials."""
    account.permitted("bedrock-runtime", "chat_completions")
    account.made.add(("bedrock-runtime", "chat_completions"))
    auth: Any = importlib.import_module("botocore.auth")
    requests: Any = importlib.import_module("botocore.awsrequest")
    transport: Any = importlib.import_module("botocore.httpsession")
    body = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": PROMPT}]}
    url = account.client("bedrock-runtime", region).meta.endpoint_url + CHAT_COMPLETIONS
    request = requests.AWSRequest(
        "POST", url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json", **(headers or {})}
    )
    auth.SigV4Auth(account.credentials(), SIGNING_NAME, region).add_auth(request)
    exceptions = importlib.import_module("botocore.exceptions")
    session = transport.URLLib3Session(timeout=(4, 60))
    try:
        answer = session.send(request.prepare())
        content, status = answer.content, int(answer.status_code)
    except exceptions.BotoCoreError as error:
        raise CannotTellError(
            f"bedrock-runtime did not answer: {type(error).__name__}",
            "run the command from a network that can reach the endpoint",
        ) from None
    finally:
        session.close()
    try:
        parsed: Any = json.loads(content)
    except ValueError:
        parsed = {}
    return status, cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}


def _evaluated(group: Group, subject: str, status: int, answer: dict[str, Any], *, another: str, guarded: bool) -> Line:
    """The message in a response, in OpenAI's form (``error.message``) or AWS's (``message``)."""
    error: Any = answer.get("error")
    inner = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    message: Any = inner.get("message") if inner else (answer.get("message") or answer.get("Message"))
    said = f"HTTP {status}: {' '.join(str(message or 'without a message').split())[:200]}"
    if status == SUCCESS:
        return group.holds(
            subject,
            bool(answer.get("choices")),
            ("answers with the stack's guardrail" if guarded else "answers")
            if answer.get("choices")
            else "HTTP 200 without choices",
            "check in the Bedrock user guide that the model supports the Chat Completions API",
        )
    if status == THROTTLED:
        return group.cannot_tell(
            subject, said, "run the command again; if the error persists, check the model's quotas in Service Quotas"
        )
    if status >= SERVER_FAULT:
        return group.cannot_tell(subject, said, "run the command again")
    if "bedrock:" in said and "not authorized" in said:
        return group.cannot_tell(
            subject,
            said,
            "grant bedrock:InvokeModel and bedrock:ApplyGuardrail to the identity that runs the command, or use --no-model-call",
        )
    if status in {401, 403}:
        return group.missing(
            subject, said, "open the model in the Bedrock console (Model catalog) and accept its terms"
        )
    return group.missing(subject, said, f"the Chat Completions API does not serve this model in this region: {another}")


PART = Part("models", (("models", existence), ("tokens per minute", quotas), ("Chat Completions", calls)))
