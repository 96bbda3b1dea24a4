"""Conditions of IAM statements: operators with their qualifiers, keys in lower case, and the values that satisfy each
of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..graph.values import Value, listed
from .callers import pins

_QUALIFIERS = ("forallvalues:", "foranyvalue:")
_IF_EXISTS = "ifexists"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: ``ForAllValues:StringNotLikeIfExists`` has the operator ``stringnotlike``."""

    operator: str
    """The operator in lower case, without qualifier and suffix."""
    key: str
    """The key in lower case: IAM ignores the case of keys."""
    values: tuple[str, ...]
    qualifier: str = ""
    """``forallvalues``, ``foranyvalue`` or empty."""
    if_exists: bool = False

    @property
    def negative(self) -> bool:
        """Whether it holds for every value but those listed."""
        return "not" in self.operator

    @property
    def holds_without_key(self) -> bool:
        """Whether it also holds for a request that does not carry the key."""
        return self.if_exists or self.negative or self.qualifier == "forallvalues" or self.operator == "null"

    @property
    def is_open(self) -> bool:
        """Whether one of its values matches the callers, networks or resources of every account."""
        return not all(pins(self.key, value) for value in self.values)

    @property
    def bounds(self) -> bool:
        """Whether a grant with it is actually limited to the values that it lists."""
        return not self.holds_without_key and not self.is_open

    def requires(self, operator: str, key: str, value: str) -> bool:
        """Whether it is this comparison, with this value and no other."""
        return (self.operator, self.key) == (operator, key) and {item.lower() for item in self.values} == {value}


def conditions(block: Value) -> Iterator[Condition]:
    """The comparisons in a statement's ``Condition``; a request has to pass all of them."""
    if not isinstance(block, Mapping):
        return
    for name, tests in cast("Mapping[str, Any]", block).items():
        operator, if_exists = name.lower(), name.lower().endswith(_IF_EXISTS)
        qualifier = next((item for item in _QUALIFIERS if operator.startswith(item)), "")
        operator = operator.removeprefix(qualifier).removesuffix(_IF_EXISTS)
        for key, values in cast("Mapping[str, Any]", tests if isinstance(tests, Mapping) else {}).items():
            texts = tuple(str(item) for item in listed(values))
            yield Condition(operator, key.lower(), texts, qualifier.rstrip(":"), if_exists)
