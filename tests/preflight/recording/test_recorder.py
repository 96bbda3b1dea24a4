"""A recording equals what the engine would register: names, wiring, options, providers, outputs, unknowns."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls
import pytest

from preflight.errors import FakeError
from preflight.recording.recorder import RecordedResource, Recording, record
from preflight.sdk.wire import SECRET, SIGNATURE, UNKNOWN

CONFIG = {"aws:region": "eu-west-1", "aws:allowedAccountIds": '["123456789012"]'}


class Inner(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sample:index:Inner", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.vpc = aws.ec2.Vpc(f"{name}-vpc", cidr_block="10.0.0.0/16", tags={"a": "b"}, opts=child)
        self.subnet = aws.ec2.Subnet(
            f"{name}-a", vpc_id=self.vpc.id, cidr_block="10.0.0.0/24", availability_zone="eu-west-1a", opts=child
        )
        self.register_outputs({"subnet_id": self.subnet.id})


class Outer(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sample:index:Outer", name, {"given": 1}, opts)
        self.inner = Inner(f"{name}-inner", pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def program() -> None:
    outer = Outer("net")
    queue = aws.sqs.Queue("waits", opts=pulumi.ResourceOptions(depends_on=[outer], protect=True))
    pulumi.export("zone", outer.inner.subnet.availability_zone)
    pulumi.export("arn", queue.arn)
    pulumi.export("token", pulumi.Output.secret("t"))


def by_name(recording: Recording, name: str) -> RecordedResource:
    return next(resource for resource in recording.resources if resource.name == name)


@pytest.fixture(scope="module")
def known() -> Recording:
    return record(program, project="shop", stack="blue", config=CONFIG)


@pytest.fixture(scope="module")
def preview() -> Recording:
    return record(program, project="shop", stack="blue", config=CONFIG, preview=True)


def test_a_urn_holds_the_types_of_all_ancestors_but_the_stack(known: Recording) -> None:
    assert by_name(known, "net-inner-a").urn == (
        "urn:pulumi:blue::shop::sample:index:Outer$sample:index:Inner$aws:ec2/subnet:Subnet::net-inner-a"
    )


def test_resources_are_sorted_by_urn_and_the_stack_is_one_of_them(known: Recording) -> None:
    urns = [resource.urn for resource in known.resources]
    assert urns == sorted(urns)
    assert "urn:pulumi:blue::shop::pulumi:pulumi:Stack::shop-blue" in urns


def test_a_property_that_refers_to_a_resource_depends_on_it(known: Recording) -> None:
    subnet, vpc = by_name(known, "net-inner-a"), by_name(known, "net-inner-vpc")
    assert dict(subnet.property_dependencies) == {"vpcId": (vpc.urn,), "cidrBlock": (), "availabilityZone": ()}
    assert subnet.dependencies == (vpc.urn,)


def test_a_dependency_on_a_component_is_one_on_all_resources_in_it(known: Recording) -> None:
    inside = {by_name(known, name).urn for name in ("net-inner-vpc", "net-inner-a")}
    assert set(by_name(known, "waits").dependencies) == inside


def test_a_component_has_the_outputs_that_it_registers(known: Recording) -> None:
    assert by_name(known, "net-inner").outputs == {"subnet_id": by_name(known, "net-inner-a").id}
    assert by_name(known, "net").inputs == {"given": 1}


def test_stack_outputs_are_recorded_and_secrets_keep_their_mark(known: Recording) -> None:
    assert known.outputs["zone"] == "eu-west-1a"
    assert known.outputs["token"] == {SIGNATURE: SECRET, "value": "t"}


def test_options_are_recorded() -> None:
    def with_options() -> None:
        options = pulumi.ResourceOptions(
            aliases=[pulumi.Alias(name="old")],
            ignore_changes=["tags"],
            delete_before_replace=True,
            custom_timeouts=pulumi.CustomTimeouts(create="1h30m"),
            additional_secret_outputs=["arn"],
            retain_on_delete=True,
        )
        aws.sqs.Queue("new", opts=options)

    queue = by_name(record(with_options, stack="blue", project="shop"), "new")
    assert queue.aliases == ("urn:pulumi:blue::shop::aws:sqs/queue:Queue::old",)
    assert (queue.ignore_changes, queue.delete_before_replace, queue.retain_on_delete) == (("tags",), True, True)
    assert dict(queue.custom_timeouts) == {"create": 5400.0}
    assert queue.outputs["arn"][SIGNATURE] == SECRET


def test_the_default_provider_is_a_separate_resource_and_every_resource_refers_to_it(known: Recording) -> None:
    provider = next(r for r in known.resources if r.type == "pulumi:providers:aws")
    assert provider.name == "default_7_51_1"
    assert provider.inputs == {"region": "eu-west-1", "allowedAccountIds": '["123456789012"]', "version": "7.51.1"}
    assert by_name(known, "waits").provider == f"{provider.urn}::{provider.id}"


def test_in_a_first_preview_the_provider_has_no_id_yet(preview: Recording) -> None:
    assert by_name(preview, "waits").provider.endswith(f"::{UNKNOWN}")


def test_the_line_that_made_a_resource_is_recorded(known: Recording) -> None:
    vpc = by_name(known, "net-inner-vpc")
    assert vpc.source_file == "tests/preflight/recording/test_recorder.py"
    assert "aws.ec2.Vpc(" in _line(vpc.source_line)


def _line(number: int) -> str:
    return Path(__file__).read_text(encoding="utf-8").splitlines()[number - 1]


def test_in_a_first_preview_inputs_are_known_and_computed_outputs_are_not(preview: Recording) -> None:
    vpc = by_name(preview, "net-inner-vpc")
    assert vpc.outputs["cidrBlock"] == "10.0.0.0/16"
    assert vpc.outputs["tagsAll"] == {"a": "b"}
    assert {vpc.outputs[name] for name in ("id", "arn", "mainRouteTableId", "ownerId", "enableDnsHostnames")} == {
        UNKNOWN
    }
    assert "instanceTenancy" not in vpc.outputs  # optional and not set: absent, as the provider plans it


def test_two_runs_are_the_same(known: Recording) -> None:
    again = record(program, project="shop", stack="blue", config=CONFIG)
    assert again.resources == known.resources


def test_identifiers_differ_between_stacks(known: Recording) -> None:
    other = record(program, project="shop", stack="green", config=CONFIG)
    ids = {r.id for r in known.resources if r.id}
    assert not ids & {r.id for r in other.resources if r.id}


@pytest.mark.parametrize("is_preview", [False, True])
def test_reading_a_computed_value_that_no_fake_provides_is_an_error_with_the_place(is_preview: bool) -> None:
    def reads() -> None:
        vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")
        pulumi.export("association", vpc.ipv6_association_id)

    with pytest.raises(FakeError) as error:
        record(reads, preview=is_preview)
    assert str(error.value).startswith("tests/preflight/recording/test_recorder.py:")
    assert "reads ipv6AssociationId of aws:ec2/vpc:Vpc 'v'" in str(error.value)


def test_the_missing_value_is_named_even_where_the_program_breaks_on_it() -> None:
    def breaks() -> None:
        vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")
        pulumi.export("association", vpc.ipv6_association_id.apply(lambda value: value + "x"))

    with pytest.raises(FakeError, match="reads ipv6AssociationId"):
        record(breaks)


def test_reading_an_optional_output_that_was_not_set_is_none() -> None:
    seen: list[object] = []

    def reads() -> None:
        vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")
        pulumi.export("tenancy", vpc.instance_tenancy.apply(seen.append))

    record(reads)
    assert seen == [None]


def test_a_look_up_without_an_answer_is_an_error_that_names_it() -> None:
    with pytest.raises(FakeError, match="aws:ec2/getVpc:getVpc"):
        record(lambda: aws.ec2.get_vpc(id="vpc-1"))


def test_look_ups_answer_for_the_configured_account_and_region() -> None:
    seen: list[object] = []

    def looks_up() -> None:
        seen.append(aws.get_caller_identity().account_id)
        seen.append(list(aws.get_availability_zones().names))

    record(looks_up, config=CONFIG)
    assert seen == ["123456789012", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]]


def test_a_resource_that_is_read_is_external_and_known_in_a_preview() -> None:
    recording = record(lambda: aws.ec2.Vpc.get("there", "vpc-0123456789abcdef0"), preview=True)
    vpc = by_name(recording, "there")
    assert (vpc.id, vpc.external, vpc.custom) == ("vpc-0123456789abcdef0", True, True)


def test_secret_outputs_of_generated_keys_are_marked_in_both_modes() -> None:
    for is_preview in (False, True):
        recording = record(lambda: tls.PrivateKey("key", algorithm="ECDSA"), preview=is_preview)
        assert by_name(recording, "key").outputs["privateKeyPem"][SIGNATURE] == SECRET


def test_an_error_of_the_program_is_raised_as_it_is_and_the_next_recording_works() -> None:
    def fails() -> None:
        aws.sqs.Queue("q")
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        record(fails)
    assert by_name(record(lambda: aws.sqs.Queue("q")), "q").custom


def test_warnings_of_the_program_are_kept() -> None:
    assert record(lambda: pulumi.log.warn("look here")).messages == ["warning: look here"]
