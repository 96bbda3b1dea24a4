"""CloudWatch Logs' filter patterns for JSON, evaluated on one line: what a metric filter counts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Supported: ``{ … }`` with ``=``, ``!=``,
``<``, ``<=``, ``>``, ``>=``, ``&&``, ``||`` and brackets; texts in quotation marks, in which ``*`` at the beginning or the end stands for
anything. A field that the line lacks, or whose value is no number where one is compared, does not match. Anything else raises
``FilterPatternError``: a pattern is never evaluated by guessing.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

_TOKEN = re.compile(
    r"\s*(?:(?P<both>&&)|(?P<either>\|\|)|(?P<open>\()|(?P<close>\))|(?P<field>\$\.[A-Za-z_][\w.]*)"
    r'|(?P<operator>!=|<=|>=|=|<|>)|(?P<text>"[^"]*")|(?P<number>-?\d+(?:\.\d+)?))'
)
_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FIELD = re.compile(r"\$\.([A-Za-z_][\w.]*)")
_QUOTED = re.compile(r'"[^"]*"')


class FilterPatternError(ValueError):
    """A pattern that is not supported here, or that CloudWatch Logs would refuse."""


@dataclass
class _Reader:
    tokens: list[tuple[str, str]]
    line: Mapping[str, Any]
    place: int = 0
    fields: list[str] = field(default_factory=list[str])

    def either(self) -> bool:
        found = self.both()
        while self._take("either"):
            found = self.both() or found
        return found

    def both(self) -> bool:
        found = self.one()
        while self._take("both"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self._take("open"):
            found = self.either()
            self._expect("close")
            return found
        name = self._expect("field").removeprefix("$.")
        compared = self._expect("operator")
        kind, value = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        self.place += 1
        actual = _value(self.line, name)
        if kind == "number":
            return _number(actual) and _COMPARED[compared](float(cast("float", actual)), float(value))
        if kind == "text" and compared in ("=", "!="):
            return isinstance(actual, str) and _like(value[1:-1], actual) is (compared == "=")
        raise FilterPatternError(f"{compared} {value}: a number, or a text compared by = or !=, is expected")

    def _take(self, kind: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place][0] == kind:
            self.place += 1
            return True
        return False

    def _expect(self, kind: str) -> str:
        if self.place >= len(self.tokens) or self.tokens[self.place][0] != kind:
            found = self.tokens[self.place][1] if self.place < len(self.tokens) else "the end"
            raise FilterPatternError(f"{found} where a {kind} is expected")
        self.place += 1
        return self.tokens[self.place - 1][1]


def matches(pattern: str, line: Mapping[str, Any] | str) -> bool:
    """Whether a pattern matches a line. A line that is no JSON object matches nothing."""
    if isinstance(line, str):
        try:
            found: object = json.loads(line)
        except ValueError:
            return False
        if not isinstance(found, dict):
            return False
        line = cast("Mapping[str, Any]", found)
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise FilterPatternError(f"{pattern!r} is no pattern for JSON")
    reader = _Reader(_tokens(text[1:-1]), line)
    result = reader.either()
    if reader.place != len(reader.tokens):
        raise FilterPatternError(f"{reader.tokens[reader.place][1]} is left over")
    return result


def fields_of(pattern: str) -> list[str]:
    """The names of the fields in a pattern, or in a value such as ``$.first_byte_ms``, sorted."""
    return sorted(set(_FIELD.findall(_QUOTED.sub("", pattern))))


def published(transformation: Mapping[str, Any], line: Mapping[str, Any]) -> float | None:
    """The value that a metric filter publishes for a line that it matches; ``None`` if the line has no number there."""
    value = str(transformation.get("value"))
    if not value.startswith("$."):
        return float(value)
    found = _value(line, value.removeprefix("$."))
    return float(cast("float", found)) if _number(found) else None


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        match = _TOKEN.match(rest)
        if match is None or match.lastgroup is None:
            raise FilterPatternError(f"not readable from {rest[:40]!r} on")
        found.append((match.lastgroup, match[match.lastgroup]))
        rest = rest[match.end() :].strip()
    return found


def _value(line: Mapping[str, Any], name: str) -> object:
    found: object = line
    for step in name.split("."):
        found = cast("Mapping[str, object]", found).get(step) if isinstance(found, Mapping) else None
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _like(wanted: str, actual: str) -> bool:
    return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), actual, re.DOTALL) is not None
