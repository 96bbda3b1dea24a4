"""The table of mistakes, continued: upstreams of kind ``bedrockMantle``, by their models, path, region and signature."""

from __future__ import annotations

from typing import Any

from tests.settings.mistakes import row
from tests.settings.stack_files import Values

MANTLE: Values = {"kind": "bedrockMantle", "region": "eu-west-1"}
OSS, GEMMA = "openai.gpt-oss-120b", "google.gemma-4-31b"
_UPSTREAM = "models.groups[0].upstreams[0]"
_GATEWAY = (
    "use kind: gateway with the id that bedrock-runtime has for the model (Claude has only the Messages API at bedrock-mantle), or "
    "choose another model; if bedrock-mantle serves it by now, say so in models.known"
)


def _with(*models: str, **changes: object) -> dict[str, Any]:
    return {"models.groups[0].models": list(models or (OSS,)), "models.groups[0].upstreams": [{**MANTLE, **changes}]}


MANTLE_ROWS = [
    row(
        "bedrock-mantle of another region",
        _with(region="us-east-1"),
        (
            f"{_UPSTREAM}.region",
            "us-east-1",
            "write eu-west-1; for the capacity of other regions, offer a cross-region inference profile (an id such as eu.<model> or "
            "global.<model>) and list its destinationRegions",
        ),
    ),
    *(
        row(
            f"an id with {what} at bedrock-mantle",
            _with(model),
            ("models.groups[0].models", model, f"write {OSS}, or use an upstream of kind bedrock or gateway"),
        )
        for what, model in (
            ("a version", f"{OSS}-1:0"),
            ("another version", f"{OSS}-v1:0"),
            ("a version without a letter", f"{OSS}:0"),
            ("an area", f"eu.{OSS}"),
            ("an area and a version", f"global.{OSS}-1:0"),
        )
    ),
    row(
        "Claude at bedrock-mantle",
        _with("anthropic.claude-opus-4-8"),
        ("models.groups[0].models", "anthropic.claude-opus-4-8", _GATEWAY),
    ),
    row(
        "a model with only the Responses API at bedrock-mantle",
        _with("openai.gpt-5.5", pathPrefix="/openai/v1"),
        ("models.groups[0].models", "openai.gpt-5.5", _GATEWAY),
    ),
    row(
        "a model's other path",
        _with(GEMMA),
        (
            f"{_UPSTREAM}.pathPrefix",
            "/v1",
            "set pathPrefix to /openai/v1, and put models with another path into a separate group",
        ),
    ),
    row(
        "models with two paths in one group",
        _with(OSS, GEMMA, pathPrefix="/openai/v1"),
        (
            f"{_UPSTREAM}.pathPrefix",
            "/openai/v1",
            "set pathPrefix to /v1, and put models with another path into a separate group",
        ),
    ),
    row(
        "a path that bedrock-mantle does not have",
        _with(pathPrefix="/anthropic/v1"),
        (f"{_UPSTREAM}.pathPrefix", '"/anthropic/v1"', "choose one of these"),
    ),
    row(
        "a signature for a service that the endpoint does not accept",
        _with(signingService="mantle"),
        (f"{_UPSTREAM}.signingService", '"mantle"', "choose one of these"),
    ),
    row(
        "destination regions at bedrock-mantle",
        _with(destinationRegions=["eu-central-1"]),
        (f"{_UPSTREAM}.destinationRegions", "(unknown key)", "remove the key"),
    ),
    row(
        "embeddings at bedrock-mantle",
        {**_with(), "models.groups[0].serves": ["embeddings"]},
        (
            "models.groups[0].serves",
            "embeddings",
            "put the embedding model into a separate group with an upstream of kind gateway, which calls InvokeModel",
        ),
    ),
    row(
        "bedrock-mantle twice in one group",
        {**_with(), "models.groups[0].upstreams": [MANTLE, {**MANTLE, "signingService": "bedrock"}]},
        ("models.groups[0].upstreams[1]", "bedrock-mantle in eu-west-1", "remove it, or name another server"),
    ),
]
