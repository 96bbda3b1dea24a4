"""Documents that are generated from the code: what they are, where they lie, and whether they are current.

``python -m preflight docs`` names the ones that are out of date, ``--write`` writes them. A test runs it, so a
setting, a policy or an option that is added without its line in the reference fails.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path

from policies.guardrails import controls
from preflight.reference import command_line, policies, settings_keys


def documents(parser: ArgumentParser) -> Mapping[str, Callable[[], str]]:
    """Path of each document → what makes it. ``parser`` is that of the command line."""
    return {
        "docs/controls.md": controls.markdown,
        "docs/reference/command-line.md": lambda: command_line.markdown(parser),
        "docs/reference/policies.md": policies.markdown,
        "docs/reference/settings.md": settings_keys.markdown,
    }


def stale(root: Path, parser: ArgumentParser) -> Mapping[str, str]:
    """Path → current text of the documents whose committed text differs, or that are missing."""
    current = {name: make() for name, make in documents(parser).items()}
    return {name: text for name, text in current.items() if _committed(root / name) != text}


def write(root: Path, parser: ArgumentParser) -> list[Path]:
    """Write the documents that are out of date; returns their paths."""
    changed = stale(root, parser)
    for name, text in changed.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [root / name for name in changed]


def _committed(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
