"""The scheduled tasks of a stack: how often each runs, how large it is, and whom it asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from preflight.cost.charges import TASK, Costed, as_list, as_object
from preflight.cost.models import chat_models
from preflight.cost.use import HOURS
from preflight.errors import PreflightError
from preflight.recording.recorder import RecordedResource

SCHEDULE = "aws:scheduler/schedule:Schedule"
PLAN = "SYNTHETIC_CHAT_PLAN"
"""The container's variable with the groups, their models and the longest answer (``components.synthetic``)."""
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """One scheduled task."""

    schedule: RecordedResource
    monthly: float
    """Runs of a month."""
    vcpu: float
    gib: float
    architecture: str
    models: tuple[str, ...]
    """The models at Bedrock that each run asks once."""
    answer_tokens: int


def runs(stack: Costed) -> Iterator[ScheduledTask]:
    """Every scheduled task.

    :raises PreflightError: a schedule has another expression than a rate
    """
    definitions = {str(one.outputs.get("arn")): one.inputs for one in stack.of_type(TASK)}
    for schedule in stack.of_type(SCHEDULE):
        parameters = as_object(as_object(schedule.inputs["target"]).get("ecsParameters"))
        task = definitions.get(str(parameters.get("taskDefinitionArn")))
        if task is None:
            continue
        plan = _plan(task)
        known = set(chat_models(stack))
        platform = as_object(task.get("runtimePlatform"))
        yield ScheduledTask(
            schedule,
            _monthly(schedule),
            int(task["cpu"]) / 1024,
            int(task["memory"]) / 1024,
            str(platform.get("cpuArchitecture", "X86_64")).lower(),
            tuple(sorted({str(one[1]) for one in as_list(plan.get("groups"))} & known)),
            int(plan.get("tokens", 0)),
        )


def scheduled_chats(stack: Costed) -> float:
    """The chats of a month that the scheduled tasks have with models at Bedrock."""
    return sum(run.monthly * len(run.models) for run in runs(stack))


def _plan(task: dict[str, Any]) -> dict[str, Any]:
    for container in json.loads(str(task["containerDefinitions"])):
        for variable in as_list(as_object(container).get("environment")):
            if as_object(variable).get("name") == PLAN:
                return as_object(json.loads(str(variable["value"])))
    return {}


def _monthly(schedule: RecordedResource) -> float:
    found = _RATE.fullmatch(str(schedule.inputs["scheduleExpression"]))
    if found is None:
        raise PreflightError(
            f"schedule {schedule.name}: the cost of {schedule.inputs['scheduleExpression']!r} is not known.\n"
            "fix: write rate(<number> minutes), or teach preflight/cost/scheduled.py the expression"
        )
    return HOURS * 60 / (int(found[1]) * _MINUTES[found[2]])
