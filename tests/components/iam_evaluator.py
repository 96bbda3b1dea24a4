"""Whether IAM lets a request through: the part of AWS's evaluation logic that this project's documents use.

Rules, from the IAM user guide ("Policy evaluation logic", "IAM JSON policy elements: Condition operators"):

- An explicit Deny in any policy wins.
- Without it, a request through an endpoint needs an Allow in the role's policies and one in the endpoint's policy.
- Every operator and key of a statement must match; several values of one key are alternatives, and for a negated
  operator none of them may match.
- A key that the request does not have matches no operator, except a negated one, ``...IfExists`` and ``ForAllValues``.
- Operators that it does not know are an error here, never a match.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Iterable[Mapping[str, Any]]
"""The statements of a policy."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call as AWS sees it: lower-case context keys, every value a list."""

    action: str
    resource: str
    principal: str
    context: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])

    def values(self, key: str) -> list[str] | None:
        """The request's values of a condition key, or ``None`` where it has none."""
        own = {"aws:principalarn": [self.principal], "aws:principalaccount": [self.principal.split(":")[4]]}
        return {**own, **self.context}.get(key.lower())


def allowed(request: Request, *policies: Document) -> bool:
    """Whether every policy in the way allows the request and none denies it."""
    matching = [[s["Effect"] for s in policy if _matches(s, request)] for policy in policies]
    return all("Deny" not in effects and "Allow" in effects for effects in matching)


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    if unknown := set(statement) - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}:
        raise LookupError(f"statement elements {sorted(unknown)}")
    return (
        _any_like(statement["Action"], request.action, ignore_case=True)
        and _any_like(statement["Resource"], request.resource)
        and _principal(statement.get("Principal", "*"), request.principal)
        and all(
            _condition(operator, wanted, request.values(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _principal(named: str | Mapping[str, Any], principal: str) -> bool:
    if named == "*":
        return True
    assert isinstance(named, Mapping)
    account = f"arn:aws:iam::{principal.split(':')[4]}:root"
    return bool({"*", principal, account} & set(_listed(named.get("AWS", []))))


def _condition(operator: str, wanted: Any, found: list[str] | None) -> bool:  # noqa: ANN401 - as JSON has it
    wanted = _listed(wanted)
    for_all = operator.startswith("ForAllValues:")
    base = operator.removeprefix("ForAllValues:")
    optional = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base == "Null":
        return [str(found is None).lower()] == wanted
    if base not in _OPERATORS:
        raise LookupError(f"condition operator {operator}")
    negated, one = _OPERATORS[base]
    if found is None:
        return negated or optional or for_all
    matched = [any(one(pattern, value) for pattern in wanted) for value in found]
    if negated:
        return not any(matched)
    return all(matched) if for_all else any(matched)


def _like(pattern: str, value: str) -> bool:
    parts = [re.escape(part) for part in re.split(r"([*?])", pattern)]
    expression = "".join({r"\*": ".*", r"\?": "."}.get(part, part) for part in parts)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


_OPERATORS = {
    "StringEquals": (False, _equal),
    "StringNotEquals": (True, _equal),
    "StringLike": (False, _like),
    "StringNotLike": (True, _like),
    "ArnEquals": (False, _like),
    "ArnLike": (False, _like),
    "ArnNotEquals": (True, _like),
    "ArnNotLike": (True, _like),
    "Bool": (False, _equal),
}


def _any_like(patterns: str | list[str], value: str, *, ignore_case: bool = False) -> bool:
    if ignore_case:
        return any(_like(pattern.lower(), value.lower()) for pattern in _listed(patterns))
    return any(_like(pattern, value) for pattern in _listed(patterns))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
