"""Points a stack at another release: ``promote`` forwards, once the check passes with it, and ``rollback`` back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from policies.parity.rules import SHAPES
from preflight.analysis import diff
from preflight.analysis.check import check, run, with_config
from preflight.analysis.diff import ChangeSentence
from preflight.findings import grouped
from preflight.recording.recorder import Recording
from preflight.release.project import ReleaseProject
from releases import pointer
from releases.promotion import check_reviewed, no_way_back, promotable, rollback_target
from releases.refusal import Refusal

Progress = Callable[[str], None]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Promotion:
    """A stack that was pointed at another release, and the changes."""

    environment: str
    before: str
    after: str
    changes: tuple[ChangeSentence, ...]
    warning: str = ""


def promote(project: ReleaseProject, environment: str, version: str, progress: Progress) -> Promotion:
    """Point ``environment`` at ``version``, or, if that is empty, at the release of the previous environment."""
    environments = project.environments
    release = promotable(environments, environment, version)
    check_reviewed(environments, environment, release, project.settings(environment).owner)
    before = _recorded(project, environment, {}, progress)  # a fork: before the check opens channels to the packs
    progress(f"checking all environments with release {release.version} on {environment}")
    checked = check(project.root, progress=progress, instead={environment: {pointer.KEY: release.version}})
    if failing := grouped(checked.report.failing):
        failing.sort(key=lambda group: group[0].rule == SHAPES.name)  # committed files last: they follow from the rest
        shown = "\n".join(f"  {finding.headline} ({', '.join(where)})" for finding, where in failing[:_SHOWN])
        more = f"\n  and {len(failing) - _SHOWN} more" if len(failing) > _SHOWN else ""
        raise Refusal(
            f"with release {release.version} on {environment} the check has {len(failing)} findings:\n{shown}{more}",
            "fix them first: make check lists them, except those that the release itself introduces",
        )
    changes = diff.changes(environment, before, checked.recordings[environment, False])
    warning = no_way_back(environments, environment, release)
    current = environments.pointer(environment)
    _write(project, environment, release.version)
    return Promotion(environment, current, release.version, changes, warning)


def rollback(
    project: ReleaseProject, environment: str, version: str, progress: Progress, *, database_restored: bool = False
) -> Promotion:
    """Point ``environment`` back at ``version``, or at the last release that is recorded before the current one."""
    environments = project.environments
    target = rollback_target(environments, environment, version, database_restored=database_restored)
    before, after = (
        _recorded(project, environment, config, progress) for config in ({}, {pointer.KEY: target.version})
    )
    current = environments.pointer(environment)
    _write(project, environment, target.version)
    return Promotion(environment, current, target.version, diff.changes(environment, before, after))


def _recorded(project: ReleaseProject, environment: str, config: dict[str, str], progress: Progress) -> Recording:
    stack = with_config(project.project.stack(environment), config)
    return run(project.project, [stack], progress, previews=False)[environment, False]


def _write(project: ReleaseProject, environment: str, version: str) -> None:
    path = project.environments.path(environment)
    path.write_text(pointer.with_release(path, version), encoding="utf-8")
