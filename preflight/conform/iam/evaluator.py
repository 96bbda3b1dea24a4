"""Whether IAM allows a request: the part of AWS's evaluation logic that this project's documents use.

Rules, from the IAM user guide (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html):

- An explicit Deny in any policy wins.
- Otherwise every applicable layer has to allow: a role's policies together, its permissions boundary, an endpoint's
  policy.
- Every operator and key of a statement must match (``conditions``).
- Names of actions are compared case-insensitively.
- Statement elements that this module does not implement, and operators that IAM does not have, are an error, never a
  match. Checks report them first (``not_understood``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from preflight.conform.iam import conditions
from preflight.conform.iam.conditions import Context, is_operator, like, listed, met

Document = Iterable[Mapping[str, Any]]
"""The statements of a policy."""

_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: lower-case context keys, every value a list."""

    action: str
    resource: str
    principal: str
    context: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])

    @cached_property
    def keys(self) -> Context:
        """The condition keys of the request: those of its principal and those of its context."""
        own = {"aws:principalarn": (self.principal,), "aws:principalaccount": (self.principal.split(":")[4],)}
        return {**own, **{key: tuple(values) for key, values in self.context.items()}}


def allowed(request: Request, *policies: Document) -> bool:
    """Whether every layer of policies allows the request and none denies it."""
    matching = [[s["Effect"] for s in policy if matches(s, request)] for policy in policies]
    return all("Deny" not in effects and "Allow" in effects for effects in matching)


def matches(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement, of either effect, matches the request."""
    if unknown := set(statement) - _ELEMENTS:
        raise LookupError(f"statement elements {sorted(unknown)}")
    return (
        names_action(statement, request.action)
        and _resource(statement, request.resource)
        and _principal(statement.get("Principal", "*"), request.principal)
        and all(
            met(operator, listed(wanted), request.keys.get(key.lower()) or None, request.keys)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def not_understood(statement: Mapping[str, Any]) -> Iterator[str]:
    """The elements and operators of a statement that this module cannot evaluate, each described."""
    yield from (f"the element {name}" for name in sorted(set(statement) - _ELEMENTS))
    yield from (f"the condition operator {name}" for name in statement.get("Condition", {}) if not is_operator(name))


def names_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether the statement's ``Action`` covers the action."""
    return conditions.names_action(listed(statement["Action"]), action)


def _resource(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(like(pattern, resource) for pattern in listed(statement["NotResource"]))
    # Identity and resource policies name resources. A repository's policy has none: it applies to its repository.
    return any(like(pattern, resource) for pattern in listed(statement.get("Resource", "*")))


def _principal(named: str | Mapping[str, Any], principal: str) -> bool:
    if isinstance(named, str):
        return named == "*"
    account = f"arn:aws:iam::{principal.split(':')[4]}:root"
    return bool({"*", principal, account} & set(listed(named.get("AWS", []))))
