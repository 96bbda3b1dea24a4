"""Arguments of the synthetic chat, for stacks that have not opted out of it."""

from typing import Any

import pulumi

from assembly.common import image, repository_arns, tags, together
from assembly.egress import EGRESS_SECRETS
from assembly.model_keys import key_secrets
from assembly.private import private_services
from assembly.task import GATEWAY_SECRETS, preset, proxy
from assembly.tools import model_servers
from components.edge import Edge
from components.egress import EgressIdentity
from components.egress.settings import PORT as EGRESS_PORT
from components.gateway import GatewayIdentity
from components.gateway.settings import PORT as GATEWAY_PORT
from components.models import ModelAccess
from components.models.component import SyntheticCallerArgs
from components.monitoring import Operations, SyntheticAlarmsArgs
from components.network import PrivateEndpoints, PrivateNetwork
from components.network.endpoints import SyntheticClientArgs
from components.proxy import model_arguments
from components.service import InterfaceService
from components.synthetic import (
    SyntheticChatArgs,
    SyntheticGroupArgs,
    SyntheticIdentity,
    SyntheticIdentityArgs,
    SyntheticScheduleArgs,
    SyntheticServerArgs,
)
from components.synthetic.asking import asking
from releases.manifest import Release
from settings import StackSettings
from settings.models import ModelGroup


def synthetic_identity(
    settings: StackSettings,
    *,
    network: PrivateNetwork,
    operations: Operations,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None,
) -> SyntheticIdentityArgs | None:
    """Roles, security group and log groups; ``None`` without a synthetic chat."""
    if not settings.objectives.synthetic_chat.enabled:
        return None
    services = [
        (
            service.client_secret_arns,
            SyntheticServerArgs(name=name, security_group_id=service.security_group_id, port=port),
        )
        for name, service, port in (("gateway", gateway, GATEWAY_PORT), ("egress-proxy", egress, EGRESS_PORT))
        if service is not None
    ]
    return SyntheticIdentityArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        image_repository_arns=repository_arns(settings),
        servers=[server for _, server in services],
        secret_arns=together(*(arns for arns, _ in services)) if services else None,
        key_arn=operations.key_arn,
        log_retention_days=settings.retention.application_log_days,
        tags=tags(settings),
    )


def synthetic_caller(synthetic: SyntheticIdentity | None) -> SyntheticCallerArgs | None:
    """The synthetic chat as a caller of models."""
    if synthetic is None:
        return None
    return SyntheticCallerArgs(
        task_role_name=synthetic.task_role_name,
        execution_role_name=synthetic.execution_role_name,
        security_group_id=synthetic.security_group_id,
    )


def synthetic_client(
    settings: StackSettings, synthetic: SyntheticIdentity | None, models: ModelAccess
) -> SyntheticClientArgs | None:
    """The synthetic chat as a client of the endpoints."""
    if synthetic is None:
        return None
    return SyntheticClientArgs(
        security_group_id=synthetic.security_group_id,
        execution_role_arn=synthetic.execution_role_arn,
        task_role_arn=synthetic.task_role_arn,
        repository_arns=pulumi.Output.from_input(repository_arns(settings)),
        secret_arns=together(synthetic.secret_arns, models.synthetic_key_arns),
        log_group_arns=synthetic.log_group_arns,
        model_statements=models.synthetic_statements,
        mantle_statements=models.synthetic_mantle_statements,
        private_services=private_services(model_servers(_asked(settings))),
    )


def synthetic_schedule(settings: StackSettings) -> SyntheticScheduleArgs:
    """How often the chat runs, and how many runs may fail."""
    chosen = settings.objectives.synthetic_chat
    return SyntheticScheduleArgs(
        enabled=chosen.enabled, every_minutes=chosen.every_minutes, failed_runs=chosen.failed_runs
    )


def synthetic_chat(
    settings: StackSettings,
    release: Release,
    *,
    network: PrivateNetwork,
    models: ModelAccess,
    endpoints: PrivateEndpoints,
    edge: Edge,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None,
    service: InterfaceService,
    synthetic: SyntheticIdentity,
) -> SyntheticChatArgs:
    """The task definition and the schedule, in the interface's cluster."""
    chosen = preset(settings)

    def arguments(known: dict[str, Any]) -> list[str]:
        guardrails = {region: (known["ids"][region], known["versions"][region]) for region in known["ids"]}
        whole = proxy(
            settings,
            chosen,
            known["signer"],
            guardrails,
            known["gateway"],
            service_names=known["names"],
            egress_authority=known["egress"],
        )
        return model_arguments(asking(whole))

    return SyntheticChatArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        release=release.version,
        schedule=synthetic_schedule(settings),
        groups=[SyntheticGroupArgs(name=group.name, model=group.models[0]) for group in _asked(settings)],
        interface_image=image(settings, release, "interface"),
        proxy_image=image(settings, release, "proxy"),
        proxy_arguments=pulumi.Output.all(
            signer=edge.load_balancer_arn,
            ids=models.guardrail_ids,
            versions=models.guardrail_versions,
            names=endpoints.private_service_names,
            gateway=gateway.authority if gateway else "",
            egress=egress.authority if egress else "",
        ).apply(arguments),
        proxy_secrets={
            **(GATEWAY_SECRETS if gateway else {}),
            **(EGRESS_SECRETS if egress else {}),
            **key_secrets(settings, [group.name for group in _asked(settings)]),
        },
        secret_references=pulumi.Output.all(
            models.api_key_references,
            *([gateway.secret_references] if gateway else []),
            *([egress.secret_references] if egress else []),
        ).apply(lambda known: {name: reference for references in known for name, reference in references.items()}),
        execution_role_arn=synthetic.execution_role_arn,
        task_role_arn=synthetic.task_role_arn,
        log_group_names=synthetic.log_group_names,
        cluster_arn=service.cluster_arn,
        cluster_name=service.cluster_name,
        subnet_ids=network.private_subnet_ids,
        security_group_id=synthetic.security_group_id,
        architecture=settings.capacity.architecture.value,
        tags=tags(settings),
    )


def synthetic_alarms(
    settings: StackSettings, synthetic: SyntheticIdentity | None, operations: Operations
) -> SyntheticAlarmsArgs | None:
    """Alarms on the synthetic chat; ``None`` without one."""
    if synthetic is None:
        return None
    return SyntheticAlarmsArgs(
        environment=settings.environment,
        schedule=synthetic_schedule(settings),
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def _asked(settings: StackSettings) -> list[ModelGroup]:
    """The groups that answer chats."""
    return [group for group in settings.models.groups if "chat" in group.serves]
