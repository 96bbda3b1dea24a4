"""Arguments of the gateway to models, for stacks with an upstream of kind ``gateway``."""

from assembly.common import MEBIBYTE, image, longest_silence, repository_arns, tags
from components.gateway import GatewayIdentity, GatewayIdentityArgs, GatewayModelArgs, GatewayServiceArgs
from components.gateway.settings import PROCESSES, Api
from components.models import ModelAccess
from components.monitoring import GatewayAlarms, GatewayAlarmsArgs, Operations
from components.network import PrivateNetwork
from components.service import InterfaceService, WorkloadIdentity
from components.service.scaling import full_percent
from releases.manifest import Release
from settings import Problem, StackSettings
from settings.stack import PREFIX, refused
from settings.upstreams import calls_gateway

IMAGE = "gateway"


def uses_gateway(settings: StackSettings) -> bool:
    """Whether an upstream is the gateway."""
    return any(calls_gateway(one) for group in settings.models.groups for one in group.upstreams)


def gateway_identity(
    settings: StackSettings,
    release: Release,
    *,
    network: PrivateNetwork,
    operations: Operations,
    workload: WorkloadIdentity,
) -> GatewayIdentityArgs | None:
    """Roles, security group, name and secrets; ``None`` for a stack without a gateway. Raises ``SettingsError`` if the
    release has no image for it."""
    if not uses_gateway(settings):
        return None
    if IMAGE not in release.images:
        problem = Problem(
            f"{PREFIX}release",
            release.version,
            f"a release with an image named {IMAGE}, because an upstream is of kind gateway",
            f"add images.{IMAGE} to a new release (docs/releases.md), or use another kind of upstream",
        )
        raise refused(settings.environment, [problem])
    return GatewayIdentityArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        client_security_group_id=workload.security_group_id,
        client_execution_role_name=workload.execution_role_name,
        image_repository_arns=repository_arns(settings, IMAGE, "proxy"),
        key_arn=operations.key_arn,
        log_retention_days=settings.retention.application_log_days,
        tags=tags(settings),
    )


def gateway_alarms(
    settings: StackSettings, gateway: GatewayIdentity | None, service: InterfaceService, operations: Operations
) -> GatewayAlarmsArgs | None:
    """Alarms on the gateway; ``None`` for a stack without one."""
    if gateway is None:
        return None
    return GatewayAlarmsArgs(
        environment=settings.environment,
        cluster_name=service.cluster_name,
        minimum_tasks=settings.models.gateway.minimum_tasks,
        full_cpu_percent=full_percent(settings.models.gateway.cpu_units, PROCESSES),
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def gateway_service(
    settings: StackSettings,
    release: Release,
    *,
    network: PrivateNetwork,
    models: ModelAccess,
    gateway: GatewayIdentity,
    service: InterfaceService,
    alarms: GatewayAlarms,
) -> GatewayServiceArgs:
    """The task definition and the service, in the interface's cluster."""
    chosen, limits = settings.models.gateway, settings.limits
    return GatewayServiceArgs(
        environment=settings.environment,
        region=settings.region,
        release=release.version,
        cluster_arn=service.cluster_arn,
        cluster_name=service.cluster_name,
        models=_models(settings),
        guardrail_id=models.guardrail_ids[settings.region],
        guardrail_version=models.guardrail_versions[settings.region],
        image=image(settings, release, IMAGE),
        proxy_image=image(settings, release, "proxy"),
        authority=gateway.authority,
        execution_role_arn=gateway.execution_role_arn,
        task_role_arn=gateway.task_role_arn,
        secret_references=gateway.secret_references,
        log_group_names=gateway.log_group_names,
        registry_arn=gateway.registry_arn,
        subnet_ids=network.private_subnet_ids,
        security_group_id=gateway.security_group_id,
        rollback_alarm_names=alarms.rollback_alarm_names,
        prompt_bytes=limits.prompt_mebibytes * MEBIBYTE,
        model_deadline_seconds=limits.timeouts.model_deadline_seconds,
        model_idle_seconds=longest_silence(settings, calls_gateway),
        cpu_units=chosen.cpu_units,
        memory_mebibytes=chosen.memory_mebibytes,
        architecture=settings.capacity.architecture.value,
        minimum_tasks=chosen.minimum_tasks,
        maximum_tasks=chosen.maximum_tasks,
        availability_zones=len(settings.network.availability_zones),
        tags=tags(settings),
    )


def _models(settings: StackSettings) -> list[GatewayModelArgs]:
    """Each model of the gateway's groups with the API that it is called by, sorted."""
    found = {
        model: Api.EMBEDDINGS
        if "embeddings" in group.serves
        else Api.MESSAGES
        if model in settings.models.gateway.messages_models
        else Api.CONVERSE
        for group in settings.models.groups
        if any(calls_gateway(one) for one in group.upstreams)
        for model in group.models
    }
    return [GatewayModelArgs(id=model, api=api.value) for model, api in sorted(found.items())]
