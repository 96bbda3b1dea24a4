"""Policies on restore tests of AWS Backup."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.TopicSubscription", "subscription")
KEY = r("kms.Key", "key")
VPC = r("ec2.Vpc", "network", cidrBlock="10.0.0.0/16")
GATEWAY = r("ec2.InternetGateway", "gateway", vpcId=UNKNOWN, needs={"vpcId": VPC})


def subnet(name: str) -> dict[str, Any]:
    return r("ec2.Subnet", name, vpcId=UNKNOWN, cidrBlock="10.0.0.0/24", needs={"vpcId": VPC})


def routed(found: dict[str, Any], *, public: bool) -> tuple[dict[str, Any], ...]:
    """A subnet with its route table."""
    table = r("ec2.RouteTable", f"{found['name']}-table", vpcId=UNKNOWN, needs={"vpcId": VPC})
    association = r(
        "ec2.RouteTableAssociation", found["name"], subnetId=UNKNOWN, routeTableId=UNKNOWN,
        needs={"subnetId": found, "routeTableId": table},
    )  # fmt: skip
    route = r(
        "ec2.Route", found["name"], routeTableId=UNKNOWN, gatewayId=UNKNOWN, destinationCidrBlock="0.0.0.0/0",
        needs={"routeTableId": table, "gatewayId": GATEWAY},
    )  # fmt: skip
    return (VPC, GATEWAY, found, table, association, *([route] if public else []))


def group(*subnets: dict[str, Any]) -> dict[str, Any]:
    return r("rds.SubnetGroup", "group", subnetIds=[UNKNOWN for _ in subnets], needs={"subnetIds": list(subnets)})


def selection(kind: str, overrides: Value = None, **needs: Value) -> dict[str, Any]:
    return r(
        "backup.RestoreTestingSelection", "s", protectedResourceType=kind, restoreMetadataOverrides=overrides,
        needs={"restoreMetadataOverrides": list(needs.values())},
    )  # fmt: skip


PRIVATE, OPEN = subnet("private"), subnet("open")
CLOSED_GROUP, OPEN_GROUP = group(PRIVATE), group(OPEN)
MIXED = group(PRIVATE, OPEN)
CLOSED, PUBLIC = routed(PRIVATE, public=False), routed(OPEN, public=True)
WITH_GROUP = {"dbSubnetGroupName": UNKNOWN}
PLACE, TESTED = "backup-restore-tests-are-private", "backup-restores-are-tested"
NAME = "violated s.restoreMetadataOverrides.dbSubnetGroupName"
VAULT = r("backup.Vault", "v")
PLAN = r("backup.Plan", "p", rules=[{"ruleName": "nightly", "targetVaultName": UNKNOWN}], needs={"rules": VAULT})


def testing(vaults: Value, **needs: Value) -> dict[str, Any]:
    chosen = {"includeVaults": vaults, "algorithm": "LATEST_WITHIN_WINDOW"}
    return r(
        "backup.RestoreTestingPlan",
        "t",
        recoveryPointSelection=chosen,
        needs={"recoveryPointSelection": list(needs.values())},
    )


def selected(plan: dict[str, Any]) -> dict[str, Any]:
    return r(
        "backup.RestoreTestingSelection", "s", restoreTestingPlanName=UNKNOWN, needs={"restoreTestingPlanName": plan}
    )


# fmt: off
CASES = [
    case(PLACE, "private subnets", *CLOSED, CLOSED_GROUP, selection("Aurora", WITH_GROUP, group=CLOSED_GROUP)),
    case(PLACE, "another case of the key", *CLOSED, CLOSED_GROUP, selection("RDS", {"DBSubnetGroupName": UNKNOWN}, group=CLOSED_GROUP)),
    case(PLACE, "a public subnet", *PUBLIC, OPEN_GROUP, selection("Aurora", WITH_GROUP, group=OPEN_GROUP), says=[NAME]),
    case(PLACE, "one of two is public", *CLOSED, *PUBLIC[2:], MIXED, selection("RDS", WITH_GROUP, group=MIXED), says=[NAME]),
    case(PLACE, "the default network", selection("Aurora", {}), says=[NAME]),
    case(PLACE, "no overrides", selection("RDS"), says=[NAME]),
    case(PLACE, "a group of another stack", selection("Aurora", {"dbSubnetGroupName": "other"}), says=[NAME.replace("violated", "not proven")]),
    case(PLACE, "a public address", *CLOSED, CLOSED_GROUP,
         selection("RDS", {**WITH_GROUP, "publiclyAccessible": "true"}, group=CLOSED_GROUP),
         says=["violated s.restoreMetadataOverrides.publiclyAccessible"]),
    case(PLACE, "a public address that is not known", *CLOSED, CLOSED_GROUP,
         selection("RDS", {**WITH_GROUP, "publiclyAccessible": UNKNOWN}, group=CLOSED_GROUP),
         says=["not proven s.restoreMetadataOverrides.publiclyAccessible"]),
    case(PLACE, "an instance", *CLOSED, selection("EC2", {"subnetId": UNKNOWN}, subnet=PRIVATE)),
    case(PLACE, "an instance in a public subnet", *PUBLIC, selection("EC2", {"subnetId": UNKNOWN}, subnet=OPEN),
         says=["violated s.restoreMetadataOverrides.subnetId"]),
    case(PLACE, "a bucket with a key", selection("S3", {"encryptionType": "SSE-KMS", "kmsKey": UNKNOWN}, key=KEY)),
    case(PLACE, "a bucket with S3's key", selection("S3", {}),
         says=["violated s.restoreMetadataOverrides.encryptionType", "violated s.restoreMetadataOverrides.kmsKey"]),
    case(PLACE, "a bucket with an unknown kind of key", selection("S3", {"encryptionType": UNKNOWN, "kmsKey": "arn:k"}, key=KEY),
         says=["not proven s.restoreMetadataOverrides.encryptionType"]),
    case(PLACE, "unknown overrides", selection("Aurora", UNKNOWN, key=KEY), says=["not proven s.restoreMetadataOverrides"]),
    case(PLACE, "a table has no network", selection("DynamoDB")),
    case(PLACE, "not applicable", TOPIC),

    case(TESTED, "tested", VAULT, PLAN, (T := testing([UNKNOWN], vault=VAULT)), selected(T)),
    case(TESTED, "every vault", VAULT, PLAN, (ALL := testing(["*"])), selected(ALL)),
    case(TESTED, "another vault", VAULT, PLAN, (OTHER := testing(["arn:aws:backup:eu-west-1:1:backup-vault:other"])), selected(OTHER),
         says=["violated v"]),
    case(TESTED, "a plan without a selection", VAULT, PLAN, T, says=["violated v"]),
    case(TESTED, "no plan", VAULT, PLAN, says=["violated v"]),
    case(TESTED, "unknown", VAULT, PLAN, (U := testing(UNKNOWN, topic=TOPIC)), selected(U), says=["not proven v"]),
    case(TESTED, "a vault that nothing fills", VAULT),
    case(TESTED, "not applicable", TOPIC),
]
