"""Runs ``preflight release``: reads the options, prints the result."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable

from preflight.analysis.diff import lines_of
from preflight.release.new import new
from preflight.release.project import ReleaseProject
from preflight.release.promotion import Promotion, promote, rollback
from preflight.release.record import record
from releases.draft import Changes
from releases.record import RecordError
from releases.refusal import Refusal
from settings.errors import SettingsError

Progress = Callable[[str], None]


def run(options: argparse.Namespace, progress: Progress, end_progress: Callable[[], None]) -> int:
    """Run one command. Returns the exit code: 0 done, 1 refused."""
    try:
        said = _COMMANDS[options.action](ReleaseProject.of(options.root.resolve()), options, progress)
    except (Refusal, SettingsError, RecordError) as reason:
        end_progress()
        sys.stderr.write(f"preflight: refused, nothing was changed\n\n{reason}\n")
        return 1
    end_progress()
    sys.stdout.write(said)
    return 0


def _new(project: ReleaseProject, options: argparse.Namespace, _: Progress) -> str:
    asked = Changes(
        version=options.version,
        built_by=options.built_by,
        reviewed_by=options.reviewed_by,
        approved_by=options.approved_by,
        prompt_reviewed_by=options.prompt_reviewed_by,
        base=options.base,
        images=options.image,
        models=options.model,
        schema_revision=options.schema_revision,
        compatible_with=options.compatible_with,
        update=options.update,
    )
    written = new(project, asked)
    first = project.environments.names[0]
    lines = [*(f"wrote {path}" for path in written.files), *written.notes, ""]
    lines += [
        "next: review and commit it, copy its images into the accounts (bootstrap/README.md), then",
        f"  python -m preflight release promote {first}",
    ]
    return "\n".join(lines) + "\n"


def _promote(project: ReleaseProject, options: argparse.Namespace, progress: Progress) -> str:
    return _promoted(promote(project, options.stack, options.release, progress))


def _rollback(project: ReleaseProject, options: argparse.Namespace, progress: Progress) -> str:
    restored = options.database_restored
    return _promoted(rollback(project, options.stack, options.to, progress, database_restored=restored))


def _record(project: ReleaseProject, options: argparse.Namespace, _: Progress) -> str:
    now = dt.datetime.now(dt.UTC)
    environments, run = project.environments, options.run_url
    return record(environments, options.stack, options.release, now, commit=options.commit, run=run) + "\n"


def _promoted(promotion: Promotion) -> str:
    lines = [
        f"Pulumi.{promotion.environment}.yaml: release {promotion.before} → {promotion.after}",
        *lines_of(promotion.changes),
        "",
    ]
    lines += [promotion.warning, ""] if promotion.warning else []
    lines += [f"next: commit it; after the review, the deployment of {promotion.environment} deploys the release"]
    return "\n".join(lines) + "\n"


_COMMANDS: dict[str, Callable[[ReleaseProject, argparse.Namespace, Progress], str]] = {
    "new": _new,
    "promote": _promote,
    "rollback": _rollback,
    "record": _record,
}
