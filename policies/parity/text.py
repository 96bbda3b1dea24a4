"""Splits long texts, so that a difference is reported by the part that differs and not by the whole text.

The proxy's program ends with one line that holds its settings as a table; each entry of such a line is a separate part.
Any other text is one part.
"""

from __future__ import annotations

import re

_ENTRY = re.compile(r'^\["([^"]+)"\]=')
_SHORTEST_TABLE = 100


def parts_of(text: str) -> dict[str, str]:
    """Suffix of the property's path → the part; the suffix is empty for everything that is not an entry of a table."""
    if "\n" not in text:
        return {"": text}
    parts: dict[str, str] = {}
    rest: list[str] = []
    for line in text.split("\n"):
        entries = _entries(line)
        parts.update(entries)
        rest.append("…" if entries else line)
    return {"": "\n".join(rest), **parts}


def _entries(line: str) -> dict[str, str]:
    start = line.find('{["')
    if start < 0 or len(line) < _SHORTEST_TABLE:
        return {}
    found: dict[str, str] = {}
    for entry in _split(line[start + 1 :]):
        if match := _ENTRY.match(entry):
            found[f'["{match[1]}"]'] = entry[match.end() :]
    return found


def _split(text: str) -> list[str]:
    """At the commas of the outermost level, up to the closing brace."""
    parts: list[str] = [""]
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "{}":
            depth += 1 if character == "{" else -1
            if depth < 0:
                break
        if character == "," and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
