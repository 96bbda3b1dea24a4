"""Bedrock behind its endpoint: signature, IAM, guardrail, then an answer, a throttle or a failure.

It has Chat Completions (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html), Converse
and InvokeModel, each with its stream. AWS does not document whether a call of Chat Completions carries the condition
key ``bedrock:GuardrailIdentifier``, so IAM is asked with and without it, and both have to let the call through. Of the
other two it is documented (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html).
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.aws.access import ROLE_POLICY
from local.aws.chat import Behaviour, Behaviours, NotAQuestionError, Question, Told, tell
from local.aws.gate import Arrival, Ask, Gate, ServiceError, tagged
from local.aws.http import Exchange
from local.aws.invocation_log import InvocationLog
from local.aws.native import NativeCall, native_call
from local.aws.sessions import Credentials
from local.signals import Metrics
from local.stack import Resource
from preflight.conform.iam.conditions import listed

PATH = "/openai/v1/chat/completions"
NAMESPACE = "AWS/Bedrock"
GUARDRAIL, GUARDRAIL_VERSION = "aws:bedrock/guardrail:Guardrail", "aws:bedrock/guardrailVersion:GuardrailVersion"
IDENTIFIER_HEADER, VERSION_HEADER = "x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"
PROFILE_AREAS = frozenset(("apac", "au", "ca", "eu", "global", "in", "jp", "us", "us-gov"))
"""Prefixes of the ids of inference profiles
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


@dataclass(frozen=True)
class BedrockCall:
    """A request of any of the APIs."""

    question: Question
    guardrail: tuple[str, str | None] | None
    """Identifier and version that it names."""
    native: NativeCall | None
    """``None`` for Chat Completions."""


@dataclass
class Bedrock:
    """Bedrock in one region."""

    gate: Gate
    metrics: Metrics
    behaviours: Behaviours = field(default_factory=Behaviours)
    log: InvocationLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = InvocationLog(self.gate.access, self.gate.region, self.gate.refusals)

    async def serve(self, exchange: Exchange, arrival: Arrival) -> bool:
        """One request, from its signature to the end of its answer."""
        call = None
        try:
            session = self.gate.session(exchange.request)
            call = self._call(exchange)
            await asyncio.to_thread(self._authorise, session, call, exchange, arrival)
            behaviour = self._behaviour(call.question.model)
        except ServiceError as error:
            if call is not None:
                self._failed(call.question.model, error.status)
            self._refuse(exchange, error)
            return True
        if call.native:
            told = await call.native.tell(exchange, behaviour, _request_id())
        else:
            told = await tell(exchange, call.question, behaviour, _request_id())
        self._answered(call, told)
        return told.complete

    def _call(self, exchange: Exchange) -> BedrockCall:
        request = exchange.request
        path = request.target.partition("?")[0]
        try:
            if (request.method, path) == ("POST", PATH):
                named = request.value(IDENTIFIER_HEADER)
                version = request.value(VERSION_HEADER)
                return BedrockCall(Question.read(request.body), (named, version) if named else None, None)
            native = native_call(request) if request.method == "POST" else None
        except NotAQuestionError as error:
            raise self.gate.error(400, "ValidationException", str(error)) from None
        if native is None:
            raise self.gate.error(404, "UnknownOperationException", f"no operation {request.method} {path}")
        return BedrockCall(native.turn.question, native.turn.guardrail, native)

    @staticmethod
    def _refuse(exchange: Exchange, error: ServiceError) -> None:
        headers = ("x-amzn-errortype", error.code), _request_id()
        if not exchange.request.target.partition("?")[0].endswith("/chat/completions"):
            exchange.answer_json(error.status, {"message": error.cause}, *headers)
            return
        answered = {"message": error.cause, "type": _KINDS.get(error.status, "error"), "code": error.code}
        exchange.answer_json(error.status, {"error": {**answered, "param": None}}, *headers)

    def _behaviour(self, model: str) -> Behaviour:
        found = self.behaviours.next(model)
        if found.status == 200:  # noqa: PLR2004
            return found
        code = _CODES.get(found.status, "InternalServerException")
        raise ServiceError(found.status, code, f"model {model} returns {found.status}, the behaviour set for it")

    def behave(self, model: str, behaviour: Behaviour | None) -> None:
        """Set a model's behaviour from now on; ``None`` restores answers."""
        if behaviour is None:
            self.behaviours.of.pop(model, None)
        else:
            self.behaviours.of[model] = behaviour

    def _authorise(self, session: Credentials, call: BedrockCall, exchange: Exchange, arrival: Arrival) -> None:
        question = call.question
        action = "bedrock:InvokeModelWithResponseStream" if question.stream else "bedrock:InvokeModel"
        arns = list(self._arns(question.model))
        guardrail = self._guardrail(call)
        contexts: list[dict[str, tuple[str, ...]]] = [{}]
        if guardrail is not None:
            arn, version = guardrail
            named = {"bedrock:guardrailidentifier": (f"{arn['guardrailArn']}:{version}",)}
            contexts = [named] if call.native else [{}, named]
        profile = next((arn for arn in arns if ":inference-profile/" in arn), None)
        for context in contexts:
            inside = {**context, **({"bedrock:inferenceprofilearn": (profile,)} if profile else {})}
            asks = [Ask(action, arn, context if arn == profile else inside) for arn in arns]
            self.gate.ask(session, asks, arrival, exchange.request)
        if guardrail is not None:
            ask = Ask("bedrock:ApplyGuardrail", str(guardrail[0]["guardrailArn"]), tagged(guardrail[0]))
            self.gate.ask(session, [ask], arrival, exchange.request)
        elif self._guardrails() and not (call.native and call.native.turn.embeds):
            raise self._unguarded()
        if not any(named == question.model for named in self._declared()):
            cause = (
                f"model {question.model}: no policy of {self.gate.access.stack.name} covers it in {self.gate.region}"
            )
            raise self.gate.error(400, "ValidationException", cause)

    def _guardrails(self) -> list[Resource]:
        return [one for one in self.gate.access.stack.all(GUARDRAIL) if one["region"] == self.gate.region]

    def _unguarded(self) -> ServiceError:
        cause = f"the request names no guardrail: the guardrail {self._guardrails()[0].name} would not be applied"
        return self.gate.error(400, "ValidationException", cause)

    def _guardrail(self, call: BedrockCall) -> tuple[Resource, str | None] | None:
        """The guardrail that a request names, and its version; the graph's has to be named where there is one. Where IAM
        can require it, IAM is asked first."""
        here = self._guardrails()
        if call.guardrail is None:
            if here and call.native is None:
                raise self._unguarded()
            return None
        identifier, version = call.guardrail
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
        """The ARNs that a call to a model is authorized against: the model, or an inference profile and its models."""
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

    def _answered(self, call: BedrockCall, told: Told) -> None:
        question = call.question
        self._put("Invocations", 1, question.model)
        self._put("InvocationLatency", told.seconds * 1000, question.model)
        self._put("InputTokenCount", question.tokens, question.model)
        self._put("OutputTokenCount", told.words, question.model)
        if question.stream:
            self._put("TimeToFirstToken", told.first_word_seconds * 1000, question.model)
        self.log.keep(question, " ".join(call.native.turn.words() if call.native else question.words()))


def _request_id() -> tuple[str, str]:
    return "x-amzn-requestid", str(uuid.uuid4())
