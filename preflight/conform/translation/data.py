"""The database, the cache, buckets and backups."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import Call, Kind, Like, capitalised, document, inside, renamed, verbatim
from preflight.sdk.wire import Json, Wire

AT_DELETION = "says what the provider does at deletion"
APPLYING = "says when the provider applies a change"
S3_CALL_NAMES = "S3's model takes another form of it, and has no constraint that the schema lacks"


_DEFAULT = "applyServerSideEncryptionByDefault"
_ALGORITHM = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
_EXPIRATION = {"days": "ExpirationInDays", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
_RULE = {
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
    """Database parameters as RDS's calls take them."""
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
    rules = [renamed(rule, _RULE) for rule in cast("list[Wire]", value)]
    return {
        "BackupPlanRule": [
            {**rule, "Lifecycle": renamed(rule["Lifecycle"], ages)} if "Lifecycle" in rule else rule for rule in rules
        ]
    }


def deliveries(value: Json) -> Wire:
    """Where a cache sends its logs."""
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
        calls=(
            Call("rds", "CreateDBClusterParameterGroup", {"Family": "DBParameterGroupFamily"}),
            Call("rds", "ModifyDBClusterParameterGroup"),
        ),
        called={"parameters": parameter_list},
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
            "logDeliveryConfigurations": deliveries,
        },
        left_out={
            "applyImmediately": APPLYING,
            "authTokenUpdateStrategy": "ModifyReplicationGroup takes it; checked against the call",
        },
        like=Like(
            "AWS::ElastiCache::CacheCluster",
            {name: name for name in ("CacheNodeType", "Engine", "EngineVersion")},
            {"NumCacheNodes": 1},
        ),
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
            "rules": backup_rules,
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
