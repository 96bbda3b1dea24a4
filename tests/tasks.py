"""The task definitions of a recorded stack, told apart by their containers."""

from __future__ import annotations

import json

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import unwrap

TASK = "aws:ecs/taskDefinition:TaskDefinition"


def interface_task(recording: Recording) -> RecordedResource:
    """The only task definition with a container named ``interface``."""
    return task_with(recording, "interface")


def task_with(recording: Recording, container: str) -> RecordedResource:
    """The only task definition with a container of this name."""
    (found,) = [
        one
        for one in recording.of_type(TASK)
        if any(c["name"] == container for c in json.loads(str(unwrap(one.inputs["containerDefinitions"]))))
    ]
    return found
