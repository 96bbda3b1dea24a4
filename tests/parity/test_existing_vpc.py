"""The real stacks in VPCs that exist: the pack sees what is only read as the guardrails do, over the protocol too.

A read resource arrives without dependencies; a property of it that is not known yet exists, and is not "not set".
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from policies.guardrails.analyzer import Analyzer, graph_of, resources_in
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Unknown
from policies.parity import evaluate, server
from policies.parity.committed_shapes import from_files, to_files
from policies.parity.declarations import AllowedDifferences
from policies.parity.rules import PROPERTIES, UNKNOWN
from policies.parity.shape import Shape, is_digest, shape_of
from preflight.analysis.check import Recordings, run, with_config
from preflight.pulumi.project import Project, Stack
from preflight.pulumi.protocol import stack_request
from preflight.recording.recorder import RecordedResource

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project.load(ROOT)
STACKS = {"staging": "1", "prod": "2"}
"""Each environment's VPC and subnets have different ids."""
VPC = "aws:ec2/vpc:Vpc"
COMPUTED = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def in_an_existing_vpc(name: str, digit: str) -> Stack:
    stack = PROJECT.stack(name)
    network = json.loads(stack.config["ai-interface:network"])
    zones = network["availabilityZones"][:2]
    network["availabilityZones"] = zones
    network["existing"] = {
        "vpcId": f"vpc-{digit}{0:016x}",
        "publicSubnetIds": [f"subnet-{digit}{number:016x}" for number, _ in enumerate(zones)],
        "privateSubnetIds": [f"subnet-{digit}{number:016x}" for number, _ in enumerate(zones, start=len(zones))],
        "privateRouteTableIds": [f"rtb-{digit}{0:016x}"],
    }
    capacity = {**json.loads(stack.config["ai-interface:capacity"]), "minimumTasks": 2 * len(zones)}
    return with_config(
        stack, {"ai-interface:network": json.dumps(network), "ai-interface:capacity": json.dumps(capacity)}
    )


@cache
def recordings() -> Recordings:
    stacks = [in_an_existing_vpc(name, digit) for name, digit in STACKS.items()]
    return run(PROJECT, stacks, lambda _: None)


@cache
def what_aws_says() -> Mapping[str, Mapping[str, object]]:
    """Of each environment's VPC: what the program sets where it makes the VPC itself."""
    made = run(PROJECT, [PROJECT.stack(name) for name in STACKS], lambda _: None, previews=False)
    said = ("cidrBlock", "enableDnsHostnames", "enableDnsSupport")
    return {
        name: {key: vpc.inputs[key] for key in said}
        for name in STACKS
        for vpc in made[name, False].resources
        if vpc.type == VPC
    }


def resources(stack: str, *, preview: bool) -> list[RecordedResource]:
    """As the engine shows them; in a first preview with known ids, what AWS says is not known yet."""
    return [
        replace(resource, outputs={**resource.outputs, **what_aws_says()[stack]})
        if resource.type == VPC and not preview
        else resource
        for resource in recordings()[stack, preview].resources
    ]


@cache
def committed() -> Mapping[str, Shape]:
    """Each stack's shape as committed, by a program that names what it expects of the VPC that it reads."""
    return from_files(
        to_files(
            {
                name: shape_of(
                    name,
                    Graph.from_recorded(resources(name, preview=False)),
                    {
                        one.urn: {**one.inputs, **(what_aws_says()[name] if one.type == VPC else {})}
                        for one in resources(name, preview=False)
                    },
                )
                for name in STACKS
            },
            allowed().skip(),
        )
    )


def allowed() -> AllowedDifferences:
    return evaluate.declarations(dt.datetime.now(dt.UTC).date())


def said(stack: str, shown: list[RecordedResource]) -> list[tuple[str, str, str]]:
    """Policy, URN and text of what the pack answers to the engine."""
    pack = server.pack(committed(), allowed())
    answer = Analyzer(pack).AnalyzeStack(stack_request(shown), None)
    return [(found.policyName, found.urn, found.message) for found in answer.diagnostics]


def read_only(stack: str, *, preview: bool) -> list[RecordedResource]:
    return [resource for resource in resources(stack, preview=preview) if resource.external]


@pytest.mark.parametrize("stack", STACKS)
def test_the_recorded_graph_and_the_protocol_agree_on_what_is_only_read(stack: str) -> None:
    shown = resources(stack, preview=True)
    by_protocol, by_recording = graph_of(resources_in(stack_request(shown))), Graph.from_recorded(shown)
    read = read_only(stack, preview=True)
    assert {resource.type.rpartition(":")[2] for resource in read} >= {"Vpc", "Subnet", "RouteTable", "SecurityGroup"}
    for resource in read:
        one, two = by_recording.by_urn[resource.urn].properties, by_protocol.by_urn[resource.urn].properties
        open_ = {name for name, value in resource.outputs.items() if value == COMPUTED}
        assert open_
        assert {name for name, value in one.items() if isinstance(value, Unknown)} == open_
        assert {name for name, value in two.items() if isinstance(value, Unknown)} == open_


@pytest.mark.parametrize("stack", STACKS)
def test_both_environments_are_equal_once_everything_is_known(stack: str) -> None:
    assert said(stack, resources(stack, preview=False)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_first_preview_does_not_call_a_read_property_absent(stack: str) -> None:
    found = said(stack, resources(stack, preview=True))
    assert [policy for policy, _, _ in found] == [UNKNOWN.name]
    assert all(f"network-existing-vpc.{name}" in found[0][2] for name in what_aws_says()[stack])


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_known_of_a_read_resource_is_compared(stack: str) -> None:
    changed = [
        replace(one, outputs={**one.outputs, "enableDnsHostnames": not one.outputs["enableDnsHostnames"]})
        if one.type == VPC
        else one
        for one in resources(stack, preview=False)
    ]
    ((policy, urn, message),) = said(stack, changed)
    assert (policy, urn.rpartition("::")[2]) == (PROPERTIES.name, "network-existing-vpc")
    assert "ec2.Vpc network-existing-vpc.enableDnsHostnames differs" in message


def altered(value: object) -> object:
    """The value with its first text changed, and beside it one that only the provider chooses."""
    if isinstance(value, list):
        first, *rest = cast("list[object]", value)
        return [altered(first), *rest]
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        name = min(entries)
        return {**entries, name: altered(entries[name]), "chosenByTheProvider": COMPUTED}
    return f"{value} changed"


@pytest.mark.parametrize("stack", STACKS)
def test_a_difference_beside_a_nested_value_that_the_provider_chooses_is_found(stack: str) -> None:
    """Part of a document that the provider fills in does not make the whole document unknown."""
    (other,) = STACKS.keys() - {stack}
    (acl,) = [item for item in committed()[other].items.values() if item.kind == "wafv2.WebAcl"]
    digest = next(name for name, value in acl.leaves.items() if name.startswith("rules[") and is_digest(value))
    rule = digest.partition("[")[2].partition("]")[0]
    shown = resources(stack, preview=True)
    place, web_acl = next((place, one) for place, one in enumerate(shown) if one.type == "aws:wafv2/webAcl:WebAcl")
    rules = [
        {**one, "statement": altered(one["statement"])} if one["name"] == rule else one
        for one in web_acl.outputs["rules"]
    ]
    shown[place] = replace(web_acl, outputs={**web_acl.outputs, "rules": rules}, property_dependencies={})
    (message,) = [message for policy, _, message in said(stack, shown) if policy == PROPERTIES.name]
    assert f"wafv2.WebAcl {web_acl.name}.{digest} differs" in message
