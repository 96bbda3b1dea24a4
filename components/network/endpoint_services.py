"""The AWS services that the private network can reach: their DNS names and endpoint policies.

Pure data and functions, from which endpoints, endpoint policies and the DNS allowlist are created.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.common.iam import ANYONE, Conditions, Effect, Statement, policy_document

S3 = "s3"
"""Reached through a gateway endpoint, so it is never in a list of interface services."""

FARGATE_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
"""The services that Fargate needs to start a task in subnets without an internet route."""

BEDROCK = "bedrock-runtime"

MANTLE = "bedrock-mantle"
"""Bedrock's second endpoint, by the suffix of its endpoint service
(https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html)."""

CROSS_REGION = (
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "kinesis-firehose",
    "kinesisanalytics",
    "kinesisanalytics-fips",
    "kms",
    "kms-fips",
    "lambda",
    "s3",
)
"""Services that an interface endpoint can reach in another region. AWS's list does not include Bedrock
(https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-cross-region-privatelink-support.html)."""

_GATEWAY, _EGRESS, _SYNTHETIC = "Gateway", "Egress", "Synthetic"
"""Begin the ids of the statements for the roles of the gateway, of the egress proxy and of the synthetic chat."""

_DOMAINS: dict[str, tuple[str, ...]] = {
    "ecr.api": ("api.ecr.{region}.amazonaws.com",),
    "ecr.dkr": ("{account}.dkr.ecr.{region}.amazonaws.com",),
    MANTLE: ("bedrock-mantle.{region}.api.aws",),
    S3: ("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"),
}


def service_domains(service: str, region: str, account_id: str) -> tuple[str, ...]:
    """The DNS names of ``service`` in ``region``."""
    patterns = _DOMAINS.get(service, (f"{service}.{{region}}.amazonaws.com",))
    return tuple(pattern.format(region=region, account=account_id) for pattern in patterns)


def service_name(service: str, region: str) -> str:
    """The AWS name of the endpoint service."""
    return f"com.amazonaws.{region}.{service}"


@dataclass(frozen=True, slots=True)
class Access:
    """The principals and resources in the endpoint policies; every ARN belongs to this stack."""

    account_id: str
    region: str
    execution_role_arn: str
    task_role_arn: str
    gateway_execution_role_arn: str = ""
    """Empty: there is no gateway to models."""
    gateway_task_role_arn: str = ""
    repository_arns: Sequence[str] = ()
    secret_arns: Sequence[str] = ()
    log_group_arns: Sequence[str] = ()
    bucket_arns: Sequence[str] = ()
    model_statements: Sequence[Mapping[str, Any]] = ()
    gateway_repository_arns: Sequence[str] = ()
    gateway_secret_arns: Sequence[str] = ()
    gateway_log_group_arns: Sequence[str] = ()
    gateway_model_statements: Sequence[Mapping[str, Any]] = ()
    mantle_statements: Sequence[Mapping[str, Any]] = ()
    egress_execution_role_arn: str = ""
    """Empty: there is no egress proxy."""
    egress_repository_arns: Sequence[str] = ()
    egress_secret_arns: Sequence[str] = ()
    egress_log_group_arns: Sequence[str] = ()
    synthetic_execution_role_arn: str = ""
    """Empty: there is no synthetic chat."""
    synthetic_task_role_arn: str = ""
    synthetic_repository_arns: Sequence[str] = ()
    synthetic_secret_arns: Sequence[str] = ()
    synthetic_log_group_arns: Sequence[str] = ()
    synthetic_model_statements: Sequence[Mapping[str, Any]] = ()
    synthetic_mantle_statements: Sequence[Mapping[str, Any]] = ()


def _by(access: Access, role_arn: str, *, own_resources: bool = True) -> dict[str, dict[str, list[str]]]:
    """Limits access to that role and, unless AWS owns the resource, to resources of this account."""
    equals = {"aws:PrincipalAccount": [access.account_id], "aws:PrincipalArn": [role_arn]}
    if own_resources:
        equals["aws:ResourceAccount"] = [access.account_id]
    return {"StringEquals": equals}


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions) -> Statement:
    return Statement(sid=sid, actions=actions, resources=resources, principals=ANYONE, conditions=conditions)


def _ecr(access: Access) -> list[Statement]:
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    statements: list[Statement] = []
    for of, role, repositories in (
        ("", access.execution_role_arn, access.repository_arns),
        (_GATEWAY, access.gateway_execution_role_arn, access.gateway_repository_arns),
        (_EGRESS, access.egress_execution_role_arn, access.egress_repository_arns),
        (_SYNTHETIC, access.synthetic_execution_role_arn, access.synthetic_repository_arns),
    ):
        if role:
            log_in = _by(access, role, own_resources=False)
            statements.append(_allow(f"{of}Login", ["ecr:GetAuthorizationToken"], ["*"], log_in))
            statements.append(_allow(f"{of}Pull", pull, repositories, _by(access, role)))
    return statements


def _logs(access: Access) -> list[Statement]:
    write = ("logs:CreateLogStream", "logs:PutLogEvents")
    return [
        _allow(f"{of}Write", write, [f"{arn.removesuffix(':*')}:log-stream:*" for arn in groups], _by(access, role))
        for of, role, groups in (
            ("", access.execution_role_arn, access.log_group_arns),
            (_GATEWAY, access.gateway_execution_role_arn, access.gateway_log_group_arns),
            (_EGRESS, access.egress_execution_role_arn, access.egress_log_group_arns),
            (_SYNTHETIC, access.synthetic_execution_role_arn, access.synthetic_log_group_arns),
        )
        if role
    ]


def _secrets(access: Access) -> list[Statement]:
    read = ("secretsmanager:GetSecretValue",)
    return [
        _allow(f"{of}Read", read, secrets, _by(access, role))
        for of, role, secrets in (
            ("", access.execution_role_arn, access.secret_arns),
            (_GATEWAY, access.gateway_execution_role_arn, access.gateway_secret_arns),
            (_EGRESS, access.egress_execution_role_arn, access.egress_secret_arns),
            (_SYNTHETIC, access.synthetic_execution_role_arn, access.synthetic_secret_arns),
        )
        if role
    ]


def _list(value: str | Sequence[str]) -> Sequence[str]:
    """IAM accepts a single value in place of a list."""
    return [value] if isinstance(value, str) else value


def _models(access: Access) -> list[Statement]:
    """Each role's model statements, for that role only. Denials apply to the role's own calls, because the roles' denials
    differ: the gateway's requires the guardrail, and Chat Completions cannot."""
    everyone = not access.gateway_model_statements
    own = _models_of(access, access.task_role_arn, access.model_statements, everyone=everyone)
    gateway = _models_of(access, access.gateway_task_role_arn, access.gateway_model_statements, everyone=False)
    synthetic = _models_of(access, access.synthetic_task_role_arn, access.synthetic_model_statements, everyone=everyone)
    return [*own, *_named(_GATEWAY, gateway), *_named(_SYNTHETIC, [one for one in synthetic if one not in own])]


def _mantle(access: Access) -> list[Statement]:
    """Each role's statements, for that role only."""
    own = _models_of(access, access.task_role_arn, access.mantle_statements, everyone=True)
    of_chat = access.synthetic_mantle_statements
    synthetic = _models_of(access, access.synthetic_task_role_arn, of_chat, everyone=True)
    return [*own, *_named(_SYNTHETIC, [one for one in synthetic if one not in own])]


def _named(of: str, statements: Sequence[Statement]) -> list[Statement]:
    return [replace(one, sid=f"{of}{one.sid}") for one in statements]


def _models_of(
    access: Access, role_arn: str, known_statements: Sequence[Mapping[str, Any]], *, everyone: bool
) -> list[Statement]:
    """One role's statements. A foundation model belongs to AWS, so there is no condition on the resource's account.
    ``everyone``: denials apply to every principal."""
    caller = _by(access, role_arn, own_resources=False)["StringEquals"]
    statements: list[Statement] = []
    for number, known in enumerate(known_statements, start=1):
        conditions: dict[str, Mapping[str, Sequence[str]]] = dict(known.get("Condition", {}))
        if known["Effect"] == Effect.ALLOW or not everyone:
            conditions["StringEquals"] = {**conditions.get("StringEquals", {}), **caller}
        statements.append(
            Statement(
                sid=known.get("Sid", f"Models{number}"),
                effect=Effect(known["Effect"]),
                actions=_list(known["Action"]),
                resources=_list(known.get("Resource", [])),
                not_resources=_list(known.get("NotResource", [])),
                principals=ANYONE,
                conditions=conditions,
            )
        )
    return statements


_POLICIES: dict[str, Callable[[Access], list[Statement]]] = {
    BEDROCK: _models,
    MANTLE: _mantle,
    "ecr.api": _ecr,
    "ecr.dkr": _ecr,
    "logs": _logs,
    "secretsmanager": _secrets,
}


def check_services(services: Sequence[str]) -> None:
    """Raise ``ValueError`` for a service without a policy here: an endpoint must never get AWS's default policy, which
    allows everything."""
    if unknown := sorted(set(services) - set(_POLICIES)):
        raise ValueError(
            f"services contains {', '.join(unknown)}, which has no endpoint policy; "
            f"supported are {', '.join(sorted(_POLICIES))}: remove it, or add its policy to endpoint_services.py"
        )


def check_region(service: str, region: str, own: str) -> None:
    """Raise ``ValueError`` for a service in another region that no endpoint can reach."""
    if region != own and service not in CROSS_REGION:
        raise ValueError(
            f"an interface endpoint in {own} cannot reach {service} in {region}: AWS supports that for "
            f"{', '.join(CROSS_REGION)} only; use the service in {own}, and for Bedrock a cross-region inference profile"
        )


def endpoint_policy(service: str, access: Access) -> str:
    """The policy of the interface endpoint for ``service``. Requests that it does not allow are denied."""
    statements = [one for one in _POLICIES[service](access) if one.resources or one.not_resources]
    return policy_document(statements or [_nothing()])


def _nothing() -> Statement:
    """The policy of an endpoint that does not allow anything yet."""
    return Statement(sid="Nothing", effect=Effect.DENY, actions=["*"], resources=["*"], principals=ANYONE)


def s3_gateway_policy(access: Access) -> str:
    """The policy of the S3 gateway endpoint.

    Image layers are in an AWS bucket, one for each region, and are fetched with URLs signed by ECR. An account or
    principal condition for that bucket makes every pull fail with 403, so only that bucket can be read without one.
    """
    layers = f"arn:aws:s3:::prod-{access.region}-starport-layer-bucket/*"
    statements = [_allow("ImageLayers", ["s3:GetObject"], [layers], {})]
    if access.bucket_arns:
        by_task = _by(access, access.task_role_arn)
        objects = (
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        )
        buckets = ("s3:ListBucket", "s3:ListBucketMultipartUploads")
        statements += [
            _allow("OwnObjects", objects, [f"{arn}/*" for arn in access.bucket_arns], by_task),
            _allow("OwnBuckets", buckets, access.bucket_arns, by_task),
        ]
    return policy_document(statements)
