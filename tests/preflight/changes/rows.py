"""One row for each edit, computed from its plan. ``python -m tests.preflight.changes.rows`` prints them as JSON.

It forks a process for each plan, so it runs in a separate process, in which no thread and no channel is open.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any, cast

from preflight.analysis.check import with_config
from preflight.analysis.diff import changes
from preflight.changes.effects import gone, kinds, noticed, verdict
from preflight.changes.plan import Operation, Plan
from preflight.changes.refusals import refusals, short
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from preflight.review import identity, operation
from preflight.review.side import Side
from preflight.sdk.wire import Json, Wire, has_unknown
from tests.preflight.changes.edits import EDITS, PROGRAM_EDITS, ProgramEdit
from tests.preflight.changes.planning import STACK, config
from tests.settings.stack_files import ROOT


@dataclass(frozen=True, slots=True)
class Row:
    """The effect of one edit."""

    title: str
    verdict: str
    gone: tuple[str, ...]
    """Replaced or deleted types with the number of each, those with data first."""
    created: tuple[str, ...]
    updated: tuple[str, ...]
    noticed: tuple[str, ...]
    refusals: tuple[tuple[str, str, str, str], ...]
    """Party, place, why, migration."""
    steps: Mapping[str, str]
    """URN → operation."""
    told: tuple[str, ...]
    """What ``preflight diff`` says about the steps."""
    untold: tuple[str, ...]
    """Inputs that the plan changes to a known value and of which ``preflight diff`` has no sentence."""


def row_of(title: str, before: Side, plan: Plan) -> Row:
    """The plan as a row. ``before`` is the running side, which many plans have in common."""
    return Row(
        title=title,
        verdict=str(verdict(plan)),
        gone=tuple(kinds(gone(plan))),
        created=tuple(sorted(kinds(plan.of(Operation.CREATE)))),
        updated=tuple(sorted(kinds(plan.of(Operation.UPDATE)))),
        noticed=tuple(noticed(plan)),
        refusals=tuple((str(r.party), r.place, r.why, str(r.migration)) for r in refusals(plan)),
        steps={urn: str(step.operation) for urn, step in sorted(plan.steps.items())},
        told=(*operation.replaced(plan), *operation.steps(plan)),
        untold=tuple(_untold(plan, before, Side(plan.after))),
    )


def _untold(plan: Plan, before: Side, after: Side) -> Iterator[str]:
    texts = [one.text for one in changes(plan.stack, plan.before, plan.after, (before.graph, after.graph))]
    texts += identity.sentences(before, after)
    # A reference to what is removed is part of the sentence about the removal.
    removed = [step.old.id for step in plan.of(Operation.DELETE) if step.old is not None and step.old.id]
    for step in plan.of(Operation.UPDATE, Operation.REPLACE):
        for name in step.changed:
            if step.old is not None and any(one in json.dumps(step.old.inputs.get(name)) for one in removed):
                continue
            if step.old is not None and step.new is not None and not has_unknown(step.new.inputs.get(name)):
                own = (f"{short(step.type)} {step.name}.{name}", f"{name} of ", f"{name}.", f"{name}[")
                if not any(own[0] in text or text.startswith(own[1:]) for text in texts) and not _in_proxy(texts, name):
                    yield own[0]


def _in_proxy(texts: Sequence[str], name: str) -> bool:
    """Whether it is the task's containers, for whose proxy there are separate sentences."""
    return name == "containerDefinitions" and any(text.startswith("the proxy's configuration at") for text in texts)


@cache
def rows(*titles: str) -> dict[str, Row]:
    """All rows or the given ones, by title, computed in a separate process."""
    command = [sys.executable, "-m", "tests.preflight.changes.rows", *titles]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - this module
    if done.returncode:
        raise AssertionError(f"the edits could not be planned:\n{done.stderr}")
    return {entry["title"]: _row(entry) for entry in json.loads(done.stdout)}


def _row(entry: Wire) -> Row:
    lists: Wire = {name: tuple(cast("list[Json]", value)) for name, value in entry.items() if isinstance(value, list)}
    refused = tuple(tuple(cast("list[str]", one)) for one in cast("list[Json]", entry["refusals"]))
    fields: Json = {**entry, **lists, "refusals": refused}
    return Row(**fields)


def _planned(titles: Sequence[str]) -> list[Row]:
    project = Project.load(ROOT)
    stack = project.stack(STACK)
    program.load(project)
    bases: dict[str, Side] = {}

    def running(changes: Mapping[str, Any]) -> Side:
        key = json.dumps(dict(changes), sort_keys=True)
        if key not in bases:
            run = Run(with_config(stack, config(changes)), preview=False)
            # In this process, so that the types of the SDK that it resolves are there in every fork.
            bases[key] = Side(program.execute(project, run))
            _ = bases[key].graph  # read here, so that no fork has to
        return bases[key]

    runs: list[Run] = []
    reads: list[Callable[[Plan], Row]] = []
    for edit in EDITS:
        if not titles or edit.title in titles:
            before, wanted = running(edit.running), with_config(stack, config({**edit.running, **edit.changes}))
            runs.append(Run(wanted, preview=True, running=before.recording))
            reads.append(partial(row_of, edit.title, before))
    for change in PROGRAM_EDITS:
        if not titles or change.title in titles:
            before = Side(as_it_was(running({}).recording, change))
            runs.append(Run(stack, preview=True, running=before.recording))
            reads.append(partial(row_of, change.title, before))
    return program.read_plans(project, runs, reads)


def as_it_was(recording: Recording, edit: ProgramEdit) -> Recording:
    """The running stack before the edit: the recording with the inputs that the edit changes."""
    wanted = {(resource.type, resource.name) for resource in recording.resources}
    if unknown := set(edit.inputs) - wanted:
        raise AssertionError(f"{edit.title}: no resource {sorted(unknown)}")
    resources = [
        replace(
            resource,
            inputs={**resource.inputs, **edit.inputs.get((resource.type, resource.name), {})},
            outputs={**resource.outputs, **edit.inputs.get((resource.type, resource.name), {})},
        )
        for resource in recording.resources
    ]
    return replace(recording, resources=resources)


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(row) for row in _planned(sys.argv[1:])], sort_keys=True))
