"""Envoy's configuration as text that fits into a task definition.

Envoy reads YAML, which includes JSON. A task definition is limited to 64 KiB, in which every double quote of an
embedded document costs a second character, and a configuration is repetitive: every upstream has the same filters,
limits and types. Therefore a repeated value or key is written once with an anchor (``&1``) and then referenced (``*1``),
and a plain string is in single quotes. Envoy parses the same configuration, value for value; ``preflight proxy-config``
prints it in full.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, cast

SHORTEST = 7
"""The minimum JSON length of a value or key for which an anchor saves space."""


def configuration_text(configuration: dict[str, Any]) -> str:
    """The configuration as one line of YAML in flow style. The output is deterministic."""
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
        key = _identity(value)
        if len(key) < SHORTEST:
            return
        self._uses[key] += 1
        # The content of a repeated value is written once, at its first occurrence.
        if self._uses[key] == 1:
            for inner in _inside(value):
                self._count(inner)

    def _written(self, value: object) -> str:
        key = _identity(value)
        if key in self._names:
            return f"*{self._names[key]}"
        anchor = ""
        if self._uses[key] > 1:
            self._names[key] = len(self._names) + 1
            anchor = f"&{self._names[key]} "
        return anchor + self._body(value)

    def _key(self, key: str) -> str:
        written = self._written(key)
        # Without the first space the colon belongs to the alias; without the second it does not end a key that is not quoted.
        return f"{written} : " if written.startswith("*") else f"{written}:"

    def _body(self, value: object) -> str:
        if isinstance(value, dict):
            entries = sorted(cast("dict[str, object]", value).items())
            return "{" + ",".join(f"{self._key(key)}{self._written(inner)}" for key, inner in entries) + "}"
        if isinstance(value, list | tuple):
            return "[" + ",".join(self._written(inner) for inner in cast("Sequence[object]", value)) + "]"
        return _string(value) if isinstance(value, str) else json.dumps(value)


def _identity(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        entries = sorted(cast("dict[str, object]", value).items())
        return chain.from_iterable(entries)
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _string(text: str) -> str:
    # Single-quoted strings have no escapes, so strings that need one (line ends, control characters) are in double
    # quotes.
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    # JSON escapes characters beyond 16 bits as a surrogate pair, which YAML reads as two characters.
    return f"\\U{ord(character):08x}" if ord(character) > 0xFFFF else json.dumps(character)[1:-1]  # noqa: PLR2004
