"""Documents that are generated from the code: what they are, where they lie, and whether they are current.

``python -m preflight docs`` names the ones that are out of date, ``--write`` writes them. A test runs the former, so a
setting, a policy or an option that is added without its line in the reference fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from policies.guardrails import controls
from preflight.reference import command_line, policies, settings_keys

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/controls.md": controls.markdown,
    "docs/reference/command-line.md": command_line.markdown,
    "docs/reference/policies.md": policies.markdown,
    "docs/reference/settings.md": settings_keys.markdown,
}
"""Path of each document → what makes it."""


def stale(root: Path) -> list[str]:
    """The documents whose committed text differs from what the code generates, or that are missing."""
    return [name for name, make in DOCUMENTS.items() if _committed(root / name) != make()]


def write(root: Path) -> list[Path]:
    """Write the documents that are out of date; returns their paths."""
    paths = [root / name for name in stale(root)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DOCUMENTS[path.relative_to(root).as_posix()](), encoding="utf-8")
    return paths


def _committed(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
