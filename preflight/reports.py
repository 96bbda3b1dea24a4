"""All formats of one check in a folder, and the comment for a pull request: the verdict, then what the change does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from preflight import diff
from preflight.check import Checked
from preflight.diff import StackChanges
from preflight.errors import PreflightError
from preflight.output import render

FILES = {"text": "check.txt", "json": "check.json", "sarif": "check.sarif", "junit": "check.xml"}
COMMENT = "comment.md"
LONGEST_COMMENT = 60_000
"""GitHub takes 65,536 characters."""
_CUT = "\n\n(the rest is left out here: it is in the job's reports)\n"


def write(folder: Path, checked: Checked, changed: str) -> list[Path]:
    """Write every format and the comment; ``changed`` is Markdown about the change, empty where there is no base."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {name: render(checked.report, format_, terminal=False) for format_, name in FILES.items()}
    contents[COMMENT] = comment(render(checked.report, "markdown", terminal=False), changed)
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def changes(root: Path, base: str, checked: Checked) -> str:
    """What is new since the git ref ``base``, in Markdown; why it cannot be said, where it cannot."""
    names = [environment.name for environment in checked.report.environments]
    try:
        before = diff.base_recordings(root, base, names)
    except PreflightError as error:
        return f"What changes since `{base}` cannot be shown: {' '.join(str(error).split())}\n"
    found: Sequence[StackChanges] = [
        diff.changes(name, before[name], checked.recordings[name, False]) for name in names if name in before
    ]
    return diff.as_markdown(base, found)


def comment(verdict: str, changed: str) -> str:
    """The verdict whole, as far as there is room, then what changes, folded away."""
    text = verdict.rstrip("\n") + "\n"
    if changed:
        text += f"\n<details open><summary>What changes</summary>\n\n{changed.rstrip()}\n\n</details>\n"
    return text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - len(_CUT)] + _CUT
