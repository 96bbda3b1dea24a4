"""The definition of a charge, and the stack as the functions that charge its resources see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from preflight.cost.use import BUSY_HOURS, BUSY_SHARE, HOURS, NOTHING, Month, month
from preflight.errors import PreflightError
from preflight.recording.recorder import RecordedResource, Recording
from settings.use import Use

GROUPS = ("compute", "data", "network", "edge", "operations", "models")
SERVICE, TARGET = "aws:ecs/service:Service", "aws:appautoscaling/target:Target"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity at minimum, expected and maximum, in the unit of its price."""

    minimum: float
    expected: float
    maximum: float

    @classmethod
    def fixed(cls, quantity: float) -> Amount:
        """A quantity that does not depend on use."""
        return cls(quantity, quantity, quantity)

    @classmethod
    def between(cls, least: float, most: float) -> Amount:
        """Units around the clock: ``least`` at minimum, ``most`` at maximum, in between in busy hours only."""
        busy = (most - least) * BUSY_SHARE * BUSY_HOURS
        return cls(least * HOURS, least * HOURS + busy, most * HOURS)

    def times(self, factor: float) -> Amount:
        """Every quantity multiplied."""
        return Amount(self.minimum * factor, self.expected * factor, self.maximum * factor)

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.minimum + other.minimum, self.expected + other.expected, self.maximum + other.maximum)


@dataclass(frozen=True, slots=True)
class Charge:
    """One kind of charge of one resource."""

    group: str
    what: str
    key: str
    """The key of its price."""
    amount: Amount


@dataclass(frozen=True, slots=True)
class Tasks:
    """One service's tasks."""

    service: str
    least: int
    most: int
    vcpu: float
    """The vCPUs of one task."""
    gib: float
    architecture: str
    storage_gib: float
    """Ephemeral storage of one task."""


@dataclass(frozen=True, slots=True)
class Costed:
    """A recorded stack, its region and its use."""

    recording: Recording
    region: str
    use: Use
    tasks: tuple[Tasks, ...]
    expected: Month
    busiest: Month
    """The expected use, multiplied as the tasks can multiply."""

    @classmethod
    def of(cls, recording: Recording, use: Use) -> Costed:
        """Read a recording with known values.

        :raises PreflightError: no provider of the stack names a region
        """
        regions = [p.inputs["region"] for p in recording.of_type("pulumi:providers:aws") if p.inputs.get("region")]
        if not regions:
            raise PreflightError(
                f"{recording.stack}: prices differ by region, and no AWS provider of the stack names one.\n"
                f"fix: set aws:region in Pulumi.{recording.stack}.yaml"
            )
        region = str(regions[0])
        tasks = tuple(_tasks(recording))
        vcpu = sum(one.least * one.vcpu for one in tasks if one.most > one.least) or sum(
            one.least * one.vcpu for one in tasks
        )
        growth = max((one.most / one.least for one in tasks if one.least), default=1.0)
        return cls(recording, region, use, tasks, month(use, vcpu), month(use, vcpu, growth))

    def of_type(self, type_: str) -> list[RecordedResource]:
        """The resources of one type that the stack manages."""
        return [one for one in self.recording.of_type(type_) if not one.external]

    def by_use(self, quantity: str, factor: float = 1.0) -> Amount:
        """An amount by a field of ``Month``: nothing at minimum."""
        of = (NOTHING, self.expected, self.busiest)
        return Amount(*(getattr(one, quantity) * factor for one in of))


def _tasks(recording: Recording) -> Iterator[Tasks]:
    definitions = {str(one.outputs.get("arn")): one for one in recording.of_type(TASK)}
    limits = {str(one.inputs["resourceId"]): one.inputs for one in recording.of_type(TARGET)}
    for service in recording.of_type(SERVICE):
        cluster = str(service.inputs["cluster"]).rpartition("/")[2]
        scaled = limits.get(f"service/{cluster}/{service.inputs['name']}", {})
        wanted = int(service.inputs.get("desiredCount", 1))
        task = definitions[str(service.inputs["taskDefinition"])].inputs
        platform = as_object(task.get("runtimePlatform"))
        yield Tasks(
            str(service.inputs["name"]),
            int(scaled.get("minCapacity", wanted)),
            int(scaled.get("maxCapacity", wanted)),
            int(task["cpu"]) / 1024,
            int(task["memory"]) / 1024,
            str(platform.get("cpuArchitecture", "X86_64")).lower(),
            float(as_object(task.get("ephemeralStorage")).get("sizeInGib", 20)),
        )


def as_object(value: object) -> dict[str, Any]:
    """A nested object of a resource; empty if it is absent."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """A list of a resource; empty if it is absent."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def texts(resource: RecordedResource) -> str:
    """Every input as one text, to search for ARNs."""
    return json.dumps(resource.inputs, sort_keys=True)
