"""Who gets at the state, judged by AWS's evaluation logic on the documents that the stack makes."""

import json
from typing import Any

import pytest

from components.data.database import ROLES
from components.network.endpoint_services import Access, endpoint_policy, s3_gateway_policy
from preflight.conform.iam.evaluator import Request, allowed
from tests.components.task_fixtures import ACCOUNT, REGION, build, document, one, text

BUCKET = "arn:aws:s3:::state-uploads"
ENDPOINT = "vpce-0123456789abcdef0"
TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/workload-task"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/workload-execution"
BACKUP_ROLE = f"arn:aws:iam::{ACCOUNT}:role/state-backup"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"
EVERYTHING: list[dict[str, Any]] = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
BY_ENDPOINT = {"aws:sourcevpce": [ENDPOINT]}
BY_TLS = {"aws:securetransport": ["true"]}
IN_THE_ACCOUNT = {"aws:resourceaccount": [ACCOUNT]}

Policies = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def policies() -> Policies:
    """Each document with the bucket's ARN of ``uploads``' arguments in the place of the recorded one."""
    state = build("state")
    made = one(state, "aws:s3/bucket:Bucket", "state-uploads").outputs["arn"]
    access = Access(
        account_id=ACCOUNT,
        region=REGION,
        execution_role_arn=EXECUTION_ROLE,
        task_role_arn=TASK_ROLE,
        bucket_arns=[BUCKET],
        secret_arns=[one(state, "aws:rds/cluster:Cluster").outputs["masterUserSecrets"][0]["secretArn"]],
    )

    def renamed(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return json.loads(json.dumps(statements).replace(made, BUCKET))

    bucket = json.loads(text(one(build("uploads"), "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]))
    return {
        "task": renamed(document(one(state, "aws:iam/rolePolicy:RolePolicy", "state-task-policy"))),
        "backup": renamed(document(one(state, "aws:iam/rolePolicy:RolePolicy", "state-backup-policy"))),
        "execution": document(one(state, "aws:iam/rolePolicy:RolePolicy", "state-secrets-policy")),
        "gateway": json.loads(s3_gateway_policy(access))["Statement"],
        "secrets endpoint": json.loads(endpoint_policy("secretsmanager", access))["Statement"],
        # A bucket's policy only refuses here: within an account the role's own grant is enough.
        "bucket": [*EVERYTHING, *bucket["Statement"]],
    }


def _request(action: str, resource: str, principal: str, *contexts: dict[str, list[str]]) -> Request:
    context = {key: value for one_ in (IN_THE_ACCOUNT, *contexts) for key, value in one_.items()}
    return Request(action=action, resource=resource, principal=principal, context=context)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"])
def test_the_task_keeps_objects_through_the_endpoint(policies: Policies, action: str) -> None:
    request = _request(action, f"{BUCKET}/a", TASK_ROLE, BY_ENDPOINT, BY_TLS)

    assert allowed(request, policies["task"], policies["gateway"], policies["bucket"])


@pytest.mark.parametrize("principal", [TASK_ROLE, ADMINISTRATOR, EXECUTION_ROLE])
@pytest.mark.parametrize("elsewhere", [{}, {"aws:sourcevpce": ["vpce-0fedcba9876543210"]}])
def test_an_object_cannot_be_read_from_outside_the_endpoint_whoever_asks(
    policies: Policies, principal: str, elsewhere: dict[str, list[str]]
) -> None:
    for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"):
        assert not allowed(
            _request(action, f"{BUCKET}/a", principal, elsewhere, BY_TLS), EVERYTHING, policies["bucket"]
        )


def test_a_call_by_plain_http_is_refused_even_through_the_endpoint(policies: Policies) -> None:
    plain = {"aws:securetransport": ["false"]}

    for action, resource in (("s3:GetObject", f"{BUCKET}/a"), ("s3:ListBucket", BUCKET)):
        request = _request(action, resource, TASK_ROLE, BY_ENDPOINT, plain)
        assert not allowed(request, EVERYTHING, policies["bucket"])


def test_the_backup_role_reads_and_restores_from_outside(policies: Policies) -> None:
    for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"):
        request = _request(action, f"{BUCKET}/a", BACKUP_ROLE, BY_TLS)
        assert allowed(request, policies["backup"], policies["bucket"])


def test_who_manages_the_bucket_is_not_locked_out(policies: Policies) -> None:
    for action in ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration", "s3:ListBucket"):
        assert allowed(_request(action, BUCKET, ADMINISTRATOR, BY_TLS), EVERYTHING, policies["bucket"])


@pytest.mark.parametrize(
    ("resource", "principal"),
    [
        ("arn:aws:s3:::other/a", TASK_ROLE),
        (f"{BUCKET}/a", EXECUTION_ROLE),
        (f"{BUCKET}/a", "arn:aws:iam::999999999999:role/workload-task"),
    ],
)
def test_the_gateway_serves_the_task_and_its_bucket_only(policies: Policies, resource: str, principal: str) -> None:
    request = _request("s3:PutObject", resource, principal, BY_ENDPOINT, BY_TLS)

    assert not allowed(request, EVERYTHING, policies["gateway"])


def _user(policies: Policies, user: str) -> str:
    (statement,) = [s for s in policies["task"] if s["Sid"] == "LogInToTheDatabase"]
    return statement["Resource"][0].rpartition("/")[0] + f"/{user}"


def test_the_task_logs_in_as_the_application_and_never_as_the_master(policies: Policies) -> None:
    def login(user: str) -> bool:
        return allowed(_request("rds-db:connect", _user(policies, user), TASK_ROLE), policies["task"])

    assert login(ROLES.application)
    assert not login(ROLES.master)
    assert not login(ROLES.owner)
    assert not login("rdsadmin")


def test_the_task_cannot_read_the_master_secret_and_the_execution_role_can(policies: Policies) -> None:
    (read,) = [s for s in policies["execution"] if s["Sid"] == "ReadStateSecrets"]
    master = next(arn for arn in read["Resource"] if "rds!cluster" in arn)

    def reads(role: str, own: list[dict[str, Any]]) -> bool:
        request = _request("secretsmanager:GetSecretValue", master, role)
        return allowed(request, own, policies["secrets endpoint"])

    assert reads(EXECUTION_ROLE, policies["execution"])
    assert not reads(TASK_ROLE, policies["task"])
    assert not reads(TASK_ROLE, EVERYTHING)


@pytest.mark.parametrize("context", [{}, {"kms:viaservice": [f"rds.{REGION}.amazonaws.com"]}])
def test_the_task_uses_the_key_through_s3_for_its_bucket_only(
    policies: Policies, context: dict[str, list[str]]
) -> None:
    (statement,) = [s for s in policies["task"] if s["Sid"] == "EncryptUploads"]
    key = statement["Resource"][0]
    through_s3 = {"kms:viaservice": [f"s3.{REGION}.amazonaws.com"]}
    own, other = ({"kms:encryptioncontext:aws:s3:arn": [arn]} for arn in (BUCKET, "arn:aws:s3:::other"))

    assert allowed(_request("kms:Decrypt", key, TASK_ROLE, through_s3, own), policies["task"])
    assert not allowed(_request("kms:Decrypt", key, TASK_ROLE, through_s3, other), policies["task"])
    assert not allowed(_request("kms:Decrypt", key, TASK_ROLE, context, own), policies["task"])
