"""``bedrock-mantle`` behind its endpoint: signature, IAM, the model's path, then an answer, a throttle or a failure.

It has Chat Completions below two paths, and each model is served below one of them
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html). No guardrail applies, and nothing is written
to Bedrock's model invocation log. AWS does not document the service name in the signature; callers report that ``bedrock`` and
``bedrock-mantle`` are accepted and any other name is refused (https://github.com/BerriAI/litellm/pull/31476).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.aws.access import ROLE_POLICY
from local.aws.bedrock import Bedrock, BedrockCall
from local.aws.chat import NotAQuestionError, Question, Told
from local.aws.gate import Arrival, Ask
from local.aws.http import Exchange
from local.aws.sessions import Credentials
from preflight.conform.iam.conditions import listed

SERVICE, OTHER_SIGNING_NAMES = "bedrock-mantle", ("bedrock",)
NAMESPACE = "AWS/BedrockMantle"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html"""
PATHS = ("/v1/chat/completions", "/openai/v1/chat/completions")
_BELOW_OPENAI = ("google.gemma-4", "openai.gpt-5", "openai.gpt-6", "xai.")
"""Beginnings of the ids of models that are served below ``/openai/v1``, as callers report; all others are below ``/v1``."""
_INFER = "bedrock-mantle:CreateInference"
_SERVER = 500


@dataclass
class Mantle(Bedrock):
    """``bedrock-mantle`` in one region."""

    def _call(self, exchange: Exchange) -> BedrockCall:
        request = exchange.request
        path = request.target.partition("?")[0]
        if request.method != "POST" or path not in PATHS:
            raise self.gate.error(404, "not_found_error", f"no operation {request.method} {path}")
        try:
            return BedrockCall(Question.read(request.body), None, None)
        except NotAQuestionError as error:
            raise self.gate.error(400, "validation_error", str(error)) from None

    def _authorise(self, session: Credentials, call: BedrockCall, exchange: Exchange, arrival: Arrival) -> None:
        model, account = call.question.model, self.gate.access.stack.account
        project = exchange.request.value("openai-project") or "default"
        arn = f"arn:aws:bedrock-mantle:{self.gate.region}:{account}:project/{project}"
        self.gate.ask(session, [Ask(_INFER, arn, {"bedrock-mantle:model": (model,)})], arrival, exchange.request)
        path = exchange.request.target.partition("?")[0]
        if path != PATHS[model.startswith(_BELOW_OPENAI)]:
            raise self.gate.error(400, "validation_error", f"model `{model}` isn't supported on this route: {path}")
        if model not in set(self._models()):
            cause = f"model {model}: no policy of {self.gate.access.stack.name} names it in {self.gate.region}"
            raise self.gate.error(404, "model_not_found", cause)

    def _models(self) -> Iterator[str]:
        """Every model that an Allow of the graph's policies names in full."""
        for one in self.gate.access.stack.all(ROLE_POLICY):
            for statement in one.document("policy")["Statement"]:
                if statement["Effect"] == "Allow" and _INFER in listed(statement["Action"]):
                    keys = statement.get("Condition", {}).get("StringEquals", {})
                    yield from listed(keys.get("bedrock-mantle:Model", []))

    def _put(self, name: str, value: float, model: str) -> None:
        self.metrics.put(NAMESPACE, name, value, self.gate.clock().timestamp(), {"Model": model})

    def _failed(self, model: str, status: int) -> None:
        """A throttle is a client error: AWS documents no metric of throttles, nor of server errors."""
        if model and status < _SERVER:
            self._put("InferenceClientErrors", 1, model)

    def _answered(self, call: BedrockCall, told: Told) -> None:
        question = call.question
        self._put("Inferences", 1, question.model)
        self._put("TotalInputTokens", question.tokens, question.model)
        self._put("TotalOutputTokens", told.words, question.model)
