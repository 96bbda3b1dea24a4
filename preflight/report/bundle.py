"""All formats of one check in a folder, and the pull request comment: the verdict, then the effect of the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from preflight.analysis import diff, parity, since
from preflight.analysis.check import Checked
from preflight.errors import PreflightError
from preflight.findings import merge
from preflight.pulumi import program
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from preflight.report.comment import fitted
from preflight.report.data import markdown_blocks
from preflight.report.output import render
from preflight.review.changed import review
from preflight.review.render import markdown_blocks as review_blocks

Blocks = Sequence[tuple[str, str]]
"""Name and Markdown of each part of a comment."""
FILES = {"text": "check.txt", "json": "check.json", "sarif": "check.sarif", "junit": "check.xml"}
COMMENT = "comment.md"
PAGE = "report.html"
_MOST_LINES = 120
"""Lines of one list in the comment; `preflight diff` and the page have all of them."""


def write(folder: Path, checked: Checked, changed: Blocks, page: str) -> list[Path]:
    """Write every format, the page and the comment; ``changed`` is about the change, empty if there is no base."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {name: render(checked.report, format_, terminal=False) for format_, name in FILES.items()}
    contents[PAGE] = page
    contents[COMMENT] = comment(markdown_blocks(checked.report), changed)
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
        project = Project.load(root)
        with diff.recording_base(root, base, parity.order(root, project.stacks())) as recordings:
            program.load(project)
            before = recordings()
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


def changes(
    root: Path, base: str, checked: Checked, planned: Planned, costs: Mapping[str, tuple[str, ...]] | None = None
) -> Blocks:
    """The changes since the git ref ``base`` as parts of the comment; or the reason why they are not known. ``costs`` is the effect
    on the cost of each stack."""
    if planned.problem:
        return [("the changes", f"Changes since `{base}` cannot be shown: {planned.problem}\n")]
    running = {one.environment: one for one in planned.changes}
    found = [
        review(
            before,
            checked.recordings[name, False],
            planned=running.get(name),
            costs=(costs or {}).get(name, ()),
            root=root,
        )
        for name, before in planned.before.items()
    ]
    return list(review_blocks(base, found, _MOST_LINES))


def comment(verdict: Blocks, changed: Blocks) -> str:
    """The verdict, the sentences about the change, then what is folded, as far as GitHub's limit allows."""
    first, *rest = verdict
    return fitted(
        [first, *(("what the change does", "### What the change does\n") for _ in changed[:1]), *changed, *rest]
    )
