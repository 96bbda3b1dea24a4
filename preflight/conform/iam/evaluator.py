"""Whether IAM allows a request: the part of AWS's evaluation logic that this project's documents use.

Rules, from the IAM user guide (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
and .../reference_policies_elements_condition_operators.html, .../reference_policies_condition-single-vs-multi-valued-context-keys.html):

- An explicit Deny in any policy wins.
- Otherwise every applicable layer has to allow: a role's policies together, its permissions boundary, an endpoint's
  policy.
- Every operator and key of a statement must match; several values of one key are alternatives, and for a negated
  operator none of them may match.
- A key that the request does not have matches no operator, except a negated one, ``...IfExists`` and ``ForAllValues``.
  ``ForAnyValue`` never matches it.
- ``Null`` with ``true`` matches a key that the request does not have.
- Names of actions and condition keys are compared case-insensitively.
- Operators and statement elements that this module does not implement are an error, never a match.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

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

    def values(self, key: str) -> list[str] | None:
        """The request's values for a condition key, or ``None`` if it has none."""
        own = {"aws:principalarn": [self.principal], "aws:principalaccount": [self.principal.split(":")[4]]}
        return {**own, **self.context}.get(key.lower())


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
            _condition(operator, wanted, request.values(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def names_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether the statement's ``Action`` covers the action."""
    return any(like(pattern.lower(), action.lower()) for pattern in listed(statement["Action"]))


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


def _condition(operator: str, wanted: Any, found: list[str] | None) -> bool:  # noqa: ANN401 - JSON
    wanted = listed(wanted)
    if operator == "Null":
        return (found is None) is (wanted == ["true"])
    quantifier, _, base = operator.rpartition(":")
    optional = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base not in _OPERATORS or quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        raise LookupError(f"condition operator {operator}")
    negated, one = _OPERATORS[base]
    if found is None:
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    matched = [any(one(pattern, value) for pattern in wanted) is not negated for value in found]
    # Without a quantifier, a negated operator matches if none of the request's values is listed.
    return all(matched) if quantifier == "ForAllValues" or (negated and not quantifier) else any(matched)


@lru_cache(maxsize=8192)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in re.split(r"([*?])", pattern)]
    return re.compile("".join({r"\*": ".*", r"\?": "."}.get(part, part) for part in parts), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards: ``*`` is any text, ``?`` one character."""
    return _expression(pattern).fullmatch(value) is not None


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_in_any_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _equal),
    "StringNotEquals": (True, _equal),
    "StringEqualsIgnoreCase": (False, _equal_in_any_case),
    "StringNotEqualsIgnoreCase": (True, _equal_in_any_case),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, like),
    "ArnLike": (False, like),
    "ArnNotEquals": (True, like),
    "ArnNotLike": (True, like),
    "Bool": (False, _equal),
}


def listed(value: str | list[str]) -> list[str]:
    """Return a list; a single value becomes a list with one element, as in IAM."""
    return [value] if isinstance(value, str) else list(value)
