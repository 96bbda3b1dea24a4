"""The gateway and the egress proxy of ``AIInterface``, which exist only with an upstream that needs them."""

from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.egress.component import EgressProxy, EgressProxyArgs
from components.egress.identity import EgressIdentity, EgressIdentityArgs
from components.egress.network import EgressNetwork, EgressNetworkArgs
from components.egress.settings import PORT as EGRESS_PORT
from components.gateway.component import GatewayModelArgs, GatewayService, GatewayServiceArgs
from components.gateway.identity import GatewayIdentity, GatewayIdentityArgs
from components.gateway.settings import PROCESSES, Api
from components.interface.args import AIInterfaceArgs, Making
from components.models.component import ModelAccess
from components.models.iam_documents import EMBEDDINGS, UpstreamKind
from components.monitoring.egress import EgressAlarms, EgressAlarmsArgs
from components.monitoring.gateway import GatewayAlarms, GatewayAlarmsArgs
from components.monitoring.operations import Operations
from components.network.component import PrivateNetwork
from components.network.endpoints import PrivateEndpoints
from components.service.component import InterfaceService
from components.service.scaling import full_percent
from components.service.task_identity import WorkloadIdentity

EGRESS_TASKS = (2, 4)
"""The number of the egress proxy's tasks. A tunnel is copied, not read, so a quarter of a vCPU is enough for many of them."""


@dataclass(frozen=True)
class EgressPart:
    """The egress proxy's identity and subnets."""

    identity: EgressIdentity
    network: EgressNetwork


class Reached(Protocol):
    """The components of the private part that the services need."""

    @property
    def operations(self) -> Operations: ...  # noqa: D102
    @property
    def network(self) -> PrivateNetwork: ...  # noqa: D102
    @property
    def models(self) -> ModelAccess: ...  # noqa: D102
    @property
    def endpoints(self) -> PrivateEndpoints: ...  # noqa: D102
    @property
    def gateway(self) -> GatewayIdentity | None: ...  # noqa: D102
    @property
    def egress(self) -> EgressPart | None: ...  # noqa: D102


@dataclass(frozen=True)
class InternalAlarms:
    """The alarms on gateway and egress proxy, as far as these exist."""

    gateway: GatewayAlarms | None
    egress: EgressAlarms | None


def make_gateway_identity(
    making: Making, network: PrivateNetwork, operations: Operations, workload: WorkloadIdentity
) -> GatewayIdentity | None:
    """Roles, security group, name and secrets of the gateway; ``None`` without one."""
    args = making.args
    if args.gateway is None:
        return None
    return GatewayIdentity(
        f"{making.name}-gateway",
        GatewayIdentityArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            vpc_id=network.vpc_id,
            client_security_group_id=workload.security_group_id,
            client_execution_role_name=workload.execution_role_name,
            image_repository_arns=args.gateway.repository_arns,
            key_arn=operations.key_arn,
            log_retention_days=args.retention.application_log_days,
            tags=args.tags,
        ),
        making.child,
    )


def make_egress_part(
    making: Making, network: PrivateNetwork, operations: Operations, workload: WorkloadIdentity
) -> EgressPart | None:
    """Identity and subnets of the egress proxy; ``None`` without a provider on the internet."""
    args = making.args
    if not args.external_hosts:
        return None
    repositories = args.images.egress_repository_arns
    identity = EgressIdentity(
        f"{making.name}-egress",
        EgressIdentityArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            vpc_id=network.vpc_id,
            client_security_group_id=workload.security_group_id,
            client_execution_role_name=workload.execution_role_name,
            image_repository_arns=args.images.repository_arns if repositories is None else repositories,
            key_arn=operations.key_arn,
            log_retention_days=args.retention.application_log_days,
            tags=args.tags,
        ),
        making.child,
    )
    subnets = EgressNetwork(
        f"{making.name}-egress-network",
        EgressNetworkArgs(
            vpc_id=network.vpc_id,
            cidr_block=args.cidr_block,
            availability_zones=args.availability_zones,
            public_subnet_ids=network.public_subnet_ids,
            port=EGRESS_PORT,
            tags=args.tags,
        ),
        # The subnets depend on the VPC's default network ACL, which the network locks first.
        pulumi.ResourceOptions.merge(making.child, pulumi.ResourceOptions(depends_on=[network])),
    )
    return EgressPart(identity, subnets)


def make_internal_services(making: Making, private: Reached, service: InterfaceService) -> InternalAlarms:
    """The services in the interface's cluster, with their alarms, which roll a deployment back."""
    args, operations = making.args, private.operations
    gateway, egress, endpoints, models = private.gateway, private.egress, private.endpoints, private.models
    gateway_alarms = egress_alarms = None
    if gateway and args.gateway:
        gateway_alarms = GatewayAlarms(
            f"{making.name}-gateway-alarms",
            GatewayAlarmsArgs(
                environment=args.environment,
                cluster_name=service.cluster_name,
                minimum_tasks=args.gateway.minimum_tasks,
                full_cpu_percent=full_percent(args.gateway.cpu_units, PROCESSES),
                pages_together=True,
                alarm_topic_arn=operations.alarm_topic_arn,
                ticket_topic_arn=operations.ticket_topic_arn,
                runbook_url=args.runbook_url,
                tags=args.tags,
            ),
            making.child,
        )
        GatewayService(
            f"{making.name}-gateway-service",
            _gateway_service(args, private, gateway, service, gateway_alarms),
            pulumi.ResourceOptions.merge(making.child, pulumi.ResourceOptions(depends_on=[endpoints, models, gateway])),
        )
    if egress:
        egress_alarms = EgressAlarms(
            f"{making.name}-egress-alarms",
            EgressAlarmsArgs(
                environment=args.environment,
                cluster_name=service.cluster_name,
                minimum_tasks=EGRESS_TASKS[0],
                pages_together=True,
                alarm_topic_arn=operations.alarm_topic_arn,
                ticket_topic_arn=operations.ticket_topic_arn,
                runbook_url=args.runbook_url,
                tags=args.tags,
            ),
            making.child,
        )
        EgressProxy(
            f"{making.name}-egress-proxy",
            _egress_proxy(args, egress, service, egress_alarms),
            pulumi.ResourceOptions.merge(
                making.child, pulumi.ResourceOptions(depends_on=[endpoints, egress.identity, egress.network])
            ),
        )
    return InternalAlarms(gateway_alarms, egress_alarms)


def _gateway_service(
    args: AIInterfaceArgs,
    private: Reached,
    gateway: GatewayIdentity,
    service: InterfaceService,
    alarms: GatewayAlarms,
) -> GatewayServiceArgs:
    chosen, models, network = args.gateway, private.models, private.network
    if chosen is None:
        raise ValueError("gateway is not set: set it with its image")
    return GatewayServiceArgs(
        environment=args.environment,
        region=args.region,
        release=args.images.release,
        cluster_arn=service.cluster_arn,
        cluster_name=service.cluster_name,
        models=_gateway_models(args, chosen.messages_models),
        guardrail_id=models.guardrail_ids[args.region],
        guardrail_version=models.guardrail_versions[args.region],
        image=chosen.image,
        proxy_image=args.images.proxy,
        authority=gateway.authority,
        execution_role_arn=gateway.execution_role_arn,
        task_role_arn=gateway.task_role_arn,
        secret_references=gateway.secret_references,
        log_group_names=gateway.log_group_names,
        registry_arn=gateway.registry_arn,
        subnet_ids=network.private_subnet_ids,
        security_group_id=gateway.security_group_id,
        rollback_alarm_names=alarms.rollback_alarm_names,
        prompt_bytes=args.limits.prompt_bytes,
        model_deadline_seconds=args.timeouts.model_deadline_seconds,
        model_idle_seconds=args.silence_seconds(UpstreamKind.GATEWAY),
        cpu_units=chosen.cpu_units,
        memory_mebibytes=chosen.memory_mebibytes,
        architecture=args.size.architecture,
        minimum_tasks=chosen.minimum_tasks,
        maximum_tasks=chosen.maximum_tasks,
        availability_zones=len(args.availability_zones),
        tags=args.tags,
    )


def _gateway_models(args: AIInterfaceArgs, by_messages: list[str]) -> list[GatewayModelArgs]:
    """Each model of the gateway's groups with the API that it is called by, sorted."""
    found = {
        model: Api.EMBEDDINGS if EMBEDDINGS in group.serves else Api.MESSAGES if model in by_messages else Api.CONVERSE
        for group in args.groups
        if any(one.kind == UpstreamKind.GATEWAY for one in group.upstreams)
        for model in group.models
    }
    return [GatewayModelArgs(id=model, api=api.value) for model, api in sorted(found.items())]


def _egress_proxy(
    args: AIInterfaceArgs, egress: EgressPart, service: InterfaceService, alarms: EgressAlarms
) -> EgressProxyArgs:
    identity, (least, most) = egress.identity, EGRESS_TASKS
    return EgressProxyArgs(
        environment=args.environment,
        region=args.region,
        release=args.images.release,
        cluster_arn=service.cluster_arn,
        cluster_name=service.cluster_name,
        host_names=args.external_hosts,
        proxy_image=args.images.proxy,
        authority=identity.authority,
        execution_role_arn=identity.execution_role_arn,
        task_role_arn=identity.task_role_arn,
        secret_references=identity.secret_references,
        log_group_names=identity.log_group_names,
        registry_arn=identity.registry_arn,
        subnet_ids=egress.network.subnet_ids,
        security_group_id=identity.security_group_id,
        rollback_alarm_names=alarms.rollback_alarm_names,
        model_deadline_seconds=args.timeouts.model_deadline_seconds,
        model_idle_seconds=args.silence_seconds(UpstreamKind.EXTERNAL),
        architecture=args.size.architecture,
        minimum_tasks=least,
        maximum_tasks=most,
        availability_zones=len(args.availability_zones),
        tags=args.tags,
    )
