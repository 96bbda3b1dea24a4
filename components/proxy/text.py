"""Envoy's configuration as text that fits into a task definition.

Envoy reads YAML, which includes JSON. A task definition is limited to 64 KiB, in which every double quote of an
embedded document costs a second character, and a configuration is repetitive: every upstream has the same filters,
limits and types. Therefore a repeated value or key is written once with an anchor (``&a``) and then referenced (``*a``), the
shortest names for those that are used most, a plain word has no quotes, and any other string is in single quotes. Envoy parses the same configuration, value for value; ``preflight proxy-config``
prints it in full.
"""

import itertools
import json
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]{3,}")
_NOT_TEXT = frozenset(("false", "infinity", "null", "true"))
"""A string that YAML reads as a string without quotes, and what it would read as something else. Shorter ones such as ``yes``, ``off``
and ``nan`` always have quotes."""
_LETTERS = string.ascii_letters + string.digits
_BEYOND_16_BITS = re.compile("([\U00010000-\U0010ffff])")
_REFERENCE = 4
"""About the length of an anchor and of a reference with a name of two characters, and of the spaces that a reference as a key needs.
"""


def configuration_text(configuration: dict[str, Any]) -> str:
    """The configuration as one line of YAML in flow style. The output is deterministic."""
    return _Writer(configuration).text()


class _Writer:
    def __init__(self, configuration: dict[str, Any]) -> None:
        self._configuration = configuration
        self._identities: dict[int, str] = {}
        self._uses: Counter[str] = Counter()
        self._count(configuration)
        worth = [key for key, uses in self._uses.items() if (uses - 1) * (len(key) - _REFERENCE) > _REFERENCE]
        by_use = sorted(worth, key=lambda key: (-self._uses[key], key))
        self._names = dict(zip(by_use, _short_names(), strict=False))
        self._written_once: set[str] = set()

    def text(self) -> str:
        return self._written(self._configuration)

    def _identity(self, value: object) -> str:
        """The value as JSON. A container's text is made once, of the texts of what it holds, and kept by its address: the
        configuration holds it as long as this object lives."""
        if not isinstance(value, dict | list | tuple):
            return json.dumps(value)
        container = cast("object", value)
        address = id(container)
        if address not in self._identities:
            parts = [self._identity(inner) for inner in _inside(container)]
            if isinstance(value, dict):
                pairs = zip(parts[::2], parts[1::2], strict=True)
                self._identities[address] = "{" + ",".join(f"{key}:{inner}" for key, inner in pairs) + "}"
            else:
                self._identities[address] = "[" + ",".join(parts) + "]"
        return self._identities[address]

    def _count(self, value: object) -> None:
        key = self._identity(value)
        self._uses[key] += 1
        # The content of a repeated value is written once, at its first occurrence.
        if self._uses[key] == 1:
            for inner in _inside(value):
                self._count(inner)

    def _written(self, value: object) -> str:
        key = self._identity(value)
        name = self._names.get(key)
        if name is None:
            return self._body(value)
        if key in self._written_once:
            return f"*{name}"
        self._written_once.add(key)
        return f"&{name} {self._body(value)}"

    def _key(self, key: str) -> str:
        written = self._written(key)
        # Without the first space the colon belongs to the alias; without the second it does not end a key that is not quoted.
        if written.startswith("*"):
            return f"{written} : "
        return f"{written}:" if written[-1] in "'\"" else f"{written}: "

    def _body(self, value: object) -> str:
        if isinstance(value, dict):
            entries = sorted(cast("dict[str, object]", value).items())
            return "{" + ",".join(f"{self._key(key)}{self._written(inner)}" for key, inner in entries) + "}"
        if isinstance(value, list | tuple):
            return "[" + ",".join(self._written(inner) for inner in cast("Sequence[object]", value)) + "]"
        return _string(value) if isinstance(value, str) else json.dumps(value)


def _short_names() -> Iterator[str]:
    for length in itertools.count(1):
        yield from ("".join(letters) for letters in itertools.product(_LETTERS, repeat=length))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        entries = sorted(cast("dict[str, object]", value).items())
        return chain.from_iterable(entries)
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    # Single-quoted strings have no escapes, so strings that need one (line ends, control characters) are in double
    # quotes.
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(part) for part in _BEYOND_16_BITS.split(text)) + '"'


def _escaped(part: str) -> str:
    # JSON escapes characters beyond 16 bits as a surrogate pair, which YAML reads as two characters.
    return f"\\U{ord(part):08x}" if _BEYOND_16_BITS.fullmatch(part) else json.dumps(part)[1:-1]
