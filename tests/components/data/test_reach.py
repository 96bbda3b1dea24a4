"""The state's doors: security groups, the roles' documents, and what containers are told."""

from typing import Any

from components.data.component import data_domains
from preflight.recording.recorder import Recording
from tests.components.task_fixtures import ACCOUNT, REGION, build, document, one, plain

CLUSTER = "aws:rds/cluster:Cluster"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
POLICY = "aws:iam/rolePolicy:RolePolicy"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BUCKET = "aws:s3/bucket:Bucket"
TASKS = "sg-00000000000000001"


def _outputs(recording: Recording) -> dict[str, Any]:
    return {key: plain(value) for key, value in one(recording, "ai-interface:index:Data").outputs.items()}


def test_each_store_admits_the_tasks_on_its_port_and_nobody_else() -> None:
    recording = build("state")
    groups = {g.outputs["id"]: g for g in recording.of_type(GROUP)}
    entering = [
        (groups[r.inputs["securityGroupId"]].name, r.inputs["referencedSecurityGroupId"], r.inputs["fromPort"], r.inputs["toPort"])
        for r in recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    ]  # fmt: skip
    leaving = [
        (r.inputs["securityGroupId"], groups[r.inputs["referencedSecurityGroupId"]].name, r.inputs["fromPort"], r.inputs["toPort"])
        for r in recording.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    ]  # fmt: skip

    assert sorted(entering) == [("state-cache-group", TASKS, 6379, 6379), ("state-database-group", TASKS, 5432, 5432)]
    assert sorted(leaving) == [(TASKS, "state-cache-group", 6379, 6379), (TASKS, "state-database-group", 5432, 5432)]
    assert not [g.name for g in groups.values() if g.inputs.get("ingress") or g.inputs.get("egress")]


def test_the_task_logs_in_as_one_role_and_keeps_the_objects_of_one_bucket() -> None:
    recording = build("state")
    bucket = one(recording, BUCKET, "state-uploads").outputs["arn"]
    resource = one(recording, CLUSTER).outputs["clusterResourceId"]
    policy = one(recording, POLICY, "state-task-policy")

    assert policy.inputs["role"] == "workload-task"
    assert document(policy) == [
        {
            "Sid": "LogInToTheDatabase",
            "Effect": "Allow",
            "Action": ["rds-db:connect"],
            "Resource": [f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:{resource}/interface"],
        },
        {
            "Sid": "KeepUploads",
            "Effect": "Allow",
            "Action": [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
            ],
            "Resource": [f"{bucket}/*"],
        },
        {
            "Sid": "ListUploads",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": [bucket],
        },
        {
            "Sid": "EncryptUploads",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": [one(recording, "aws:kms/key:Key").outputs["arn"]],
            "Condition": {
                "StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com"]},
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
            },
        },
    ]


def test_the_execution_role_reads_the_two_secrets_of_the_state_and_no_other() -> None:
    recording = build("state")
    cluster = one(recording, CLUSTER).outputs["masterUserSecrets"][0]["secretArn"]
    secrets = sorted([cluster, one(recording, "aws:secretsmanager/secret:Secret").outputs["arn"]])
    policy = one(recording, POLICY, "state-secrets-policy")

    assert policy.inputs["role"] == "workload-execution"
    assert document(policy) == [
        {
            "Sid": "ReadStateSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": secrets,
        },
        {
            "Sid": "DecryptStateSecrets",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [one(recording, "aws:kms/key:Key").outputs["arn"]],
            "Condition": {
                "StringEquals": {
                    "kms:EncryptionContext:SecretARN": secrets,
                    "kms:ViaService": [f"secretsmanager.{REGION}.amazonaws.com"],
                }
            },
        },
    ]


def test_containers_are_told_where_the_state_is_and_by_which_names() -> None:
    recording = build("state")
    cluster, cache = one(recording, CLUSTER).outputs, one(recording, "aws:secretsmanager/secret:Secret").outputs
    version = one(recording, "aws:secretsmanager/secretVersion:SecretVersion").outputs["versionId"]
    master = cluster["masterUserSecrets"][0]["secretArn"]

    assert _outputs(recording)["values"] == {
        "database-host": cluster["endpoint"],
        "database-port": "5432",
        "database-name": "interface",
        "database-user": "interface",
        "bucket-name": one(recording, BUCKET, "state-uploads").outputs["bucket"],
    }
    assert _outputs(recording)["secretReferences"] == {
        "cache-url": f"{cache['arn']}:::{version}",
        "database-master-user": f"{master}:username::",
        "database-master-password": f"{master}:password::",
    }


def test_the_names_of_the_stores_resolve() -> None:
    recording = build("state")
    ends = [pattern.removeprefix("*") for pattern in data_domains("us-east-1")]  # the recorder's own region

    for host in (
        one(recording, CLUSTER).outputs["endpoint"],
        one(recording, CLUSTER).outputs["readerEndpoint"],
        one(recording, CACHE).outputs["primaryEndpointAddress"],
    ):
        assert any(host.endswith(end) for end in ends), host
