"""The shell commands in Markdown: fenced blocks, and code spans that begin with a program of ``PROGRAMS``."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SHELL = ("sh", "bash", "shell")
PROGRAMS = ("make", "pulumi", "aws", "git", "gh", "jq", "crane", "docker", "apt-get", "pytest", "preflight")
"""A code span or a line of an unmarked block that begins with one of these, or with Python, is a command."""
_BEGINS = re.compile(
    rf"(?:\$ |[A-Z_]+=\S+ )?(?:(?:{'|'.join(PROGRAMS)}) |(?:\S*/)?python3? (?:-m |\S+\.py\b)|\. \.venv/)"
)
_RELEASE = re.compile(r"release (?:new|promote|rollback|record)(?: |$)")
_FIX = re.compile(r"fix: (?P<command>(?:aws|pulumi|make|\.venv/bin/python) .+)", re.DOTALL)
"""A command in the output of a program, which is the last line of the block."""
_EITHER = re.compile(r"(?<=\s)\w+(?:\|\w+)+(?=\s|$)")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<body>.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?P<text>.+?)(?<!`)\1(?!`)", re.DOTALL)
_PLACEHOLDER = re.compile(r"<[A-Za-z][A-Za-z0-9-]*(?: [A-Za-z0-9-]+)*>")
_URN = "<urn of "
SAMPLE_URN = "urn:pulumi:sample::sample::sample::sample"
"""Replaces a placeholder such as ``<urn of state-seed>``."""
_OPTIONAL = re.compile(r"(?<=\s)\[([^\]=]+)\](?=\s|$)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_NESTED = re.compile(r"\$\(([^()]*)\)")
_ARITHMETIC = re.compile(r"\$\(\([^()]*\)\)")
_SEPARATORS = {"|", ";", "&&", "||", "&", "(", ")"}
SAMPLE = "sample"
"""Replaces a placeholder such as ``<environment>``."""


class Command(NamedTuple):
    """One call of one program."""

    file: str
    line: int
    words: tuple[str, ...]
    mention: bool = False
    """Whether it is a code span, which may leave out arguments."""

    def __str__(self) -> str:
        """Place and text, as a finding shows it."""
        return f"{self.file}:{self.line}: {shlex.join(self.words)}"


class Script(NamedTuple):
    """A piece of shell: the lines of a block, or one code span."""

    file: str
    line: int
    text: str
    mention: bool = False


@cache
def documents() -> tuple[str, ...]:
    """Every tracked or new Markdown file."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],  # noqa: S607 - the git on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


def text_of(file: str) -> str:
    """The content of a document."""
    return (ROOT / file).read_text(encoding="utf-8")


def scripts(file: str, text: str) -> Iterator[Script]:
    """Everything in ``text`` that a reader may type into a shell."""
    for match in _FENCE.finditer(text):
        indent, language, body = match["indent"], match["language"], match["body"]
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        line = text.count("\n", 0, match.start("body")) + 1
        if found := _FIX.search(body if not language else ""):
            text_of_fix = " ".join(found["command"].split())
            yield Script(file, line + body.count("\n", 0, found.start()), text_of_fix)
        elif language in SHELL or (not language and any(_BEGINS.match(one) for one in lines)):
            yield Script(file, line, _typed(lines))
    prose = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for line, span in spans(prose):
        joined = " ".join(span.split())
        if _RELEASE.match(joined):
            joined = f"python -m preflight {joined}"
        if _BEGINS.match(joined) and not joined.endswith("python -m"):
            yield from (Script(file, line, one, mention=True) for one in _each(joined))


def _each(text: str) -> Iterator[str]:
    """The text with each of the alternatives in ``new|promote``."""
    found = _EITHER.search(text)
    if found is None:
        yield text
        return
    for word in found[0].split("|"):
        yield from _each(f"{text[: found.start()]}{word}{text[found.end() :]}")


def spans(prose: str) -> Iterator[tuple[int, str]]:
    """Line and content of every code span, which may continue on the next line but not in the next paragraph."""
    line = 1
    for paragraph in re.split(r"(\n[ \t]*\n)", prose):
        for match in _SPAN.finditer(paragraph):
            yield line + paragraph.count("\n", 0, match.start()), match["text"]
        line += paragraph.count("\n")


def _typed(lines: list[str]) -> str:
    """The lines without prompts and without the output below them, if there are prompts. Lines keep their numbers."""
    if not any(line.startswith("$ ") for line in lines):
        return "\n".join(lines)
    return "\n".join(line.removeprefix("$ ") if line.startswith("$ ") else "" for line in lines)


def as_shell(text: str) -> str:
    """The text with samples for placeholders, which a shell would read as redirections or globs."""
    return _OPTIONAL.sub(r"\1", _PLACEHOLDER.sub(_sample, text))


def _sample(placeholder: re.Match[str]) -> str:
    return SAMPLE_URN if placeholder[0].startswith(_URN) else SAMPLE


def commands(script: Script) -> Iterator[Command]:
    """The calls in a script, also those inside ``$(…)``. Raises ``ValueError`` for unbalanced quotes."""
    text = re.sub(r"\\\n", "  ", as_shell(script.text))
    line = script.line
    source = script.text.splitlines()
    position = 0
    for one in text.splitlines():
        yield from _calls(script, line + position, one)
        while position < len(source) and source[position].endswith("\\"):
            position += 1
        position += 1


def _calls(script: Script, line: int, text: str) -> Iterator[Command]:
    text = _COMMENT.sub("", text)
    for nested in _NESTED.findall(text):
        yield from _calls(script, line, nested)
    lexer = shlex.shlex(_ARITHMETIC.sub("1", _NESTED.sub(SAMPLE, text)), posix=True, punctuation_chars="|;&()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    tokens = iter(lexer)
    for token in tokens:
        if token in _SEPARATORS:
            yield from _call(script, line, words)
            words = []
        elif set(token) <= {"<", ">", "&"}:
            next(tokens, "")
        else:
            words.append(token)
    yield from _call(script, line, words)


def _call(script: Script, line: int, words: list[str]) -> Iterator[Command]:
    position = 0
    while position < len(words) and re.match(r"[A-Za-z_]\w*=", words[position]):
        position += 1
    if words[position:]:
        yield Command(script.file, line, tuple(words[position:]), script.mention)


@cache
def every_script() -> tuple[Script, ...]:
    """The scripts of all documents."""
    return tuple(script for file in documents() for script in scripts(file, text_of(file)))
