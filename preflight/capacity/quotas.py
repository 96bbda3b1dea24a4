"""The quota of each model that the load of an environment needs, in tokens per minute.

Bedrock throttles by tokens, no longer by requests
(https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-runtime.html): one quota of a model counts prompts and answers together at
``bedrock-runtime``; ``bedrock-mantle`` has one for each
(https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-mantle.html). The account's values are known only there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from preflight.conform.stack_file import declared
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap
from settings.use import Use

_POLICY = "aws:iam/rolePolicy:RolePolicy"
_MODEL = re.compile(r":(?P<kind>foundation-model|inference-profile)/(?P<model>[A-Za-z0-9][A-Za-z0-9.:_-]*)$")
_CALL = "bedrock:InvokeModel"
_MANTLE_CALL, _MANTLE_MODEL = "bedrock-mantle:CreateInference", "bedrock-mantle:Model"
_TEXT = {
    "foundation-model": ("On-demand InvokeModel tokens per minute for",),
    "inference-profile": ("Cross-Region InvokeModel tokens per minute for",),
    "mantle": ("Bedrock Mantle input tokens per minute for", "Bedrock Mantle output tokens per minute for"),
}
"""How a model is called → the beginnings of its quotas' names in Service Quotas; AWS's name of the model follows."""


@dataclass(frozen=True, slots=True)
class ModelQuota:
    """One quota of one model."""

    model: str
    """The id as the stack calls it."""
    name: str
    """The quota's name in Service Quotas, with the model's id instead of AWS's name of it."""
    tokens_per_message: int
    """Tokens of one message that count against it."""

    def needed(self, answers: float) -> float:
        """Tokens per minute with this number of people at once, each of whom sends one message a minute to this model."""
        return answers * self.tokens_per_message


def quotas(recording: Recording) -> tuple[ModelQuota, ...]:
    """The quotas of the models that the tasks may call, sorted by name."""
    use = Use.model_validate(declared(recording.stack, "use") or {})
    sent, received = use.input_tokens_per_message, use.output_tokens_per_message
    found: set[ModelQuota] = set()
    for kind, model in _models(recording):
        amounts = (sent, received) if kind == "mantle" else (sent + received,)
        found |= {
            ModelQuota(model, f"{text} {model}", amount) for text, amount in zip(_TEXT[kind], amounts, strict=True)
        }
    return tuple(sorted(found, key=lambda one: one.name))


def _models(recording: Recording) -> Iterator[tuple[str, str]]:
    """How each model is called. A model behind a profile is called by the profile alone."""
    statements = [
        one
        for policy in recording.of_type(_POLICY)
        for one in json.loads(str(cast("Mapping[str, Any]", unwrap(policy.inputs))["policy"]))["Statement"]
        if one["Effect"] == "Allow"
    ]
    for one in statements:
        condition = cast("Mapping[str, Mapping[str, Any]]", one.get("Condition", {}))
        if _CALL in one["Action"]:
            keys = {key for operator in condition.values() for key in operator}
            for resource in one["Resource"]:
                made = _MODEL.search(str(resource))
                if made and (made["kind"] == "inference-profile" or "bedrock:InferenceProfileArn" not in keys):
                    yield made["kind"], made["model"]
        if _MANTLE_CALL in one["Action"]:
            for model in condition.get("StringEquals", {}).get(_MANTLE_MODEL, []):
                yield "mantle", str(model)
