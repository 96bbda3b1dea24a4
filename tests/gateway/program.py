"""A stack of nothing but the gateway and what it needs: endpoints, guardrail, name, roles."""

from __future__ import annotations

import functools

import pulumi_aws as aws

from components.gateway import (
    GatewayIdentity,
    GatewayIdentityArgs,
    GatewayModelArgs,
    GatewayService,
    GatewayServiceArgs,
)
from components.models import ModelAccess
from components.monitoring import Operations
from components.network import PrivateEndpoints, PrivateEndpointsArgs
from components.service import WorkloadIdentity
from local.stack import Stack
from preflight.recording.recorder import Recording, record
from releases.manifest import Release, load_release, versions
from tests.components.task_fixtures import (
    ACCOUNT,
    REGION,
    TAGS,
    group,
    models_args,
    operations_args,
    workload_args,
)

CONVERSE, MESSAGES = "anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
"""The same provider's models by both of Bedrock's APIs."""
NOVA = "amazon.nova-lite-v1:0"
MODELS = {CONVERSE: "converse", MESSAGES: "invoke", NOVA: "converse"}
TITAN, COHERE = "amazon.titan-embed-text-v2:0", "cohere.embed-english-v3"
EMBEDDING_MODELS = (TITAN, COHERE)
UPSTREAM = {"kind": "gateway", "region": REGION}
CIDR = "10.99.0.0/16"
NAMES = ("gateway", "proxy")
REPOSITORIES = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ai-interface/{name}" for name in NAMES]


def newest() -> Release:
    """The newest release."""
    return load_release(versions()[-1])


def image(name: str) -> str:
    """An image of the newest release in the account's registry."""
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ai-interface/{name}@{newest().images[name].digest}"


def program() -> None:
    """Everything, in the order of the real program."""
    operations = Operations("operations", operations_args())
    vpc = aws.ec2.Vpc("vpc", cidr_block=CIDR, enable_dns_hostnames=True, enable_dns_support=True)
    subnet = aws.ec2.Subnet(
        "private", vpc_id=vpc.id, cidr_block=CIDR.replace("/16", "/24"), availability_zone=f"{REGION}a"
    )
    for name in NAMES:
        aws.ecr.Repository(name, name=f"ai-interface/{name}")
    workload = WorkloadIdentity("workload", workload_args(vpc_id=vpc.id, key_arn=operations.key_arn))
    identity = GatewayIdentity(
        "gateway",
        GatewayIdentityArgs.model_validate(
            {
                "environment": "test",
                "region": REGION,
                "account_id": ACCOUNT,
                "vpc_id": vpc.id,
                "client_security_group_id": workload.security_group_id,
                "client_execution_role_name": workload.execution_role_name,
                "image_repository_arns": REPOSITORIES,
                "key_arn": operations.key_arn,
                "tags": TAGS,
            }
        ),
    )
    models = ModelAccess(
        "models",
        models_args(
            groups=[
                group(models=list(MODELS), upstreams=[UPSTREAM]),
                group("embed", models=list(EMBEDDING_MODELS), upstreams=[UPSTREAM], serves=["embeddings"]),
            ],
            task_role_name=workload.task_role_name,
            gateway_role_name=identity.task_role_name,
            security_group_id=workload.security_group_id,
        ),
    )
    PrivateEndpoints(
        "endpoints",
        PrivateEndpointsArgs.model_validate(
            {
                "vpc_id": vpc.id,
                "subnet_ids": [subnet.id],
                "route_table_ids": ["rtb-0123456789abcdef0"],
                "client_security_group_id": workload.security_group_id,
                "region": REGION,
                "account_id": ACCOUNT,
                "execution_role_arn": workload.execution_role_arn,
                "task_role_arn": workload.task_role_arn,
                "gateway_security_group_id": identity.security_group_id,
                "gateway_execution_role_arn": identity.execution_role_arn,
                "gateway_task_role_arn": identity.task_role_arn,
                "gateway_model_statements": models.gateway_statements,
                "model_regions": [REGION],
                "repository_arns": REPOSITORIES,
                "secret_arns": identity.client_secret_arns,
                "log_group_arns": list[str](),
                "gateway_repository_arns": identity.image_repository_arns,
                "gateway_secret_arns": identity.secret_arns,
                "gateway_log_group_arns": identity.log_group_arns,
                "tags": TAGS,
            }
        ),
    )
    GatewayService(
        "gateway-service",
        GatewayServiceArgs.model_validate(
            {
                "environment": "test",
                "region": REGION,
                "release": newest().version,
                "cluster_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/ai-interface-test",
                "cluster_name": "ai-interface-test",
                "models": [
                    GatewayModelArgs(id=model, api=api)
                    for model, api in {**MODELS, **dict.fromkeys(EMBEDDING_MODELS, "embeddings")}.items()
                ],
                "guardrail_id": models.guardrail_ids[REGION],
                "guardrail_version": models.guardrail_versions[REGION],
                "image": image("gateway"),
                "proxy_image": image("proxy"),
                "authority": identity.authority,
                "execution_role_arn": identity.execution_role_arn,
                "task_role_arn": identity.task_role_arn,
                "secret_references": identity.secret_references,
                "log_group_names": identity.log_group_names,
                "registry_arn": identity.registry_arn,
                "subnet_ids": [subnet.id],
                "security_group_id": identity.security_group_id,
                "rollback_alarm_names": ["ai-interface test gateway-failures"],
                "model_idle_seconds": 5,
                "model_deadline_seconds": 20,
                "tags": TAGS,
            }
        ),
    )


@functools.cache
def recording(*, preview: bool = False) -> Recording:
    """The recorded stack."""
    config = {"aws:region": REGION, "aws:allowedAccountIds": f'["{ACCOUNT}"]'}
    # The bootstrap stack of the same name has the roles' boundary.
    return record(program, stack="staging", config=config, preview=preview)


def stack() -> Stack:
    """The stack as the twin reads it."""
    return Stack.of(recording())
