"""The README's deployment commands, read from the README itself."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

from tests.engine.harness import REPOSITORY

README = REPOSITORY / "README.md"
_CODE = re.compile(r"^[ ]*```[a-z]*\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)


def commands(operation: str, stack: str, text: str | None = None) -> list[list[str]]:
    """The words after ``pulumi`` of every documented ``pulumi <operation>`` on ``stack``, in the README's order."""
    blocks = _CODE.findall(README.read_text(encoding="utf-8") if text is None else text)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("pulumi ")]
    wanted = [words[1:] for words in found if words[1] == operation]
    return [words for words in wanted if _after(words, "-s") == stack]


def deploy_command(stack: str) -> list[str]:
    """The one documented command that deploys ``stack``."""
    found = commands("up", stack)
    if len(found) != 1:
        raise AssertionError(f"README.md has {len(found)} commands 'pulumi up -s {stack}': exactly one is expected")
    return found[0]


def packs(words: list[str]) -> list[Path]:
    """The policy packs that a command names."""
    return [REPOSITORY / after for word, after in itertools.pairwise(words) if word == "--policy-pack"]


def _after(words: list[str], option: str) -> str:
    return next((after for word, after in itertools.pairwise(words) if word == option), "")
