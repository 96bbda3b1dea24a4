"""The table of mistakes, continued: private upstreams: the path to the server, its certificate and its API key."""

from __future__ import annotations

from typing import Any

from settings.errors import HIDDEN, NOT_SET
from tests.settings.mistakes import row
from tests.settings.stack_files import Values

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
PRIVATE: Values = {
    "kind": "private",
    "hostName": "models.internal.example.com",
    "securityGroupId": "sg-0123456789abcdef0",
    "caCertificate": PEM,
}
SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
LINKED: Values = {
    "kind": "private",
    "hostName": "models.partner.internal",
    "endpointService": SERVICE,
    "caCertificate": PEM,
}
_UPSTREAM = "models.groups[0].upstreams[0]"
_SECRET_FIX = (
    "put the value into a secret and write only the secret's name or ARN here (the ARN if the name has the form of a key); if "
    "this was the value, it is exposed: issue a new one"
)


def _with(upstream: Values, **changes: object) -> dict[str, Any]:
    return {"models.groups[0].upstreams": [{**upstream, **changes}]}


PRIVATE_ROWS = [
    row(
        "a private server without a way to it",
        {"models.groups[0].upstreams": [{"kind": "private", "hostName": "models.example.com"}]},
        (
            f"{_UPSTREAM}.securityGroupId",
            NOT_SET,
            f"set {_UPSTREAM}.securityGroupId or {_UPSTREAM}.endpointService",
        ),
    ),
    row(
        "a private server with two ways to it",
        _with(PRIVATE, endpointService=SERVICE),
        (f"{_UPSTREAM}.securityGroupId", "securityGroupId and endpointService", "remove one of the two"),
    ),
    row(
        "an endpoint service that is AWS's own",
        _with(LINKED, endpointService="com.amazonaws.eu-west-1.bedrock-runtime"),
        (
            f"{_UPSTREAM}.endpointService",
            '"com.amazonaws.eu-west-1.bedrock-runtime"',
            "copy the service name that the server's owner sees in the VPC console",
        ),
    ),
    row(
        "an endpoint service of another region",
        _with(LINKED, endpointService=SERVICE.replace("eu-west-1", "us-east-1")),
        (
            f"{_UPSTREAM}.endpointService",
            SERVICE.replace("eu-west-1", "us-east-1"),
            "have the server's owner offer it in eu-west-1",
        ),
    ),
    *(
        row(
            f"{what} on the port of the tasks",
            _with(upstream, port=8443),
            (
                f"{_UPSTREAM}.port",
                "8443",
                "have the server, or the endpoint service, listen on another port, for example 443",
            ),
        )
        for what, upstream in (("an endpoint service", LINKED), ("a private server", PRIVATE))
    ),
    row(
        "a public CA for a name that is not public",
        _with({key: value for key, value in LINKED.items() if key != "caCertificate"}),
        (f"{_UPSTREAM}.caCertificate", NOT_SET, "paste your CA's certificate below the key, after a |"),
    ),
    row(
        "an API key in place of its secret's name",
        _with(PRIVATE, apiKeySecret="sk-proj-4f9Ab2Cd8Ef3Gh7Jk1Lm"),
        (f"{_UPSTREAM}.apiKeySecret", HIDDEN, _SECRET_FIX),
    ),
    row(
        "a secret's ARN without the characters that Secrets Manager adds",
        _with(PRIVATE, apiKeySecret="arn:aws:secretsmanager:eu-west-1:111122223333:secret:llm"),
        (f"{_UPSTREAM}.apiKeySecret", HIDDEN, _SECRET_FIX),
    ),
    row(
        "a secret of another region",
        _with(PRIVATE, apiKeySecret="arn:aws:secretsmanager:us-east-1:111122223333:secret:llm-AbCdEf"),
        (
            f"{_UPSTREAM}.apiKeySecret",
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:llm-AbCdEf",
            "store the key in a secret there, and write its name",
        ),
    ),
    row(
        "a secret of another account",
        _with(PRIVATE, apiKeySecret="arn:aws:secretsmanager:eu-west-1:444455556666:secret:llm-AbCdEf"),
        (
            f"{_UPSTREAM}.apiKeySecret",
            "arn:aws:secretsmanager:eu-west-1:444455556666:secret:llm-AbCdEf",
            "store the key in a secret there, and write its name",
        ),
    ),
    *(
        row(
            f"the client secret as an API key, by its {what}",
            _with(PRIVATE, apiKeySecret=secret),
            (f"{_UPSTREAM}.apiKeySecret", secret, "write the name of the secret with the server's API key"),
        )
        for what, secret in (
            ("name", "ai-interface/staging/oidc-client-secret"),
            (
                "ARN",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ai-interface/staging/oidc-client-secret-AbCdEf",
            ),
        )
    ),
]
