"""Database, cache, uploads and backups: what is made, under which key, and who may do what."""

import json
from typing import Any

import pytest

from components.data.database import PARAMETERS, cluster_identifier
from policies.guardrails.topology.graph.documents import Document
from policies.guardrails.topology.iam.statements import grants
from preflight.recording.recorder import Recording
from tests.components.task_fixtures import (
    ACCOUNT,
    KEY,
    TAGS,
    TOPIC,
    build,
    is_secret,
    made,
    one,
    text,
)

CLUSTER = "aws:rds/cluster:Cluster"
INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
POLICY = "aws:iam/rolePolicy:RolePolicy"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BUCKET = "aws:s3/bucket:Bucket"
TASKS = "sg-00000000000000001"


def test_it_makes_exactly_these_resources() -> None:
    assert made(build("state")) == {
        "aws:backup/plan:Plan": 1,
        "aws:backup/restoreTestingPlan:RestoreTestingPlan": 1,
        "aws:backup/restoreTestingSelection:RestoreTestingSelection": 2,
        "aws:backup/selection:Selection": 1,
        "aws:backup/vault:Vault": 1,
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration": 1,
        "aws:cloudwatch/logGroup:LogGroup": 3,
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": 1,
        "aws:ec2/securityGroup:SecurityGroup": 3,
        "aws:elasticache/replicationGroup:ReplicationGroup": 1,
        "aws:elasticache/subnetGroup:SubnetGroup": 1,
        "aws:iam/role:Role": 3,
        "aws:iam/rolePolicy:RolePolicy": 5,
        "aws:kms/alias:Alias": 1,
        "aws:kms/key:Key": 1,
        "aws:rds/cluster:Cluster": 1,
        "aws:rds/clusterInstance:ClusterInstance": 2,
        "aws:rds/clusterParameterGroup:ClusterParameterGroup": 1,
        "aws:rds/eventSubscription:EventSubscription": 3,
        "aws:rds/subnetGroup:SubnetGroup": 1,
        "aws:s3/bucket:Bucket": 2,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 2,
        "aws:s3/bucketLogging:BucketLogging": 1,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 2,
        "aws:s3/bucketPolicy:BucketPolicy": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 2,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 2,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "aws:secretsmanager/secret:Secret": 1,
        "aws:secretsmanager/secretVersion:SecretVersion": 1,
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 2,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 2,
        "tls:index/privateKey:PrivateKey": 1,
    }


def test_a_first_preview_registers_the_same_resources() -> None:
    assert made(build("state", preview=True)) == made(build("state"))


# -- the database ---------------------------------------------------------------------------------------------------


def test_the_database_is_private_encrypted_and_kept() -> None:
    recording = build("state")
    key = one(recording, "aws:kms/key:Key").outputs["arn"]
    cluster = one(recording, CLUSTER)
    group = one(recording, GROUP, "state-database-group")
    seed = one(recording, "tls:index/privateKey:PrivateKey").outputs["publicKeyFingerprintMd5"]

    assert cluster.inputs == {
        "applyImmediately": True,
        "backupRetentionPeriod": 7,
        "clusterIdentifier": "ai-interface-test",
        "copyTagsToSnapshot": True,
        "databaseName": "interface",
        "dbClusterParameterGroupName": one(recording, "aws:rds/clusterParameterGroup:ClusterParameterGroup").outputs[
            "name"
        ],
        "dbSubnetGroupName": one(recording, "aws:rds/subnetGroup:SubnetGroup").outputs["name"],
        "deleteAutomatedBackups": False,
        "deletionProtection": True,
        "enableHttpEndpoint": False,
        "enabledCloudwatchLogsExports": ["iam-db-auth-error", "postgresql"],
        "engine": "aurora-postgresql",
        "engineMode": "provisioned",
        "engineVersion": "16",
        "finalSnapshotIdentifier": f"ai-interface-test-final-{seed.replace(':', '')[:8]}",
        "iamDatabaseAuthenticationEnabled": True,
        "kmsKeyId": key,
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": key,
        "masterUsername": "interface_admin",
        "networkType": "IPV4",
        "port": 5432,
        "preferredBackupWindow": "02:00-03:00",
        "preferredMaintenanceWindow": "sun:03:30-sun:04:30",
        "serverlessv2ScalingConfiguration": {"minCapacity": 1, "maxCapacity": 4},
        "skipFinalSnapshot": False,
        "storageEncrypted": True,
        "tags": TAGS,
        "vpcSecurityGroupIds": [group.outputs["id"]],
    }


def test_each_instance_is_in_a_zone_of_its_own_and_watched() -> None:
    recording = build("state", database={"instances": 2})
    key = one(recording, "aws:kms/key:Key").outputs["arn"]
    instances = recording.of_type(INSTANCE)

    assert [(i.name, i.inputs["availabilityZone"]) for i in instances] == [
        ("state-database-eu-west-1a", "eu-west-1a"),
        ("state-database-eu-west-1b", "eu-west-1b"),
    ]
    for instance in instances:
        assert instance.inputs["instanceClass"] == "db.serverless"
        assert instance.inputs["publiclyAccessible"] is False
        assert instance.inputs["monitoringInterval"] == 60
        assert instance.inputs["performanceInsightsEnabled"] is True
        assert instance.inputs["performanceInsightsKmsKeyId"] == key
        assert instance.inputs["autoMinorVersionUpgrade"] is True


def test_only_tls_is_accepted_and_no_statement_is_logged() -> None:
    group = one(build("state"), "aws:rds/clusterParameterGroup:ClusterParameterGroup").inputs

    assert group["family"] == "aurora-postgresql16"
    assert {p["name"]: p["value"] for p in group["parameters"]} == PARAMETERS
    assert PARAMETERS == {
        "log_connections": "1",
        "log_disconnections": "1",
        "log_error_verbosity": "terse",
        "log_min_duration_sample": "-1",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_statement": "none",
        "rds.force_ssl": "1",
        "track_activity_query_size": "100",
    }


def test_the_logs_have_their_groups_before_the_database_exists() -> None:
    recording = build("state")
    groups = [r for r in recording.of_type("aws:cloudwatch/logGroup:LogGroup") if "database" in r.name]

    assert [(g.inputs["name"], g.inputs["kmsKeyId"], g.inputs["retentionInDays"]) for g in groups] == [
        ("/aws/rds/cluster/ai-interface-test/iam-db-auth-error", KEY, 90),
        ("/aws/rds/cluster/ai-interface-test/postgresql", KEY, 90),
    ]
    assert {g.urn for g in groups} <= set(one(recording, CLUSTER).dependencies)


def test_its_events_reach_the_alarm_topic() -> None:
    recording = build("state")
    cluster = one(recording, CLUSTER).outputs["id"]
    instances = sorted(i.outputs["id"] for i in recording.of_type(INSTANCE))
    found = {
        s.inputs["sourceType"]: (s.inputs["snsTopic"], sorted(s.inputs.get("sourceIds") or []))
        for s in recording.of_type("aws:rds/eventSubscription:EventSubscription")
    }

    assert found == {
        "db-cluster": (TOPIC, [cluster]),
        "db-instance": (TOPIC, instances),
        "db-parameter-group": (TOPIC, []),
    }


def test_database_and_uploads_are_protected_until_deletion_is_allowed() -> None:
    def protected(recording: Recording) -> set[str]:
        return {resource.name for resource in recording.resources if resource.protect}

    assert protected(build("state")) == {
        "state-cache-group",
        "state-database",
        "state-database-group",
        "state-uploads",
    }
    assert protected(build("state", allow_deletion=True)) == set()


def test_allowing_deletion_lifts_the_protection_and_keeps_the_final_snapshot() -> None:
    cluster = one(build("state", allow_deletion=True), CLUSTER).inputs

    assert (cluster["deletionProtection"], cluster["skipFinalSnapshot"]) == (False, False)


def test_a_database_from_a_snapshot_has_a_name_and_logs_of_its_own() -> None:
    recording = build("state", database={"snapshot_identifier": "ai-interface-test-final-0a1b2c3d"})
    cluster = one(recording, CLUSTER).inputs
    name = cluster["clusterIdentifier"]
    logs = [r.inputs["name"] for r in recording.of_type("aws:cloudwatch/logGroup:LogGroup") if "database" in r.name]

    assert cluster["snapshotIdentifier"] == "ai-interface-test-final-0a1b2c3d"
    assert name == cluster_identifier("test", "ai-interface-test-final-0a1b2c3d") != "ai-interface-test"
    assert logs == [f"/aws/rds/cluster/{name}/iam-db-auth-error", f"/aws/rds/cluster/{name}/postgresql"]
    assert len(cluster["finalSnapshotIdentifier"]) <= 63


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_capacity_units": 1.25}, "steps of 0.5"),
        ({"minimum_capacity_units": 8, "maximum_capacity_units": 4}, "lower it, or raise the maximum"),
        ({"instances": 3}, "at most one in each"),
    ],
)
def test_a_database_that_aws_would_refuse_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build("state", database=changes)


# -- the cache --------------------------------------------------------------------------------------------------------


def test_the_cache_fails_over_and_speaks_tls_with_a_password() -> None:
    recording = build("state")
    cache = one(recording, CACHE)
    token = cache.inputs["authToken"]
    inputs = {key: value for key, value in cache.inputs.items() if key != "authToken"}

    assert is_secret(token)
    assert len(text(token)) == 64
    assert inputs == {
        "applyImmediately": True,
        "atRestEncryptionEnabled": True,
        "authTokenUpdateStrategy": "ROTATE",
        "autoMinorVersionUpgrade": True,
        "automaticFailoverEnabled": True,
        "clusterMode": "disabled",
        "description": "ai-interface test: messages between tasks",
        "engine": "valkey",
        "engineVersion": "8.0",
        "kmsKeyId": one(recording, "aws:kms/key:Key").outputs["arn"],
        "logDeliveryConfigurations": [
            {
                "destination": "/ai-interface/test/cache",
                "destinationType": "cloudwatch-logs",
                "logFormat": "json",
                "logType": "engine-log",
            }
        ],
        "maintenanceWindow": "sun:03:30-sun:04:30",
        "multiAzEnabled": True,
        "networkType": "ipv4",
        "nodeType": "cache.t4g.small",
        "numCacheClusters": 2,
        "parameterGroupName": "default.valkey8",
        "port": 6379,
        "securityGroupIds": [one(recording, GROUP, "state-cache-group").outputs["id"]],
        "snapshotRetentionLimit": 1,
        "snapshotWindow": "02:00-03:00",
        "subnetGroupName": one(recording, "aws:elasticache/subnetGroup:SubnetGroup").outputs["name"],
        "tags": TAGS,
        "transitEncryptionEnabled": True,
        "transitEncryptionMode": "required",
    }


def test_a_cache_without_a_replica_does_not_ask_for_a_failover_which_aws_would_refuse() -> None:
    cache = one(build("state", cache={"replicas": 0}), CACHE)
    assert {key: cache.inputs[key] for key in ("automaticFailoverEnabled", "multiAzEnabled", "numCacheClusters")} == {
        "automaticFailoverEnabled": False,
        "multiAzEnabled": False,
        "numCacheClusters": 1,
    }


def test_the_caches_url_is_a_secret_and_the_same_in_every_run() -> None:
    first, second = build("state"), build("state")
    version = "aws:secretsmanager/secretVersion:SecretVersion"
    url = one(first, version).inputs["secretString"]
    host = one(first, CACHE).outputs["primaryEndpointAddress"]

    assert is_secret(url)
    assert text(url) == f"rediss://default:{text(one(first, CACHE).inputs['authToken'])}@{host}:6379/0"
    assert text(url) == text(one(second, version).inputs["secretString"])


# -- what outlives the stack ----------------------------------------------------------------------------------------


def test_the_key_and_the_vault_stay_when_the_stack_goes() -> None:
    recording = build("state")
    kept = {r.name for r in recording.resources if r.retain_on_delete}

    assert kept == {"state-key", "state-backups", "state-cache-url-version"}
    assert one(recording, "aws:kms/key:Key").inputs["enableKeyRotation"] is True


def test_the_key_serves_the_accounts_own_roles() -> None:
    policy = Document(json.loads(one(build("state"), "aws:kms/key:Key").inputs["policy"]))
    principals = {who for item in grants(policy) for who in item.principals}

    assert principals == {f"arn:aws:iam::{ACCOUNT}:root"}
    assert any(item.covers("kms:Decrypt") and not item.conditions for item in grants(policy))
