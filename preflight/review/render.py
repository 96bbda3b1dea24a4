"""The review of a change for a terminal, for a pull request's comment and as JSON: the same sentences in each."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from preflight.review.changed import ChangeReview

_LONGEST_LINE = 600
FEW = 8
"""Up to this number of properties are listed without being asked for."""
WIDTH = 110
NAMES_ONLY = "Nothing changes for users, operators, permissions, data or the bill: only names in Pulumi's state differ."


def as_text(base: str, reviews: Sequence[ChangeReview], *, verbose: bool = False) -> str:
    """Sentences by environment and topic. The properties of resources are folded into one line, unless they are few."""
    return "\n".join(line for one in reviews for line in _text(base, one, verbose=verbose))


def _text(base: str, one: ChangeReview, *, verbose: bool) -> Iterator[str]:
    yield f"{one.environment}: {one.headline(base)}"
    for title, texts in _parts(one):
        yield ""
        yield f"  {title}"
        for text in texts:
            yield from textwrap.wrap(
                text,
                WIDTH,
                initial_indent="    ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    if sentence := _unchanged(one):
        yield ""
        yield f"  {sentence}"
    folded = len(one.resources) > FEW and not verbose
    if one.resources:
        yield ""
        yield f"  properties of resources{f': {len(one.resources)} differ (--verbose lists them)' if folded else ''}"
        if not folded:
            yield from (f"    {text}" for text in one.resources)
    yield ""


def _parts(one: ChangeReview) -> Iterator[tuple[str, Sequence[str]]]:
    """Title and sentences of everything that is not folded, the verdict's reasons first."""
    if one.only_names:
        yield "names", (NAMES_ONLY, *one.renamed)
        return
    yield from ((str(part.topic), part.texts) for part in one.topics)
    if one.settings:
        yield "settings of the stack file", one.settings
    if one.steps:
        yield "steps", one.steps
    if one.renamed:
        yield "other names in Pulumi's state", one.renamed


def _unchanged(one: ChangeReview) -> str:
    if one.nothing or one.only_names:
        return ""
    same = [str(topic) for topic in one.unchanged]
    return f"no change in {', '.join(same)}" if same else ""


def markdown_blocks(base: str, reviews: Sequence[ChangeReview], most: int | None = None) -> Iterator[tuple[str, str]]:
    """Name and Markdown of each part of a comment, each complete in itself: the sentences of every environment by topic, then the
    folded properties. With ``most``, a list has at most so many lines, and counts the others."""
    for one in reviews:
        yield f"the heading of {one.environment}", f"#### {one.environment}: {_escaped(one.headline(f'`{base}`'))}\n"
        for title, texts in _parts(one):
            shown = _shortened([f"- {_escaped(text)}" for text in texts], most)
            yield f"{title} of {one.environment}", "\n".join([f"**{title}**", "", *shown, ""])
        if sentence := _unchanged(one):
            yield f"what stays in {one.environment}", f"{sentence[:1].upper()}{sentence[1:]}.\n"
    for one in reviews:
        if one.resources:
            yield f"properties of resources of {one.environment}", _folded(one, most)


def _shortened(lines: list[str], most: int | None) -> list[str]:
    if most is None:
        return lines
    shown = [line if len(line) <= _LONGEST_LINE else _cut(line) for line in lines[:most]]
    more = len(lines) - most
    return [*shown, *([f"- and {more} more: `preflight diff` lists them"] if more > 0 else [])]


def _cut(line: str) -> str:
    """A long line without the rest, and without half of an entity or an open code span."""
    start = line[: _LONGEST_LINE - 1]
    if "&" in start[-6:]:
        start = start.rpartition("&")[0]
    start = start.rstrip("\\")
    return f"{start}{'`' if start.count('`') % 2 else ''}…"


def as_markdown(base: str, reviews: Sequence[ChangeReview]) -> str:
    """The review as Markdown, without a limit on its length."""
    return "\n".join(text for _, text in markdown_blocks(base, reviews))


def _folded(one: ChangeReview, most: int | None) -> str:
    number = len(one.resources)
    summary = f"{one.environment}: {number} propert{'y' if number == 1 else 'ies'} of resources"
    lines = [f"<details><summary>{summary}</summary>", ""]
    shown = _shortened([f"- `{_code(text)}`" for text in one.resources], most)
    return "\n".join([*lines, *shown, "", "</details>", ""])


def _code(text: str) -> str:
    """Text for the inside of a code span: one line, without a back quote."""
    return " ".join(text.replace("`", "'").split())


def _escaped(text: str) -> str:
    """Text in which Markdown and HTML mean nothing, except code between back quotes."""
    parts = " ".join(text.split()).split("`")
    for number in range(0, len(parts), 2 if len(parts) % 2 else 1):
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            parts[number] = parts[number].replace(character, entity)
        for character in "\\*_[]|":
            parts[number] = parts[number].replace(character, "\\" + character)
    return "`".join(parts) if len(parts) % 2 else "'".join(parts)


def as_json(base: str, reviews: Sequence[ChangeReview]) -> str:
    """The review as JSON."""
    content = {
        "base": base,
        "environments": [
            {
                **asdict(one),
                "topics": {str(part.topic): list(part.texts) for part in one.topics},
                "unchanged": [str(topic) for topic in one.unchanged],
                "headline": one.headline(base),
            }
            for one in reviews
        ],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
