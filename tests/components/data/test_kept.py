"""Uploads, backups and alarms of the state."""

import json
from typing import Any

import pytest

from policies.guardrails.topology.graph.documents import Document
from policies.guardrails.topology.iam.statements import denies_clear_text, grants, statements
from tests.components.task_fixtures import ACCOUNT, REGION, TAGS, TICKETS, TOPIC, build, document, made, one, text

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
BACKUP_ROLE = f"arn:aws:iam::{ACCOUNT}:role/state-backup"


def _settings(recording: Any, type_: str, name: str) -> dict[str, Any]:  # noqa: ANN401 - a recording
    return {key: value for key, value in one(recording, type_, name).inputs.items() if key != "bucket"}


def test_uploads_are_private_versioned_and_encrypted_with_the_key() -> None:
    recording = build("state")
    key = one(recording, "aws:kms/key:Key").outputs["arn"]

    assert one(recording, BUCKET, "state-uploads").inputs["forceDestroy"] is False
    assert _settings(recording, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "state-uploads") == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert _settings(recording, "aws:s3/bucketVersioning:BucketVersioning", "state-uploads") == {
        "versioningConfiguration": {"status": "Enabled"}
    }
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    assert _settings(recording, kind, "state-uploads") == {
        "rules": [
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key},
                "bucketKeyEnabled": True,
            }
        ]
    }


def test_a_deleted_file_can_be_brought_back_for_as_long_as_is_asked() -> None:
    recording = build("state", uploads={"deleted_file_days": 45})
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

    assert _settings(recording, kind, "state-uploads")["rules"] == [
        {
            "id": "forget-deleted-files",
            "status": "Enabled",
            "filter": {},
            "noncurrentVersionExpiration": {"noncurrentDays": 45},
            "expiration": {"expiredObjectDeleteMarker": True},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
        }
    ]


def test_requests_to_the_uploads_are_recorded_in_a_bucket_that_only_s3_writes() -> None:
    recording = build("state")
    logs, uploads = (one(recording, BUCKET, name).outputs for name in ("state-uploads-access", "state-uploads"))
    logging = one(recording, "aws:s3/bucketLogging:BucketLogging").inputs
    policy = Document(json.loads(one(recording, "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]))

    assert logging == {"bucket": uploads["id"], "targetBucket": logs["id"], "targetPrefix": "uploads/"}
    (delivery,) = grants(policy)
    assert (delivery.principals, delivery.actions) == (("logging.s3.amazonaws.com",), ("s3:PutObject",))
    assert delivery.resources == (f"{logs['arn']}/*",)
    assert {item.key: item.values for item in delivery.conditions if item.bounds} == {
        "aws:sourceaccount": (ACCOUNT,),
        "aws:sourcearn": (uploads["arn"],),
    }
    (by_tls,) = (item for item in statements(policy) if denies_clear_text(item, "s3:*"))
    assert all(by_tls.covers_resource(arn) for arn in (logs["arn"], f"{logs['arn']}/any/key"))


def test_objects_come_and_go_by_the_endpoint_and_for_backups_only() -> None:
    recording = build("uploads")
    policy = json.loads(text(one(recording, "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]))
    every = statements(Document(policy))
    (by_endpoint,) = (item for item in every if "aws:sourcevpce" in item.keys)

    assert not any(item.allows for item in every)
    assert any(denies_clear_text(item, "s3:*") for item in every)
    assert by_endpoint.is_for_everyone
    assert by_endpoint.covers_resource("arn:aws:s3:::state-uploads/any/key")
    for action in (
        "GetObject",
        "GetObjectVersion",
        "PutObject",
        "DeleteObject",
        "DeleteObjectVersion",
        "RestoreObject",
    ):
        assert by_endpoint.covers(f"s3:{action}")
    # Whoever manages the bucket's settings is not locked out.
    assert not any(by_endpoint.covers(f"s3:{action}") for action in ("PutBucketPolicy", "GetBucketPolicy"))
    exempt = {(item.operator, item.key): item.values for item in by_endpoint.conditions}
    assert exempt == {
        ("stringnotequals", "aws:sourcevpce"): ("vpce-0123456789abcdef0",),
        ("arnnotequals", "aws:principalarn"): (BACKUP_ROLE,),
    }


# -- backups ----------------------------------------------------------------------------------------------------------


def test_every_night_database_and_uploads_are_copied_into_a_locked_vault() -> None:
    recording = build("state", backup_days=35)
    vault = one(recording, "aws:backup/vault:Vault")
    selection = one(recording, "aws:backup/selection:Selection").inputs
    plan = one(recording, "aws:backup/plan:Plan").inputs
    lock = one(recording, "aws:backup/vaultLockConfiguration:VaultLockConfiguration").inputs

    assert (vault.inputs["kmsKeyArn"], vault.inputs["forceDestroy"]) == (
        one(recording, "aws:kms/key:Key").outputs["arn"],
        False,
    )
    assert lock == {"backupVaultName": vault.outputs["name"], "minRetentionDays": 7}
    assert plan["rules"] == [
        {
            "ruleName": "nightly",
            "targetVaultName": vault.outputs["name"],
            "schedule": "cron(30 4 * * ? *)",
            "startWindow": 60,
            "completionWindow": 480,
            "lifecycle": {"deleteAfter": 35},
            "recoveryPointTags": TAGS,
        }
    ]
    assert selection["resources"] == [
        one(recording, "aws:rds/cluster:Cluster").outputs["arn"],
        one(recording, BUCKET, "state-uploads").outputs["arn"],
    ]
    assert selection["iamRoleArn"] == one(recording, "aws:iam/role:Role", "state-backup").outputs["arn"]


def test_the_backup_role_copies_and_restores_these_two_and_no_others() -> None:
    recording = build("state")
    cluster = one(recording, "aws:rds/cluster:Cluster").outputs["arn"]
    bucket = one(recording, BUCKET, "state-uploads").outputs["arn"]
    vault = one(recording, "aws:backup/vault:Vault").outputs["arn"]
    key = one(recording, "aws:kms/key:Key").outputs["arn"]
    own = f"arn:aws:rds:{REGION}:{ACCOUNT}"
    snapshots = f"{own}:cluster-snapshot:awsbackup:*"
    statements = {s["Sid"]: s for s in document(one(recording, POLICY, "state-backup-policy"))}

    assert {sid: statement["Resource"] for sid, statement in statements.items()} == {
        "FindResources": ["*"],
        "FindTheDatabase": [f"{own}:{kind}:*" for kind in ("cluster-auto-backup", "cluster-snapshot", "cluster", "db")],
        "CopyTheDatabase": sorted([cluster, snapshots]),
        "KeepItsCopies": [snapshots],
        "ReadTheBucket": [bucket],
        "CopyAndRestoreItsObjects": [f"{bucket}/*"],
        "HearOfItsChanges": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/AwsBackupManagedRule*"],
        "FillTheVault": [vault],
        "NameRecoveryPoints": [f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:*"],
        "UseTheKey": [key],
        "LetTheDatabaseUseTheKey": [key],
    }
    assert {sid: statement["Action"] for sid, statement in statements.items()} == {
        "FindResources": ["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
        "FindTheDatabase": [
            "rds:DescribeDBClusterAutomatedBackups",
            "rds:DescribeDBClusterSnapshots",
            "rds:DescribeDBClusters",
            "rds:DescribeDBInstances",
        ],
        "CopyTheDatabase": ["rds:AddTagsToResource", "rds:CreateDBClusterSnapshot", "rds:ListTagsForResource"],
        "KeepItsCopies": [
            "rds:CopyDBClusterSnapshot",
            "rds:DeleteDBClusterSnapshot",
            "rds:ModifyDBClusterSnapshotAttribute",
        ],
        "ReadTheBucket": [
            "s3:GetBucketAcl",
            "s3:GetBucketLocation",
            "s3:GetBucketNotification",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetInventoryConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:PutBucketNotification",
            "s3:PutInventoryConfiguration",
        ],
        "CopyAndRestoreItsObjects": [
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:GetObjectAcl",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionTagging",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ],
        "HearOfItsChanges": [
            "events:DeleteRule",
            "events:DescribeRule",
            "events:DisableRule",
            "events:EnableRule",
            "events:ListTargetsByRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
        "FillTheVault": ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
        "NameRecoveryPoints": ["backup:TagResource"],
        "UseTheKey": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        "LetTheDatabaseUseTheKey": ["kms:CreateGrant"],
    }
    assert {sid: statement.get("Condition") for sid, statement in statements.items() if "Condition" in statement} == {
        "UseTheKey": {
            "StringLike": {
                "kms:ViaService": [
                    f"backup.{REGION}.amazonaws.com",
                    f"rds.{REGION}.amazonaws.com",
                    f"s3.{REGION}.amazonaws.com",
                ]
            }
        },
        "LetTheDatabaseUseTheKey": {"Bool": {"kms:GrantIsForAWSResource": ["true"]}},
    }


def test_monitoring_writes_to_its_one_log_group_for_databases_of_this_account() -> None:
    recording = build("state")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:RDSOSMetrics"
    trust = json.loads(one(recording, "aws:iam/role:Role", "state-monitoring").inputs["assumeRolePolicy"])

    assert document(one(recording, POLICY, "state-monitoring-policy")) == [
        {
            "Sid": "MakeTheLogGroup",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
            "Resource": [group, f"{group}:*"],
        },
        {
            "Sid": "WriteMetrics",
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
                "logs:PutLogEvents",
            ],
            "Resource": [f"{group}:log-stream:*"],
        },
    ]
    assert trust["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
        "ArnLike": {"aws:SourceArn": [f"arn:aws:rds:{REGION}:{ACCOUNT}:db:*"]},
    }


# -- alarms -----------------------------------------------------------------------------------------------------------


def test_database_cache_and_backups_are_watched() -> None:
    recording = build("state-alarms")

    assert made(recording) == {
        ALARM: 15,
        "aws:cloudwatch/eventRule:EventRule": 1,
        "aws:cloudwatch/eventTarget:EventTarget": 1,
        "aws:sqs/queue:Queue": 1,
        "aws:sqs/queuePolicy:QueuePolicy": 1,
    }
    pages = {
        "backup-failed-dead-letters",
        "backup-failed-undelivered",
        "cache-cpu",
        "database-capacity",
        "database-connections",
        "database-cpu",
        "database-memory",
    }
    tickets = {
        "backup-missing",
        "cache-connections",
        "cache-evictions",
        "cache-memory",
        "cache-replication",
        "database-logins-failing",
        "database-replication",
        "database-storage",
    }
    assert {a.inputs["name"].rpartition(" ")[2]: a.inputs["alarmActions"] for a in recording.of_type(ALARM)} == {
        **{role: [TOPIC] for role in pages},
        **{role: [TICKETS] for role in tickets},
    }


def test_a_single_cache_node_has_no_lag_to_alarm_on() -> None:
    alone = build("state-alarms", cache_nodes=1, cache_node_ids=["state-cache-001"]).of_type(ALARM)
    assert "state-alarms-cache-replication" not in {alarm.name for alarm in alone}


def test_a_day_without_a_backup_is_noticed_although_nothing_reports_it() -> None:
    alarm = one(build("state-alarms"), ALARM, "state-alarms-backup-missing").inputs

    assert (alarm["namespace"], alarm["metricName"], alarm["statistic"]) == (
        "AWS/Backup",
        "NumberOfBackupJobsCompleted",
        "Sum",
    )
    assert alarm["dimensions"] == {"BackupVaultName": "state-backups"}
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["period"] * alarm["evaluationPeriods"] == 26 * 3600
    assert (alarm.get("datapointsToAlarm"), alarm["treatMissingData"]) == (None, "breaching")


@pytest.mark.parametrize(
    ("alone", "without"),
    [({"database_instances": 1}, "database-replication"), ({"cache_nodes": 1}, "cache-replication")],
)
def test_lag_is_watched_only_where_there_is_a_replica(alone: dict[str, Any], without: str) -> None:
    """Without one, AWS publishes no such metric: the alarm would stay in "insufficient data"."""
    recorded = (build("state-alarms"), build("state-alarms", **alone))
    with_replica, single = ({a.inputs["name"].rpartition(" ")[2] for a in one.of_type(ALARM)} for one in recorded)
    assert with_replica - single == {without}


def test_the_databases_limits_follow_from_what_it_may_grow_to() -> None:
    def thresholds(units: float) -> dict[str, float]:
        alarms = build("state-alarms", maximum_capacity_units=units).of_type(ALARM)
        return {a.inputs["name"].rpartition(" ")[2]: a.inputs["threshold"] for a in alarms}

    four, sixteen = thresholds(4), thresholds(16)

    assert (four["database-memory"], sixteen["database-memory"]) == (4 * 2 * 1024**3 // 10, 16 * 2 * 1024**3 // 10)


def test_the_connections_are_compared_with_those_of_the_running_tasks() -> None:
    alarm = one(build("state-alarms", task_connections=50), ALARM, "state-alarms-database-connections").inputs
    connections, tasks, value = alarm["metricQueries"]

    assert connections["metric"]["dimensions"] == {"DBClusterIdentifier": "ai-interface-test"}
    assert tasks["metric"]["dimensions"] == {"ClusterName": "ai-interface-test", "ServiceName": "interface"}
    assert (value["expression"], alarm["threshold"]) == ("100 * m1 / (m2 * 50)", 80)
    assert (alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (15, 15)


def test_the_worst_node_of_the_cache_counts() -> None:
    alarms = {a.inputs["name"].rpartition(" ")[2]: a.inputs for a in build("state-alarms").of_type(ALARM)}
    queries = {q["id"]: q for q in alarms["cache-memory"]["metricQueries"]}

    assert queries["worst"]["expression"] == "MAX([m1, m2])"
    assert [queries[q]["metric"]["dimensions"] for q in ("m1", "m2")] == [
        {"CacheClusterId": "state-cache-001"},
        {"CacheClusterId": "state-cache-002"},
    ]


def test_a_copy_that_fails_is_told() -> None:
    pattern = json.loads(text(one(build("state-alarms"), "aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"]))

    assert pattern == {
        "source": ["aws.backup"],
        "detail-type": ["Backup Job State Change"],
        "detail": {
            "backupVaultArn": [f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:state"],
            "state": ["ABORTED", "EXPIRED", "FAILED"],
        },
    }
