"""One instance of each kind of identity provider, and what a stack file with it looks like."""

from __future__ import annotations

from typing import Any, get_args

from settings.providers import IdentityProvider
from settings.stack import PREFIX
from tests.settings.stack_files import REMOVED, Values, own_values

PARAMETERS: dict[str, Values] = {
    "entraId": {"tenantId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
    "okta": {"domain": "example.okta.com"},
    "googleWorkspace": {"domains": ["example.com"]},
    "keycloak": {"baseUrl": "https://sso.example.com", "realm": "company"},
    "cognito": {"userPoolId": "eu-west-1_aBcD12345", "domain": "example.auth.eu-west-1.amazoncognito.com"},
}
"""Kind → its required parameters."""
ALLOWED: dict[str, Values] = {
    "entraId": {"everyoneTheProviderAssigns": True},
    "okta": {"claim": {"name": "groups", "values": ["users"]}},
    "googleWorkspace": {"claim": {"name": "hd", "values": ["example.com"]}},
    "keycloak": {"claim": {"name": "groups", "values": ["users"]}},
    "cognito": {"claim": {"name": "custom:groups", "values": ["users"]}},
}
"""Kind → a rule that works with it."""
RULERS: Values = {"claim": {"name": "sub", "values": ["1"]}}
"""Administrators, in a form that works with every kind."""
FOLLOWS = ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "endSessionEndpoint", "scopes")
"""Keys of the section that a provider fills."""
WITHOUT_ENDPOINTS: Values = {f"{PREFIX}identity.{key}": REMOVED for key in FOLLOWS if key in own_values()["identity"]}
"""Removes those that the stack file has."""


def kind_of(model: type[IdentityProvider]) -> str:
    """The value of ``kind``."""
    return str(get_args(model.model_fields["kind"].annotation)[0])


def provider(kind: str, **more: Any) -> Values:  # noqa: ANN401 - YAML
    """``identity.provider`` of a kind."""
    return {"kind": kind, **PARAMETERS[kind], **more}


def identity(kind: str, **more: Any) -> Values:  # noqa: ANN401 - YAML
    """The section of a stack file with a provider, as short as it can be."""
    kept = {key: value for key, value in own_values()["identity"].items() if key not in FOLLOWS}
    return {**kept, "provider": provider(kind), "allowed": ALLOWED[kind], "administrators": RULERS, **more}


BLOCKED: Values = {"ai-interface:identity.blocked": {"claim": {"name": "left", "values": ["yes"]}}}
"""Someone is blocked by a claim."""
