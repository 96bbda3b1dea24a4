"""Computed values have AWS's shape, are unique, and fit together."""

from __future__ import annotations

import re
from typing import Any

import pulumi_aws as aws
import pulumi_tls as tls
import pytest

from preflight.fakes.fakes import RESOURCES, Fakes
from preflight.fakes.values import Digest, Site
from preflight.sdk.schema import computed_outputs
from preflight.sdk.wire import Json

SITE = Site("123456789012", "eu-west-1")
LOADED = (aws, tls)


def made(token: str, logical_name: str = "thing", /, **inputs: object) -> dict[str, Json]:
    urn = f"urn:pulumi:test::shop::{token}::{logical_name}"
    return dict(Fakes(SITE).resource(token, logical_name, inputs, urn, preview=False).outputs)


@pytest.mark.parametrize(
    ("token", "inputs", "output", "pattern"),
    [
        ("aws:ec2/vpc:Vpc", {}, "id", r"vpc-0[0-9a-f]{16}"),
        ("aws:ec2/vpc:Vpc", {}, "arn", r"arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0[0-9a-f]{16}"),
        ("aws:ec2/subnet:Subnet", {"availabilityZone": "eu-west-1b"}, "availabilityZoneId", "euw1-az2"),
        (
            "aws:lb/loadBalancer:LoadBalancer",
            {},
            "dnsName",
            r"thing-[0-9a-f]{7}-\d{10}\.eu-west-1\.elb\.amazonaws\.com",
        ),
        ("aws:lb/loadBalancer:LoadBalancer", {}, "zoneId", "Z32O12XQLTSW2"),
        ("aws:lb/targetGroup:TargetGroup", {}, "arnSuffix", r"targetgroup/thing-[0-9a-f]{7}/[0-9a-f]{16}"),
        ("aws:iam/role:Role", {"name": "r", "path": "/p/"}, "arn", "arn:aws:iam::123456789012:role/p/r"),
        ("aws:s3/bucket:Bucket", {"bucket": "b"}, "arn", "arn:aws:s3:::b"),
        ("aws:sns/topic:Topic", {"name": "t"}, "id", "arn:aws:sns:eu-west-1:123456789012:t"),
        ("aws:kms/key:Key", {}, "keyId", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"),
        ("aws:ecs/taskDefinition:TaskDefinition", {"family": "f"}, "arn", r"arn:.*:task-definition/f:1"),
        ("aws:secretsmanager/secret:Secret", {"name": "n"}, "arn", r"arn:.*:secret:n-[a-z0-9]{6}"),
        (
            "aws:wafv2/webAcl:WebAcl",
            {"name": "w", "scope": "REGIONAL"},
            "arn",
            r"arn:.*:regional/webacl/w/[0-9a-f-]{36}",
        ),
        (
            "aws:rds/cluster:Cluster",
            {"clusterIdentifier": "d"},
            "endpoint",
            r"d\.cluster-[a-z0-9]{12}\.eu-west-1\.rds\..*",
        ),
    ],
)
def test_a_value_has_the_shape_that_aws_gives_it(
    token: str, inputs: dict[str, object], output: str, pattern: str
) -> None:
    assert re.fullmatch(pattern, str(made(token, **inputs)[output]))


def test_no_two_resources_share_an_identifier() -> None:
    ids = [made("aws:ec2/subnet:Subnet", f"subnet-{number}")["id"] for number in range(500)]
    assert len(set(ids)) == 500


def test_a_listener_belongs_to_its_load_balancer() -> None:
    balancer = str(made("aws:lb/loadBalancer:LoadBalancer")["arn"])
    listener = str(made("aws:lb/listener:Listener", loadBalancerArn=balancer)["arn"])
    assert listener.startswith(balancer.replace(":loadbalancer/", ":listener/") + "/")


def test_the_default_group_of_a_vpc_is_the_one_that_the_vpc_names() -> None:
    fakes = Fakes(SITE)
    vpc = fakes.resource("aws:ec2/vpc:Vpc", "v", {}, "urn:v", preview=False).outputs
    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    group = fakes.resource(token, "g", {"vpcId": vpc["id"]}, "urn:g", preview=False).outputs
    assert group["id"] == vpc["defaultSecurityGroupId"]


def test_a_load_balancer_is_in_the_vpc_of_its_subnets() -> None:
    fakes = Fakes(SITE)
    subnet = fakes.resource("aws:ec2/subnet:Subnet", "s", {"vpcId": "vpc-1"}, "urn:s", preview=False).outputs
    inputs = {"subnets": [subnet["id"]]}
    balancer = fakes.resource("aws:lb/loadBalancer:LoadBalancer", "b", inputs, "urn:b", preview=False).outputs
    assert balancer["vpcId"] == "vpc-1"


def test_a_certificate_has_a_validation_record_for_each_of_its_names() -> None:
    certificate = made(
        "aws:acm/certificate:Certificate", domainName="a.example.com", subjectAlternativeNames=["b.example.com"]
    )
    options = certificate["domainValidationOptions"]
    assert [option["domainName"] for option in options] == ["a.example.com", "b.example.com"]


INPUTS: dict[str, Any] = {
    "subnetIds": [],
    "serviceName": "com.amazonaws.eu-west-1.s3",
    "name": "tests",
    "restoreTestingPlanName": "plan",
}
"""The inputs that fakes read."""


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_every_fake_is_for_outputs_that_the_sdk_knows(token: str) -> None:
    fakes = {name for name in made(token, **INPUTS) if name != "id"}
    known = computed_outputs(token)
    assert known, f"{token} is no type of the SDK"
    optional = {"loadBalancerArns", "routeTableIds", "lockToken", "managedPolicyArns", "thumbprintLists", "alarmArns"}
    unknown_to_the_sdk = fakes - known - set(INPUTS) - optional
    assert unknown_to_the_sdk == set()


def test_a_digest_depends_on_nothing_but_its_seed() -> None:
    assert Digest("seed").hex(17) == Digest("seed").hex(17)
    assert Digest("seed").hex(17) != Digest("other").hex(17)


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_arns_are_of_the_regions_partition(region: str, partition: str) -> None:
    assert Site(region=region).arn("sns", "t").startswith(f"arn:{partition}:sns:{region}:")
