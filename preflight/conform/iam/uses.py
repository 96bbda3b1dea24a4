"""The calls that tasks, logs, monitoring and backups make with the roles of the main program.

Everything is read from the graph: a task definition names the images, the secrets and the log groups, its environment the
bucket and the database user; an endpoint's policy lists what a role calls through it; a flow log, an instance and a backup
selection name their role. The calls of AWS's own services are from AWS's documentation:

- containers: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
- flow logs: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
- enhanced monitoring: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonRDSEnhancedMonitoringRole.html
- backups: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html and
  https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForS3Backup.html
- restore tests: the parts for Aurora and S3 of
  https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForRestores.html and
  https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForS3Restore.html
- encryption of a bucket's objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from preflight.conform.iam import needs
from preflight.conform.iam.conditions import listed
from preflight.conform.iam.graph import Graph
from preflight.recording.recorder import RecordedResource

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
FLOW_LOG = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
MONITORING_GROUP = ("logs:CreateLogGroup", "logs:PutRetentionPolicy")
MONITORING_STREAM = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents")
BACKUP_CLUSTER = ("rds:CreateDBClusterSnapshot", "rds:DescribeDBClusters", "rds:ListTagsForResource")
BACKUP_SNAPSHOT = (
    "rds:AddTagsToResource",
    "rds:CopyDBClusterSnapshot",
    "rds:CreateDBClusterSnapshot",
    "rds:DeleteDBClusterSnapshot",
    "rds:DescribeDBClusterSnapshots",
    "rds:ListTagsForResource",
    "rds:ModifyDBClusterSnapshotAttribute",
)
BACKUP_BUCKET = (
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetInventoryConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutBucketNotification",
    "s3:PutInventoryConfiguration",
)
BACKUP_OBJECT = (
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
)
BACKUP_RULE = (
    "events:DeleteRule",
    "events:DescribeRule",
    "events:DisableRule",
    "events:EnableRule",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
)
RESTORED_CLUSTER = ("rds:AddTagsToResource", "rds:DescribeDBClusters", "rds:RestoreDBClusterFromSnapshot")
RESTORED_SNAPSHOT = (
    "rds:DescribeDBClusterSnapshots",
    "rds:ListTagsForResource",
    "rds:RestoreDBClusterFromSnapshot",
)
RESTORED_BUCKET = (
    "s3:CreateBucket",
    "s3:GetBucketLocation",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketVersioning",
)
RESTORED_OBJECT = (
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
RESTORED = "awsbackup-restore-test-1"
"""AWS Backup begins the names of restored resources so
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html)."""
BACKUP_VAULT = ("backup:CopyIntoBackupVault", "backup:DescribeBackupVault")
BACKUP_COPY = ("rds:AddTagsToResource", "rds:CopyDBClusterSnapshot")
"""On a database's copy in another region."""
BACKUP_ANYWHERE = ("cloudwatch:GetMetricData", "events:ListRules", "tag:GetResources")
OBJECTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
BUCKET_SETTING = "S3_BUCKET_NAME"
"""The container's variable that names the bucket of uploaded files (components/application presets)."""
USER_SETTING = "DATABASE_USER"

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Use:
    """One call that a deployed role makes."""

    role: str
    """The role's ARN."""
    of: RecordedResource
    """The resource that uses the role."""
    action: str
    arn: str
    context: Values


def of_graph(graph: Graph) -> Iterator[Use]:
    """Every call of every deployed role that can be derived from the graph."""
    for resource in graph.recording.resources:
        if find := _USERS.get(resource.type):
            yield from find(resource, graph)


def _use(role: Any, of: RecordedResource, action: str, arn: str, graph: Graph, **context: str) -> Use:  # noqa: ANN401 - an input
    base: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (graph.region,),
        "aws:resourceaccount": (graph.account,),
        **needs.on(graph.tags.get(arn, {})),
    }
    return Use(str(role), of, action, arn, {**base, **{key: (value,) for key, value in context.items()}})


def _task(task: RecordedResource, graph: Graph) -> Iterator[Use]:
    execution, own = task.inputs["executionRoleArn"], task.inputs["taskRoleArn"]
    yield _use(execution, task, "ecr:GetAuthorizationToken", "*", graph)
    for container in cast("list[dict[str, Any]]", json.loads(task.inputs["containerDefinitions"])):
        repository = str(container["image"]).partition("/")[2].partition("@")[0]
        for action in PULL:
            yield _use(execution, task, action, graph.arn("ecr", f"repository/{repository}"), graph)
        group = container["logConfiguration"]["options"]["awslogs-group"]
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield _use(execution, task, action, graph.arn("logs", f"log-group:{group}:log-stream:task"), graph)
        for secret in container.get("secrets", []):
            arn = ":".join(str(secret["valueFrom"]).split(":")[:7])
            yield _use(execution, task, "secretsmanager:GetSecretValue", arn, graph)
            yield from _decrypted(execution, task, arn, graph)
        settings = {str(entry["name"]): str(entry["value"]) for entry in container.get("environment", [])}
        if bucket := settings.get(BUCKET_SETTING):
            yield from _files(own, task, bucket, graph)
        if user := settings.get(USER_SETTING):
            for cluster in graph.recording.of_type("aws:rds/cluster:Cluster"):
                database = f"dbuser:{cluster.outputs['clusterResourceId']}/{user}"
                yield _use(own, task, "rds-db:connect", graph.arn("rds-db", database), graph)


def _decrypted(role: object, task: RecordedResource, secret: str, graph: Graph) -> Iterator[Use]:
    key = graph.keys.get(secret) or _master_keys(graph).get(secret)
    if key is not None:
        context = {
            "kms:viaservice": f"secretsmanager.{graph.region}.amazonaws.com",
            "kms:encryptioncontext:secretarn": secret,
        }
        yield _use(role, task, "kms:Decrypt", key, graph, **context)


def _master_keys(graph: Graph) -> dict[str, str]:
    made = [
        one
        for cluster in graph.recording.of_type("aws:rds/cluster:Cluster")
        for one in cast("list[dict[str, Any]]", cluster.outputs.get("masterUserSecrets") or [])
    ]
    return {str(one["secretArn"]): str(one["kmsKeyId"]) for one in made}


def _files(role: object, task: RecordedResource, bucket: str, graph: Graph) -> Iterator[Use]:
    arn = f"arn:aws:s3:::{bucket}"
    yield _use(role, task, "s3:ListBucket", arn, graph)
    for action in OBJECTS:
        yield _use(role, task, action, f"{arn}/file", graph)
    for key in _bucket_keys(bucket, graph):
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            # With a bucket key, S3's encryption context is the bucket's ARN, otherwise the object's.
            for of in (arn, f"{arn}/file"):
                context = {"kms:viaservice": f"s3.{graph.region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": of}
                yield _use(role, task, action, key, graph, **context)


def _bucket_keys(bucket: str, graph: Graph) -> set[str]:
    type_ = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    return {
        str(key)
        for resource in graph.recording.of_type(type_)
        if resource.inputs["bucket"] == bucket
        for rule in cast("list[dict[str, Any]]", resource.inputs["rules"])
        if (key := rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"))
    }


def _flow_log(log: RecordedResource, graph: Graph) -> Iterator[Use]:
    group = str(log.inputs["logDestination"])
    for action in FLOW_LOG:
        arn = group if action == "logs:DescribeLogStreams" else f"{group}:log-stream:eni"
        yield _use(log.inputs["iamRoleArn"], log, action, arn, graph)
    yield _use(log.inputs["iamRoleArn"], log, "logs:DescribeLogGroups", graph.arn("logs", "log-group:*"), graph)


def _instance(instance: RecordedResource, graph: Graph) -> Iterator[Use]:
    if role := instance.inputs.get("monitoringRoleArn"):
        for action in MONITORING_GROUP:
            yield _use(role, instance, action, graph.arn("logs", "log-group:RDSOSMetrics"), graph)
        for action in MONITORING_STREAM:
            yield _use(role, instance, action, graph.arn("logs", "log-group:RDSOSMetrics:log-stream:db"), graph)


def _selection(selection: RecordedResource, graph: Graph) -> Iterator[Use]:
    role = selection.inputs["iamRoleArn"]
    for action in BACKUP_ANYWHERE:
        yield _use(role, selection, action, "*", graph)
    for vault in graph.recording.of_type("aws:backup/vault:Vault"):
        for action in BACKUP_VAULT:
            yield _use(role, selection, action, str(vault.outputs["arn"]), graph)
    yield from _copies(role, selection, graph)
    yield _use(role, selection, "backup:TagResource", graph.arn("backup", "recovery-point:1"), graph)
    for arn in sorted(str(arn) for arn in selection.inputs["resources"]):
        if arn.startswith("arn:aws:s3:::"):
            wanted = [(a, arn) for a in BACKUP_BUCKET] + [(a, f"{arn}/file") for a in BACKUP_OBJECT]
            wanted += [(a, graph.arn("events", "rule/AwsBackupManagedRule-1")) for a in BACKUP_RULE]
            keys, service = _bucket_keys(arn.rpartition(":")[2], graph), "s3"
        else:
            snapshot = graph.arn("rds", "cluster-snapshot:awsbackup:job-1")
            wanted = [(a, arn) for a in BACKUP_CLUSTER] + [(a, snapshot) for a in BACKUP_SNAPSHOT]
            clusters = graph.recording.of_type("aws:rds/cluster:Cluster")
            keys, service = {str(c.inputs["kmsKeyId"]) for c in clusters if c.outputs["arn"] == arn}, "rds"
        for action, on in wanted:
            yield _use(role, selection, action, on, graph)
        for key in sorted(keys):
            via = {"kms:viaservice": f"{service}.{graph.region}.amazonaws.com"}
            for action in ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"):
                yield _use(role, selection, action, key, graph, **via)
            yield _use(role, selection, "kms:CreateGrant", key, graph, **via, **{"kms:grantisforawsresource": "true"})


def _restore_test(selection: RecordedResource, graph: Graph) -> Iterator[Use]:
    """The calls that restore a copy under the name that AWS Backup gives it."""
    role, overrides = (
        selection.inputs["iamRoleArn"],
        cast("dict[str, str]", selection.inputs["restoreMetadataOverrides"]),
    )
    for arn in sorted(str(arn) for arn in selection.inputs["protectedResourceArns"]):
        if arn.startswith("arn:aws:s3:::"):
            wanted = [(action, f"arn:aws:s3:::{RESTORED}") for action in RESTORED_BUCKET]
            wanted += [(action, f"arn:aws:s3:::{RESTORED}/file") for action in RESTORED_OBJECT]
            keys, service = {overrides["kmsKey"]}, "s3"
        else:
            group = graph.arn("rds", f"subgrp:{overrides['dbSubnetGroupName']}")
            wanted = [(action, graph.arn("rds", f"cluster:{RESTORED}")) for action in RESTORED_CLUSTER]
            wanted += [(action, graph.arn("rds", "cluster-snapshot:awsbackup:job-1")) for action in RESTORED_SNAPSHOT]
            wanted += [("rds:RestoreDBClusterFromSnapshot", group)]
            clusters = graph.recording.of_type("aws:rds/cluster:Cluster")
            keys, service = {str(c.inputs["kmsKeyId"]) for c in clusters if c.outputs["arn"] == arn}, "rds"
        for action, on in wanted:
            yield _use(role, selection, action, on, graph)
        for key in sorted(keys):
            via = {"kms:viaservice": f"{service}.{graph.region}.amazonaws.com"}
            for action in ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"):
                yield _use(role, selection, action, key, graph, **via)
            if service == "rds":
                yield _use(
                    role, selection, "kms:CreateGrant", key, graph, **via, **{"kms:grantisforawsresource": "true"}
                )


def _copies(role: object, selection: RecordedResource, graph: Graph) -> Iterator[Use]:
    """The calls for copies in another vault. In another region they are snapshots there, encrypted with that vault's key."""
    plans = graph.recording.of_type("aws:backup/plan:Plan")
    rules = [rule for plan in plans for rule in cast("list[dict[str, Any]]", plan.inputs["rules"])]
    for copy in (one for rule in rules for one in rule.get("copyActions", [])):
        vault = str(copy["destinationVaultArn"])
        for action in BACKUP_VAULT:
            yield _use(role, selection, action, vault, graph)
        region = vault.split(":")[3]
        if region != graph.region:
            snapshot = f"arn:aws:rds:{region}:{graph.account}:cluster-snapshot:awsbackup:job-1"
            for action in BACKUP_COPY:
                yield _use(role, selection, action, snapshot, graph)


def _endpoint(endpoint: RecordedResource, graph: Graph) -> Iterator[Use]:
    """The calls that an endpoint's policy allows a role of this graph; the role has to be allowed to make them. An endpoint to
    another VPC's service has no policy, because it leads to no AWS call."""
    if "policy" not in endpoint.inputs:
        return
    for statement in cast("list[dict[str, Any]]", json.loads(endpoint.inputs["policy"])["Statement"]):
        conditions = {
            key.lower(): str(listed(values)[0]).replace("*", "1")
            for keys in statement.get("Condition", {}).values()
            for key, values in keys.items()
        }
        role = conditions.pop("aws:principalarn", "")
        if statement["Effect"] != "Allow" or role not in graph.trusts:
            continue
        conditions.pop("aws:principalaccount", None)
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                arn = resource if resource == "*" else resource.replace("*", "one")
                yield _use(role, endpoint, action, arn, graph, **conditions)


def _schedule(schedule: RecordedResource, graph: Graph) -> Iterator[Use]:
    """The calls with which EventBridge Scheduler starts a task, and the roles that the task gets."""
    target = cast("dict[str, Any]", schedule.inputs["target"])
    started = cast("dict[str, Any]", target.get("ecsParameters") or {}).get("taskDefinitionArn")
    role, cluster = target["roleArn"], str(target["arn"])
    for task in graph.recording.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        if task.outputs["arn"] != started:
            continue
        yield _use(role, schedule, "ecs:RunTask", str(started), graph, **{"ecs:cluster": cluster})
        of_cluster = graph.arn("ecs", f"task/{cluster.rpartition('/')[2]}/one")
        yield _use(role, schedule, "ecs:TagResource", of_cluster, graph, **{"ecs:createaction": "RunTask"})
        for passed in ("executionRoleArn", "taskRoleArn"):
            to = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}
            yield _use(role, schedule, "iam:PassRole", str(task.inputs[passed]), graph, **to)


_USERS = {
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": _restore_test,
    "aws:backup/selection:Selection": _selection,
    "aws:ec2/flowLog:FlowLog": _flow_log,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ecs/taskDefinition:TaskDefinition": _task,
    "aws:rds/clusterInstance:ClusterInstance": _instance,
    "aws:scheduler/schedule:Schedule": _schedule,
}
