"""Phrases that the repository's text avoids, because they are hard to understand or have two meanings.

Every tracked text file is checked. In Python these are the comments, the strings and the names, split into words.
``python -m tests.test_plain_english [FOLDER]`` lists the hits, also those of another checkout.
``plain_english_pending.tsv`` has the number of hits in files that still have to be reworded. It may only shrink:
``--pending`` lowers the numbers to the present ones.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

PHRASES: Mapping[str, str] = {
    r"(?:am|is|are|was|were|be|been|being) told": "receives, gets; a message says",
    r"(?:go|goes|went|gone) by": "uses, follows",
    r"the former": "repeat the noun, or: earlier, previous",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"anew": "again",
    r"by the way": "leave it out",
    r"of (?:its|their) own": "its own …, another, a separate; or leave it out",
    r"(?:nobody|everybody|somebody)": "name the role: users, clients, an operator, no principal",
    r"ways? (?:in|out)": "ingress, egress; a path to, a route from",
    r"judg(?:e|es|ed|ing)": "evaluate, check",
    r"entered past": "reachable without going through",
    r"(?:take|takes|taking|took|taken) (?:it|them|this|that|the \w+) off": "remove",
    r"(?:front )?doors?": "entry point, listener",
    r"rooms?(?! for)": "package, folder; headroom",
    r"house": "repository, layout",
    r"adrift": "unattached",
    r"onward": "dependency; forwards",
    r"carriers?": "path, transport",
    r"parties": "peers, principals",
    r"lets? (?:\w+ )?in": "admits, allows",
    r"in vain": "without success",
    r"(?:say|says|said|saying) aloud": "documents, states",
    r"(?:hence|whence|thereof|therein|hitherto|henceforth)": "so, from which, of it, in it, until now, from now on",
}
"""Regular expression for whole words → what to write instead. A space also matches a line break."""

ALLOWED: Mapping[tuple[str, str], str] = {}
"""File and text of a hit → why it stays."""

PENDING = ROOT / "tests" / "plain_english_pending.tsv"

EXCLUDED: Mapping[str, str] = {
    "LICENSE": "the licence's text is not ours",
    "requirements.lock": "generated, package names and hashes only",
    "tests/test_plain_english.py": "the list itself",
    "tests/plain_english_pending.tsv": "names of files",
    "policies/guardrails/data/taggable.txt": "generated, AWS's names of resource types",
}
"""Files that are not checked, and why."""

_SPACE = r"(?:[\s#*|>\"]+)"
_PATTERN = re.compile(
    r"(?<![\w-])(?:" + "|".join(phrase.replace(" ", _SPACE) for phrase in PHRASES) + r")(?![\w-])", re.IGNORECASE
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


class Hit(NamedTuple):
    """A banned phrase."""

    file: str
    line: int
    text: str
    """In lower case, with single spaces."""


def hits(text: str, file: str) -> Iterator[Hit]:
    """Banned phrases in the text of a file."""
    if not file.endswith(".py"):
        yield from _hits(text, file, 1)
        return
    comment, start = "", 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            start, comment = (start, f"{comment}\n{token.string}") if comment else (token.start[0], token.string)
            continue
        if token.type in {tokenize.NL, tokenize.INDENT, tokenize.DEDENT} and comment:
            continue
        yield from _hits(comment, file, start)
        comment = ""
        if token.type == tokenize.NAME:
            yield from _hits(_WORDS.sub(" ", token.string), file, token.start[0])
        elif token.type in _STRINGS:
            yield from _hits(token.string, file, token.start[0])


_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def _hits(text: str, file: str, line: int) -> Iterator[Hit]:
    for match in _PATTERN.finditer(text):
        found = re.sub(_SPACE, " ", match.group().lower())
        yield Hit(file, line + text.count("\n", 0, match.start()), found)


@cache
def hits_in(folder: Path) -> list[Hit]:
    """Banned phrases in the tracked text files of a checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the git on PATH
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: list[Hit] = []
    for file in sorted(listed.split("\0")):
        path = folder / file
        if not file or file in EXCLUDED or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.extend([*_hits(re.sub(r"[_/.]", " ", file), file, 0), *hits(text, file)])
    return found


def pending() -> dict[str, int]:
    """File → the number of hits that it may still have."""
    rows = (line.split("\t") for line in PENDING.read_text(encoding="utf-8").splitlines())
    return {file: int(number) for file, number in rows}


def test_no_banned_phrase_in_the_repository() -> None:
    found = [hit for hit in hits_in(ROOT) if (hit.file, hit.text) not in ALLOWED]
    counted = Counter(hit.file for hit in found)
    allowed = pending()
    assert [hit for hit in found if counted[hit.file] > allowed.get(hit.file, 0)] == []


def test_every_exception_is_still_needed() -> None:
    assert set(ALLOWED) <= {(hit.file, hit.text) for hit in hits_in(ROOT)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""Mend\nit."""', ["mend"]),
        ("# The proxy is\n# told its address.\n", ["is told"]),
        ("def lets_nobody_in() -> None: ...\n", ["lets nobody in"]),
        ("class StateRoom: ...\n", ["room"]),
        ('where = f"{one} has no way out"\n', ["way out"]),
        ("# There is room for two. A mending-free bedroom.\n", []),
    ],
)
def test_what_is_found(text: str, found: list[str]) -> None:
    assert [hit.text for hit in hits(text, "example.py")] == found


def lower_pending() -> None:
    """Lower the numbers in the table to the present ones; never raise one."""
    counted = Counter(hit.file for hit in hits_in(ROOT))
    lowered = {file: min(number, counted[file]) for file, number in pending().items()}
    lines = [f"{file}\t{number}\n" for file, number in sorted(lowered.items()) if number]
    PENDING.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--pending"]:
        lower_pending()
    else:
        for one in hits_in(Path(sys.argv[1]) if sys.argv[1:] else ROOT):
            sys.stdout.write(f"{one.file}:{one.line}: {one.text}\n")
