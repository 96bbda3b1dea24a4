"""Runs a Pulumi program against Pulumi's own mock runtime and records every registration as the engine would see it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from preflight.fakes import Fakes

Wire = dict[str, Any]
"""Properties as they travel between program, engine and pack: JSON values, with Pulumi's signatures for
secrets and its sentinels for unknown values."""


@dataclass(frozen=True, slots=True)
class RecordedResource:
    """One registration request and what was answered."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Wire
    outputs: Wire
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    protect: bool
    provider: str
    source_file: str
    source_line: int


@dataclass(slots=True)
class Recording:
    """Everything that one run registered, sorted by URN."""

    project: str
    stack: str
    preview: bool
    resources: list[RecordedResource] = field(default_factory=list)

    def of_type(self, type_: str) -> list[RecordedResource]:
        return [r for r in self.resources if r.type == type_]


class RecordingMonitor(mocks.MockMonitor):
    """A ``MockMonitor`` that keeps whole registration requests and answers with faithful fakes."""

    def __init__(self, fakes: Fakes, recording: Recording) -> None:
        super().__init__(fakes)  # type: ignore[arg-type]
        self._fakes = fakes
        self._recording = recording
        self._types: dict[str, str] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        qualified = type_
        if parent and (parent_type := self._types.get(parent, "")) and parent_type != "pulumi:pulumi:Stack":
            qualified = f"{parent_type}${type_}"
        urn = f"urn:pulumi:{self._recording.stack}::{self._recording.project}::{qualified}::{name}"
        self._types[urn] = qualified
        return urn

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs: Wire = json_format.MessageToDict(request.object)
        outputs: Wire = {}
        identifier = ""
        if request.custom:
            identifier, outputs = self._fakes.resource(request.type, request.name, inputs, urn, preview=self._recording.preview)
        position = request.sourcePosition
        self._recording.resources.append(
            RecordedResource(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=inputs,
                outputs=outputs,
                dependencies=tuple(sorted(request.dependencies)),
                property_dependencies={k: tuple(sorted(v.urns)) for k, v in sorted(request.propertyDependencies.items())},
                protect=request.protect,
                provider=request.provider,
                source_file=position.uri,
                source_line=position.line,
            )
        )
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, identifier, outputs)
        answer = struct_pb2.Struct()
        json_format.ParseDict(outputs, answer)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=answer)


def record(
    program: Callable[[], Any],
    *,
    project: str = "ai-interface",
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secret_keys: tuple[str, ...] = (),
    preview: bool = False,
) -> Recording:
    """Run ``program`` once and return what it registered. Errors of the program are raised as they are."""
    recording = Recording(project, stack, preview)
    _ensure_event_loop()
    mocks.set_mocks(mocks=None, project=project, stack=stack, preview=preview, monitor=RecordingMonitor(Fakes(stack), recording), logger=logging.getLogger("pulumi"))  # type: ignore[arg-type]
    pulumi.runtime.set_all_config(dict(config or {}), list(secret_keys))

    async def run() -> None:
        await run_pulumi_func(program)

    _sync_await(run())
    recording.resources.sort(key=lambda r: r.urn)
    return recording
