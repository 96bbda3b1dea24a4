"""Moves a stack's pointer: ``promote`` forwards to what the environment before has run, ``rollback`` back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policies.parity import deployed
from preflight.analysis import diff
from preflight.analysis.check import check, run, with_config
from preflight.analysis.diff import StackChanges
from preflight.analysis.parity import CURRENT
from preflight.findings import grouped
from preflight.recording.recorder import Recording
from preflight.release import stack_file
from preflight.release.project import Releases, number
from preflight.release.refusal import Refusal
from releases.acceptance import unreviewed
from releases.manifest import Release
from settings.errors import SettingsError

Progress = Callable[[str], None]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Promotion:
    """A pointer that was moved, and what that changes."""

    environment: str
    before: str
    after: str
    changes: StackChanges
    warning: str = ""


def promote(releases: Releases, environment: str, version: str, progress: Progress) -> Promotion:
    """Point ``environment`` at ``version``, or, where that is empty, at what the environment before runs."""
    releases.environment(environment)
    earlier = releases.before(environment)
    recorded = releases.ran(earlier) if earlier else []
    if not version:
        version = _default(releases, earlier, recorded)
    release = releases.release(version)
    current = releases.pointer(environment)
    if version == current:
        raise Refusal(f"{environment} already has release {version}", "deploy it; there is nothing to change")
    known = current in releases.versions()  # a pointer without manifest can only be left
    if known and number(version) < number(current):
        do = f"to go back, use: python -m preflight release rollback {environment}"
        raise Refusal(f"release {version} is older than {current}, which {environment} runs", do)
    if earlier and version not in recorded:
        raise Refusal(
            f"release {version} is not recorded on {earlier} (recorded there: {_list(recorded)})",
            f"deploy it to {earlier} first; the deploy job records it in {deployed.FILE}",
        )
    if problems := unreviewed(release, releases.settings(environment).owner, releases.root / "releases"):
        raise SettingsError(f"release {version} for {environment}", problems)
    before = _recorded(releases, environment, {}, progress)  # a fork: before the check opens channels to the packs
    progress(f"checking all environments with release {version} on {environment}")
    checked = check(releases.root, progress=progress, instead={environment: {stack_file.KEY: version}})
    if failing := grouped(checked.report.failing):
        failing.sort(key=lambda group: group[0].rule == CURRENT)  # a committed file last: it follows from the others
        shown = "\n".join(f"  {finding.headline} ({', '.join(where)})" for finding, where in failing[:_SHOWN])
        more = f"\n  and {len(failing) - _SHOWN} more" if len(failing) > _SHOWN else ""
        raise Refusal(
            f"with release {version} on {environment} the check has {len(failing)} findings:\n{shown}{more}",
            "fix them first: make check lists them, except those that the release itself introduces",
        )
    changes = diff.changes(environment, before, checked.recordings[environment, False])
    _write(releases, environment, version)
    warning = ""
    if known and not compatible(release, releases.release(current)):
        warning = (
            f"Rollback will not be possible: release {current} does not start on the schema of {version} "
            "(schema.compatibleWith). Take a restore point of the database before you deploy."
        )
    return Promotion(environment, current, version, changes, warning)


def _default(releases: Releases, earlier: str, recorded: Sequence[str]) -> str:
    if recorded:
        return recorded[-1]
    if earlier:
        raise Refusal(f"no release is recorded on {earlier}", f"deploy one to {earlier} first")
    versions = releases.versions()
    if not versions:
        raise Refusal("there is no release", "write one: python -m preflight release new --help")
    return versions[-1]


def rollback(
    releases: Releases, environment: str, version: str, progress: Progress, *, database_restored: bool = False
) -> Promotion:
    """Point ``environment`` back at the last release that is recorded there before the present one."""
    releases.environment(environment)
    current = releases.pointer(environment)
    recorded = releases.ran(environment)
    earlier = recorded[: recorded.index(current)] if current in recorded else recorded
    earlier = [name for name in earlier if name != current]
    if not earlier:
        raise Refusal(
            f"no release before {current} is recorded on {environment}",
            f"there is no release to roll back to: deploy a newer one, or check {deployed.FILE}",
        )
    if version and version not in earlier:
        raise Refusal(
            f"release {version} did not run on {environment} before {current}", f"choose one of {_list(earlier)}"
        )
    target = releases.release(version or earlier[-1])
    if not database_restored:
        _schema_allows(releases, environment, target, {current, *recorded})
    sides = [_recorded(releases, environment, config, progress) for config in ({}, {stack_file.KEY: target.version})]
    _write(releases, environment, target.version)
    return Promotion(environment, current, target.version, diff.changes(environment, *sides))


def _schema_allows(releases: Releases, environment: str, target: Release, ran: set[str]) -> None:
    """Every newer release that ran here, or was about to, may have moved the schema; nothing moves it back."""
    known = set(releases.versions())
    for version in sorted(ran & known, key=number, reverse=True):
        if number(version) > number(target.version) and not compatible(releases.release(version), target):
            schema = releases.release(version).schema_
            raise Refusal(
                f"release {target.version} does not start on the schema {schema.revision} that release {version} "
                f"has left in {environment}'s database (its schema.compatibleWith: {_list(schema.compatible_with)})",
                "Two ways are left.\n"
                f"  Restore point: restore the database to a point before {version} was deployed (docs/runbook.md),\n"
                f"    which loses what users did since; then run this again with --database-restored.\n"
                f"  Forward fix: keep the schema and release a fixed application on it:\n"
                f"    python -m preflight release new --help",
            )


def compatible(newer: Release, older: Release) -> bool:
    """Whether ``older`` starts on the schema that ``newer`` leaves."""
    return older.version in newer.schema_.compatible_with or older.schema_.revision == newer.schema_.revision


def _recorded(releases: Releases, environment: str, config: dict[str, str], progress: Progress) -> Recording:
    stack = with_config(releases.project.stack(environment), config)
    return run(releases.project, [stack], progress, previews=False)[environment, False]


def _write(releases: Releases, environment: str, version: str) -> None:
    path = releases.path(environment)
    path.write_text(stack_file.with_release(path, version), encoding="utf-8")


def _list(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "none"
