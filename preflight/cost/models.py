"""The tokens of the models that a stack may call on Bedrock."""

from __future__ import annotations

import re
from collections.abc import Iterator

from preflight.cost.charges import Amount, Charge, Costed, texts
from preflight.cost.prices import PriceTable
from settings.known_models import Serves, documented

POLICY = "aws:iam/rolePolicy:RolePolicy"
_MODEL = re.compile(r":(foundation-model|inference-profile)/([A-Za-z0-9][A-Za-z0-9.:_-]*[A-Za-z0-9])")
INPUT, OUTPUT = "bedrock.input-1k-tokens.", "bedrock.output-1k-tokens."
_KINDS = ("bedrock", "gateway")


def chat_models(stack: Costed) -> list[str]:
    """The models that the tasks may invoke, sorted; an inference profile instead of the models behind it."""
    found = {match for policy in stack.of_type(POLICY) for match in _MODEL.findall(texts(policy))}
    profiles = {model for kind, model in found if kind == "inference-profile"}
    behind = {profile.partition(".")[2] for profile in profiles}
    models = profiles | {model for kind, model in found if kind == "foundation-model" and model not in behind}
    return sorted(model for model in models if not _embeds(model))


def _embeds(model: str) -> bool:
    rows = [row for kind in _KINDS if (row := documented(kind, model)) is not None]
    return any(row.serves is Serves.EMBEDDINGS for row in rows)


def tokens(stack: Costed, prices: PriceTable) -> Iterator[Charge]:
    """The declared tokens: spread evenly over the chat models in an expected month, all at the dearest at maximum."""
    models = chat_models(stack)
    if not models:
        return
    for word, prefix, quantity in (("input", INPUT, "input_tokens"), ("output", OUTPUT, "output_tokens")):
        found = {model: prices.find(prefix + model, stack.region) for model in models}
        costs = {model: price.usd for model, price in found.items() if price is not None and price.usd is not None}
        dearest = max(costs, key=lambda model: (costs[model], model), default=models[0])
        for model in models:
            used = stack.by_use(quantity, 1 / 1_000)
            most = used.maximum if model == dearest else 0.0
            amount = Amount(used.minimum, used.expected / len(models), most)
            yield Charge("models", f"{model}: {word} tokens", prefix + model, amount)
