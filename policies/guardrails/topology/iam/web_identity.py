"""Trust in an OpenID Connect provider: which claims a statement leaves to everyone who has a token of it."""

from __future__ import annotations

from .callers import names_someone
from .conditions import Condition
from .statements import Statement

_WEB = "sts:AssumeRoleWithWebIdentity"
_AUDIENCE = ("aud", "azp", "oaud", "app_id")
"""The claims by which providers name the application that a token is for: AWS maps azp to aud where both are sent."""


def is_by_web_identity(statement: Statement) -> bool:
    """Whether it lets users of an OpenID Connect provider, not of SAML, assume the role."""
    return statement.covers(_WEB) and any(":saml-provider/" not in who for who in statement.federated)


def missing_claims(statement: Statement) -> dict[str, str]:
    """The claims (aud, sub) that no condition ties to one application and one source, with what is there instead.

    Only comparisons that other tokens do not meet count: neither negated ones, nor those that hold without the claim, nor
    patterns that begin before a name.
    """
    bounding = [test for test in statement.conditions if test.bounds]
    found: dict[str, str] = {}
    if not any(_claim(test) in _AUDIENCE and not any(map(_has_wildcard, test.values)) for test in bounding):
        found["aud"] = "no such condition"
    if not any(all(names_someone(_claim(test), value) for value in test.values) for test in bounding):
        values = [value for test in statement.conditions if _claim(test) == "sub" for value in test.values]
        found["sub"] = ", ".join(values) or "no such condition"
    return found


def _claim(test: Condition) -> str:
    return test.key.rpartition(":")[2]


def _has_wildcard(value: str) -> bool:
    return "*" in value or "?" in value
