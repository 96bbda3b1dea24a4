"""Copies of the real stacks' graphs with one fault planted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import Json, Wire
from tests.assembly.topologies import SHAPES, Shape, recorded

ACL, LOG = "aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"


@cache
def real(index: int = 0, application: str = "") -> Recording:
    """One of the real program's topologies. ``application``: a preset other than the stack's."""
    return recorded(shapes()[index], application)


def shapes() -> list[Shape]:
    """The topologies in which no check may have a finding."""
    return list(SHAPES)


def with_change(type_: str, change: Callable[[Wire], None], application: str = "") -> Recording:
    """The recorded program with the inputs of the only resource of a type changed."""

    def changed(resource: RecordedResource) -> RecordedResource:
        if resource.type != type_:
            return resource
        inputs, outputs = copy.deepcopy(resource.inputs), copy.deepcopy(resource.outputs)
        change(inputs)
        change(outputs)
        return replace(resource, inputs=inputs, outputs=outputs)

    recording = real(application=application)
    return replace(recording, resources=[changed(resource) for resource in recording.resources])


def rule(inputs: Wire, name: str) -> Wire:
    """One rule of a web ACL's inputs."""
    return next(item for item in inputs["rules"] if item["name"] == name)


def add_rule(inputs: Wire, made: dict[str, Json]) -> None:
    """Append a rule with another metric."""
    inputs["rules"].append({"visibilityConfig": {"metricName": str(made["name"])}, **made})
