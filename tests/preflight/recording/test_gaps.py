"""What only AWS, another stack or a plugin knows is unknown in the recording, and named with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from preflight.errors import ProgramError
from preflight.recording.recorder import Recording
from preflight.recording.recorder import record as strictly
from preflight.sdk.wire import UNKNOWN

HERE = "tests/preflight/recording/test_gaps.py"
CONFIG = {"aws:region": "eu-west-1"}
MODES = pytest.mark.parametrize("preview", [False, True])


def record(program: Callable[[], Any], *, preview: bool = False) -> Recording:
    return strictly(program, config=CONFIG, strict=False, preview=preview)


def line(text: str) -> int:
    lines = Path(HERE).read_text(encoding="utf-8").splitlines()
    return next(number for number, each in enumerate(lines, 1) if text in each)


def gaps(recording: Recording) -> list[tuple[str, str]]:
    return [(gap.place, gap.what) for gap in recording.gaps]


def inputs(recording: Recording, name: str) -> dict[str, Any]:
    (found,) = [resource for resource in recording.resources if resource.name == name]
    return found.inputs


@MODES
def test_a_look_up_is_unknown_and_named(preview: bool) -> None:
    def program() -> None:
        image = aws.ec2.get_ami(owners=["amazon"], most_recent=True)  # the image
        found = aws.ec2.get_subnets_output(filters=[{"name": "vpc-id", "values": ["vpc-1"]}])  # the subnets
        aws.ec2.Instance(
            "host",
            ami=image.id,
            instance_type="t3.small",
            ebs_optimized=image.ena_support,
            subnet_id=found.ids[1],
            user_data=f"#!/bin/sh\nexport IMAGE={image.name.upper()} ROOT={image.root_device_name[:12]}",
            tags=image.tags,
        )
        aws.lb.LoadBalancer("front", subnets=found.ids, internal=True)
        pulumi.export("owners", image.owners)
        pulumi.export("device", image.block_device_mappings[0].device_name)

    recording = record(program, preview=preview)
    assert inputs(recording, "host") == {
        "ami": UNKNOWN,
        "ebsOptimized": UNKNOWN,
        "instanceType": "t3.small",
        "subnetId": UNKNOWN,
        "tags": UNKNOWN,
        "userData": UNKNOWN,
    }
    assert inputs(recording, "front") == {"internal": True, "subnets": UNKNOWN}
    assert recording.outputs == {"device": UNKNOWN, "owners": ["amazon"]}
    assert gaps(recording) == [
        (f"{HERE}:{line('# the image')}", "the result of aws:ec2/getAmi:getAmi"),
        (f"{HERE}:{line('# the subnets')}", "the result of aws:ec2/getSubnets:getSubnets"),
    ]


@MODES
def test_a_document_with_an_unknown_part_is_unknown_and_not_a_wrong_one(preview: bool) -> None:
    def program() -> None:
        key = aws.kms.get_alias(name="alias/data")
        statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.target_key_arn}
        aws.iam.Policy("reads", policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    assert inputs(record(program, preview=preview), "reads") == {"policy": UNKNOWN}


@MODES
def test_outputs_of_another_stack_are_unknown(preview: bool) -> None:
    def program() -> None:
        network = pulumi.StackReference("acme/network/dev")
        group = aws.ec2.SecurityGroup("a", vpc_id=network.get_output("vpcId"))
        aws.ec2.SecurityGroup("b", vpc_id=network.require_output("vpcId"), description=network.outputs["text"])
        details = pulumi.Output.from_input(network.get_output_details("zone")).apply(lambda details: str(details.value))
        pulumi.export("details", pulumi.Output.concat(details, group.name))
        pulumi.export("computed", network.get_output(pulumi.Output.from_input("vpcId")))
        pulumi.export("name", network.outputs.apply(lambda outputs: outputs["name"].upper()))

    recording = record(program, preview=preview)
    assert inputs(recording, "a")["vpcId"] == UNKNOWN
    assert inputs(recording, "b") == {"description": UNKNOWN, "vpcId": UNKNOWN}
    assert recording.outputs == {"computed": UNKNOWN, "details": UNKNOWN, "name": UNKNOWN}
    names = ("name", "text", "vpcId", "with a computed name", "zone")
    assert {what for _, what in gaps(recording)} == {f"output {name} of the stack acme/network/dev" for name in names}
    assert all(place.startswith(f"{HERE}:") for place, _ in gaps(recording))


@MODES
def test_a_computed_value_without_a_fake_is_unknown(preview: bool) -> None:
    def program() -> None:
        files = aws.efs.FileSystem("files", encrypted=True)
        pulumi.export("name", files.dns_name if preview else files.dns_name.apply(lambda name: name.upper()))

    recording = record(program, preview=preview)
    assert recording.outputs == {"name": UNKNOWN}
    (gap,) = recording.gaps
    assert gap.what == "dnsName of aws:efs/fileSystem:FileSystem 'files'"


def test_a_program_that_breaks_on_an_unknown_value_names_it() -> None:
    def program() -> None:
        zone = aws.route53.get_resolver_endpoint(resolver_endpoint_id="r-1")
        pulumi.export("third", zone.arn.split("/")[7])

    with pytest.raises(IndexError) as error:
        record(program)
    (note,) = error.value.__notes__
    assert note.startswith("not known here: the result of aws:route53/getResolverEndpoint:getResolverEndpoint (tests/")


class FromPlugin(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("awsx:ec2:Vpc", name, {"cidrBlock": "10.0.0.0/16"}, remote=True)


def test_the_resources_of_a_component_in_a_plugin_are_missing_and_that_is_said() -> None:
    recording = record(lambda: FromPlugin("net"))
    (gap,) = recording.gaps
    assert (gap.what, gap.hides_resources) == ("what the component awsx:ec2:Vpc 'net' creates", True)
    assert gap.place.startswith(f"{HERE}:")


class Provider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("id", props)


class Own(Resource):
    def __init__(self, name: str) -> None:
        super().__init__(Provider(), name, {"size": 3})


def test_a_dynamic_provider_is_named() -> None:
    recording = record(lambda: Own("own"))
    (gap,) = recording.gaps
    assert (gap.what, gap.hides_resources) == ("what the dynamic provider of 'own' returns", False)


def _unchanged(arguments: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    return pulumi.ResourceTransformResult(arguments.props, arguments.opts)


def test_transforms_are_refused_with_their_line() -> None:
    def for_all() -> None:
        pulumi.runtime.register_resource_transform(_unchanged)  # for all resources

    with pytest.raises(ProgramError, match=f"^{HERE}:{line('# for all')} registers a transform"):
        record(for_all)

    def of_one() -> None:
        aws.s3.Bucket("b", opts=pulumi.ResourceOptions(transforms=[_unchanged]))

    with pytest.raises(Exception, match="registers a transform, which this engine does not apply"):
        record(of_one)


def test_a_program_of_this_repository_has_no_unknown_look_ups() -> None:
    recording = strictly(aws.get_caller_identity, config=CONFIG)
    assert recording.gaps == []
