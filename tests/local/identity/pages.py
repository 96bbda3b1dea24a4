"""The pages of ``docs/identity/`` as data: each section for the stack file, and the table of users that follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from preflight.recording.recorder import Recording
from settings.stack import PREFIX
from tests.once import main_program
from tests.settings.stack_files import OPEN_WEBUI, ROOT, as_the_engine_passes_it

FOLDER = ROOT / "docs" / "identity"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = "| User | Answer | `refused` |"
STACK = "staging"


@dataclass(frozen=True)
class Expected:
    """One row of a table."""

    user: str
    answer: str
    refused: str


@dataclass(frozen=True)
class Page:
    """One section for the stack file, and its table."""

    name: str
    identity: dict[str, Any]
    rows: tuple[Expected, ...]

    def __str__(self) -> str:
        """The page, and which of its sections."""
        return self.name

    @property
    def kind(self) -> str:
        """The kind of provider; empty without ``provider``."""
        return str(self.identity.get("provider", {}).get("kind", ""))

    @property
    def sections(self) -> dict[str, Any]:
        """What the twin reads of the stack file."""
        domain = as_the_engine_passes_it(STACK)[f"{PREFIX}domain"]
        return {"identity": self.identity, "domain": json.loads(domain)}

    def recording(self) -> Recording:
        """The program's resources with this section."""
        return _recorded(json.dumps(self.identity))


@cache
def _recorded(identity: str) -> Recording:
    config = {**as_the_engine_passes_it(STACK), **OPEN_WEBUI, f"{PREFIX}identity": identity}
    return main_program(STACK, config)


def blocks() -> Iterator[tuple[str, str]]:
    """Name of the page and content of each YAML block."""
    for path in sorted(FOLDER.glob("*.md")):
        for number, block in enumerate(_BLOCK.findall(path.read_text(encoding="utf-8")), 1):
            yield f"{path.stem}-{number}", block


def pages() -> list[Page]:
    """Every section of every page, in order."""
    found: list[Page] = []
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for number, match in enumerate(_BLOCK.finditer(text), 1):
            section = yaml.safe_load(match[1])[f"{PREFIX}identity"]
            found.append(Page(f"{path.stem}-{number}", section, tuple(_rows(text[match.end() :]))))
    return found


def _rows(text: str) -> Iterator[Expected]:
    """The rows of the first table of users, which has to come before the next section for the stack file."""
    before, found, rest = text.partition(_TABLE)
    assert found, "a section for the stack file has no table of users"
    assert "```yaml" not in before, "a section for the stack file has no table of users"
    for line in rest.strip("\n").split("\n")[1:]:
        if not line.startswith("|"):
            return
        user, answer, refused = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        yield Expected(user, answer, refused)
