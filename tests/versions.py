"""The files that repeat the version of ``pyproject.toml``, its one source: ``python -m tests.versions`` writes them.

The packs and the component package state it themselves, because each also runs when it is copied alone.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATED = {
    "components/package.py": r'^VERSION = "(.+)"$',
    "policies/guardrails/PulumiPolicy.yaml": r"^version: (.+)$",
    "policies/guardrails/server.py": r'^VERSION = "(.+)"$',
    "policies/parity/PulumiPolicy.yaml": r"^version: (.+)$",
    "policies/parity/server.py": r'^VERSION = "(.+)"$',
}
"""File → the line with the version."""


def version() -> str:
    """The version of ``pyproject.toml``."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def stated(file: str) -> str:
    """The version in a file; empty without exactly one line that states it."""
    found = re.findall(STATED[file], (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return str(found[0]) if len(found) == 1 else ""


def main() -> None:
    """Write the version into every file."""
    for file, line in STATED.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        written = re.sub(line, lambda found: found[0].replace(found[1], version()), text, flags=re.MULTILINE)
        if written != text:
            (ROOT / file).write_text(written, encoding="utf-8")
            sys.stdout.write(f"wrote {file}\n")


if __name__ == "__main__":
    main()
