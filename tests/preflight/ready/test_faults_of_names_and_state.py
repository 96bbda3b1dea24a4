"""Names that are in use after an earlier attempt, and an insecure state backend."""

from __future__ import annotations

import json
from typing import Any

from preflight.account.lines import Status
from tests.preflight.ready.conftest import BUCKET
from tests.preflight.ready.faults import Fault, Undo, check, denied, parameters, refuses, says, wants
from tests.preflight.ready.right_account import tls_only
from tests.preflight.ready.world import World


def _log_group(world: World) -> Undo:
    name = "/ai-interface/staging/proxy"
    world.client("logs").create_log_group(logGroupName=name)
    return lambda: world.client("logs").delete_log_group(logGroupName=name)


def _alias(world: World) -> Undo:
    kms = world.client("kms")
    kms.create_alias(AliasName="alias/ai-interface-staging-state", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return lambda: kms.delete_alias(AliasName="alias/ai-interface-staging-state")


def _cluster(world: World) -> Undo:
    rds = world.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="ai-interface-staging",
        Engine="aurora-postgresql",
        MasterUsername="u",
        ManageMasterUserPassword=True,
    )
    return lambda: rds.delete_db_cluster(DBClusterIdentifier="ai-interface-staging", SkipFinalSnapshot=True)


def _web_acl(world: World) -> Undo:
    waf = world.client("wafv2")
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    made = waf.create_web_acl(
        Name="ai-interface-staging-firewall", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible
    )["Summary"]
    return lambda: waf.delete_web_acl(Name=made["Name"], Scope="REGIONAL", Id=made["Id"], LockToken=made["LockToken"])


def _ecs(world: World) -> Undo:
    ecs = world.client("ecs")
    ecs.create_cluster(clusterName="ai-interface-staging")
    return lambda: ecs.delete_cluster(cluster="ai-interface-staging")


TAKEN = "docs/runbook.md"
NAMES = [
    Fault("log group of an earlier try", "names", _log_group, "log group /ai-interface/staging/proxy", TAKEN),
    Fault("alias of an earlier try", "names", _alias, "key alias alias/ai-interface-staging-state", TAKEN),
    Fault("cluster of an earlier try", "names", _cluster, "database cluster ai-interface-staging", TAKEN),
    Fault("web ACL of an earlier try", "names", _web_acl, "web ACL ai-interface-staging-firewall", TAKEN),
    Fault("ECS cluster of an earlier try", "names", _ecs, "ECS cluster ai-interface-staging", TAKEN),
    Fault("guardrail of an earlier try", "names", says("bedrock", "ListGuardrails", {
        "guardrails": [{"id": "abcdefghij12", "arn": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/abcdefghij12",
                        "status": "READY", "name": "ai-interface-staging", "version": "DRAFT",
                        "createdAt": 1.0, "updatedAt": 1.0}]}), "guardrail ai-interface-staging", TAKEN),
    Fault("aliases that may not be listed", "names", denied("kms", "ListAliases"), "key alias", "kms:ListAliases",
          Status.CANNOT_TELL),
]  # fmt: skip


@parameters(NAMES)
def test_a_name_that_is_taken_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def _versions(status: str) -> Any:  # noqa: ANN401
    def plant(world: World) -> Undo:
        s3 = world.client("s3")
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})
        return lambda: s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    return plant


def _public(world: World) -> Undo:
    s3 = world.client("s3")
    held = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration={**held, "BlockPublicPolicy": False})
    return lambda: s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=held)


def _no_policy(world: World) -> Undo:
    s3 = world.client("s3")
    s3.delete_bucket_policy(Bucket=BUCKET)
    return lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(tls_only(BUCKET)))


def _policy_for_reading_only(world: World) -> Undo:
    s3, document = world.client("s3"), tls_only(BUCKET)
    document["Statement"][0]["Action"] = "s3:GetObject"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    return lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(tls_only(BUCKET)))


def _plain(world: World) -> Undo:
    s3 = world.client("s3")
    held = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    s3.delete_bucket_encryption(Bucket=BUCKET)
    return lambda: s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=held)


STATE = [
    Fault("state without encryption", "state backend", _plain, "state encrypted", "put-bucket-encryption"),
    Fault(
        "state without versions", "state backend", _versions("Suspended"), "state versioned", "put-bucket-versioning"
    ),
    Fault("state that may be made public", "state backend", _public, "state not public", "put-public-access-block"),
    Fault("state without bucket policy", "state backend", _no_policy, "state by TLS only", "aws:SecureTransport"),
    Fault(
        "bucket policy that denies reading only",
        "state backend",
        _policy_for_reading_only,
        "state by TLS only",
        "aws:SecureTransport",
    ),
    Fault(
        "state in another bucket than CI reaches",
        "state backend",
        wants(state_bucket="other-state"),
        "backend",
        f"stateBucket: {BUCKET}",
    ),
    Fault("state on one machine", "state backend", wants(backend="file:///state"), "backend", "S3 bucket"),
    Fault(
        "no bucket",
        "state backend",
        wants(backend="s3://no-such-bucket-here", state_bucket="no-such-bucket-here"),
        "state bucket",
        "create the bucket",
    ),
    Fault(
        "bucket that may not be looked at",
        "state backend",
        refuses("s3", "HeadBucket", "AccessDenied", 403),
        "backend",
        "s3:ListBucket",
        Status.CANNOT_TELL,
    ),
]


@parameters(STATE)
def test_a_state_backend_that_is_open_is_found(elsewhere: World, fault: Fault) -> None:
    check(elsewhere, fault)
