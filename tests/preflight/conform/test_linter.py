"""cfn-lint finds the same with the short cuts of ``conform.linter`` as without them."""

from __future__ import annotations

from typing import cast

from preflight.conform import cloudformation
from preflight.conform.linter import Linter
from preflight.conform.translate import translate
from preflight.conform.translation import TABLE
from preflight.sdk.wire import Json, Wire
from tests.preflight.conform.graphs import SHAPES, bootstrap_for, program

REGION = "eu-west-1"
IMAGE, VPC = "ami-0123456789abcdef0", "vpc-0123456789abcdef0"
UNFIT = {"str": "\u00b6" * 3000, "int": -1, "float": -1.5}
"""A value that hardly any property accepts, by the type of the value that it replaces."""


def of_every_type() -> dict[str, Wire]:
    """CloudFormation's type → the properties of one resource of it, from a stack and its account."""
    made = [
        translate(resource, TABLE[resource.type], cloudformation.property_names)
        for recording in (program(SHAPES[0]), bootstrap_for(SHAPES[0]))
        for resource in recording.resources
        if resource.type in TABLE and TABLE[resource.type].cloudformation
    ]
    return {one.kind.cloudformation: one.properties for one in made}


def unfit(value: Json) -> Json:
    """The value with every leaf replaced and every list repeated."""
    if isinstance(value, dict):
        return {key: unfit(item) for key, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [unfit(item) for item in cast("list[Json]", value)] * 2
    return UNFIT.get(type(value).__name__, value)


def test_the_short_cuts_find_what_cfn_lint_finds() -> None:
    # Right values are what the tests of conform on every topology are about: a finding that is too many fails there.
    entries = [(type_, unfit(properties)) for type_, properties in sorted(of_every_type().items())]
    template: Wire = {
        "Resources": {f"R{n}": {"Type": type_, "Properties": value} for n, (type_, value) in enumerate(entries)}
    }
    found = Linter().matches(template, REGION, ())
    assert found == Linter(faster=False).matches(template, REGION, ())
    assert len(found) > 10 * len(entries)
    assert len({rule for rule, _, _ in found}) > 20


def test_a_resource_that_was_accepted_is_refused_where_its_region_or_another_resource_makes_it_wrong() -> None:
    linter, alone = Linter(), Linter(faster=False)
    server: Wire = {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "m3.medium", "ImageId": IMAGE}}
    network: Wire = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    within: Wire = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": VPC, "CidrBlock": "10.0.0.0/24"}}
    of_network: Wire = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "N"}, "CidrBlock": "10.0.0.0/24"}}
    accepted: list[tuple[str, Wire]] = [
        (REGION, {"A": server}),
        (REGION, {"A": within}),
        (REGION, {"N": network, "A": of_network}),
        (REGION, {"A": server, "B": within, "N": network, "C": of_network}),
    ]
    smaller = {**network, "Properties": {"CidrBlock": "10.1.0.0/16"}}
    refused: list[tuple[str, Wire, set[str]]] = [
        ("mx-central-1", {"A": server}, {"E3628"}),
        (REGION, {"A": within, "B": within}, {"E3060"}),
        (REGION, {"N": smaller, "A": of_network}, {"E3059"}),
    ]
    for region, resources in accepted:
        assert linter.matches({"Resources": resources}, region, ()) == []
    for region, resources, rules in refused:
        found = linter.matches({"Resources": resources}, region, ())
        assert {rule for rule, _, _ in found} == rules
        assert found == alone.matches({"Resources": resources}, region, ())


def test_a_resource_that_was_refused_is_refused_again() -> None:
    linter = Linter()
    wrong: Wire = {"Resources": {"A": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "none"}}}}
    first = linter.matches(wrong, REGION, ())
    assert first
    assert linter.matches(wrong, REGION, ()) == first
