"""Answers of a made-up company, and a copy of the project in which they are given."""

from __future__ import annotations

from pathlib import Path

import yaml

from preflight.setup.questions import OTHER
from tests.copies import commit
from tests.preflight.release.projects import whole

COMPANY = {
    "team": "acme-assistants",
    "contact": "assistants@acme.example.org",
    "onCall": "https://pager.acme.example.org/assistants",
    "reviewers": "@acme/assistants",
    "repository": "acme/ai-interface",
    "region": "us-east-2",
    "stagingAccount": "222233334444",
    "prodAccount": "555566667777",
    "stagingHost": "assistant.staging.acme.example.org",
    "stagingHostedZone": "Z0ACMESTAG0000000001",
    "prodHostedZone": "Z0ACMEPROD0000000001",
    "stagingNetwork": "10.40.0.0/18",
    "prodNetwork": "10.50.0.0/18",
    "stagingClientId": "0oa-staging",
    "prodClientId": "0oa-prod",
    "stagingUsers": "groups=assistants",
    "stagingAdministrators": "groups=assistant-admins",
}
"""Every answer without a default in a checkout, except the identity provider. Those of prod follow where they can."""
PROVIDERS: dict[str, dict[str, str]] = {
    "okta": {"provider.domain": "acme.okta.com"},
    "keycloak": {"provider.baseUrl": "https://login.acme.example.org", "provider.realm": "staff"},
    "entraId": {
        "provider.tenantId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "stagingUsers": "everyone assigned",
        "stagingAdministrators": "sub=AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "prodAdministrators": "sub=BBBBBBBBBBBBBBBBBBBBBIkzqFVrSaSaFHy782bbtaQ",
    },
    "googleWorkspace": {
        "provider.domains": "acme.example.org, acme.example.net",
        "stagingUsers": "acme.example.org",
        "stagingAdministrators": "ann@acme.example.org",
    },
    "cognito": {
        "provider.userPoolId": "us-east-2_Ab1Cd2Ef3",
        "provider.domain": "acme.auth.us-east-2.amazoncognito.com",
        "stagingUsers": "acme.example.org",
        "stagingAdministrators": "ann@acme.example.org",
    },
    OTHER: {
        "issuer": "https://id.acme.example.org",
        "authorizationEndpoint": "https://id.acme.example.org/authorize",
        "tokenEndpoint": "https://id.acme.example.org/token",
        "userInfoEndpoint": "https://id.acme.example.org/userinfo",
    },
}
"""Kind of identity provider → its parameters, and rules that can hold there."""


def answers(provider: str = "okta", **changes: str) -> dict[str, str]:
    """The company's answers with this identity provider."""
    return {**COMPANY, "provider": provider, **PROVIDERS[provider], **changes}


def project(folder: Path) -> Path:
    """A committed copy of the project."""
    return commit(whole(folder))


def given(folder: Path, values: dict[str, str]) -> Path:
    """The answers as a file."""
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path
