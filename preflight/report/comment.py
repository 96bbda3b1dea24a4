"""A pull request's comment within the length that GitHub accepts: whole parts are left out, and named, never cut."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 65_536
"""GitHub refuses a comment with more characters. Counted here in bytes of UTF-8, of which there are never fewer."""
SPARE = 1_024
"""Bytes for the line with the link to the report, which the workflow adds."""
_NAMED, _LETTERS = 6, 60
_NOTE = 400 + _NAMED * (_LETTERS * 4 + 2)
"""The maximum size of the note, in bytes."""


def fitted(blocks: Sequence[tuple[str, str]], longest: int = LONGEST - SPARE) -> str:
    """The blocks, each a name and its Markdown, in their order. Blocks that do not fit are left out; a note at the end names them."""
    left = longest - _NOTE
    kept: list[str] = []
    missing: list[str] = []
    for name, text in blocks:
        part = text.strip("\n") + "\n\n"
        if (needed := _bytes(part)) <= left:
            kept.append(part)
            left -= needed
        else:
            missing.append(name)
    return "".join(kept).rstrip("\n") + "\n" + (_note(missing) if missing else "")


def _note(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(name[:_LETTERS] for name in names[:_NAMED]) + (f" and {more} more parts" if more > 0 else "")
    return f"\n(left out, because a comment has at most {LONGEST:,} characters: {shown}; the job's reports contain everything)\n"


def _bytes(text: str) -> int:
    return len(text.encode())
