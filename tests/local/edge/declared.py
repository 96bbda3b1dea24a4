"""What the rules of a graph declare, with types."""

from __future__ import annotations

from typing import Any

from local.stack import Resource, items


def values(rule: Resource, kind: str) -> list[str]:
    """The values of all conditions of one kind: ``hostHeader``, ``pathPattern``."""
    found: list[str] = []
    for condition in items(rule["conditions"]):
        options: dict[str, Any] = condition.get(kind) or {}
        found += [str(value) for value in options.get("values", [])]
    return found


def logins(rule: Resource) -> list[dict[str, Any]]:
    """The ``authenticateOidc`` of a rule's actions."""
    return [action["authenticateOidc"] for action in items(rule["actions"]) if "authenticateOidc" in action]


def tokens(rule: Resource) -> list[dict[str, Any]]:
    """The ``jwtValidation`` of a rule's actions."""
    return [action["jwtValidation"] for action in items(rule["actions"]) if "jwtValidation" in action]
