"""Policies on databases, buckets, file systems, keys and other stores."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.TopicSubscription", "subscription")
BUCKET = r("s3.Bucket", "b", bucket="app-data")
FLAGS = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}


def of_bucket(kind: str, name: str = "x", **more: Value) -> dict[str, Any]:
    return r(kind, name, **{"bucket": UNKNOWN, "needs": {"bucket": BUCKET}, **more})


BLOCK = of_bucket("s3.BucketPublicAccessBlock", "block", **FLAGS)
POLICY = of_bucket("s3.BucketPolicy", "policy", policy="{}")
BALANCER = r("lb.LoadBalancer", "edge", accessLogs={"enabled": True, "bucket": UNKNOWN}, needs={"accessLogs": BUCKET})

RECORDED = r("s3.BucketLogging", "log", bucket="a", targetBucket=UNKNOWN, needs={"targetBucket": BUCKET})


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
    "masterUsername": "interface_admin",
    "dbClusterParameterGroupName": "tls",
    "clusterIdentifier": "c",
}
TLS = r("rds.ClusterParameterGroup", "tls", name="tls", parameters=[{"name": "rds.force_ssl", "value": "1"}])


def cluster(**changed: Value) -> dict[str, Any]:
    return r("rds.Cluster", **{**DATABASE, **changed})


def instances(count: int, **changed: Value) -> list[dict[str, Any]]:
    good = {"clusterIdentifier": "c", "monitoringInterval": 60}
    return [r("rds.ClusterInstance", f"i{number}", **{**good, **changed}) for number in range(count)]


LOGIN = "rds-iam-logins-are-not-the-master"
OWN = cluster(clusterResourceId="cluster-A")


def may_connect(*users: str, kind: str = "iam.RolePolicy", **more: Value) -> dict[str, Any]:
    arns: list[Value] = [f"arn:aws:rds-db:eu-west-1:111122223333:dbuser:{one}" for one in users]
    statement: dict[str, Value] = {"Sid": "LogIn", "Effect": "Allow", "Action": "rds-db:connect", "Resource": arns}
    return r(kind, "login", **{"policy": json.dumps({"Statement": [statement]}), **more})


CASES = [
    case(LOGIN, "as another user", OWN, may_connect("cluster-A/interface"), may_connect("cluster-B/interface_admin")),
    case(LOGIN, "as the master", OWN, may_connect("cluster-A/interface_admin"), says=["violated login.policy[LogIn].Resource"]),
    case(LOGIN, "as anyone, of a managed policy", OWN, may_connect("*/*", kind="iam.Policy"),
         says=["violated login.policy[LogIn].Resource"]),
    case(LOGIN, "of an inline policy", OWN,
         r("iam.Role", "role", inlinePolicies=[{"policy": may_connect("cluster-A/*")["inputs"]["policy"]}]),
         says=["violated role.inlinePolicies[0].policy[LogIn].Resource"]),
    case(LOGIN, "an instance",
         r("rds.Instance", "db", iamDatabaseAuthenticationEnabled=True, resourceId="db-A", username="admin"),
         may_connect("db-A/admin"), says=["violated login.policy[LogIn].Resource"]),
    case(LOGIN, "another action", OWN,
         r("iam.RolePolicy", "read", policy=may_connect("*/*")["inputs"]["policy"].replace("rds-db:connect", "rds:Describe*"))),
    case(LOGIN, "without IAM logins", cluster(clusterResourceId="cluster-A", iamDatabaseAuthenticationEnabled=False),
         may_connect("cluster-A/interface_admin")),
    case(LOGIN, "an unknown policy of the database", OWN, may_connect(policy=UNKNOWN, needs={"policy": OWN}),
         says=["not proven login.policy"]),
    case(LOGIN, "an unknown policy of something else", OWN, may_connect(policy=UNKNOWN, needs={"policy": TOPIC})),
    case(LOGIN, "an unknown master", cluster(clusterResourceId="cluster-A", masterUsername=UNKNOWN, needs={"masterUsername": TOPIC}),
         may_connect("cluster-A/interface"), says=["not proven login.policy[LogIn].Resource"]),
    case(LOGIN, "not applicable", TOPIC),
    case("rds-public-database", "private", r("rds.Instance", publiclyAccessible=False), r("rds.ClusterInstance", "c")),
    case("rds-public-database", "public", r("rds.Instance", publiclyAccessible=True), says=["violated x.publiclyAccessible"]),
    case("rds-public-database", "a public broker", r("mq.Broker", publiclyAccessible=True), says=["violated x.publiclyAccessible"]),
    case("rds-public-database", "a public Multi-AZ cluster", r("rds.Cluster", publiclyAccessible=True), says=["violated x.publiclyAccessible"]),
    case("rds-public-database", "unknown", r("rds.Instance", publiclyAccessible=UNKNOWN), says=["not proven x.publiclyAccessible"]),
    case("rds-public-database", "not applicable", TOPIC),
    case("stack-encryption-at-rest", "encrypted", r("rds.Cluster", storageEncrypted=True), r("efs.FileSystem", "f", encrypted=True),
         r("sns.Topic", "t", kmsMasterKeyId="alias/app"), r("sqs.Queue", "q", sqsManagedSseEnabled=True)),
    case("stack-encryption-at-rest", "in clear", r("rds.Cluster"), r("efs.FileSystem", "f"), r("sns.Topic", "t"), r("sqs.Queue", "q"),
         says=["violated x.storageEncrypted", "violated f.encrypted", "violated t.kmsMasterKeyId", "violated q.kmsMasterKeyId"]),
    case("stack-encryption-at-rest", "a cache in clear", r("elasticache.ReplicationGroup", atRestEncryptionEnabled=True),
         says=["violated x.transitEncryptionEnabled"]),
    case("stack-encryption-at-rest", "restored from a snapshot", r("rds.Cluster", snapshotIdentifier="s"),
         says=["not proven x.storageEncrypted"]),
    case("stack-encryption-at-rest", "unknown", r("rds.Cluster", storageEncrypted=UNKNOWN), says=["not proven x.storageEncrypted"]),
    case("stack-encryption-at-rest", "not applicable", TOPIC),
    case("stack-deletion-protection", "protected", r("lb.LoadBalancer", enableDeletionProtection=True), r("s3.Bucket", "b"),
         r("rds.Cluster", "c", deletionProtection=True)),
    case("stack-deletion-protection", "unprotected", r("lb.LoadBalancer"), r("s3.Bucket", "b", forceDestroy=True),
         r("rds.Cluster", "c", skipFinalSnapshot=True),
         says=["violated x.enableDeletionProtection", "violated b.forceDestroy", "violated c.deletionProtection",
               "violated c.skipFinalSnapshot"]),
    case("stack-deletion-protection", "unknown", r("lb.LoadBalancer", enableDeletionProtection=UNKNOWN),
         says=["not proven x.enableDeletionProtection"]),
    case("stack-deletion-protection", "not applicable", TOPIC),
    case("rds-databases-are-operable", "as it should be", cluster(), *instances(2)),
    case("rds-databases-are-operable", "one instance", cluster(), *instances(1)),
    case("rds-databases-survive-a-zone", "a writer and a reader", cluster(), *instances(2)),
    case("rds-databases-survive-a-zone", "one instance", cluster(), *instances(1), says=["violated x"]),
    case("rds-databases-survive-a-zone", "serverless v1 has no instances", cluster(engineMode="serverless")),
    case("rds-databases-survive-a-zone", "one zone", r("rds.Instance"), says=["violated x.multiAz"]),
    case("rds-databases-survive-a-zone", "unknown", r("rds.Instance", multiAz=UNKNOWN, needs={"multiAz": TOPIC}), says=["not proven x.multiAz"]),
    case("rds-databases-survive-a-zone", "not applicable", TOPIC),
    case("rds-databases-are-operable", "nothing set", r("rds.Cluster", engine="aurora-postgresql", clusterIdentifier="c"), *instances(2),
         says=["violated x.iamDatabaseAuthenticationEnabled", "violated x.copyTagsToSnapshot",
               "violated x.enabledCloudwatchLogsExports", "violated x.backupRetentionPeriod", "violated x.dbSubnetGroupName",
               "violated x.masterUsername"]),
    case("rds-databases-are-operable", "a guessable user", cluster(masterUsername="postgres"), *instances(2),
         says=["violated x.masterUsername"]),
    case("rds-databases-are-operable", "the wrong log", cluster(enabledCloudwatchLogsExports=["upgrade"]), *instances(2),
         says=["violated x.enabledCloudwatchLogsExports"]),
    case("rds-databases-are-operable", "nobody watches the instances", cluster(), *instances(2, monitoringInterval=0),
         says=["violated i0.monitoringInterval", "violated i1.monitoringInterval"]),
    case("rds-databases-are-operable", "in one zone",
         r("rds.Instance", engine="postgres", username="owner_1", multiAz=False, monitoringInterval=60, **{
             key: DATABASE[key] for key in ("iamDatabaseAuthenticationEnabled", "copyTagsToSnapshot",
                                            "enabledCloudwatchLogsExports", "backupRetentionPeriod", "dbSubnetGroupName")})),
    case("rds-databases-are-operable", "unknown", cluster(backupRetentionPeriod=UNKNOWN, needs={"backupRetentionPeriod": TOPIC}),
         *instances(2), says=["not proven x.backupRetentionPeriod"]),
    case("rds-databases-are-operable", "not applicable", TOPIC),
    case("rds-databases-require-tls", "required", cluster(), TLS),
    case("rds-databases-require-tls", "the engine's own parameters", cluster(dbClusterParameterGroupName=None),
         says=["violated x.dbClusterParameterGroupName"]),
    case("rds-databases-require-tls", "switched off", cluster(),
         r("rds.ClusterParameterGroup", "tls", name="tls", parameters=[{"name": "rds.force_ssl", "value": "0"}]),
         says=["violated tls.parameters[rds.force_ssl]"]),
    case("rds-databases-require-tls", "a group from elsewhere", cluster(dbClusterParameterGroupName="shared"),
         says=["not proven x.dbClusterParameterGroupName"]),
    case("rds-databases-require-tls", "unknown",
         cluster(), r("rds.ClusterParameterGroup", "tls", name="tls", parameters=UNKNOWN, needs={"parameters": TOPIC}),
         says=["not proven tls.parameters"]),
    case("rds-databases-require-tls", "not applicable", TOPIC),
    case("s3-buckets-are-private", "private", BUCKET, BLOCK, POLICY),
    case("s3-buckets-are-private", "no block and no policy", BUCKET, says=["violated b", "violated b.policy"]),
    case("s3-buckets-are-private", "a gap in the block, which s3-public-bucket reports once", BUCKET, POLICY,
         of_bucket("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "ignorePublicAcls": False})),
    case("s3-buckets-are-private", "an access list", BUCKET, BLOCK, POLICY, of_bucket("s3.BucketAcl", "acl", acl="private"),
         says=["violated acl.acl"]),
    case("s3-buckets-are-private", "objects owned by their writers", BUCKET, BLOCK, POLICY,
         of_bucket("s3.BucketOwnershipControls", "own", rule={"objectOwnership": "ObjectWriter"}),
         says=["violated own.rule.objectOwnership"]),
    case("s3-buckets-are-private", "unknown", r("s3.Bucket", "b", bucket="app-data", acl=UNKNOWN, needs={"acl": TOPIC}), BLOCK, POLICY,
         says=["not proven b.acl"]),
    case("s3-buckets-are-private", "not applicable", TOPIC),
    case("s3-public-bucket", "private", BLOCK, BUCKET),
    case("s3-public-bucket", "a gap", r("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "ignorePublicAcls": False}),
         says=["violated block.ignorePublicAcls"]),
    case("s3-public-bucket", "a public access list", r("s3.BucketAcl", acl="public-read"), says=["violated x.acl"]),
    case("s3-public-bucket", "an access point with a gap",
         r("s3.AccessPoint", publicAccessBlockConfiguration={"blockPublicAcls": False}),
         says=["violated x.publicAccessBlockConfiguration.blockPublicAcls"]),
    case("s3-public-bucket", "an open block is one finding", r("s3.BucketPublicAccessBlock", "block", bucket="x"),
         says=["violated block.blockPublicAcls"]),
    case("s3-public-bucket", "a block that is not known", r("s3.BucketPublicAccessBlock", "block", **{**FLAGS, "ignorePublicAcls": UNKNOWN}),
         says=["not proven block.ignorePublicAcls"]),
    case("s3-public-bucket", "a list with everyone in it", r("s3.BucketAcl", accessControlPolicy={"grants": [
         {"grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}, "permission": "READ"}]}),
         says=["violated x.accessControlPolicy.grants[0].grantee.uri"]),
    case("s3-public-bucket", "unknown", r("s3.BucketAcl", acl=UNKNOWN), says=["not proven x.acl"]),
    case("s3-public-bucket", "not applicable", TOPIC),
    case("s3-buckets-have-lifecycles", "one", BUCKET, lifecycle(expiration={"days": 30})),
    case("s3-buckets-have-lifecycles", "none", BUCKET, says=["violated b"]),
    case("s3-buckets-have-lifecycles", "not applicable", TOPIC),
    case("s3-access-logs-expire", "in a year", RECORDED, BUCKET, lifecycle(expiration={"days": 400})),
    case("s3-access-logs-expire", "in two years", RECORDED, BUCKET, lifecycle(expiration={"days": 730}),
         says=["violated b.lifecycle"]),
    case("s3-access-logs-expire", "never", RECORDED, BUCKET, says=["violated b.lifecycle"]),
    case("s3-access-logs-expire", "a bucket from elsewhere", r("s3.BucketLogging", "log", bucket="a", targetBucket="else")),
    case("s3-access-logs-expire", "unknown", RECORDED, BUCKET, of_bucket("s3.BucketLifecycleConfiguration", "lifecycle",
         rules=UNKNOWN, needs={"bucket": BUCKET, "rules": TOPIC}), says=["not proven lifecycle.rules"]),
    case("s3-access-logs-expire", "not applicable", TOPIC),
    case("elb-access-logs-expire", "in a month", BALANCER, BUCKET, lifecycle(expiration={"days": 30})),
    case("elb-access-logs-expire", "in a year", BALANCER, BUCKET, lifecycle(expiration={"days": 365}), says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "only some of them", BALANCER, BUCKET,
         lifecycle(expiration={"days": 30}, filter={"prefix": "old/"}), says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "a rule that is off", BALANCER, BUCKET, lifecycle(status="Disabled", expiration={"days": 3}),
         says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "never", BALANCER, BUCKET, says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "a bucket from elsewhere", r("lb.LoadBalancer", "edge", accessLogs={"enabled": True, "bucket": "x"}),
         says=["not proven edge.accessLogs.bucket"]),
    case("elb-access-logs-expire", "unknown", BALANCER, BUCKET,
         of_bucket("s3.BucketLifecycleConfiguration", "lifecycle", rules=UNKNOWN, needs={"bucket": BUCKET, "rules": TOPIC}),
         says=["not proven lifecycle.rules"]),
    case("elb-access-logs-expire", "not applicable", TOPIC),
    case("efs-file-systems-are-bounded", "bounded", (FILES := r("efs.FileSystem", "f")),
         r("efs.BackupPolicy", "p", fileSystemId=UNKNOWN, backupPolicy={"status": "ENABLED"}, needs={"fileSystemId": FILES}),
         r("efs.AccessPoint", rootDirectory={"path": "/app"}, posixUser={"uid": 1000, "gid": 1000})),
    case("efs-file-systems-are-bounded", "open", FILES, r("efs.AccessPoint", posixUser={"uid": 0}),
         r("ecs.TaskDefinition", "t", volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
         says=["violated f", "violated x.rootDirectory.path", "violated x.posixUser.uid",
               "violated t.volumes[0].efsVolumeConfiguration.transitEncryption"]),
    case("efs-file-systems-are-bounded", "unknown", r("ecs.TaskDefinition", "t", volumes=UNKNOWN, needs={"volumes": TOPIC}),
         says=["not proven t.volumes"]),
    case("efs-file-systems-are-bounded", "not applicable", TOPIC),
    case("kms-keys-rotate", "every year", r("kms.Key", enableKeyRotation=True)),
    case("kms-keys-rotate", "never", r("kms.Key"), says=["violated x.enableKeyRotation"]),
    case("kms-keys-rotate", "deleted in a week", r("kms.Key", enableKeyRotation=True, deletionWindowInDays=7),
         says=["violated x.deletionWindowInDays"]),
    case("kms-keys-rotate", "a key that cannot", r("kms.Key", customerMasterKeySpec="RSA_2048")),
    case("kms-keys-rotate", "unknown", r("kms.Key", enableKeyRotation=UNKNOWN), says=["not proven x.enableKeyRotation"]),
    case("kms-keys-rotate", "not applicable", TOPIC),
    case("acm-certificates-are-strong", "strong", r("acm.Certificate", domainName="a.example", keyAlgorithm="EC_prime256v1")),
    case("acm-certificates-are-strong", "the default", r("acm.Certificate", domainName="a.example")),
    case("acm-certificates-are-strong", "weak", r("acm.Certificate", keyAlgorithm="RSA_1024"), says=["violated x.keyAlgorithm"]),
    case("acm-certificates-are-strong", "unknown", r("acm.Certificate", keyAlgorithm=UNKNOWN), says=["not proven x.keyAlgorithm"]),
    case("acm-certificates-are-strong", "not applicable", TOPIC),
    case("ecr-repositories-are-immutable", "fixed",
         (REPOSITORY := r("ecr.Repository", "app", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True})),
         r("ecr.LifecyclePolicy", repository=UNKNOWN, needs={"repository": REPOSITORY})),
    case("ecr-repositories-are-immutable", "loose", r("ecr.Repository", "app"),
         says=["violated app", "violated app.imageTagMutability", "violated app.imageScanningConfiguration.scanOnPush"]),
    case("ecr-repositories-are-immutable", "unknown",
         (UNCLEAR := r("ecr.Repository", "app", imageTagMutability=UNKNOWN, imageScanningConfiguration={"scanOnPush": True},
                       needs={"imageTagMutability": TOPIC})),
         r("ecr.LifecyclePolicy", repository=UNKNOWN, needs={"repository": UNCLEAR}), says=["not proven app.imageTagMutability"]),
    case("ecr-repositories-are-immutable", "not applicable", TOPIC),
    case("s3-buckets-use-keys", "a key", BUCKET, sse("aws:kms")),
    case("s3-buckets-use-keys", "S3's own key", BUCKET, says=["violated b"]),
    case("s3-buckets-use-keys", "S3's own key, declared", BUCKET, sse("AES256"),
         says=["violated sse.rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"]),
    case("s3-buckets-use-keys", "a bucket of a load balancer's logs", BALANCER, BUCKET),
    case("s3-buckets-use-keys", "a bucket of S3's own logs", BUCKET, sse("aws:kms"), r("s3.Bucket", "logs", bucket="app-logs"),
         of_bucket("s3.BucketLogging", targetBucket="app-logs")),
    case("s3-buckets-use-keys", "unknown", BUCKET,
         of_bucket("s3.BucketServerSideEncryptionConfiguration", "sse", rules=UNKNOWN, needs={"bucket": BUCKET, "rules": TOPIC}),
         says=["not proven sse.rules"]),
    case("s3-buckets-use-keys", "not applicable", TOPIC),
    case("s3-buckets-record-access", "recorded in another bucket", BUCKET, (LOGS := r("s3.Bucket", "logs", bucket="app-logs")),
         of_bucket("s3.BucketLogging", targetBucket="app-logs")),
    case("s3-buckets-record-access", "not recorded", BUCKET, says=["violated b"]),
    case("s3-buckets-record-access", "a bucket of a load balancer's logs", BALANCER, BUCKET),
    case("s3-buckets-record-access", "not applicable", TOPIC),
    case("rds-events-are-announced", "both kinds of events", cluster(),
         r("rds.EventSubscription", "a", sourceType="db-cluster", snsTopic="arn:t"),
         r("rds.EventSubscription", "b", sourceType="db-parameter-group", snsTopic="arn:t")),
    case("rds-events-are-announced", "every kind of events", cluster(), r("rds.EventSubscription", "a", snsTopic="arn:t")),
    case("rds-events-are-announced", "none", cluster(), says=["violated x", "violated x"]),
    case("rds-events-are-announced", "switched off", cluster(), r("rds.EventSubscription", "a", snsTopic="arn:t", enabled=False),
         says=["violated a.enabled"]),
    case("rds-events-are-announced", "unknown", cluster(),
         r("rds.EventSubscription", "a", sourceType=UNKNOWN, snsTopic="arn:t", needs={"sourceType": TOPIC}),
         says=["not proven x", "not proven x"]),
    case("rds-events-are-announced", "not applicable", TOPIC),
    case("backup-databases-are-in-plans", "by reference", (DB := cluster()),
         r("backup.Selection", "s", resources=[UNKNOWN], needs={"resources": DB})),
    case("backup-databases-are-in-plans", "by tag", cluster(tags={"backup": "daily"}),
         r("backup.Selection", "s", selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}])),
    case("backup-databases-are-in-plans", "by another tag", cluster(tags={"backup": "never"}),
         r("backup.Selection", "s", selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]),
         says=["violated x"]),
    case("backup-databases-are-in-plans", "not at all", cluster(), says=["violated x"]),
    case("backup-databases-are-in-plans", "unknown", cluster(),
         r("backup.Selection", "s", resources=UNKNOWN, needs={"resources": TOPIC}), says=["not proven x"]),
    case("backup-databases-are-in-plans", "not applicable", TOPIC),
    case("route53-public-zones-log-queries", "logged", (ZONE := r("route53.Zone", "zone")),
         r("route53.QueryLog", zoneId=UNKNOWN, needs={"zoneId": ZONE})),
    case("route53-public-zones-log-queries", "not logged", ZONE, says=["violated zone"]),
    case("route53-public-zones-log-queries", "a private zone", r("route53.Zone", "zone", vpcs=[{"vpcId": "vpc-1"}])),
    case("route53-public-zones-log-queries", "unknown", r("route53.Zone", "zone", vpcs=UNKNOWN, needs={"vpcs": TOPIC}),
         says=["not proven zone.vpcs"]),
    case("route53-public-zones-log-queries", "not applicable", TOPIC),
    case("elb-access-logs-expire", "an older bucket with rules inside", BALANCER,
         r("s3.Bucket", "b", bucket="app-data", lifecycleRules=[{"enabled": True, "expiration": {"days": 7}}])),
    case("elb-access-logs-expire", "an older bucket whose rule is off", BALANCER,
         r("s3.Bucket", "b", bucket="app-data", lifecycleRules=[{"enabled": False, "expiration": {"days": 7}}]),
         says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "an older bucket whose rule has a prefix", BALANCER,
         r("s3.Bucket", "b", bucket="app-data", lifecycleRules=[{"enabled": True, "prefix": "x/", "expiration": {"days": 7}}]),
         says=["violated b.lifecycle"]),
    case("elb-access-logs-expire", "switched off, to a bucket from elsewhere",
         r("lb.LoadBalancer", "edge", accessLogs={"enabled": False, "bucket": "x"})),
    case("s3-buckets-are-private", "a public list on the bucket itself", r("s3.Bucket", "b", bucket="app-data", acl="public-read"), BLOCK, POLICY,
         says=["violated b.acl"]),
    case("rds-events-are-announced", "to nobody", cluster(), r("rds.EventSubscription", "a"), says=["violated a.snsTopic"]),
    case("backup-databases-are-in-plans", "everything", cluster(), r("backup.Selection", "s", resources=["*"])),
    case("backup-databases-are-in-plans", "unknown tags", cluster(),
         r("backup.Selection", "s", selectionTags=UNKNOWN, needs={"selectionTags": TOPIC}), says=["not proven x"]),
    case("rds-databases-are-operable", "a final snapshot with a fixed name", cluster(finalSnapshotIdentifier="chat-final"), *instances(2),
         says=["violated x.finalSnapshotIdentifier"]),
    case("rds-databases-are-operable", "a final snapshot with a name of this life",
         cluster(finalSnapshotIdentifier="chat-final-3f2a", needs={"finalSnapshotIdentifier": TOPIC}), *instances(2)),
    case("rds-databases-are-operable", "a fixed name of a snapshot that is not taken",
         cluster(finalSnapshotIdentifier="chat-final", skipFinalSnapshot=True), *instances(2)),
    case("rds-databases-are-operable", "a replica in the network of its source",
         cluster(dbSubnetGroupName=None, masterUsername=None, replicationSourceIdentifier="arn:c"), *instances(2)),
    case("rds-databases-are-operable", "MySQL without an audit log", cluster(engine="aurora-mysql"), *instances(2),
         says=["violated x.enabledCloudwatchLogsExports"]),
    case("kms-keys-rotate", "deleted in two weeks", r("kms.Key", enableKeyRotation=True, deletionWindowInDays=14)),
    case("kms-keys-rotate", "deleted a day earlier", r("kms.Key", enableKeyRotation=True, deletionWindowInDays=13),
         says=["violated x.deletionWindowInDays"]),
    case("stack-encryption-at-rest", "a replica that says so", r("rds.Cluster", storageEncrypted=True, snapshotIdentifier="s")),
    case("efs-file-systems-are-bounded", "a backup policy that is off", FILES,
         r("efs.BackupPolicy", "p", fileSystemId=UNKNOWN, backupPolicy={"status": "DISABLED"}, needs={"fileSystemId": FILES}),
         says=["violated p.backupPolicy.status"]),
]  # fmt: skip
