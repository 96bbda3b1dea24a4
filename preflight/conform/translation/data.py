"""The database, the cache, buckets and backups."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import (
    Like,
    ModelledCall,
    TranslatedKind,
    capitalised,
    document,
    inside,
    renamed,
    verbatim,
)
from preflight.sdk.wire import Json, Wire

AT_DELETION = "controls the provider's deletion"
APPLYING = "controls when the provider applies a change"
S3_CALL_NAMES = "S3's model has it in another form, without further constraints"


_DEFAULT = "applyServerSideEncryptionByDefault"
_ALGORITHM = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
_EXPIRATION = {"days": "ExpirationInDays", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
_RULE = {
    "copyActions": "CopyActions",
    "completionWindow": "CompletionWindowMinutes",
    "lifecycle": "Lifecycle",
    "recoveryPointTags": "RecoveryPointTags",
    "ruleName": "RuleName",
    "schedule": "ScheduleExpression",
    "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
    "startWindow": "StartWindowMinutes",
    "targetVaultName": "TargetBackupVault",
}


def parameters(value: Json) -> Wire:
    """Database parameters as a map."""
    return {"Parameters": {item["name"]: item["value"] for item in cast("list[Wire]", value)}}


def parameter_list(value: Json) -> Wire:
    """Database parameters in the form of RDS's calls."""
    names = {"name": "ParameterName", "value": "ParameterValue", "applyMethod": "ApplyMethod"}
    return {"Parameters": [renamed(item, names) for item in cast("list[Wire]", value)]}


def encryption(value: Json) -> Wire:
    """The rules of a bucket's encryption."""
    rules: list[Json] = []
    for rule in cast("list[Wire]", value):
        rest = {key: item for key, item in rule.items() if key != _DEFAULT}
        rules.append(
            {
                "ServerSideEncryptionByDefault": renamed(rule[_DEFAULT], _ALGORITHM),
                **cast("Wire", capitalised(rest)),
            }
        )
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


def lifecycle(value: Json) -> Wire:
    """The rules of a bucket's lifecycle: a filter and an expiration are fields of the rule."""
    rules: list[Json] = []
    for rule in cast("list[Wire]", value):
        rest = {key: item for key, item in rule.items() if key not in {"filter", "expiration"}}
        chosen = renamed(rule.get("filter", {}), {"prefix": "Prefix"})
        rules.append({**cast("Wire", capitalised(rest)), **chosen, **renamed(rule.get("expiration", {}), _EXPIRATION)})
    return {"LifecycleConfiguration": {"Rules": rules}}


def backup_rules(value: Json) -> Wire:
    """The rules of a backup plan."""
    ages = {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}
    copies = {"destinationVaultArn": "DestinationBackupVaultArn", "lifecycle": "Lifecycle"}

    def aged(wire: Wire) -> Wire:
        return {**wire, "Lifecycle": renamed(wire["Lifecycle"], ages)} if "Lifecycle" in wire else wire

    def made(rule: Wire) -> Wire:
        found = aged(renamed(rule, _RULE))
        if "CopyActions" not in found:
            return found
        actions = cast("list[Wire]", found["CopyActions"])
        return {**found, "CopyActions": [aged(renamed(action, copies)) for action in actions]}

    return {"BackupPlanRule": [made(rule) for rule in cast("list[Wire]", value)]}


def deliveries(value: Json) -> Wire:
    """The destinations of a cache's logs."""
    targets = {
        "cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"),
        "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream"),
    }
    result: list[Json] = []
    for item in cast("list[Wire]", value):
        details, name = targets.get(item["destinationType"], ("Unknown", "Unknown"))
        rest = {key: part for key, part in item.items() if key != "destination"}
        result.append({"DestinationDetails": {details: {name: item["destination"]}}, **cast("Wire", capitalised(rest))})
    return {"LogDeliveryConfigurations": result}


TABLE = {
    "aws:rds/cluster:Cluster": TranslatedKind(
        "AWS::RDS::DBCluster",
        {
            "clusterIdentifier": "DBClusterIdentifier",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "masterUserSecretKmsKeyId": "MasterUserSecret.KmsKeyId",
        },
        left_out={
            "applyImmediately": APPLYING,
            "finalSnapshotIdentifier": AT_DELETION,
            "skipFinalSnapshot": AT_DELETION,
        },
        calls=(ModelledCall("rds", "CreateDBCluster"),),
        uncalled={
            "DeleteAutomatedBackups": "a boolean argument of DeleteDBCluster",
            "MasterUserSecret": "MasterUserSecretKmsKeyId in the call, without a constraint",
        },
    ),
    "aws:rds/clusterInstance:ClusterInstance": TranslatedKind(
        "AWS::RDS::DBInstance",
        {
            "clusterIdentifier": "DBClusterIdentifier",
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "caCertIdentifier": "CACertificateIdentifier",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
        },
        left_out={"applyImmediately": APPLYING},
        calls=(ModelledCall("rds", "CreateDBInstance"),),
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": TranslatedKind(
        "AWS::RDS::DBClusterParameterGroup",
        {"parameters": parameters, "name": "DBClusterParameterGroupName"},
        calls=(
            ModelledCall("rds", "CreateDBClusterParameterGroup", {"Family": "DBParameterGroupFamily"}),
            ModelledCall("rds", "ModifyDBClusterParameterGroup"),
        ),
        called={"parameters": parameter_list},
    ),
    "aws:rds/subnetGroup:SubnetGroup": TranslatedKind(
        "AWS::RDS::DBSubnetGroup",
        {"description": "DBSubnetGroupDescription", "name": "DBSubnetGroupName"},
        calls=(ModelledCall("rds", "CreateDBSubnetGroup"),),
    ),
    "aws:rds/eventSubscription:EventSubscription": TranslatedKind(
        "AWS::RDS::EventSubscription",
        {"snsTopic": "SnsTopicArn"},
        calls=(ModelledCall("rds", "CreateEventSubscription"),),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": TranslatedKind(
        "AWS::ElastiCache::ReplicationGroup",
        {
            "description": "ReplicationGroupDescription",
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "logDeliveryConfigurations": deliveries,
        },
        left_out={
            "applyImmediately": APPLYING,
            "authTokenUpdateStrategy": "an argument of ModifyReplicationGroup; checked against the call",
        },
        like=Like(
            "AWS::ElastiCache::CacheCluster",
            {name: name for name in ("CacheNodeType", "Engine", "EngineVersion")},
            {"NumCacheNodes": 1},
        ),
        calls=(ModelledCall("elasticache", "CreateReplicationGroup"),),
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": TranslatedKind(
        "AWS::ElastiCache::SubnetGroup",
        {"name": "CacheSubnetGroupName"},
        calls=(ModelledCall("elasticache", "CreateCacheSubnetGroup", {"Description": "CacheSubnetGroupDescription"}),),
    ),
    "aws:s3/bucket:Bucket": TranslatedKind(
        "AWS::S3::Bucket",
        {"bucket": "BucketName"},
        left_out={"forceDestroy": AT_DELETION},
        why="the schema has a constraint on the name, CreateBucket has none",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": TranslatedKind(
        "AWS::S3::BucketPolicy",
        {"policy": document("PolicyDocument")},
        calls=(ModelledCall("s3", "PutBucketPolicy", {"PolicyDocument": "Policy"}),),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName"},
        calls=(ModelledCall("s3", "PutBucketVersioning", {"BucketName": "Bucket"}),),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={
            "bucket": "BucketName",
            "rule": lambda value: inside("OwnershipControls.[Rules]", {"ObjectOwnership": value["objectOwnership"]}),
        },
        calls=(ModelledCall("s3", "PutBucketOwnershipControls", {"BucketName": "Bucket"}),),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName"},
        within="PublicAccessBlockConfiguration",
        outside=frozenset({"bucket"}),
        calls=(
            ModelledCall(
                "s3", "PutPublicAccessBlock", {"BucketName": "Bucket"}, inside="PublicAccessBlockConfiguration"
            ),
        ),
    ),
    "aws:s3/bucketLogging:BucketLogging": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={
            "bucket": "BucketName",
            "targetBucket": "LoggingConfiguration.DestinationBucketName",
            "targetPrefix": "LoggingConfiguration.LogFilePrefix",
        },
        calls=(ModelledCall("s3", "PutBucketLogging", {"BucketName": "Bucket"}),),
        uncalled={"LoggingConfiguration": S3_CALL_NAMES},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName", "rules": encryption},
        calls=(ModelledCall("s3", "PutBucketEncryption", {"BucketName": "Bucket"}),),
        uncalled={"BucketEncryption": S3_CALL_NAMES},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": TranslatedKind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName", "rules": lifecycle},
        calls=(ModelledCall("s3", "PutBucketLifecycleConfiguration", {"BucketName": "Bucket"}),),
        uncalled={"LifecycleConfiguration": S3_CALL_NAMES},
    ),
    "aws:backup/vault:Vault": TranslatedKind(
        "AWS::Backup::BackupVault",
        {"kmsKeyArn": "EncryptionKeyArn", "tags": verbatim("BackupVaultTags")},
        left_out={"forceDestroy": AT_DELETION},
        added={"BackupVaultName": "name"},
        calls=(ModelledCall("backup", "CreateBackupVault"),),
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": TranslatedKind(
        "AWS::Backup::BackupVault",
        part=True,
        properties={"backupVaultName": "BackupVaultName"},
        within="LockConfiguration",
        outside=frozenset({"backupVaultName"}),
        calls=(ModelledCall("backup", "PutBackupVaultLockConfiguration"),),
    ),
    "aws:backup/plan:Plan": TranslatedKind(
        "AWS::Backup::BackupPlan",
        {
            "name": "BackupPlanName",
            "tags": verbatim("BackupPlanTags"),
            "rules": backup_rules,
        },
        within="BackupPlan",
        outside=frozenset({"tags"}),
        calls=(
            ModelledCall(
                "backup",
                "CreateBackupPlan",
                {"BackupPlanRule": "Rules", "TargetBackupVault": "TargetBackupVaultName"},
                inside="BackupPlan",
            ),
        ),
    ),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": TranslatedKind(
        "AWS::Backup::RestoreTestingPlan",
        {"name": "RestoreTestingPlanName", "recoveryPointSelection": "RecoveryPointSelection"},
        calls=(ModelledCall("backup", "CreateRestoreTestingPlan", inside="RestoreTestingPlan"),),
        uncalled={"Tags": "another member of the request"},
    ),
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": TranslatedKind(
        "AWS::Backup::RestoreTestingSelection",
        {
            "name": "RestoreTestingSelectionName",
            "restoreMetadataOverrides": verbatim("RestoreMetadataOverrides"),
        },
        calls=(ModelledCall("backup", "CreateRestoreTestingSelection", inside="RestoreTestingSelection"),),
        uncalled={"RestoreTestingPlanName": "in the path of the request"},
    ),
    "aws:backup/selection:Selection": TranslatedKind(
        "AWS::Backup::BackupSelection",
        {"planId": "BackupPlanId", "name": "SelectionName"},
        within="BackupSelection",
        outside=frozenset({"planId"}),
        calls=(ModelledCall("backup", "CreateBackupSelection", inside="BackupSelection"),),
    ),
}
