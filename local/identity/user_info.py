"""The user-info response of each kind of identity provider: names, types and encodings as the provider documents them.

Written from the providers' documentation and not from ``settings/providers/``, whose statements the tests compare with it. A
response never has more than the provider returns: for Entra ID that is no group at all, whichever the user is in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

Claims = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """A user as the directory knows it, before the provider writes a response."""

    subject: str
    name: str
    email: str
    held: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Claim → the values that the user has, for the claims that the stack file's rules read."""
    verified: bool = True
    managed: bool = True
    """Whether the organisation manages the account; false for a consumer account."""


def generic(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Any OpenID provider: several values are a list."""
    del identity
    return {
        "name": account.name,
        "email": account.email,
        "email_verified": account.verified,
        **{claim: list(values) for claim, values in account.held.items()},
    }


def entra_id(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Entra ID's response at Microsoft Graph, which nothing can extend: https://learn.microsoft.com/entra/identity-platform/userinfo."""
    del identity
    return {
        "sub": account.subject,
        **_names(account),
        "picture": "https://graph.microsoft.com/v1.0/me/photo/$value",
        "email": account.email,
    }


def okta(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Okta's: ``groups`` for that scope at the org server, the configured claims at a custom one
    (https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/)."""
    custom = bool(identity["provider"].get("authorizationServer"))
    return {
        "sub": account.subject,
        **_names(account),
        "preferred_username": account.email,
        "zoneinfo": "America/Los_Angeles",
        "locale": "en-US",
        "updated_at": 1_764_000_000,
        "email": account.email,
        "email_verified": account.verified,
        **{
            claim: list(values)
            for claim, values in account.held.items()
            if custom or (claim == "groups" and claim in identity["scopes"])
        },
    }


def google_workspace(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Google's: ``hd`` for managed accounts only, never a group
    (https://developers.google.com/identity/openid-connect/openid-connect)."""
    domain = {"hd": str(identity["provider"]["domains"][0])} if account.managed else {}
    return {
        "sub": account.subject,
        **_names(account),
        "picture": "https://lh3.googleusercontent.com/a/photo=s96-c",
        "email": account.email,
        "email_verified": account.verified,
        **domain,
    }


def keycloak(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Keycloak's with the default scopes, and a list for each mapper with Multivalued and Add to userinfo. A name with a dot
    becomes nested objects; the objects of the default role mappers are in the access token only."""
    del identity
    return {
        "sub": account.subject,
        "email_verified": account.verified,
        **_names(account),
        "preferred_username": account.subject,
        "email": account.email,
        **{
            claim: list(values)
            for claim, values in account.held.items()
            if "." not in claim and claim not in ("realm_access", "resource_access")
        },
    }


def cognito(account: Account, identity: Mapping[str, Any]) -> Claims:
    """Cognito's for a user of a SAML provider: attributes are text, and several values one text in brackets
    (https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html)."""
    del identity
    source = {"userId": account.subject, "providerName": "directory", "providerType": "SAML", "primary": "true"}
    return {
        "sub": account.subject,
        "identities": json.dumps([source], separators=(",", ":")),
        **_names(account),
        "email": account.email,
        "email_verified": str(account.verified).lower(),
        "username": f"directory_{account.subject}",
        **{claim: bracketed(values) for claim, values in account.held.items() if claim.startswith("custom:")},
    }


def bracketed(values: Sequence[str]) -> str:
    """A SAML attribute as Cognito writes it into an attribute of the user pool: one value as it is, several form-encoded."""
    return values[0] if len(values) == 1 else f"[{', '.join(quote_plus(value, safe='*') for value in values)}]"


def with_overage(claims: Mapping[str, Any], claim: str) -> Claims:
    """The response for a user in too many groups: a reference in place of the list
    (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#groups-overage-claim)."""
    source = {
        "endpoint": "https://graph.microsoft.com/v1.0/users/00000000-0000-0000-0000-000000000001/getMemberObjects"
    }
    kept = {name: value for name, value in claims.items() if name != claim}
    return {**kept, "_claim_names": {claim: "src1"}, "_claim_sources": {"src1": source}}


def _names(account: Account) -> Claims:
    first, _, last = account.name.partition(" ")
    return {"name": account.name, "given_name": first, "family_name": last}


RESPONSES: Mapping[str, Callable[[Account, Mapping[str, Any]], Claims]] = {
    "": generic,
    "entraId": entra_id,
    "okta": okta,
    "googleWorkspace": google_workspace,
    "keycloak": keycloak,
    "cognito": cognito,
}
"""``identity.provider.kind`` → the response of a user; the empty key: no ``provider``. The second argument is the section
``identity`` with the endpoints and scopes that follow from its provider."""
