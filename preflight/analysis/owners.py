"""CODEOWNERS, generated from the owners that the stacks' settings name and their programs export.

On GitHub the last line that matches a path decides, so the lines are ordered from everything to single files. A stack
that exports no owner is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from policies.parity.rules import OWNERS, PACK
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

FILE = ".github/CODEOWNERS"
WRITE = "python -m preflight owners --write"

OWNED: tuple[tuple[str, str], ...] = (
    ("*", "maintainers"),
    ("/components/models/", "modelReviewers"),
    ("/prompts/", "promptReviewers"),
    ("/releases/", "releaseManagers"),
    ("/releases/models.yaml", "modelReviewers"),
)
"""Path and the setting that names its owners; the owners in every stack's settings count."""
OF_THE_LAST: tuple[tuple[str, str], ...] = (
    ("/.github/", "environmentApprovers"),
    ("/bootstrap/", "environmentApprovers"),
    ("/releases/keys/", "environmentApprovers"),
    ("/policies/accepted-changes.yaml", "environmentApprovers"),
    ("/policies/exceptions.yaml", "environmentApprovers"),
    ("/policies/parity/differences.yaml", "environmentApprovers"),
)
"""Files that loosen a rule in every environment: owned by the last environment's owners only, because an approval by
one of several owners is enough."""
OF_A_STACK: tuple[tuple[str, str], ...] = (
    ("/Pulumi.{stack}.yaml", "environmentApprovers"),
    ("/bootstrap/Pulumi.{stack}.yaml", "environmentApprovers"),
)
"""Files of one stack: owned by that stack's owners only."""

People = Mapping[str, tuple[str, ...]]
"""The owners by the name of the setting."""


def people_of(recording: Recording) -> People:
    """The stack output ``owner``: the settings that list people."""
    owner: object = recording.outputs.get("owner")
    if not isinstance(owner, Mapping):
        return {}
    given = cast("Mapping[str, object]", owner)
    return {
        name: tuple(map(str, cast("list[object]", value))) for name, value in given.items() if isinstance(value, list)
    }


def team_of(recordings: Mapping[str, Recording]) -> str:
    """The accountable team of the last environment that exports one; empty if none does."""
    owners = [recording.outputs.get("owner") for recording in recordings.values()]
    teams = [cast("Mapping[str, object]", owner).get("team") for owner in owners if isinstance(owner, Mapping)]
    return str(next((team for team in reversed(teams) if team), ""))


def content(recordings: Mapping[str, Recording], root: Path) -> str:
    """The content of the file in the project's folder ``root``; empty if no stack exports an owner. ``recordings`` are in the order of
    the environments."""
    people = {stack: people_of(recording) for stack, recording in recordings.items()}
    lines = [(path, _all(people, setting)) for path, setting in OWNED]
    last: People = list(people.values())[-1] if people else {}
    lines += [(path, last.get(setting, ())) for path, setting in OF_THE_LAST]
    for stack, own in people.items():
        # An account with two environments has one file in bootstrap/.
        files = [(path.format(stack=stack), setting) for path, setting in OF_A_STACK]
        lines += [(path, own.get(setting, ())) for path, setting in files if (root / path.lstrip("/")).is_file()]
    kept = [(path, owners) for path, owners in lines if owners]
    if not kept:
        return ""
    width = max(len(path) for path, _ in kept)
    head = [f"# Written by `{WRITE}` from the owner settings of all stacks. Do not edit: change the settings."]
    return "\n".join([*head, *(f"{path:{width}} {' '.join(owners)}" for path, owners in kept)]) + "\n"


def _all(people: Mapping[str, People], setting: str) -> tuple[str, ...]:
    """The owners in every stack, without duplicates."""
    return tuple(dict.fromkeys(person for own in people.values() for person in own.get(setting, ())))


def stale(root: Path, recordings: Mapping[str, Recording]) -> list[Finding]:
    """One finding if the committed file differs from the settings; none if ``recordings`` lacks a stack of the project."""
    stacks = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")}
    wanted = content(recordings, root)
    if not wanted or stacks - recordings.keys():
        return []
    path = root / FILE
    committed = path.read_text(encoding="utf-8") if path.is_file() else ""
    if committed == wanted:
        return []
    missing = [line for line in wanted.splitlines() if line not in committed.splitlines()]
    return [
        Finding(
            environment=" and ".join(recordings),
            rule=OWNERS.name,
            verdict=Verdict.VIOLATED,
            headline=f"{FILE} does not match the owners in the settings",
            found=f"missing: {'; '.join(' '.join(line.split()) for line in missing)}" if committed else "no such file",
            wanted="the owners in the settings",
            fix=f"run {WRITE}",
            pack=PACK,
            severity=str(OWNERS.severity),
            description=OWNERS.description,
            source_file=FILE,
            source_line=1,
        )
    ]


def write(root: Path, recordings: Mapping[str, Recording]) -> list[Path]:
    """Write the file; returns its path if the content changed."""
    path, wanted = root / FILE, content(recordings, root)
    if not wanted or (path.is_file() and path.read_text(encoding="utf-8") == wanted):
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(wanted, encoding="utf-8")
    return [path]
