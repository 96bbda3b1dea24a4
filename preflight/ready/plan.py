"""The steps from the stack files to running environments, in order, each with its command and whether it is done.

The answers are those of ``ready``: a step is done if the lines of that command about it are. What only the account
can show is not known without its credentials.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from preflight.account.lines import CannotTellError, Group, Line, Status, joined
from preflight.account.session import Account, AccountError, RefusedError
from preflight.analysis import parity
from preflight.errors import ConfigurationError, PreflightError
from preflight.pulumi.project import Project
from preflight.ready import command
from preflight.ready.calls import CALLS
from preflight.ready.context import Part, ReadyContext
from preflight.ready.parts import artifacts, bootstrap, domain, location, names
from releases import attestation
from releases.environments import account_of

PACKS = "--policy-pack policies/guardrails --policy-pack policies/parity"
PYTHON = ".venv/bin/python -m"
_ZONE = Part("domain", (("hosted zone", domain.hosted_zone),))
_CLUSTER = "aws:ecs/cluster:Cluster"


class State(StrEnum):
    """The state of a step."""

    DONE = "done"
    TO_DO = "to do"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step."""

    text: str
    """The state that the step leads to."""
    state: State
    why: str
    """The fact that the state follows from; may be empty if the step is done."""
    commands: tuple[str, ...]
    """The commands of the step, with the values of the stack files."""


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """The steps of one environment."""

    stack: str
    account: str = ""
    region: str = ""
    steps: tuple[SetupStep, ...] = field(default=())


def plans(root: Path, stacks: Sequence[str], endpoint_url: str | None = None) -> list[SetupPlan]:
    """The plan of each stack; of every stack, in the order of promotion, if none is named."""
    known = parity.order(root, Project.load(root).stacks())
    if missing := sorted(set(stacks) - set(known)):
        raise ConfigurationError(f"there is no stack file Pulumi.{missing[0]}.yaml")
    return [_planned(root, stack, endpoint_url) for stack in known if not stacks or stack in stacks]


def _planned(root: Path, stack: str, endpoint_url: str | None) -> SetupPlan:
    try:
        wanted = command.wanted_of(root, stack, os.environ)
    except PreflightError as error:
        why = f"{_first_line(error)}; the other steps follow from it"
        return SetupPlan(stack, steps=(SetupStep("the stack file is valid", State.TO_DO, why, ("make check",)),))
    account = Account(wanted.region, CALLS, endpoint_url=endpoint_url)
    return planned(ReadyContext(wanted, account, command.Dns(), command.Https()), root)


def planned(context: ReadyContext, root: Path) -> SetupPlan:
    """The plan of the stack of ``context``, whose stack file is valid."""
    wanted = context.wanted
    stack, account, region = wanted.stack, wanted.account, wanted.region
    unknown = _unanswerable(context)

    def step(text: str, part: Part, *commands: str, relevant: Callable[[Line], bool] = lambda _: True) -> SetupStep:
        if unknown:
            return SetupStep(text, State.NOT_KNOWN, unknown, commands)
        state, why = _state([line for line in part.lines(context) if relevant(line)])
        return SetupStep(text, state, why, commands)

    zone = wanted.settings.domain.hosted_zone_id
    steps = [
        SetupStep("the stack file is valid", State.DONE, "", ("make check",)),
        *_promoted(context, root),
        step(
            f"the hosted zone of {wanted.settings.domain.host_name} is delegated",
            _ZONE,
            *([f"aws route53 get-hosted-zone --id {zone}"] if zone else []),
        ),
        step("the bootstrap stack is deployed", bootstrap.PART, *_bootstrap_commands(context)),
        step(
            "every secret has a value",
            artifacts.SECRET,
            *map(
                artifacts.put_value,
                (wanted.settings.identity.client_secret_name, *wanted.model_keys, *wanted.alert_endpoints),
            ),
        ),
        step(
            f"the images of release {wanted.release.version} are in the account",
            artifacts.IMAGES,
            f"{PYTHON} bootstrap.copy_images --stack {stack}",
            relevant=lambda line: line.status is not Status.CANNOT_TELL or not line.subject.endswith(" platform"),
        ),
        _deployed(context, root, unknown),
    ]
    return SetupPlan(stack, account, region, tuple(steps))


def _promoted(context: ReadyContext, root: Path) -> list[SetupStep]:
    """An environment may run only a release that the environment before it has run; the first one may run any."""
    stack, version = context.wanted.stack, context.wanted.release.version
    order = parity.order(root, Project.load(root).stacks())
    if stack not in order[1:]:
        return []
    before = order[order.index(stack) - 1]
    ran = attestation.ran(root, before, account_of(root, before))
    state, why = (State.DONE, "") if version in ran else (State.TO_DO, f"{before} has run {joined(ran, 'none')}")
    text = f"{stack} has a release that {before} has run: {version}"
    return [SetupStep(text, state, why, (f"{PYTHON} preflight release promote {stack}",))]


def _unanswerable(context: ReadyContext) -> str:
    """The reason why the account answers nothing; empty if it does."""
    try:
        (line,) = location.account(context, Group("account"))
    except AccountError as error:
        text = _first_line(error)
        return "no credentials" if text.startswith("no AWS credentials") else text
    except (CannotTellError, RefusedError) as error:
        return str(error)
    return "" if line.status is Status.OK else line.found


def _state(lines: Sequence[Line]) -> tuple[State, str]:
    for status, state in ((Status.MISSING, State.TO_DO), (Status.CANNOT_TELL, State.NOT_KNOWN)):
        if found := [line for line in lines if line.status is status]:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return state, f"{found[0].subject}: {found[0].found}{more}"
    return State.DONE, ""


def _bootstrap_commands(context: ReadyContext) -> list[str]:
    made = context.wanted.bootstrap
    name = made.stack if made else "<account>"
    return ["cd bootstrap", f"pulumi stack init {name}", f"pulumi up -s {name}", "cd .."]


def _deployed(context: ReadyContext, root: Path, unknown: str) -> SetupStep:
    """Done if the record has a release of this environment in its account: it is written after the verification."""
    stack = context.wanted.stack
    text = f"{stack} is deployed, verified and recorded"
    recording = (
        f"{PYTHON} preflight verify {stack} --wait 1800",
        f'{PYTHON} preflight release record {stack} --release "$(pulumi stack output release -s {stack})"',
    )
    deploying = (
        f"{PYTHON} preflight ready {stack}",
        f"pulumi stack init {stack}",
        f"pulumi up -s {stack} {PACKS}",
        *recording,
    )
    if ran := attestation.ran(root, stack, context.wanted.account):
        return SetupStep(text, State.DONE, f"release {ran[-1]} is recorded", deploying)
    if unknown:
        return SetupStep(text, State.NOT_KNOWN, f"no release is recorded; {unknown}", deploying)
    try:
        exists = any(names.cluster(context.account, str(one["name"]), "") for one in context.wanted.inputs(_CLUSTER))
    except (CannotTellError, RefusedError) as error:
        return SetupStep(text, State.NOT_KNOWN, f"no release is recorded; {error}", deploying)
    if exists:
        return SetupStep(text, State.TO_DO, "its cluster exists, but no release is recorded", recording)
    return SetupStep(text, State.TO_DO, "no release is recorded", deploying)


def _first_line(error: Exception) -> str:
    return next((line.rstrip(".") for line in str(error).splitlines() if line.strip()), "refused")


def as_text(found: Sequence[SetupPlan]) -> str:
    """The plans for a terminal."""
    lines: list[str] = []
    for plan in found:
        place = f": account {plan.account}, region {plan.region}" if plan.account else ""
        lines.append(f"{plan.stack}{place}\n")
        for number, step in enumerate(plan.steps, 1):
            why = f" ({step.why})" if step.why else ""
            lines.append(f"  {number}. {step.state:<9}  {step.text}{why}")
            lines += [f"                  {one}" for one in step.commands]
        lines.append("")
    return "\n".join([*lines, "preflight ready STACK checks everything else that a first deployment needs.\n"])
