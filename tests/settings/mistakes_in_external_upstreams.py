"""The table of mistakes, continued: external upstreams, by their host, path and API key, and by the network around them."""

from __future__ import annotations

from typing import Any

from settings.errors import HIDDEN, NOT_SET
from tests.settings.mistakes import row
from tests.settings.mistakes_in_private_upstreams import PRIVATE
from tests.settings.stack_files import Values

EXTERNAL: Values = {
    "kind": "external",
    "hostName": "api.provider.com",
    "apiKeySecret": "ai-interface/staging/model-key-provider",
}
_UPSTREAM = "models.groups[0].upstreams[0]"
_PATH_FIX = "write the part of the provider's URL between host and /chat/completions"
_OUTSIDE_FIX = "write the host of the provider's API; a server in your network is an upstream of kind private"


def _with(**changes: object) -> dict[str, Any]:
    return {"models.groups[0].upstreams": [{**EXTERNAL, **changes}]}


def _without(key: str) -> dict[str, Any]:
    return {"models.groups[0].upstreams": [{name: value for name, value in EXTERNAL.items() if name != key}]}


EXTERNAL_ROWS = [
    row(
        "a provider without an API key",
        _without("apiKeySecret"),
        (f"{_UPSTREAM}.apiKeySecret", NOT_SET, "add apiKeySecret to Pulumi.staging.yaml"),
    ),
    row(
        "a provider's URL as its host name",
        _with(hostName="https://api.provider.com/v1"),
        (f"{_UPSTREAM}.hostName", '"https://api.provider.com/v1"', "write a value of the allowed form"),
    ),
    row(
        "a provider on another port",
        _with(port=8443),
        (f"{_UPSTREAM}.port", "(unknown key)", "remove the key"),
    ),
    row(
        "a provider inside the network",
        _with(hostName="llm.example.internal"),
        (f"{_UPSTREAM}.hostName", "llm.example.internal", _OUTSIDE_FIX),
    ),
    row(
        "Bedrock of another region as a provider",
        _with(hostName="bedrock-runtime.us-east-1.amazonaws.com"),
        (
            f"{_UPSTREAM}.hostName",
            "bedrock-runtime.us-east-1.amazonaws.com",
            "use an upstream of kind bedrock, bedrockMantle or gateway",
        ),
    ),
    row(
        "the interface as a provider",
        {**_with(hostName="chat.example.com"), "domain.hostName": "chat.example.com"},
        (f"{_UPSTREAM}.hostName", "chat.example.com", "set the host name of the model server"),
    ),
    *(
        row(f"a path {what}", _with(pathPrefix=path), (f"{_UPSTREAM}.pathPrefix", f'"{path}"', _PATH_FIX))
        for what, path in (
            ("that ends with a slash", "/api/v1/"),
            ("without its first slash", "v1"),
            ("with a query", "/v1?version=2"),
        )
    ),
    row(
        "a provider's API key in place of its secret's name",
        _with(apiKeySecret="sk-proj-4f9Ab2Cd8Ef3Gh7Jk1Lm"),
        (
            f"{_UPSTREAM}.apiKeySecret",
            HIDDEN,
            "put the value into a secret and write only the secret's name or ARN here (the ARN if the name has the form of a "
            "key); if this was the value, it is exposed: issue a new one",
        ),
    ),
    row(
        "the client secret as a provider's API key",
        _with(apiKeySecret="ai-interface/staging/oidc-client-secret"),
        (
            f"{_UPSTREAM}.apiKeySecret",
            "ai-interface/staging/oidc-client-secret",
            "write the name of the secret with the model server's API key",
        ),
    ),
    row(
        "the same provider twice",
        {"models.groups[0].upstreams": [EXTERNAL, {**EXTERNAL, "pathPrefix": "/v2"}]},
        ("models.groups[0].upstreams[1]", "api.provider.com:443", "remove it, or name another server"),
    ),
    row(
        "more ports than fit next to the egress subnets",
        {
            "models.groups[0].upstreams": [
                EXTERNAL,
                *({**PRIVATE, "hostName": f"m{port}.example.com", "port": port} for port in (8000, 8001, 8002)),
            ]
        },
        (
            "models.groups",
            "model servers on the ports 8000, 8001, 8002",
            "run some of the model servers on the same port, for example 443, or use two zones",
        ),
    ),
]
