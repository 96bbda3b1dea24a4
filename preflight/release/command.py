"""Runs ``preflight release``: reads the options, prints the result."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import dataclass

from preflight.analysis.diff import lines_of
from preflight.release import record
from preflight.release.new import new
from preflight.release.project import ReleaseProject
from preflight.release.promotion import Promotion, promote, rollback
from releases import attestation
from releases.draft import Changes
from releases.record import Deployment, RecordError
from releases.refusal import Refusal
from settings.errors import SettingsError

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outside:
    """Questions of some commands to KMS and GitHub."""

    sign: Callable[[str, str, bytes], bytes]
    """Environment, region and message → signature by the environment's KMS key."""
    public_key: Callable[[str, str, str], str]
    """Environment, region and account → PEM."""
    approvers: Callable[[str, str], list[str]]
    """URL of a run and GitHub environment → who approved, as ``@login``."""


def run(options: argparse.Namespace, outside: Outside, progress: Progress, end_progress: Callable[[], None]) -> int:
    """Run one command. Returns the exit code: 0 done, 1 refused."""
    try:
        project = ReleaseProject.of(options.root.resolve())
        if options.action in _ASKING:
            said = _ASKING[options.action](project, options, outside)
        else:
            said = _COMMANDS[options.action](project, options, progress)
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


def _attested(project: ReleaseProject, options: argparse.Namespace, outside: Outside) -> Deployment:
    stack = project.environments.known(options.stack)
    return record.attest(
        project.environments,
        stack,
        options.release,
        dt.datetime.now(dt.UTC),
        lambda environment, message: outside.sign(environment, project.settings(environment).region, message),
        commit=options.commit,
        run=options.run_url,
        approvers=outside.approvers(options.run_url, stack) if options.approvals else (),
    )


def _attest(project: ReleaseProject, options: argparse.Namespace, outside: Outside) -> str:
    return record.as_json(_attested(project, options, outside)) + "\n"


def _record(project: ReleaseProject, options: argparse.Namespace, outside: Outside) -> str:
    entry = record.of_json(options.entry) if options.entry else _attested(project, options, outside)
    if entry.environment != options.stack:
        raise Refusal(f"the entry is for {entry.environment}", f"preflight release record {entry.environment}")
    return record.add(project.environments, entry) + "\n"


def _key(project: ReleaseProject, options: argparse.Namespace, outside: Outside) -> str:
    stack = project.environments.known(options.stack)
    settings = project.settings(stack)
    made = record.key(project.environments, stack, outside.public_key(stack, settings.region, settings.account_id))
    if not options.write:
        return made.as_text()
    path = project.root / attestation.place(stack)
    path.parent.mkdir(exist_ok=True)
    path.write_text(made.as_text(), encoding="utf-8")
    return (
        f"wrote {attestation.place(stack)}: entries of {stack} after the {made.pinned_entries} existing ones have to be signed\n"
        "next: review and commit it\n"
    )


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
}
_ASKING: dict[str, Callable[[ReleaseProject, argparse.Namespace, Outside], str]] = {
    "attest": _attest,
    "record": _record,
    "key": _key,
}
