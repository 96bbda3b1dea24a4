"""Edits of the project's files that the engine's tests make in an environment. ``test_edits.py`` applies them without an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RENAMED = {
    "components/data/component.py": ("Data", "State"),
    "components/monitoring/data.py": ("DataAlarms", "StateAlarms"),
}
"""File → the component's new and old name."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Another text in place of one in a file of the project."""

    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Edit the copy of the project in a folder.

        :raises AssertionError: the file no longer has the text, so that the test would go on with the project as it is
        """
        self._replace(folder, self.old, self.new)

    def undo(self, folder: Path) -> None:
        """Put the first text back."""
        self._replace(folder, self.new, self.old)

    def _replace(self, folder: Path, old: str, new: str) -> None:
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{self.file} does not have {old!r} any more"
        path.write_text(text.replace(old, new), encoding="utf-8")


STRONGER_GUARDRAIL = Edit("prompts/guardrail.yaml", "contentStrength: MEDIUM", "contentStrength: HIGH")
NAMES_WITHOUT_A_FINAL_DOT = Edit("components/network/dns.py", "return f\"{domain.rstrip('.')}.\"", "return domain")
FORMER_NAMES = tuple(
    Edit(
        file,
        f'"ai-interface:index:{name}", name, args, formerly("ai-interface:index:{former}", opts)',
        f'"ai-interface:index:{former}", name, args, opts',
    )
    for file, (name, former) in RENAMED.items()
)
"""The components as they were before they were renamed."""
