"""Bedrock's Chat Completions behind its endpoint: signature, IAM, guardrail, then an answer, a throttle or a failure.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html. No document of AWS says whether such
a call carries the condition key ``bedrock:GuardrailIdentifier``, so IAM is asked with and without it, and both have to
let the call through.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.aws.access import ROLE_POLICY
from local.aws.chat import Behaviour, Behaviours, NotAQuestionError, Question, Told, tell
from local.aws.conditions import listed
from local.aws.gate import Arrival, Ask, Gate, ServiceError, tagged
from local.aws.http import Exchange
from local.aws.invocation_log import InvocationLog
from local.aws.sessions import Credentials
from local.signals import Metrics
from local.stack import Resource

PATH = "/openai/v1/chat/completions"
NAMESPACE = "AWS/Bedrock"
GUARDRAIL, GUARDRAIL_VERSION = "aws:bedrock/guardrail:Guardrail", "aws:bedrock/guardrailVersion:GuardrailVersion"
IDENTIFIER_HEADER, VERSION_HEADER = "x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"
PROFILE_AREAS = frozenset(("apac", "au", "ca", "eu", "global", "in", "jp", "us", "us-gov"))
"""Beginnings of ids that are inference profiles
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html)."""
_MODEL_ARN = re.compile(r"arn:aws:bedrock:([a-z0-9-]*):\d*:(foundation-model|inference-profile)/(.+)")
_KINDS = {
    400: "invalid_request_error",
    403: "permission_denied_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}
_CODES = {429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException"}
_TOO_MANY, _SERVER = 429, 500


@dataclass
class Bedrock:
    """The service in one region."""

    gate: Gate
    metrics: Metrics
    behaviours: Behaviours = field(default_factory=Behaviours)
    log: InvocationLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = InvocationLog(self.gate.access, self.gate.region, self.gate.refusals)

    async def serve(self, exchange: Exchange, arrival: Arrival) -> bool:
        """One request, from its signature to the end of its answer."""
        question = None
        try:
            session = self._session(exchange)
            question = self._question(exchange)
            await asyncio.to_thread(self._authorise, session, question, exchange, arrival)
            behaviour = self._behaviour(question.model)
        except ServiceError as error:
            if question is not None:
                self._failed(question.model, error.status)
            answered = {"message": error.cause, "type": _KINDS.get(error.status, "error"), "code": error.code}
            headers = ("x-amzn-errortype", error.code), _request_id()
            exchange.answer_json(error.status, {"error": {**answered, "param": None}}, *headers)
            return True
        told = await tell(exchange, question, behaviour, _request_id())
        self._answered(question, told)
        return told.complete

    def _session(self, exchange: Exchange) -> Credentials:
        session = self.gate.session(exchange.request)
        path = exchange.request.target.partition("?")[0]
        if (exchange.request.method, path) != ("POST", PATH):
            raise self.gate.error(404, "UnknownOperationException", f"no operation {exchange.request.method} {path}")
        return session

    def _behaviour(self, model: str) -> Behaviour:
        found = self.behaviours.next(model)
        if found.status == 200:  # noqa: PLR2004
            return found
        code = _CODES.get(found.status, "InternalServerException")
        raise ServiceError(
            found.status, code, f"model {model} answers {found.status}: this is the behaviour set for it"
        )

    def behave(self, model: str, behaviour: Behaviour | None) -> None:
        """From now on a model does this; ``None``: it answers."""
        if behaviour is None:
            self.behaviours.of.pop(model, None)
        else:
            self.behaviours.of[model] = behaviour

    def _question(self, exchange: Exchange) -> Question:
        try:
            return Question.read(exchange.request.body)
        except NotAQuestionError as error:
            raise self.gate.error(400, "ValidationException", str(error)) from None

    def _authorise(self, session: Credentials, question: Question, exchange: Exchange, arrival: Arrival) -> None:
        action = "bedrock:InvokeModelWithResponseStream" if question.stream else "bedrock:InvokeModel"
        arns = list(self._arns(question.model))
        guardrail = self._guardrail(exchange)
        contexts: list[dict[str, tuple[str, ...]]] = [{}]
        if guardrail is not None:
            arn, version = guardrail
            contexts.append({"bedrock:guardrailidentifier": (f"{arn['guardrailArn']}:{version}",)})
        profile = next((arn for arn in arns if ":inference-profile/" in arn), None)
        for context in contexts:
            inside = {**context, **({"bedrock:inferenceprofilearn": (profile,)} if profile else {})}
            asks = [Ask(action, arn, context if arn == profile else inside) for arn in arns]
            self.gate.ask(session, asks, arrival, exchange.request)
        if guardrail is not None:
            ask = Ask("bedrock:ApplyGuardrail", str(guardrail[0]["guardrailArn"]), tagged(guardrail[0]))
            self.gate.ask(session, [ask], arrival, exchange.request)
        if not any(named == question.model for named in self._declared()):
            cause = f"model {question.model}: no policy of {self.gate.access.stack.name} names it in {self.gate.region}"
            raise self.gate.error(400, "ValidationException", cause)

    def _guardrail(self, exchange: Exchange) -> tuple[Resource, str] | None:
        """The guardrail that a request names, and its version; the graph's has to be named where there is one."""
        identifier = exchange.request.value(IDENTIFIER_HEADER)
        version = exchange.request.value(VERSION_HEADER)
        here = [one for one in self.gate.access.stack.all(GUARDRAIL) if one["region"] == self.gate.region]
        if identifier is None:
            if here:
                cause = (
                    f"the request has no header {IDENTIFIER_HEADER}: the guardrail {here[0].name} would not be applied"
                )
                raise self.gate.error(400, "ValidationException", cause)
            return None
        found = next((one for one in here if identifier in (one["guardrailId"], one["guardrailArn"])), None)
        if found is None:
            has = ", ".join(f"{one.name} ({one['guardrailId']})" for one in here) or "none"
            cause = f"no guardrail {identifier} in {self.gate.region}: {self.gate.access.stack.name} has {has}"
            raise self.gate.error(400, "ValidationException", cause)
        versions = self.gate.access.stack.where(GUARDRAIL_VERSION, guardrailArn=found["guardrailArn"])
        known = {"DRAFT", *(str(one["version"]) for one in versions)}
        if version not in known:
            cause = f"guardrail {found.name} has no version {version}: it has {', '.join(sorted(known))}"
            raise self.gate.error(400, "ValidationException", cause)
        return found, version

    def _arns(self, model: str) -> Iterator[str]:
        """What a call to a model is authorised against: the model, or an inference profile and the models behind it."""
        region, account = self.gate.region, self.gate.access.stack.account
        area, _, behind = model.partition(".")
        if area not in PROFILE_AREAS:
            yield f"arn:aws:bedrock:{region}::foundation-model/{model}"
            return
        yield f"arn:aws:bedrock:{region}:{account}:inference-profile/{model}"
        named = {one for one, kind, name in self._named() if (kind, name) == ("foundation-model", behind)}
        for one in sorted({"", region} if area == "global" else named or {region}):
            yield f"arn:aws:bedrock:{one}::foundation-model/{behind}"

    def _declared(self) -> set[str]:
        return {name for region, _, name in self._named() if region == self.gate.region}

    def _named(self) -> Iterator[tuple[str, str, str]]:
        """Region, kind and name of every model that an Allow of the graph's policies names in full."""
        for one in self.gate.access.stack.all(ROLE_POLICY):
            for statement in one.document("policy")["Statement"]:
                for arn in listed(statement["Resource"]) if statement["Effect"] == "Allow" else ():
                    if found := _MODEL_ARN.fullmatch(arn):
                        yield found[1], found[2], found[3]

    def _put(self, name: str, value: float, model: str) -> None:
        self.metrics.put(NAMESPACE, name, value, self.gate.clock().timestamp(), {"ModelId": model})

    def _failed(self, model: str, status: int) -> None:
        """https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html: a throttle is neither kind of error."""
        if model:
            kind = "ServerErrors" if status >= _SERVER else "Throttles" if status == _TOO_MANY else "ClientErrors"
            self._put(f"Invocation{kind}", 1, model)

    def _answered(self, question: Question, told: Told) -> None:
        self._put("Invocations", 1, question.model)
        self._put("InvocationLatency", told.seconds * 1000, question.model)
        self._put("InputTokenCount", question.tokens, question.model)
        self._put("OutputTokenCount", told.words, question.model)
        if question.stream:
            self._put("TimeToFirstToken", told.first_word_seconds * 1000, question.model)
        self.log.keep(question, " ".join(question.words()))


def _request_id() -> tuple[str, str]:
    return "x-amzn-requestid", str(uuid.uuid4())
