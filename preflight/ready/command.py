"""``preflight ready STACK``: record the stack, query its account, print one line for each fact."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.account.lines import Answer, Line, Status
from preflight.account.session import Account
from preflight.errors import ConfigurationError
from preflight.pulumi.program import Run, collect, load, start
from preflight.pulumi.project import Project
from preflight.ready.calls import CALLS
from preflight.ready.context import ReadyContext
from preflight.ready.outside import Dns, Https
from preflight.ready.parts import PARTS
from preflight.ready.wanted import Wanted
from preflight.recording.recorder import Recording
from preflight.release.project import ReleaseProject
from releases.attestation import key_of
from releases.record import RecordError

BOOTSTRAP = "bootstrap"
BACKEND = "PULUMI_BACKEND_URL"
ENVIRONMENTS = "ai-interface-bootstrap:environments"


@dataclass(frozen=True)
class ReadyOptions:
    """The options of the command."""

    root: Path
    stack: str
    endpoint_url: str | None = None
    """Replaces AWS's endpoints; boto3 also reads ``AWS_ENDPOINT_URL``."""
    call_models: bool = True
    strict: bool = False


def ready(options: ReadyOptions, progress: Callable[[str], None] = lambda _: None) -> Answer:
    """Run the command. Raises ``PreflightError`` if the check could not run."""
    wanted = wanted_of(options.root, options.stack, os.environ)
    account = Account(wanted.region, CALLS, endpoint_url=options.endpoint_url)
    return answer(
        ReadyContext(wanted, account, Dns(), Https(), options.call_models), strict=options.strict, progress=progress
    )


def answer(context: ReadyContext, *, strict: bool = False, progress: Callable[[str], None] = lambda _: None) -> Answer:
    """The lines of every part. If the credentials are for another account, the other parts are skipped."""
    lines: list[Line] = []
    for part in PARTS:
        progress(f"checking {part.name}")
        lines += part.lines(context)
        if part is PARTS[0] and lines[0].status is not Status.OK:
            rest = ", ".join(other.name for other in PARTS[1:])
            fix = "run the command again with credentials of the stack's account"
            lines = [lines[0], Line(part.name, "everything else", Status.CANNOT_TELL, f"not checked: {rest}", fix)]
            break
    wanted = context.wanted
    return Answer("ready", wanted.stack, wanted.account, wanted.region, tuple(lines), strict)


def wanted_of(root: Path, stack: str, environment: Mapping[str, str]) -> Wanted:
    """The needs of the stack in ``root``, from its program, its settings, its release and ``bootstrap/``."""
    project = ReleaseProject.of(root)
    recorded = _recorded(project.project, stack)  # first: it reports every mistake in the settings
    settings = project.settings(stack)
    name, bucket = _bootstrap(root, stack, settings.account_id)
    url = environment.get(BACKEND, "") or str(_backend(root).get("url") or "")
    return Wanted(
        settings=settings,
        release=project.environments.release(settings.release),
        graph=recorded,
        bootstrap=_recorded(Project.load(root / BOOTSTRAP), name) if name else None,
        backend=url,
        state_bucket=bucket,
        record_key=record_key_of(root, stack),
    )


def record_key_of(root: Path, stack: str) -> str:
    """The committed public key of the environment's record as PEM; empty if there is none."""
    try:
        key = key_of(root, stack)
    except RecordError as error:
        raise ConfigurationError(str(error)) from None
    return key.public_key if key else ""


def _recorded(project: Project, stack: str) -> Recording:
    chosen = project.stack(stack)
    load(project)
    return collect(start(project, [Run(chosen, False)]))[stack, False]


def _backend(root: Path) -> Mapping[str, Any]:
    content = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    return cast("Mapping[str, Any]", content.get("backend") or {})


def _bootstrap(root: Path, environment: str, account: str) -> tuple[str, str]:
    """The stack of ``bootstrap/`` that sets up the environment in the account, and the bucket with its state."""
    if not (root / BOOTSTRAP / "Pulumi.yaml").is_file():
        raise ConfigurationError(f"{BOOTSTRAP}/Pulumi.yaml is missing: run this in the project's folder")
    project = Project.load(root / BOOTSTRAP)
    for name in project.stacks():
        config = project.stack(name).config
        accounts = yaml.safe_load(config.get("aws:allowedAccountIds", "[]"))
        for declared in yaml.safe_load(config.get(ENVIRONMENTS, "[]")):
            if declared.get("name") == environment and str(account) in map(str, accounts):
                return name, str(declared.get("stateBucket") or "")
    return "", ""
