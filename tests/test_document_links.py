"""Every link from one Markdown file to another, to a file or to a heading leads to something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from tests.documents.extract import ROOT, documents, text_of

_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)[^`\n]+\1")
_LINK = re.compile(r"\]\((?P<inline>[^()\s]+)\)|^\[[^\]]+\]: (?P<listed>\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")


def links(text: str) -> Iterator[tuple[int, str]]:
    """Line and target of every link that does not lead to another host."""
    prose = _FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)
    for match in _LINK.finditer(_CODE.sub("code", prose)):
        target = match["inline"] or match["listed"]
        if not _ELSEWHERE.match(target):
            yield prose.count("\n", 0, match.start()) + 1, target


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    seen = Counter[str]()
    found: set[str] = set()
    for match in _HEADING.finditer(_FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["text"]).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@cache
def anchors_of(file: str) -> set[str]:
    return anchors(text_of(file))


def broken(file: str, text: str) -> list[str]:
    found: list[str] = []
    for line, target in links(text):
        path, _, anchor = target.partition("#")
        place = ((ROOT / file).parent / path).resolve() if path else ROOT / file
        if path and not (place.is_relative_to(ROOT) and place.exists()):
            found.append(f"{file}:{line}: {target}: there is no such file")
        elif anchor and place.suffix == ".md":
            known = anchors(text) if not path else anchors_of(str(place.relative_to(ROOT)))
            if anchor not in known:
                found.append(f"{file}:{line}: {target}: there is no such heading")
    return found


@pytest.mark.parametrize("file", documents())
def test_every_link_leads_somewhere(file: str) -> None:
    assert broken(file, text_of(file)) == []


def test_the_links_are_found() -> None:
    assert sum(len(list(links(text_of(file)))) for file in documents()) > 180


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[x](no-such-file.md)", ["docs/example.md:1: no-such-file.md: there is no such file"]),
        ("a\n[`x`](glossary.md#no-such)", ["docs/example.md:2: glossary.md#no-such: there is no such heading"]),
        ("# One\n\n[x](#tow)", ["docs/example.md:3: #tow: there is no such heading"]),
        ("[x]: ../nothing", ["docs/example.md:1: ../nothing: there is no such file"]),
        ("[x](../../outside.md)", ["docs/example.md:1: ../../outside.md: there is no such file"]),
        ("# One, `two` & three\n# One\n# One\n\n[x](#one-two--three) [y](#one-1) [z](../README.md#check-it)", []),
        ("[x](https://example.com/#y) `[z](no.md)`\n```\n[z](no.md)\n```\n", []),
    ],
)
def test_what_is_broken(text: str, found: list[str]) -> None:
    assert broken("docs/example.md", text) == found
