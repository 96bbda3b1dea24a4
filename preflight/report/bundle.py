"""All formats of one check in a folder, and the pull request comment: the verdict, then the effect of the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from preflight.analysis import diff, parity, since
from preflight.analysis.check import Checked
from preflight.analysis.diff import StackChanges
from preflight.errors import PreflightError
from preflight.findings import merge
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from preflight.report.output import render

FILES = {"text": "check.txt", "json": "check.json", "sarif": "check.sarif", "junit": "check.xml"}
COMMENT = "comment.md"
LONGEST_COMMENT = 60_000
"""GitHub accepts 65,536 characters."""
_CUT = "\n\n(shortened: the job's reports contain the rest)\n"


def write(folder: Path, checked: Checked, changed: str) -> list[Path]:
    """Write every format and the comment; ``changed`` is Markdown about the change, empty if there is no base."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {name: render(checked.report, format_, terminal=False) for format_, name in FILES.items()}
    contents[COMMENT] = comment(render(checked.report, "markdown", terminal=False), changed)
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


@dataclass(frozen=True, slots=True)
class Planned:
    """The stacks as of the base, and the effect of the change on them; or the reason why it is not known."""

    before: Mapping[str, Recording]
    changes: Sequence[since.StackChange]
    problem: str = ""


def plan(root: Path, base: str) -> Planned:
    """Run the base and plan the change. It forks: call it before a pack is started."""
    try:
        before = diff.base_recordings(root, base, parity.order(root, Project.load(root).stacks()))
        return Planned(before, since.changes(root, base, before))
    except PreflightError as error:
        return Planned({}, (), " ".join(str(error).split()))


def with_findings(checked: Checked, planned: Planned | None) -> Checked:
    """The check with a finding for each change that cannot be applied to the running stacks."""
    if planned is None:
        return checked
    names = [environment.name for environment in checked.report.environments]
    found = [*since.findings(planned.changes)]
    found += [since.not_known(name, planned.problem) for name in names if planned.problem]
    failing = {finding.environment for finding in found if finding.fails}
    environments = tuple(
        replace(one, violated=one.violated + 1) if one.name in failing else one for one in checked.report.environments
    )
    report = replace(
        checked.report,
        environments=environments,
        findings=tuple(merge([*checked.report.findings, *found])),
        rules=(*checked.report.rules, since.RULE),
    )
    return replace(checked, report=report)


def changes(base: str, checked: Checked, planned: Planned) -> str:
    """The changes since the git ref ``base``, in Markdown; or the reason why they are not known."""
    if planned.problem:
        return f"Changes since `{base}` cannot be shown: {planned.problem}\n"
    running = {one.environment: tuple(since.lines(one)) for one in planned.changes}
    found: Sequence[StackChanges] = [
        replace(diff.changes(name, before, checked.recordings[name, False]), running=running.get(name, ()))
        for name, before in planned.before.items()
    ]
    return diff.as_markdown(base, found)


def comment(verdict: str, changed: str) -> str:
    """The verdict as far as the size limit allows, then the changes, folded."""
    text = verdict.rstrip("\n") + "\n"
    if changed:
        text += f"\n<details open><summary>Changes</summary>\n\n{changed.rstrip()}\n\n</details>\n"
    return text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - len(_CUT)] + _CUT
