"""IAM's condition operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
.../reference_policies_condition-single-vs-multi-valued-context-keys.html:

- every operator and every key of a block must match; the values of one key are alternatives, and for a negated operator
  none of them may match;
- a key that the request does not have matches no operator, except a negated one, ``...IfExists`` and ``ForAllValues``;
  ``ForAnyValue`` never matches it; ``Null`` with ``true`` matches it;
- an ARN is compared part by part, so a wildcard does not reach over one of the first five colons;
- names of condition keys are compared case-insensitively.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

Context = Mapping[str, tuple[str, ...]]
"""Condition key in lower case → its values in the request."""

_ARN_PARTS = 6
_QUANTIFIERS = ("", "ForAllValues", "ForAnyValue")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "\0star", "?": "\0question", "$": "$"}
"""``${*}``, ``${?}`` and ``${$}`` stand for the character itself, not for a wildcard."""


class MalformedPolicyError(ValueError):
    """A policy document that AWS refuses to store."""


def listed(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return a value as IAM reads it: a single value becomes a list with one element. Booleans and numbers become their
    JSON text."""
    values = cast("list[object]", value if isinstance(value, list) else [value])
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def filled(text: str, context: Context) -> str | None:
    """Replace the policy variables in a text. Returns ``None`` if the request lacks a variable that has no default."""
    if "$" not in text:
        return text
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        values = context.get(name.strip().lower(), ())
        if len(values) == 1:
            # A value of the request is text: its own star is no wildcard.
            return values[0].replace("*", _LITERALS["*"]).replace("?", _LITERALS["?"])
        if default:
            return default.strip().strip("'")
        missing.append(name)
        return ""

    replaced = _VARIABLE.sub(value, text)
    return None if missing else replaced


@lru_cache(maxsize=8192)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": ".", _LITERALS["*"]: r"\*", _LITERALS["?"]: r"\?"}
    pieces = re.split(r"(\*|\?|\0star|\0question)", pattern)
    return re.compile("".join(parts.get(one, re.escape(one)) for one in pieces), re.DOTALL)


@lru_cache(maxsize=1 << 16)
def like(pattern: str, value: str) -> bool:
    """Match IAM's wildcards: ``*`` is any text, ``?`` is one character."""
    return _expression(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _actions(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_expression(pattern.lower()).pattern})" for pattern in patterns), re.DOTALL)


def names_action(patterns: list[str], action: str) -> bool:
    """Whether any of the patterns matches the action, in any case. A policy is asked about thousands of actions, so the patterns
    of a statement are one expression."""
    return bool(patterns) and _actions(tuple(patterns)).fullmatch(action.lower()) is not None


def unmet(condition: Mapping[str, Mapping[str, Any]], context: Context) -> Iterator[str]:
    """Return a description of each operator and key of a condition block that the request does not meet; empty if the
    block matches."""
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            found = context.get(key.lower())
            if not met(operator, listed(wanted), found or None, context):
                has = (
                    "the request does not contain the key" if not found else f"the request contains {', '.join(found)}"
                )
                yield f"{operator} {key} {_short(listed(wanted))}, {has}"


def _short(values: list[str]) -> str:
    return ", ".join(values[:2]) + (f" or one of {len(values) - 2} others" if len(values) > 2 else "")  # noqa: PLR2004


def is_operator(name: str) -> bool:
    """Whether IAM has a condition operator of this name."""
    quantifier, _, base = name.rpartition(":")
    return name == "Null" or (base.removesuffix("IfExists") in _OPERATORS and quantifier in _QUANTIFIERS)


def met(operator: str, wanted: list[str], found: tuple[str, ...] | None, context: Context) -> bool:
    """Whether one operator and key match. Raises ``MalformedPolicyError`` for an operator that IAM does not support."""
    if not is_operator(operator):
        raise MalformedPolicyError(f"IAM has no condition operator {operator}")
    if operator == "Null":
        return (found is None) is (_lower(wanted) == ["true"])
    quantifier, _, base = operator.rpartition(":")
    optional, base = base.endswith("IfExists"), base.removesuffix("IfExists")
    negated, compare, literal = _OPERATORS[base]
    if found is None:
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    patterns = [one for text in wanted if (one := filled(text, context)) is not None]
    if literal:
        patterns = [one.replace(_LITERALS["*"], "*").replace(_LITERALS["?"], "?") for one in patterns]
    matched = [any(compare(pattern, value) for pattern in patterns) is not negated for value in found]
    # Without a quantifier a negated operator asks that none of the request's values is named.
    return all(matched) if quantifier == "ForAllValues" or (negated and not quantifier) else any(matched)


def _lower(values: list[str]) -> list[str]:
    return [one.lower() for one in values]


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_in_any_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _arn(pattern: str, value: str) -> bool:
    wanted, has = pattern.split(":", _ARN_PARTS - 1), value.split(":", _ARN_PARTS - 1)
    if len(wanted) != _ARN_PARTS or len(has) != _ARN_PARTS:
        return False
    return all(like(one, part) for one, part in zip(wanted, has, strict=True))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def matches(pattern: str, value: str) -> bool:
        try:
            return compare(float(value), float(pattern))
        except ValueError:
            return False

    return matches


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def matches(pattern: str, value: str) -> bool:
        try:
            return compare(_seconds(value), _seconds(pattern))
        except ValueError:
            return False

    return matches


def _seconds(text: str) -> float:
    """A date of ISO 8601 or seconds since the epoch, as the date operators read both."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _address(pattern: str, value: str) -> bool:
    try:
        network = ipaddress.ip_network(pattern, strict=False)
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _binary(pattern: str, value: str) -> bool:
    try:
        return base64.b64decode(pattern, validate=True) == base64.b64decode(value, validate=True)
    except binascii.Error:
        return False


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda has, wanted: has == wanted,
    "LessThan": lambda has, wanted: has < wanted,
    "LessThanEquals": lambda has, wanted: has <= wanted,
    "GreaterThan": lambda has, wanted: has > wanted,
    "GreaterThanEquals": lambda has, wanted: has >= wanted,
}
_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool], bool]] = {
    "StringEquals": (False, _equal, True),
    "StringNotEquals": (True, _equal, True),
    "StringEqualsIgnoreCase": (False, _equal_in_any_case, True),
    "StringNotEqualsIgnoreCase": (True, _equal_in_any_case, True),
    "StringLike": (False, like, False),
    "StringNotLike": (True, like, False),
    "ArnEquals": (False, _arn, False),
    "ArnLike": (False, _arn, False),
    "ArnNotEquals": (True, _arn, False),
    "ArnNotLike": (True, _arn, False),
    "Bool": (False, _equal_in_any_case, True),
    "BinaryEquals": (False, _binary, True),
    "IpAddress": (False, _address, True),
    "NotIpAddress": (True, _address, True),
    **{f"Numeric{name}": (False, _number(compare), True) for name, compare in _COMPARISONS.items()},
    "NumericNotEquals": (True, _number(_COMPARISONS["Equals"]), True),
    **{f"Date{name}": (False, _date(compare), True) for name, compare in _COMPARISONS.items()},
    "DateNotEquals": (True, _date(_COMPARISONS["Equals"]), True),
}
"""Operator → whether it is negated, how it compares a pattern with a value, whether a star is an ordinary character."""
