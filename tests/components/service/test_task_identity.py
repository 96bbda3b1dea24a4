"""Roles, security group, certificate and keys of the task."""

import hashlib
import json
from typing import cast

from components.service.task_identity import SECRETS, session_key
from tests.components.task_fixtures import (
    ACCOUNT,
    KEY,
    LOG_GROUP_ARNS,
    REGION,
    REPOSITORIES,
    build,
    document,
    is_secret,
    made,
    one,
    plain,
    text,
)

COMPONENT = "ai-interface:index:WorkloadIdentity"
ROLE = "aws:iam/role:Role"
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


def test_it_makes_two_roles_one_group_and_its_secrets() -> None:
    assert made(build("workload")) == {
        "aws:ec2/securityGroup:SecurityGroup": 1,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 1,
        "aws:secretsmanager/secret:Secret": len(SECRETS),
        "aws:secretsmanager/secretVersion:SecretVersion": len(SECRETS),
        "tls:index/privateKey:PrivateKey": 3,
        "tls:index/selfSignedCert:SelfSignedCert": 1,
    }


def test_ecs_assumes_both_roles_for_tasks_of_this_account_only() -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumedByService",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"Service": ["ecs-tasks.amazonaws.com"]},
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
                    "ArnLike": {"aws:SourceArn": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"]},
                },
            }
        ],
    }
    roles = build("workload").of_type(ROLE)

    assert {r.name: json.loads(r.inputs["assumeRolePolicy"]) for r in roles} == {
        "workload-execution": trust,
        "workload-task": trust,
    }


def test_the_execution_role_starts_this_task_and_nothing_else() -> None:
    recording = build("workload")
    secrets = sorted(r.outputs["arn"] for r in recording.of_type(SECRET))

    assert document(one(recording, "aws:iam/rolePolicy:RolePolicy")) == [
        {
            "Sid": "LogInToTheRegistry",
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": ["*"],
        },
        {
            "Sid": "PullImages",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": REPOSITORIES,
        },
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": sorted(f"{arn}:*" for arn in LOG_GROUP_ARNS.values()),
        },
        {"Sid": "ReadSecrets", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": secrets},
        {
            "Sid": "DecryptSecrets",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [KEY],
            "Condition": {
                "StringEquals": {
                    "kms:EncryptionContext:SecretARN": secrets,
                    "kms:ViaService": [f"secretsmanager.{REGION}.amazonaws.com"],
                }
            },
        },
    ]


def test_the_task_role_starts_without_any_permission() -> None:
    recording = build("workload")
    execution = one(recording, ROLE, "workload-execution").outputs["name"]

    assert [r.inputs["role"] for r in recording.of_type("aws:iam/rolePolicy:RolePolicy")] == [execution]
    assert not any(
        key in role.inputs for role in recording.of_type(ROLE) for key in ("inlinePolicies", "managedPolicyArns")
    )


def test_the_security_group_starts_without_any_rule() -> None:
    group = one(build("workload"), "aws:ec2/securityGroup:SecurityGroup").inputs

    assert sorted(group) == ["description", "tags", "vpcId"]


def test_every_secret_value_is_secret_and_encrypted_with_the_key() -> None:
    recording = build("workload")

    assert [is_secret(r.inputs["secretString"]) for r in recording.of_type(VERSION)] == [True] * len(SECRETS)
    assert {r.inputs["kmsKeyId"] for r in recording.of_type(SECRET)} == {KEY}


def test_the_session_key_follows_from_a_key_that_lives_in_the_state() -> None:
    recording = build("workload")
    seed = one(recording, "tls:index/privateKey:PrivateKey", "workload-session-seed").outputs["privateKeyPemPkcs8"]
    value = text(one(recording, VERSION, "workload-session-key-version").inputs["secretString"])

    assert value == hashlib.sha256(b"ai-interface session key\n" + text(seed).encode()).hexdigest()
    assert text(seed) not in value


def test_the_key_of_the_user_ids_outlives_the_session_key() -> None:
    recording = build("workload")
    seed = one(recording, "tls:index/privateKey:PrivateKey", "workload-user-seed").outputs["privateKeyPemPkcs8"]
    value = text(one(recording, VERSION, "workload-user-key-version").inputs["secretString"])

    assert value == hashlib.sha256(b"ai-interface user key\n" + text(seed).encode()).hexdigest()
    assert len(value) == 64


def test_two_runs_have_the_same_session_key() -> None:
    assert session_key("a") == session_key("a")
    assert session_key("a") != session_key("b")


def test_a_reference_pins_the_version_of_the_secret() -> None:
    recording = build("workload")
    references = cast("dict[str, str]", plain(one(recording, COMPONENT).outputs["secretReferences"]))
    secret = one(recording, SECRET, "workload-proxy-private-key").outputs["arn"]
    version = one(recording, VERSION, "workload-proxy-private-key-version").outputs["versionId"]

    assert references["proxy-private-key"] == f"{secret}:::{version}"
    assert sorted(references) == sorted(SECRETS)


def test_the_certificate_is_renewed_three_months_before_it_expires() -> None:
    certificate = one(build("workload"), "tls:index/selfSignedCert:SelfSignedCert").inputs

    assert (certificate["validityPeriodHours"], certificate["earlyRenewalHours"]) == (8760, 2160)
    assert certificate["allowedUses"] == ["digital_signature", "server_auth"]


def test_a_first_preview_registers_the_same_resources() -> None:
    assert made(build("workload", preview=True)) == made(build("workload"))
