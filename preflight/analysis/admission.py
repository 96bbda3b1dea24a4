"""Access that the identity provider decides and nothing here can check, as the proxy's configuration grants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.guardrails.topology.graph.values import as_mapping
from preflight.analysis.edge_proxy import configuration, rules_about_people
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording

EVERYONE = (
    "everyone who can log in at the identity provider (identity.allowed.everyoneTheProviderAssigns): access control is entirely at the "
    "provider, and nothing here checks it"
)
BY_ADDRESS = (
    "{who} by e-mail address, also without email_verified in the provider's response: access control is with those who can set a "
    "user's address at the provider, and nothing here checks it"
)
_WHO = {"allowed": "users (identity.allowed)", "administrators": "administrators (identity.administrators)"}


def admission(recording: Recording) -> tuple[str, ...]:
    """One sentence for each kind. Empty for a stack without a proxy whose configuration is known."""
    try:
        rules = rules_about_people(configuration(recording))
    except PreflightError:
        return ()
    return tuple(_sentences(rules))


def _sentences(rules: Mapping[str, Any]) -> Iterator[str]:
    if _part(rules, "allowed", "everyone"):
        yield EVERYONE
    by_address = [who for key, who in _WHO.items() if _part(rules, key, "domains") or _part(rules, key, "emails")]
    if by_address and not rules.get("verified"):
        yield BY_ADDRESS.format(who=" and ".join(by_address))


def _part(rules: Mapping[str, Any], key: str, name: str) -> bool:
    rule = as_mapping(rules.get(key)) or {}
    return bool(rule.get(name))
