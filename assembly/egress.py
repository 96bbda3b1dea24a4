"""Arguments of the egress proxy, for stacks with an upstream on the internet."""

from assembly.common import image, longest_silence, repository_arns, tags
from components.egress import (
    EgressIdentity,
    EgressIdentityArgs,
    EgressNetwork,
    EgressNetworkArgs,
    EgressProxyArgs,
)
from components.egress.settings import PORT
from components.models.iam_documents import UpstreamKind
from components.monitoring import EgressAlarms, EgressAlarmsArgs, Operations
from components.network import PrivateNetwork
from components.proxy.settings import ProxyEgress
from components.service import InterfaceService, WorkloadIdentity
from components.service.upstreams import CLIENT_SECRETS
from components.service.upstreams import proxy_egress as egress_of
from releases.manifest import Release
from settings import StackSettings
from settings.upstreams import internet_host

EGRESS_SECRETS = CLIENT_SECRETS[UpstreamKind.EXTERNAL]
"""The variables of the interface's proxy with the certificate that it shows to the egress proxy."""
TASKS = range(2, 5)
"""The number of the egress proxy's tasks. A tunnel is copied, not read, so a quarter of a vCPU is enough for many of them."""


def external_hosts(settings: StackSettings) -> list[str]:
    """The hosts of the declared providers on the internet, sorted; empty for a stack without one."""
    return sorted(
        {
            host
            for group in settings.models.groups
            for upstream in group.upstreams
            if (host := internet_host(upstream)) is not None
        }
    )


def egress_network(settings: StackSettings, network: PrivateNetwork) -> EgressNetworkArgs | None:
    """Subnets and NAT gateways; ``None`` for a stack without a provider on the internet."""
    if not external_hosts(settings):
        return None
    return EgressNetworkArgs(
        vpc_id=network.vpc_id,
        cidr_block=str(settings.network.cidr_block),
        availability_zones=list(settings.network.availability_zones),
        public_subnet_ids=network.public_subnet_ids,
        port=PORT,
        tags=tags(settings),
    )


def egress_identity(
    settings: StackSettings, *, network: PrivateNetwork, operations: Operations, workload: WorkloadIdentity
) -> EgressIdentityArgs | None:
    """Roles, security group, name and secrets; ``None`` for a stack without a provider on the internet."""
    if not external_hosts(settings):
        return None
    return EgressIdentityArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        client_security_group_id=workload.security_group_id,
        client_execution_role_name=workload.execution_role_name,
        image_repository_arns=repository_arns(settings, "proxy"),
        key_arn=operations.key_arn,
        log_retention_days=settings.retention.application_log_days,
        tags=tags(settings),
    )


def egress_alarms(
    settings: StackSettings, egress: EgressIdentity | None, service: InterfaceService, operations: Operations
) -> EgressAlarmsArgs | None:
    """Alarms on the egress proxy; ``None`` for a stack without one."""
    if egress is None:
        return None
    return EgressAlarmsArgs(
        environment=settings.environment,
        cluster_name=service.cluster_name,
        minimum_tasks=TASKS[0],
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def egress_proxy(
    settings: StackSettings,
    release: Release,
    *,
    network: EgressNetwork,
    egress: EgressIdentity,
    service: InterfaceService,
    alarms: EgressAlarms,
) -> EgressProxyArgs:
    """The task definition and the service, in the interface's cluster."""
    return EgressProxyArgs(
        environment=settings.environment,
        region=settings.region,
        release=release.version,
        cluster_arn=service.cluster_arn,
        cluster_name=service.cluster_name,
        host_names=external_hosts(settings),
        proxy_image=image(settings, release, "proxy"),
        authority=egress.authority,
        execution_role_arn=egress.execution_role_arn,
        task_role_arn=egress.task_role_arn,
        secret_references=egress.secret_references,
        log_group_names=egress.log_group_names,
        registry_arn=egress.registry_arn,
        subnet_ids=network.subnet_ids,
        security_group_id=egress.security_group_id,
        rollback_alarm_names=alarms.rollback_alarm_names,
        model_deadline_seconds=settings.limits.timeouts.model_deadline_seconds,
        model_idle_seconds=longest_silence(settings, internet_host),
        architecture=settings.capacity.architecture.value,
        minimum_tasks=TASKS[0],
        maximum_tasks=TASKS[-1],
        availability_zones=len(settings.network.availability_zones),
        tags=tags(settings),
    )


def proxy_egress(settings: StackSettings, authority: str) -> ProxyEgress | None:
    """How the interface's proxy finds and trusts the egress proxy, whose CA is ``authority``."""
    if not external_hosts(settings):
        return None
    return egress_of(settings.environment, authority)
