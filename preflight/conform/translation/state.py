"""The database, the cache, buckets and backups."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import Call, Kind, document, inside, tags, verbatim
from preflight.wire import Json, Wire

AT_DELETION = "says what the provider does at deletion"
APPLYING = "says when the provider applies a change"
S3_CALL_NAMES = "S3's model takes another form of it, and has no constraint that the schema lacks"


def parameters(value: Json) -> Wire:
    """Database parameters as a map."""
    return {"Parameters": {item["name"]: item["value"] for item in value}}


def encryption(value: Json) -> Wire:
    """The rules of a bucket's encryption."""
    return inside(
        "BucketEncryption",
        {
            "ServerSideEncryptionConfiguration": [
                {
                    **{"BucketKeyEnabled": rule[key] for key in rule if key == "bucketKeyEnabled"},
                    "ServerSideEncryptionByDefault": {
                        {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}.get(k, f"Unknown{k}"): v
                        for k, v in rule["applyServerSideEncryptionByDefault"].items()
                    },
                    **{
                        f"Unknown{k}": v
                        for k, v in rule.items()
                        if k not in {"bucketKeyEnabled", "applyServerSideEncryptionByDefault"}
                    },
                }
                for rule in value
            ]
        },
    )


LIFECYCLE = {
    "id": lambda v: {"Id": v},
    "status": lambda v: {"Status": v},
    "filter": lambda v: {"Prefix": v["prefix"]} if v.get("prefix") else {},
    "expiration": lambda v: {
        {"days": "ExpirationInDays", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}.get(k, f"Unknown{k}"): i
        for k, i in v.items()
    },
    "noncurrentVersionExpiration": lambda v: {
        "NoncurrentVersionExpiration": {
            {"noncurrentDays": "NoncurrentDays", "newerNoncurrentVersions": "NewerNoncurrentVersions"}.get(
                k, f"Unknown{k}"
            ): i
            for k, i in v.items()
        }
    },
    "abortIncompleteMultipartUpload": lambda v: {
        "AbortIncompleteMultipartUpload": {
            {"daysAfterInitiation": "DaysAfterInitiation"}.get(k, f"Unknown{k}"): i for k, i in v.items()
        }
    },
}


def lifecycle(value: Json) -> Wire:
    """The rules of a bucket's lifecycle; a part that is not translated is kept and reported."""
    rules: list[Wire] = []
    for item in cast("list[Wire]", value):
        rule: Wire = {}
        for key, part in item.items():
            rule |= LIFECYCLE[key](part) if key in LIFECYCLE else {f"Unknown{key}": part}
        rules.append(rule)
    return inside("LifecycleConfiguration.Rules", rules)


TABLE = {
    "aws:rds/cluster:Cluster": Kind(
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
        calls=(Call("rds", "CreateDBCluster"),),
        uncalled={
            "DeleteAutomatedBackups": "DeleteDBCluster takes it, a boolean",
            "MasterUserSecret": "MasterUserSecretKmsKeyId in the call, without a constraint",
        },
    ),
    "aws:rds/clusterInstance:ClusterInstance": Kind(
        "AWS::RDS::DBInstance",
        {
            "clusterIdentifier": "DBClusterIdentifier",
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "caCertIdentifier": "CACertificateIdentifier",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
        },
        left_out={"applyImmediately": APPLYING},
        calls=(Call("rds", "CreateDBInstance"),),
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": Kind(
        "AWS::RDS::DBClusterParameterGroup",
        {"parameters": parameters, "name": "DBClusterParameterGroupName"},
        calls=(Call("rds", "CreateDBClusterParameterGroup", {"Family": "DBParameterGroupFamily"}),),
        uncalled={"Parameters": "ModifyDBClusterParameterGroup takes them, without a constraint"},
    ),
    "aws:rds/subnetGroup:SubnetGroup": Kind(
        "AWS::RDS::DBSubnetGroup",
        {"description": "DBSubnetGroupDescription", "name": "DBSubnetGroupName"},
        calls=(Call("rds", "CreateDBSubnetGroup"),),
    ),
    "aws:rds/eventSubscription:EventSubscription": Kind(
        "AWS::RDS::EventSubscription",
        {"snsTopic": "SnsTopicArn"},
        calls=(Call("rds", "CreateEventSubscription"),),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Kind(
        "AWS::ElastiCache::ReplicationGroup",
        {
            "description": "ReplicationGroupDescription",
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "logDeliveryConfigurations": lambda value: {
                "LogDeliveryConfigurations": [_delivery(item) for item in value]
            },
        },
        left_out={
            "applyImmediately": APPLYING,
            "authTokenUpdateStrategy": "ModifyReplicationGroup takes it; checked against the call",
        },
        calls=(Call("elasticache", "CreateReplicationGroup"),),
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Kind(
        "AWS::ElastiCache::SubnetGroup",
        {"name": "CacheSubnetGroupName"},
        calls=(Call("elasticache", "CreateCacheSubnetGroup", {"Description": "CacheSubnetGroupDescription"}),),
    ),
    "aws:s3/bucket:Bucket": Kind(
        "AWS::S3::Bucket",
        {"bucket": "BucketName"},
        left_out={"forceDestroy": AT_DELETION},
        why="CreateBucket has no constraint on the name; the schema has",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Kind(
        "AWS::S3::BucketPolicy",
        {"policy": document("PolicyDocument")},
        calls=(Call("s3", "PutBucketPolicy", {"PolicyDocument": "Policy"}),),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName"},
        calls=(Call("s3", "PutBucketVersioning", {"BucketName": "Bucket"}),),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={
            "bucket": "BucketName",
            "rule": lambda value: inside("OwnershipControls.[Rules]", {"ObjectOwnership": value["objectOwnership"]}),
        },
        calls=(Call("s3", "PutBucketOwnershipControls", {"BucketName": "Bucket"}),),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName"},
        within="PublicAccessBlockConfiguration",
        outside=frozenset({"bucket"}),
        calls=(Call("s3", "PutPublicAccessBlock", {"BucketName": "Bucket"}, inside="PublicAccessBlockConfiguration"),),
    ),
    "aws:s3/bucketLogging:BucketLogging": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={
            "bucket": "BucketName",
            "targetBucket": "LoggingConfiguration.DestinationBucketName",
            "targetPrefix": "LoggingConfiguration.LogFilePrefix",
        },
        calls=(Call("s3", "PutBucketLogging", {"BucketName": "Bucket"}),),
        uncalled={"LoggingConfiguration": S3_CALL_NAMES},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName", "rules": encryption},
        calls=(Call("s3", "PutBucketEncryption", {"BucketName": "Bucket"}),),
        uncalled={"BucketEncryption": S3_CALL_NAMES},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Kind(
        "AWS::S3::Bucket",
        part=True,
        properties={"bucket": "BucketName", "rules": lifecycle},
        calls=(Call("s3", "PutBucketLifecycleConfiguration", {"BucketName": "Bucket"}),),
        uncalled={"LifecycleConfiguration": S3_CALL_NAMES},
    ),
    "aws:backup/vault:Vault": Kind(
        "AWS::Backup::BackupVault",
        {"kmsKeyArn": "EncryptionKeyArn", "tags": verbatim("BackupVaultTags")},
        left_out={"forceDestroy": AT_DELETION},
        added={"BackupVaultName": "name"},
        calls=(Call("backup", "CreateBackupVault"),),
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Kind(
        "AWS::Backup::BackupVault",
        part=True,
        properties={"backupVaultName": "BackupVaultName"},
        within="LockConfiguration",
        outside=frozenset({"backupVaultName"}),
        calls=(Call("backup", "PutBackupVaultLockConfiguration"),),
    ),
    "aws:backup/plan:Plan": Kind(
        "AWS::Backup::BackupPlan",
        {
            "name": "BackupPlanName",
            "tags": verbatim("BackupPlanTags"),
            "rules": lambda value: {"BackupPlanRule": [_backup_rule(item) for item in value]},
        },
        within="BackupPlan",
        outside=frozenset({"tags"}),
        calls=(
            Call(
                "backup",
                "CreateBackupPlan",
                {"BackupPlanRule": "Rules", "TargetBackupVault": "TargetBackupVaultName"},
                inside="BackupPlan",
            ),
        ),
    ),
    "aws:backup/selection:Selection": Kind(
        "AWS::Backup::BackupSelection",
        {"planId": "BackupPlanId", "name": "SelectionName"},
        within="BackupSelection",
        outside=frozenset({"planId"}),
        calls=(Call("backup", "CreateBackupSelection", inside="BackupSelection"),),
    ),
}

_RULE = {
    "completionWindow": "CompletionWindowMinutes",
    "startWindow": "StartWindowMinutes",
    "schedule": "ScheduleExpression",
    "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
    "targetVaultName": "TargetBackupVault",
    "ruleName": "RuleName",
    "recoveryPointTags": "RecoveryPointTags",
}


def _backup_rule(rule: Wire) -> Wire:
    result: Wire = {}
    for key, value in rule.items():
        if key == "lifecycle":
            result["Lifecycle"] = {
                {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}.get(
                    k, f"Unknown{k}"
                ): v
                for k, v in value.items()
            }
        else:
            result[_RULE.get(key, f"Unknown{key}")] = value
    return result


def _delivery(item: Wire) -> Wire:
    where = "CloudWatchLogsDetails" if item["destinationType"] == "cloudwatch-logs" else "KinesisFirehoseDetails"
    field = "LogGroup" if where == "CloudWatchLogsDetails" else "DeliveryStream"
    rest = {k: v for k, v in item.items() if k != "destination"}
    return {
        "DestinationDetails": {where: {field: item["destination"]}},
        **{k[:1].upper() + k[1:]: v for k, v in rest.items()},
    }
