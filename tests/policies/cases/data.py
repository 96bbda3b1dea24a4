"""Policies on databases, buckets, file systems, keys and other stores."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.values import Value
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.TopicSubscription", "subscription")
BUCKET = r("s3.Bucket", "b", bucket="app-data")
FLAGS = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}


def of_bucket(kind: str, name: str = "x", **more: Value) -> dict[str, Any]:
    return r(kind, name, **{"bucket": UNKNOWN, "needs": {"bucket": BUCKET}, **more})


BLOCK = of_bucket("s3.BucketPublicAccessBlock", "block", **FLAGS)
POLICY = of_bucket("s3.BucketPolicy", "policy", policy="{}")
BALANCER = r("lb.LoadBalancer", "edge", accessLogs={"enabled": True, "bucket": UNKNOWN}, needs={"accessLogs": BUCKET})


def lifecycle(**rule: Value) -> dict[str, Any]:
    return of_bucket("s3.BucketLifecycleConfiguration", "lifecycle", rules=[{"id": "a", "status": "Enabled", **rule}])


def sse(algorithm: str) -> dict[str, Any]:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}]
    return of_bucket("s3.BucketServerSideEncryptionConfiguration", "sse", rules=rules)


DATABASE = {
    "engine": "aurora-postgresql",
    "iamDatabaseAuthenticationEnabled": True,
    "copyTagsToSnapshot": True,
    "enabledCloudwatchLogsExports": ["postgresql"],
    "backupRetentionPeriod": 14,
    "dbSubnetGroupName": "private",
    "masterUsername": "interface_owner",
    "dbClusterParameterGroupName": "tls",
    "clusterIdentifier": "c",
}
TLS = r("rds.ClusterParameterGroup", "tls", name="tls", parameters=[{"name": "rds.force_ssl", "value": "1"}])


def cluster(**changed: Value) -> dict[str, Any]:
    return r("rds.Cluster", **{**DATABASE, **changed})


def instances(count: int, **changed: Value) -> list[dict[str, Any]]:
    good = {"clusterIdentifier": "c", "monitoringInterval": 60}
    return [r("rds.ClusterInstance", f"i{number}", **{**good, **changed}) for number in range(count)]


CASES = [
    case("public-database", "private", r("rds.Instance", publiclyAccessible=False), r("rds.ClusterInstance", "c")),
    case("public-database", "public", r("rds.Instance", publiclyAccessible=True), says=["violated x.publiclyAccessible"]),
    case("public-database", "a public broker", r("mq.Broker", publiclyAccessible=True), says=["violated x.publiclyAccessible"]),
    case("public-database", "unknown", r("rds.Instance", publiclyAccessible=UNKNOWN), says=["not proven x.publiclyAccessible"]),
    case("public-database", "not applicable", TOPIC),
    case("encryption-at-rest", "encrypted", r("rds.Cluster", storageEncrypted=True), r("efs.FileSystem", "f", encrypted=True),
         r("sns.Topic", "t", kmsMasterKeyId="alias/app"), r("sqs.Queue", "q", sqsManagedSseEnabled=True)),
    case("encryption-at-rest", "in clear", r("rds.Cluster"), r("efs.FileSystem", "f"), r("sns.Topic", "t"), r("sqs.Queue", "q"),
         says=["violated x.storageEncrypted", "violated f.encrypted", "violated t.kmsMasterKeyId", "violated q.kmsMasterKeyId"]),
    case("encryption-at-rest", "a cache in clear", r("elasticache.ReplicationGroup", atRestEncryptionEnabled=True),
         says=["violated x.transitEncryptionEnabled"]),
    case("encryption-at-rest", "restored from a snapshot", r("rds.Cluster", snapshotIdentifier="s"),
         says=["not proven x.storageEncrypted"]),
    case("encryption-at-rest", "unknown", r("rds.Cluster", storageEncrypted=UNKNOWN), says=["not proven x.storageEncrypted"]),
    case("encryption-at-rest", "not applicable", TOPIC),
    case("deletion-protection", "protected", r("lb.LoadBalancer", enableDeletionProtection=True), r("s3.Bucket", "b"),
         r("rds.Cluster", "c", deletionProtection=True)),
    case("deletion-protection", "unprotected", r("lb.LoadBalancer"), r("s3.Bucket", "b", forceDestroy=True),
         r("rds.Cluster", "c", skipFinalSnapshot=True),
         says=["violated x.enableDeletionProtection", "violated b.forceDestroy", "violated c.deletionProtection",
               "violated c.skipFinalSnapshot"]),
    case("deletion-protection", "unknown", r("lb.LoadBalancer", enableDeletionProtection=UNKNOWN),
         says=["not proven x.enableDeletionProtection"]),
    case("deletion-protection", "not applicable", TOPIC),
    case("databases-are-operable", "as it should be", cluster(), *instances(2)),
    case("databases-are-operable", "one instance", cluster(), *instances(1), says=["violated x"]),
    case("databases-are-operable", "nothing set", r("rds.Cluster", engine="aurora-postgresql", clusterIdentifier="c"), *instances(2),
         says=["violated x.iamDatabaseAuthenticationEnabled", "violated x.copyTagsToSnapshot",
               "violated x.enabledCloudwatchLogsExports", "violated x.backupRetentionPeriod", "violated x.dbSubnetGroupName",
               "violated x.masterUsername"]),
    case("databases-are-operable", "a guessable user", cluster(masterUsername="postgres"), *instances(2),
         says=["violated x.masterUsername"]),
    case("databases-are-operable", "the wrong log", cluster(enabledCloudwatchLogsExports=["upgrade"]), *instances(2),
         says=["violated x.enabledCloudwatchLogsExports"]),
    case("databases-are-operable", "nobody watches the instances", cluster(), *instances(2, monitoringInterval=0),
         says=["violated i0.monitoringInterval", "violated i1.monitoringInterval"]),
    case("databases-are-operable", "one zone",
         r("rds.Instance", engine="postgres", username="owner_1", multiAz=False, monitoringInterval=60, **{
             key: DATABASE[key] for key in ("iamDatabaseAuthenticationEnabled", "copyTagsToSnapshot",
                                            "enabledCloudwatchLogsExports", "backupRetentionPeriod", "dbSubnetGroupName")}),
         says=["violated x.multiAz"]),
    case("databases-are-operable", "unknown", cluster(backupRetentionPeriod=UNKNOWN, needs={"backupRetentionPeriod": TOPIC}),
         *instances(2), says=["not proven x.backupRetentionPeriod"]),
    case("databases-are-operable", "not applicable", TOPIC),
    case("databases-require-tls", "required", cluster(), TLS),
    case("databases-require-tls", "the engine's own parameters", cluster(dbClusterParameterGroupName=None),
         says=["violated x.dbClusterParameterGroupName"]),
    case("databases-require-tls", "switched off", cluster(),
         r("rds.ClusterParameterGroup", "tls", name="tls", parameters=[{"name": "rds.force_ssl", "value": "0"}]),
         says=["violated tls.parameters[rds.force_ssl]"]),
    case("databases-require-tls", "a group from elsewhere", cluster(dbClusterParameterGroupName="shared"),
         says=["not proven x.dbClusterParameterGroupName"]),
    case("databases-require-tls", "unknown",
         cluster(), r("rds.ClusterParameterGroup", "tls", name="tls", parameters=UNKNOWN, needs={"parameters": TOPIC}),
         says=["not proven tls.parameters"]),
    case("databases-require-tls", "not applicable", TOPIC),
    case("buckets-are-private", "private", BUCKET, BLOCK, POLICY),
    case("buckets-are-private", "no block and no policy", BUCKET, says=["violated b", "violated b.policy"]),
    case("buckets-are-private", "a gap in the block", BUCKET, POLICY,
         of_bucket("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "blockPublicPolicy": False}),
         says=["violated block.blockPublicPolicy"]),
    case("buckets-are-private", "an access list", BUCKET, BLOCK, POLICY, of_bucket("s3.BucketAcl", "acl", acl="private"),
         says=["violated acl.acl"]),
    case("buckets-are-private", "objects owned by their writers", BUCKET, BLOCK, POLICY,
         of_bucket("s3.BucketOwnershipControls", "own", rule={"objectOwnership": "ObjectWriter"}),
         says=["violated own.rule.objectOwnership"]),
    case("buckets-are-private", "unknown", BUCKET, POLICY,
         of_bucket("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "blockPublicAcls": UNKNOWN},
                   needs={"bucket": BUCKET, "blockPublicAcls": TOPIC}), says=["not proven block.blockPublicAcls"]),
    case("buckets-are-private", "not applicable", TOPIC),
    case("public-bucket", "private", BLOCK, BUCKET),
    case("public-bucket", "a gap", r("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "ignorePublicAcls": False}),
         says=["violated block.ignorePublicAcls"]),
    case("public-bucket", "a public access list", r("s3.BucketAcl", acl="public-read"), says=["violated x.acl"]),
    case("public-bucket", "an access point with a gap",
         r("s3.AccessPoint", publicAccessBlockConfiguration={"blockPublicAcls": False}),
         says=["violated x.publicAccessBlockConfiguration.blockPublicAcls"]),
    case("public-bucket", "unknown", r("s3.BucketAcl", acl=UNKNOWN), says=["not proven x.acl"]),
    case("public-bucket", "not applicable", TOPIC),
    case("buckets-have-lifecycles", "one", BUCKET, lifecycle(expiration={"days": 30})),
    case("buckets-have-lifecycles", "none", BUCKET, says=["violated b"]),
    case("buckets-have-lifecycles", "not applicable", TOPIC),
    case("access-logs-expire", "in a month", BALANCER, BUCKET, lifecycle(expiration={"days": 30})),
    case("access-logs-expire", "in a year", BALANCER, BUCKET, lifecycle(expiration={"days": 365}), says=["violated b.lifecycle"]),
    case("access-logs-expire", "only some of them", BALANCER, BUCKET,
         lifecycle(expiration={"days": 30}, filter={"prefix": "old/"}), says=["violated b.lifecycle"]),
    case("access-logs-expire", "a rule that is off", BALANCER, BUCKET, lifecycle(status="Disabled", expiration={"days": 3}),
         says=["violated b.lifecycle"]),
    case("access-logs-expire", "never", BALANCER, BUCKET, says=["violated b.lifecycle"]),
    case("access-logs-expire", "a bucket from elsewhere", r("lb.LoadBalancer", "edge", accessLogs={"enabled": True, "bucket": "x"}),
         says=["not proven edge.accessLogs.bucket"]),
    case("access-logs-expire", "unknown", BALANCER, BUCKET,
         of_bucket("s3.BucketLifecycleConfiguration", "lifecycle", rules=UNKNOWN, needs={"bucket": BUCKET, "rules": TOPIC}),
         says=["not proven lifecycle.rules"]),
    case("access-logs-expire", "not applicable", TOPIC),
    case("file-systems-are-bounded", "bounded", (FILES := r("efs.FileSystem", "f")),
         r("efs.BackupPolicy", "p", fileSystemId=UNKNOWN, backupPolicy={"status": "ENABLED"}, needs={"fileSystemId": FILES}),
         r("efs.AccessPoint", rootDirectory={"path": "/app"}, posixUser={"uid": 1000, "gid": 1000})),
    case("file-systems-are-bounded", "open", FILES, r("efs.AccessPoint", posixUser={"uid": 0}),
         r("ecs.TaskDefinition", "t", volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
         says=["violated f", "violated x.rootDirectory.path", "violated x.posixUser.uid",
               "violated t.volumes[0].efsVolumeConfiguration.transitEncryption"]),
    case("file-systems-are-bounded", "unknown", r("ecs.TaskDefinition", "t", volumes=UNKNOWN, needs={"volumes": TOPIC}),
         says=["not proven t.volumes"]),
    case("file-systems-are-bounded", "not applicable", TOPIC),
    case("kms-keys-rotate", "every year", r("kms.Key", enableKeyRotation=True)),
    case("kms-keys-rotate", "never", r("kms.Key"), says=["violated x.enableKeyRotation"]),
    case("kms-keys-rotate", "deleted in a week", r("kms.Key", enableKeyRotation=True, deletionWindowInDays=7),
         says=["violated x.deletionWindowInDays"]),
    case("kms-keys-rotate", "a key that cannot", r("kms.Key", customerMasterKeySpec="RSA_2048")),
    case("kms-keys-rotate", "unknown", r("kms.Key", enableKeyRotation=UNKNOWN), says=["not proven x.enableKeyRotation"]),
    case("kms-keys-rotate", "not applicable", TOPIC),
    case("certificates-are-strong", "strong", r("acm.Certificate", domainName="a.example", keyAlgorithm="EC_prime256v1")),
    case("certificates-are-strong", "the default", r("acm.Certificate", domainName="a.example")),
    case("certificates-are-strong", "weak", r("acm.Certificate", keyAlgorithm="RSA_1024"), says=["violated x.keyAlgorithm"]),
    case("certificates-are-strong", "unknown", r("acm.Certificate", keyAlgorithm=UNKNOWN), says=["not proven x.keyAlgorithm"]),
    case("certificates-are-strong", "not applicable", TOPIC),
    case("image-repositories-are-fixed", "fixed",
         (REPOSITORY := r("ecr.Repository", "app", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True})),
         r("ecr.LifecyclePolicy", repository=UNKNOWN, needs={"repository": REPOSITORY})),
    case("image-repositories-are-fixed", "loose", r("ecr.Repository", "app"),
         says=["violated app", "violated app.imageTagMutability", "violated app.imageScanningConfiguration.scanOnPush"]),
    case("image-repositories-are-fixed", "unknown",
         (UNCLEAR := r("ecr.Repository", "app", imageTagMutability=UNKNOWN, imageScanningConfiguration={"scanOnPush": True},
                       needs={"imageTagMutability": TOPIC})),
         r("ecr.LifecyclePolicy", repository=UNKNOWN, needs={"repository": UNCLEAR}), says=["not proven app.imageTagMutability"]),
    case("image-repositories-are-fixed", "not applicable", TOPIC),
    case("buckets-use-keys", "a key", BUCKET, sse("aws:kms")),
    case("buckets-use-keys", "S3's own key", BUCKET, says=["violated b"]),
    case("buckets-use-keys", "S3's own key, declared", BUCKET, sse("AES256"),
         says=["violated sse.rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"]),
    case("buckets-use-keys", "a bucket of a load balancer's logs", BALANCER, BUCKET),
    case("buckets-use-keys", "unknown", BUCKET,
         of_bucket("s3.BucketServerSideEncryptionConfiguration", "sse", rules=UNKNOWN, needs={"bucket": BUCKET, "rules": TOPIC}),
         says=["not proven sse.rules"]),
    case("buckets-use-keys", "not applicable", TOPIC),
    case("buckets-record-access", "recorded in another bucket", BUCKET, (LOGS := r("s3.Bucket", "logs", bucket="app-logs")),
         of_bucket("s3.BucketLogging", targetBucket="app-logs")),
    case("buckets-record-access", "not recorded", BUCKET, says=["violated b"]),
    case("buckets-record-access", "a bucket of a load balancer's logs", BALANCER, BUCKET),
    case("buckets-record-access", "not applicable", TOPIC),
    case("databases-are-announced", "both kinds of events", cluster(),
         r("rds.EventSubscription", "a", sourceType="db-cluster", snsTopic="arn:t"),
         r("rds.EventSubscription", "b", sourceType="db-parameter-group", snsTopic="arn:t")),
    case("databases-are-announced", "every kind of events", cluster(), r("rds.EventSubscription", "a", snsTopic="arn:t")),
    case("databases-are-announced", "none", cluster(), says=["violated x", "violated x"]),
    case("databases-are-announced", "switched off", cluster(), r("rds.EventSubscription", "a", snsTopic="arn:t", enabled=False),
         says=["violated a.enabled"]),
    case("databases-are-announced", "unknown", cluster(),
         r("rds.EventSubscription", "a", sourceType=UNKNOWN, snsTopic="arn:t", needs={"sourceType": TOPIC}),
         says=["not proven x", "not proven x"]),
    case("databases-are-announced", "not applicable", TOPIC),
    case("databases-are-in-backup-plans", "by reference", (DB := cluster()),
         r("backup.Selection", "s", resources=[UNKNOWN], needs={"resources": DB})),
    case("databases-are-in-backup-plans", "by tag", cluster(tags={"backup": "daily"}),
         r("backup.Selection", "s", selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}])),
    case("databases-are-in-backup-plans", "by another tag", cluster(tags={"backup": "never"}),
         r("backup.Selection", "s", selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]),
         says=["violated x"]),
    case("databases-are-in-backup-plans", "not at all", cluster(), says=["violated x"]),
    case("databases-are-in-backup-plans", "unknown", cluster(),
         r("backup.Selection", "s", resources=UNKNOWN, needs={"resources": TOPIC}), says=["not proven x"]),
    case("databases-are-in-backup-plans", "not applicable", TOPIC),
    case("public-zones-log-queries", "logged", (ZONE := r("route53.Zone", "zone")),
         r("route53.QueryLog", zoneId=UNKNOWN, needs={"zoneId": ZONE})),
    case("public-zones-log-queries", "not logged", ZONE, says=["violated zone"]),
    case("public-zones-log-queries", "a private zone", r("route53.Zone", "zone", vpcs=[{"vpcId": "vpc-1"}])),
    case("public-zones-log-queries", "unknown", r("route53.Zone", "zone", vpcs=UNKNOWN, needs={"vpcs": TOPIC}),
         says=["not proven zone.vpcs"]),
    case("public-zones-log-queries", "not applicable", TOPIC),
]  # fmt: skip
