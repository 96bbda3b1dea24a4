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
from collections.abc import Iterable, Iterator, Mapping
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
    r"(?:plays?|played|playing)": "runs, emulates, supports",
    r"(?:is|are|was|were|be|been|and) answered (?:with )?(?:a )?[2-5][0-9x]{2}": "gets a 404, returns 404",
    r"answers? (?:with )?(?:a )?[2-5][0-9x]{2}": "returns 404",
    r"(?:empty|none|nothing|false|true|default|missing)`* where": "if: empty if …, None if …",
    r"(?:that|which) (?:is|are) none": "is not a …, is invalid",
    r"(?:each once|once each)": "without duplicates",
    r"(?:has|have|had) a say": "applies to, affects, decides",
    r"without regard to": "ignoring, regardless of, case-insensitively",
    r"(?!(?:is|are|be|been|was|were|not) )[a-z]+ included(?=[.,;:)])": "including …, before the noun",
    r"in short(?: form)?": "short name, abbreviated",
}
"""Regular expression for whole words → what to write instead. A space also matches a line break."""

OUTSIDE_TESTS: Mapping[str, str] = {
    r"says": "states, contains, returns, requires; a person says",
    r"tells": "shows, reports, determines, distinguishes",
    r"beside": "next to, alongside, in addition to, at the same time as",
    r"(?:whoever|whatever)": "any, regardless of; name the role",
}
"""The same for files that are not below ``tests/``: text that users and callers read."""

STARTS: Mapping[str, str] = {
    r"(?:what|whose|whatever|those|someone|something)": "the noun that the clause hides: The headers that …",
    r"(?:of|by)": "the noun that the phrase belongs to: The names by …, The threshold of …",
    r"see": "what it is or does; a reference follows in parentheses",
    r"that": "a verb: Check that …, Return whether …",
    r"the (?:most|fewest|least)": "The maximum number of …, The minimum of …",
}
"""First words that a docstring outside ``tests/`` must not have → what to begin with instead."""

ALLOWED: Mapping[tuple[str, str], str] = {
    ("local/aws/chat.py", "says"): "the model's answer: the document says",
    ("policies/guardrails/data/types.tsv", "room"): "AWS's name of a resource type",
    ("tests/policies/closed_world/reviewed.tsv", "room"): "AWS's name of a resource type",
}
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


def _pattern(phrases: Iterable[str], before: str = r"(?<![\w-])", after: str = r"(?![\w-])") -> re.Pattern[str]:
    alternatives = "|".join(phrase.replace(" ", _SPACE) for phrase in phrases)
    return re.compile(f"{before}(?:{alternatives}){after}", re.IGNORECASE)


_EVERYWHERE = _pattern(PHRASES)
_OUTSIDE_TESTS = _pattern([*PHRASES, *OUTSIDE_TESTS])
_STARTS = _pattern(STARTS, r'\A[rf]?"""')
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
            if not file.startswith("tests/") and (first := _STARTS.match(token.string)):
                yield Hit(file, token.start[0], first.group().lower())


_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def _hits(text: str, file: str, line: int) -> Iterator[Hit]:
    for match in (_EVERYWHERE if file.startswith("tests/") else _OUTSIDE_TESTS).finditer(text):
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
        (
            "# The request is answered\n# 404, or answers 404; ``None`` where it is unknown.\n",
            ["is answered 404", "answers 404", "none`` where"],
        ),
        ("# The names, the first included. Tests are included.\n", ["first included"]),
        ('def read() -> str:\n    """What the file says."""\n', ["says", '"""what']),
        ('LIMIT = 5\n"""Of a list."""\n', ['"""of']),
        ('LIMIT = 5\n"""The most\nentries."""\n', ['"""the most']),
        ('def read() -> str:\n    """Return the text, see ``write``, of the file."""\n', []),
    ],
)
def test_what_is_found(text: str, found: list[str]) -> None:
    assert [hit.text for hit in hits(text, "example.py")] == found


def test_the_stricter_phrases_are_for_text_outside_of_the_tests() -> None:
    text = 'def read() -> str:\n    """What the file says beside the mend."""\n'

    assert [hit.text for hit in hits(text, "tests/example.py")] == ["mend"]
    assert [hit.text for hit in hits(text, "local/example.py")] == ["says", "beside", "mend", '"""what']


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
