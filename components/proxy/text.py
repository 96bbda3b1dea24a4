"""Envoy's configuration as text that fits into a task definition.

Envoy reads YAML, of which JSON is a part. A task definition holds at most 64 KiB, in which every double quote of an
inner document costs a second character, and a configuration repeats itself: every upstream has the same filters,
limits and types. So a value that occurs again is written once with an anchor (``&1``) and named by it afterwards
(``*1``), and a plain string stands in single quotes. What Envoy builds from it is the same, value for value; ``preflight
proxy-config`` prints it written out.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, cast

SHORTEST = 12
"""Characters of a value as JSON below which naming it saves nothing."""


def configuration_text(configuration: dict[str, Any]) -> str:
    """The configuration as one line of YAML in flow style; the same value gives the same text."""
    return _Writer(configuration).text()


class _Writer:
    def __init__(self, configuration: dict[str, Any]) -> None:
        self._configuration = configuration
        self._uses: Counter[str] = Counter()
        self._names: dict[str, int] = {}
        self._count(configuration)

    def text(self) -> str:
        return self._written(self._configuration)

    def _count(self, value: object) -> None:
        key = _key(value)
        if len(key) < SHORTEST:
            return
        self._uses[key] += 1
        # What is inside a repeated value is written once, with its first occurrence.
        if self._uses[key] == 1:
            for inner in _inside(value):
                self._count(inner)

    def _written(self, value: object) -> str:
        key = _key(value)
        if key in self._names:
            return f"*{self._names[key]}"
        anchor = ""
        if self._uses[key] > 1:
            self._names[key] = len(self._names) + 1
            anchor = f"&{self._names[key]} "
        return anchor + self._body(value)

    def _body(self, value: object) -> str:
        if isinstance(value, dict):
            entries = sorted(cast("dict[str, object]", value).items())
            return "{" + ",".join(f"{_string(key)}:{self._written(inner)}" for key, inner in entries) + "}"
        if isinstance(value, list | tuple):
            return "[" + ",".join(self._written(inner) for inner in cast("Sequence[object]", value)) + "]"
        return _string(value) if isinstance(value, str) else json.dumps(value)


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _string(text: str) -> str:
    # Single quotes know no escapes, so whatever needs one (line ends, control characters) is in double ones.
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    # JSON writes what is beyond 16 bits as two halves, which YAML reads as two characters.
    return f"\\U{ord(character):08x}" if ord(character) > 0xFFFF else json.dumps(character)[1:-1]  # noqa: PLR2004
