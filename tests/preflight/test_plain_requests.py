"""A pack of this installation gets the plain values that it would read from the requests which the engine sends."""

from __future__ import annotations

import marshal
from enum import StrEnum
from typing import Any, cast

import pytest
from pulumi.runtime.proto import analyzer_pb2

from policies.guardrails.analyzer import resource_in, resources_in
from preflight.pulumi.project import Project
from preflight.pulumi.protocol import Preview
from preflight.sdk.wire import RESOURCE, SIGNATURE, UNKNOWN, Json, Wire, secret
from tests.once import main_program
from tests.settings.stack_files import ROOT


class Colour(StrEnum):
    BLUE = "blue"


VALUES: Wire = {
    "empty": "",
    "enumeration": Colour.BLUE,
    "whole": 3.0,
    "fraction": 0.5,
    "large": 2**60 + 1,
    "truth": True,
    "nothing": None,
    "secret": secret({"inner": [1, "two", None]}),
    "reference": {SIGNATURE: RESOURCE, "urn": "urn:a", "id": "i-1"},
    "component": {SIGNATURE: RESOURCE, "urn": "urn:b"},
    "unknown": [{"deep": UNKNOWN}],
    "pair": ("one", 2),
    "__defaults": [],
}


def resource(**fields: Any) -> Wire:  # noqa: ANN401 - fields of any kind
    return {"urn": "urn:x", "type": "aws:a/b:C", "name": "x", "inputs": VALUES, **fields}


def compared(resources: list[Any]) -> None:
    preview = Preview(resources)
    sent = [marshal.loads(one) for one in preview.resources(plain=True)]  # noqa: S302 - made here
    assert sent == [resource_in(analyzer_pb2.AnalyzeRequest.FromString(one)) for one in preview.resources()]
    assert sent
    stack = marshal.loads(preview.stack(plain=True))  # noqa: S302 - made here
    assert stack == resources_in(analyzer_pb2.AnalyzeStackRequest.FromString(preview.stack()))
    assert [shaped(one) for one in sent] == [
        shaped(resource_in(analyzer_pb2.AnalyzeRequest.FromString(one))) for one in preview.resources()
    ]


def shaped(value: Json) -> Json:
    """The types of the values: ``1 == True == 1.0``."""
    if isinstance(value, dict):
        return {key: shaped(item) for key, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [shaped(item) for item in cast("list[Any]", value)]
    return type(cast("object", value))


@pytest.mark.parametrize("preview", [False, True], ids=["known", "first preview"])
@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_resource_of_the_stacks(stack: str, preview: bool) -> None:
    compared(main_program(stack, Project.load(ROOT).stack(stack).config, preview=preview).resources)


def test_every_kind_of_value_and_option() -> None:
    compared(
        [
            resource(outputs={**VALUES, "id": "i"}, parent="urn:p", protect=True, dependencies=("urn:b", "urn:a")),
            resource(urn="urn:y", property_dependencies={"empty": (), "whole": ("urn:a", "urn:b")}),
            resource(urn="urn:z", external=True, outputs=None),
        ]
    )
