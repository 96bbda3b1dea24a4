"""``ARCHITECTURE.md`` lists the modules of the packages that it describes: each one exists, and none is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FOLDERS = (
    "components",
    "policies/guardrails",
    "policies/guardrails/topology",
    "policies/parity",
    "preflight",
    "releases",
)
"""The folders whose modules are listed. The first line of a block is the folder, and below it the first column has the
modules and, with a slash at the end, the packages."""
NESTED = "components"
"""The folder in whose block a package's line has that package's modules in the second column."""


def columns(line: str) -> tuple[list[str], list[str]]:
    """The words of the first column, and of the rest. Two spaces separate them."""
    first, _, rest = line.strip().partition("  ")
    return first.split(), rest.split()


def listed() -> Iterator[tuple[str, str]]:
    """Folder and name of everything that a block lists."""
    for block in re.findall(r"^```\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        folder = ""
        for line in block.splitlines():
            names, rest = columns(line)
            if not line.startswith(" "):
                folder = names[0].removesuffix("/") if len(names) == 1 and names[0].endswith("/") else ""
            elif folder in FOLDERS and not line.startswith("   "):  # Deeper lines continue the one above.
                yield from ((folder, name.removesuffix("/")) for name in names)
                if folder == NESTED and names[0].endswith("/"):
                    yield from ((f"{folder}/{names[0].removesuffix('/')}", name.removesuffix("/")) for name in rest)


def present(folder: str) -> set[str]:
    """The modules and packages of a folder."""
    found = {path.stem for path in (ROOT / folder).glob("*.py") if not path.stem.startswith("__")}
    return found | {path.parent.name for path in (ROOT / folder).glob("*/__init__.py")}


PACKAGES = sorted({*FOLDERS, *(f"{NESTED}/{path.parent.name}" for path in (ROOT / NESTED).glob("*/__init__.py"))})


@pytest.mark.parametrize("folder", PACKAGES)
def test_the_modules_of_a_package_are_listed(folder: str) -> None:
    names = sorted(name for of, name in listed() if of == folder)
    assert names == sorted(present(folder)), f"correct the list of {folder}/ in ARCHITECTURE.md"
