"""The AWS services that the private network may reach: their names in DNS, and who may do what through an endpoint.

Pure data and functions. Endpoint policies, the DNS allowlist and the endpoints themselves are made from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
"""A JSON object of an IAM policy."""

S3 = "s3"
"""Reached by gateway, so it is never in a list of interface services."""

FARGATE_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
"""What Fargate itself needs to start a task in subnets without an internet route."""

BEDROCK = "bedrock-runtime"

_DOMAINS: dict[str, tuple[str, ...]] = {
    "ecr.api": ("api.ecr.{region}.amazonaws.com",),
    "ecr.dkr": ("{account}.dkr.ecr.{region}.amazonaws.com",),
    S3: ("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"),
}


def service_domains(service: str, region: str, account_id: str) -> tuple[str, ...]:
    """The names under which ``service`` answers in ``region``."""
    patterns = _DOMAINS.get(service, (f"{service}.{{region}}.amazonaws.com",))
    return tuple(pattern.format(region=region, account=account_id) for pattern in patterns)


def service_name(service: str, region: str) -> str:
    """The endpoint service's name, as AWS writes it."""
    return f"com.amazonaws.{region}.{service}"


@dataclass(frozen=True, slots=True)
class Access:
    """Whom the endpoints serve and what they may reach: every ARN is one of this stack's own."""

    account_id: str
    region: str
    execution_role_arn: str
    task_role_arn: str
    repository_arns: Sequence[str] = ()
    secret_arns: Sequence[str] = ()
    log_group_arns: Sequence[str] = ()
    bucket_arns: Sequence[str] = ()
    model_statements: Sequence[Document] = field(default_factory=tuple[Document, ...])


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Document) -> Document:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": list(actions),
        "Resource": sorted(resources),
        "Condition": condition,
    }


def _by(access: Access, role_arn: str, *, own_resources: bool = True) -> Document:
    """Only that role of this account, and only resources of this account."""
    equals = {"aws:PrincipalAccount": access.account_id, "aws:PrincipalArn": role_arn}
    return {"StringEquals": {**equals, "aws:ResourceAccount": access.account_id} if own_resources else equals}


def _ecr(access: Access) -> list[Document]:
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    return [
        _allow(
            "Login", ["ecr:GetAuthorizationToken"], ["*"], _by(access, access.execution_role_arn, own_resources=False)
        ),
        _allow("Pull", pull, access.repository_arns, _by(access, access.execution_role_arn)),
    ]


def _logs(access: Access) -> list[Document]:
    streams = [f"{arn.removesuffix(':*')}:log-stream:*" for arn in access.log_group_arns]
    return [
        _allow("Write", ["logs:CreateLogStream", "logs:PutLogEvents"], streams, _by(access, access.execution_role_arn))
    ]


def _secrets(access: Access) -> list[Document]:
    return [
        _allow("Read", ["secretsmanager:GetSecretValue"], access.secret_arns, _by(access, access.execution_role_arn))
    ]


def _models(access: Access) -> list[Document]:
    """The task role's own model statements, repeated at the endpoint. A foundation model belongs to AWS, so there is
    no condition on the resource's account."""
    caller = _by(access, access.task_role_arn, own_resources=False)
    statements: list[Document] = []
    for statement in access.model_statements:
        condition = {key: dict(value) for key, value in statement.get("Condition", {}).items()}
        condition["StringEquals"] = {**condition.get("StringEquals", {}), **caller["StringEquals"]}
        denied = statement.get("Effect") == "Deny"
        statements.append({**statement, "Principal": "*", **({} if denied else {"Condition": condition})})
    return statements


def _any_of_the_stack(access: Access) -> list[Document]:
    """For services without a narrower rule: this stack's two roles, resources of this account."""
    return [
        _allow(
            "StackRoles",
            ["*"],
            ["*"],
            {
                "StringEquals": {
                    "aws:PrincipalAccount": access.account_id,
                    "aws:PrincipalArn": sorted([access.execution_role_arn, access.task_role_arn]),
                }
            },
        )
    ]


_POLICIES = {"ecr.api": _ecr, "ecr.dkr": _ecr, "logs": _logs, "secretsmanager": _secrets, BEDROCK: _models}


def endpoint_policy(service: str, access: Access) -> Document:
    """The policy of the interface endpoint for ``service``."""
    return {"Version": "2012-10-17", "Statement": _POLICIES.get(service, _any_of_the_stack)(access)}


def s3_gateway_policy(access: Access) -> Document:
    """The policy of the S3 gateway endpoint.

    Image layers lie in a bucket of AWS's, one a region, and are fetched with a signature of ECR's: an account or
    principal condition there makes every pull fail with 403, so that bucket alone is readable without one.
    """
    layers: Document = {
        "Sid": "ImageLayers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::prod-{access.region}-starport-layer-bucket/*"],
    }
    if not access.bucket_arns:
        return {"Version": "2012-10-17", "Statement": [layers]}
    objects = (
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    )
    by_task = _by(access, access.task_role_arn)
    return {
        "Version": "2012-10-17",
        "Statement": [
            layers,
            _allow("OwnObjects", objects, [f"{arn}/*" for arn in access.bucket_arns], by_task),
            _allow("OwnBuckets", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], access.bucket_arns, by_task),
        ],
    }
