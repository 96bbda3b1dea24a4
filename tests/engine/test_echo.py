"""The fake provider refuses what AWS's provider refuses; these tests need no Pulumi CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.sdk.wire import UNKNOWN, Json, Wire, secret
from tests.engine.echo import arguments, deletion, replacement
from tests.engine.echo.arguments import Failure
from tests.engine.echo.cloud import Cloud

VPC = "aws:ec2/vpc:Vpc"
LISTENER = "aws:lb/listener:Listener"
ROLE = "aws:iam/role:Role"
FORWARD: Wire = {"type": "forward", "targetGroupArn": "arn"}


@pytest.fixture(scope="module", autouse=True)
def _sdks() -> None:
    arguments.load("aws")
    arguments.load("tls")


@pytest.mark.parametrize(
    ("type_", "inputs", "failures"),
    [
        (VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"owner": "a"}}, []),
        (VPC, {"cidrBlock": UNKNOWN, "tags": UNKNOWN}, []),
        (VPC, {"cidrBlock": secret("10.0.0.0/16")}, []),
        (VPC, {"cidr_block": "10.0.0.0/16"}, [Failure("cidr_block", "is no property of Vpc")]),
        (VPC, {"enableDnsSupport": "yes"}, [Failure("enableDnsSupport", "must be bool, not str")]),
        (VPC, {"tags": ["a"]}, [Failure("tags", "must be a map, not list")]),
        (VPC, {"tags": {"a": 1}}, [Failure("tags.a", "must be str, not int")]),
        (LISTENER, {"loadBalancerArn": "arn", "defaultActions": [FORWARD], "port": 443}, []),
        (LISTENER, {"loadBalancerArn": "arn", "port": 443}, [Failure("defaultActions", "is required and missing")]),
        (
            LISTENER,
            {"loadBalancerArn": "arn", "defaultActions": [{**FORWARD, "order": True}]},
            [Failure("defaultActions[0].order", "must be int, not bool")],
        ),
        (
            LISTENER,
            {"loadBalancerArn": "arn", "defaultActions": [{"targetGroupArn": "arn"}]},
            [Failure("defaultActions[0].type", "is required and missing")],
        ),
        (
            LISTENER,
            {"loadBalancerArn": "arn", "defaultActions": [{"type": "redirect", "redirect": {"status_code": "301"}}]},
            [
                Failure("defaultActions[0].redirect.statusCode", "is required and missing"),
                Failure("defaultActions[0].redirect.status_code", "is no property of ListenerDefaultActionRedirect"),
            ],
        ),
        (ROLE, {"assumeRolePolicy": "{}"}, []),
        (ROLE, {"assumeRolePolicy": 1}, [Failure("assumeRolePolicy", "must be an object, not int")]),
        ("tls:index/privateKey:PrivateKey", {"algorithm": "RSA", "rsaBits": 2048}, []),
        ("aws:ec2/vpc:Nothing", {}, [Failure("", "the installed SDK has no resource type aws:ec2/vpc:Nothing")]),
    ],
)
def test_inputs_are_held_against_the_installed_argument_classes(
    type_: str, inputs: Wire, failures: list[Failure]
) -> None:
    assert arguments.check(type_, inputs) == failures


@pytest.mark.parametrize("type_", sorted(replacement.TABLE))
def test_the_replacement_table_names_properties_that_the_installed_sdk_has(type_: str) -> None:
    cls = arguments.argument_class(type_)
    assert cls is not None
    assert replacement.TABLE[type_][1] - set(arguments.shape(cls).types) == frozenset()


@pytest.mark.parametrize(
    ("type_", "name", "replaced"),
    [
        (VPC, "cidrBlock", True),
        (VPC, "tags", False),
        ("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions", True),
        ("aws:ecs/taskDefinition:TaskDefinition", "tags", False),
        ("aws:ecs/service:Service", "taskDefinition", False),
        ("aws:lb/targetGroup:TargetGroup", "port", True),
        ("aws:lb/targetGroup:TargetGroup", "healthCheck", False),
    ],
)
def test_a_change_replaces_only_where_aws_forces_it(type_: str, name: str, *, replaced: bool) -> None:
    assert replacement.replaces(type_, name) is replaced


ASSOCIATION = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
BUCKET, CLUSTER, VAULT = deletion.BUCKET, deletion.CLUSTER, "aws:backup/vault:Vault"
INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
FINAL: Wire = {"clusterIdentifier": "db", "finalSnapshotIdentifier": "db-final"}


def _exists(type_: str, identifier: str, **inputs: Json) -> Wire:
    return {"type": type_, "id": identifier, "inputs": inputs, "outputs": {}, "urn": ""}


@pytest.mark.parametrize(
    ("found", "others", "contents", "refusal"),
    [
        (_exists(CLUSTER, "db", **FINAL), [], [], ""),
        (_exists(CLUSTER, "db", **FINAL, deletionProtection=True), [], [], "deletionProtection is on"),
        (_exists(ASSOCIATION, "dns", mutationProtection="ENABLED"), [], [], "mutationProtection is on"),
        (_exists(ASSOCIATION, "dns", mutationProtection="DISABLED"), [], [], ""),
        (
            _exists(CLUSTER, "db", **FINAL),
            [_exists(INSTANCE, "db-1", clusterIdentifier="db")],
            [],
            f"db is still used by {INSTANCE} db-1",
        ),
        (_exists(CLUSTER, "db", **FINAL), [_exists(INSTANCE, "other-1", clusterIdentifier="other")], [], ""),
        (
            _exists(CLUSTER, "db", clusterIdentifier="db"),
            [],
            [],
            "a final snapshot is required and finalSnapshotIdentifier is missing",
        ),
        (_exists(CLUSTER, "db", clusterIdentifier="db", skipFinalSnapshot=True), [], [], ""),
        (
            _exists(CLUSTER, "db", **FINAL),
            [_exists(deletion.SNAPSHOT, "db-final")],
            [],
            "the final snapshot db-final already exists",
        ),
        (_exists(BUCKET, "files"), [], [], ""),
        (_exists(BUCKET, "files"), [], ["a.txt"], "files is not empty: a.txt"),
        (_exists(BUCKET, "files", forceDestroy=True), [], ["a.txt"], ""),
        (_exists("aws:s3/bucketVersioning:BucketVersioning", "files", bucket="files"), [], ["a.txt"], ""),
        (_exists(VAULT, "copies", forceDestroy=False), [], ["Tuesday"], "copies is not empty: Tuesday"),
    ],
)
def test_what_holds_data_is_deleted_only_as_aws_deletes_it(
    found: Wire, others: list[Wire], contents: list[str], refusal: str
) -> None:
    assert deletion.refusal(found, [found, *others], contents) == refusal


@pytest.mark.parametrize("type_", sorted({*deletion.PROTECTION, *deletion.EMPTIED_BY}))
def test_the_switches_of_deletion_are_properties_of_the_installed_sdk(type_: str) -> None:
    switches = {table[type_] for table in (deletion.PROTECTION, deletion.EMPTIED_BY) if type_ in table}
    cls = arguments.argument_class(type_)
    assert cls is not None
    assert switches - set(arguments.shape(cls).types) == set()


def test_logs_are_delivered_into_the_buckets_that_a_balancer_and_a_bucket_name() -> None:
    balancer: Wire = {
        "accessLogs": {"bucket": "a", "enabled": True},
        "connectionLogs": {"bucket": "b", "enabled": False},
    }
    assert list(deletion.filled_by("aws:lb/loadBalancer:LoadBalancer", balancer)) == ["a"]
    assert list(deletion.filled_by("aws:s3/bucketLogging:BucketLogging", {"targetBucket": "c"})) == ["c"]


def test_a_secrets_name_is_kept_while_it_can_be_brought_back() -> None:
    assert deletion.keeps_its_name(_exists(deletion.SECRET, "arn"))
    assert not deletion.keeps_its_name(_exists(deletion.SECRET, "arn", recoveryWindowInDays=0))


def test_told_misbehaviour_is_used_up(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path)
    cloud.tell("create", "edge", fail="throttled", times=1)
    assert [cloud.told("create", "edge").fail for _ in range(2)] == ["throttled", ""]
