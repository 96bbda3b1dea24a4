"""The effect of an update on a running stack: one step for each resource that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from preflight.recording.recorder import RecordedResource, Recording


class Operation(StrEnum):
    """The operation on one resource, in the engine's terms."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One resource that changes."""

    urn: str
    operation: Operation
    changed: tuple[str, ...] = ()
    """Top-level inputs that differ or are not known before the update, sorted."""
    replacing: tuple[str, ...] = ()
    """The changed inputs that replace the resource."""
    deleted_first: bool = False
    """For a replacement: whether the old resource is deleted before the new one is created."""
    old: RecordedResource | None = None
    new: RecordedResource | None = None

    @property
    def resource(self) -> RecordedResource:
        """The new resource, or the old one if it is deleted."""
        found = self.new or self.old
        if found is None:
            raise ValueError(f"a step without a resource: {self.urn}")
        return found

    @property
    def type(self) -> str:
        """The resource's type."""
        return self.resource.type

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.resource.name


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of one stack, by URN; resources that stay the same have none."""

    stack: str
    before: Recording
    after: Recording
    steps: Mapping[str, Step] = field(default_factory=dict[str, Step])
    provider: tuple[str, ...] = ()
    """Settings of the AWS provider that differ: ``region``, ``allowedAccountIds``."""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """URN → the URN in the running stack, for resources that an alias or a component's earlier name matches."""

    def of(self, *operations: Operation) -> list[Step]:
        """The steps of these operations, sorted by URN."""
        return [step for _, step in sorted(self.steps.items()) if step.operation in operations]
