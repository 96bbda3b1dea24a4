"""The private part of ``AIInterface``: network, identities, models, data and endpoints."""

from dataclasses import dataclass

import pulumi

from components.data.args import DataArgs
from components.data.cache import PORT as CACHE_PORT
from components.data.component import Data, data_domains
from components.data.database import PORT as DATABASE_PORT
from components.data.uploads import UploadsAccess, UploadsAccessArgs
from components.egress.settings import PORT as EGRESS_PORT
from components.egress.settings import host_name as egress_host_name
from components.gateway.identity import GatewayIdentity
from components.gateway.identity import host_name as gateway_host_name
from components.gateway.settings import PORT as GATEWAY_PORT
from components.interface.args import AIInterfaceArgs, Making, listed, merged, together
from components.interface.internal import EgressPart, make_egress_part, make_gateway_identity
from components.models.component import ModelAccess, ModelAccessArgs, SyntheticCallerArgs
from components.models.iam_documents import CHAT, ModelUpstreamArgs, UpstreamKind, bedrock_regions
from components.models.mantle import mantle_regions
from components.monitoring.operations import Operations, OperationsArgs
from components.network.args import PrivateNetworkArgs
from components.network.component import PrivateNetwork
from components.network.dns import allowed_domains
from components.network.endpoint_services import FARGATE_SERVICES
from components.network.endpoints import PrivateEndpoints, PrivateEndpointsArgs, SyntheticClientArgs
from components.network.private_services import PrivateServiceArgs, service_domain
from components.service.task_identity import WorkloadIdentity, WorkloadIdentityArgs
from components.synthetic.identity import SyntheticIdentity, SyntheticIdentityArgs, SyntheticServerArgs

HTTPS = 443


@dataclass(frozen=True)
class _Before:
    """The components that exist before the endpoints."""

    operations: Operations
    network: PrivateNetwork
    workload: WorkloadIdentity
    gateway: GatewayIdentity | None
    """With an upstream of kind ``gateway`` only."""
    egress: EgressPart | None
    """With an upstream of kind ``external`` only."""
    synthetic: SyntheticIdentity | None
    """``None`` without a synthetic chat."""
    models: ModelAccess
    data: Data


@dataclass(frozen=True)
class PrivatePart(_Before):
    """The components of the private part."""

    endpoints: PrivateEndpoints
    uploads: UploadsAccess

    @property
    def secret_references(self) -> pulumi.Output[dict[str, str]]:
        """Secret → ``valueFrom`` of a container: of the task, the stores, the API keys and the client certificates."""
        return merged(self.workload.secret_references, self.data.secret_references, self.model_secret_references)

    @property
    def model_secret_references(self) -> pulumi.Output[dict[str, str]]:
        """The same for API keys and client certificates only: what a caller of models needs."""
        return merged(
            self.models.api_key_references,
            *([self.gateway.secret_references] if self.gateway else []),
            *([self.egress.identity.secret_references] if self.egress else []),
        )


def make_private_part(making: Making) -> PrivatePart:
    """Creates the components in the order in which they need each other."""
    name, args, child = making.name, making.args, making.child
    operations = Operations(
        f"{name}-operations",
        OperationsArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            contact_email=args.contact_email,
            subscriptions=args.subscriptions,
            log_retention_days=args.retention.application_log_days,
            tags=args.tags,
        ),
        child,
    )
    network = PrivateNetwork(f"{name}-network", _network(args, operations), child)
    workload = WorkloadIdentity(
        f"{name}-workload",
        WorkloadIdentityArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            vpc_id=network.vpc_id,
            image_repository_arns=args.images.repository_arns,
            log_group_arns=operations.log_group_arns,
            key_arn=operations.key_arn,
            tags=args.tags,
        ),
        child,
    )
    gateway = make_gateway_identity(making, network, operations, workload)
    egress = make_egress_part(making, network, operations, workload)
    synthetic = _synthetic(making, network, operations, gateway, egress) if args.synthetic_chat.enabled else None
    models = ModelAccess(
        f"{name}-models",
        ModelAccessArgs(
            environment=args.environment,
            account_id=args.account_id,
            groups=args.groups,
            tool_servers=args.tools.upstreams(),
            guardrail=args.guardrail,
            task_role_name=workload.task_role_name,
            gateway_role_name=gateway.task_role_name if gateway else None,
            execution_role_name=workload.execution_role_name,
            region=args.region,
            security_group_id=workload.security_group_id,
            synthetic=SyntheticCallerArgs(
                task_role_name=synthetic.task_role_name,
                execution_role_name=synthetic.execution_role_name,
                security_group_id=synthetic.security_group_id,
            )
            if synthetic
            else None,
            tags=args.tags,
        ),
        child,
    )
    data = Data(f"{name}-state", _data(args, network, operations, workload), child)
    made = _Before(operations, network, workload, gateway, egress, synthetic, models, data)
    endpoints = PrivateEndpoints(f"{name}-endpoints", _endpoints(args, made), child)
    uploads = UploadsAccess(
        f"{name}-uploads",
        UploadsAccessArgs(
            bucket_name=data.bucket_name,
            bucket_arn=data.bucket_arn,
            endpoint_id=endpoints.endpoint_ids["s3"],
            backup_role_arn=data.backup_role_arn,
        ),
        child,
    )
    return PrivatePart(operations, network, workload, gateway, egress, synthetic, models, data, endpoints, uploads)


def _synthetic(
    making: Making,
    network: PrivateNetwork,
    operations: Operations,
    gateway: GatewayIdentity | None,
    egress: EgressPart | None,
) -> SyntheticIdentity:
    args = making.args
    services = [
        *([("gateway", gateway, GATEWAY_PORT)] if gateway else []),
        *([("egress-proxy", egress.identity, EGRESS_PORT)] if egress else []),
    ]
    return SyntheticIdentity(
        f"{making.name}-synthetic",
        SyntheticIdentityArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            vpc_id=network.vpc_id,
            image_repository_arns=args.images.repository_arns,
            servers=[
                SyntheticServerArgs(name=name, security_group_id=service.security_group_id, port=port)
                for name, service, port in services
            ],
            secret_arns=together(*(service.client_secret_arns for _, service, _ in services)) if services else None,
            key_arn=operations.key_arn,
            log_retention_days=args.retention.application_log_days,
            tags=args.tags,
        ),
        making.child,
    )


def _synthetic_client(args: AIInterfaceArgs, synthetic: SyntheticIdentity, models: ModelAccess) -> SyntheticClientArgs:
    return SyntheticClientArgs(
        security_group_id=synthetic.security_group_id,
        execution_role_arn=synthetic.execution_role_arn,
        task_role_arn=synthetic.task_role_arn,
        repository_arns=pulumi.Output.from_input(args.images.repository_arns),
        secret_arns=together(synthetic.secret_arns, models.synthetic_key_arns),
        log_group_arns=synthetic.log_group_arns,
        model_statements=models.synthetic_statements,
        mantle_statements=models.synthetic_mantle_statements,
        private_services=_private_services(
            [
                one
                for group in args.groups
                if CHAT in group.serves
                for one in group.upstreams
                if one.kind == UpstreamKind.PRIVATE
            ]
        ),
    )


def _endpoints(args: AIInterfaceArgs, made: _Before) -> PrivateEndpointsArgs:
    operations, network, workload, models, data = made.operations, made.network, made.workload, made.models, made.data
    gateway, egress = made.gateway, made.egress
    tables = [network.private_route_table_ids, *([egress.network.route_table_ids] if egress else [])]
    return PrivateEndpointsArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids_in(args.endpoint_zones),
        route_table_ids=together(*tables) if egress else network.private_route_table_ids,
        client_security_group_id=workload.security_group_id,
        region=args.region,
        account_id=args.account_id,
        execution_role_arn=workload.execution_role_arn,
        task_role_arn=workload.task_role_arn,
        model_regions=models.regions,
        model_statements=models.statements,
        mantle_regions=models.mantle_regions,
        mantle_statements=models.mantle_statements,
        gateway_security_group_id=gateway.security_group_id if gateway else None,
        gateway_execution_role_arn=gateway.execution_role_arn if gateway else None,
        gateway_task_role_arn=gateway.task_role_arn if gateway else None,
        gateway_repository_arns=gateway.image_repository_arns if gateway else listed([]),
        gateway_secret_arns=gateway.secret_arns if gateway else listed([]),
        gateway_log_group_arns=gateway.log_group_arns if gateway else listed([]),
        gateway_model_statements=models.gateway_statements,
        egress_security_group_id=egress.identity.security_group_id if egress else None,
        egress_execution_role_arn=egress.identity.execution_role_arn if egress else None,
        egress_repository_arns=egress.identity.image_repository_arns if egress else listed([]),
        egress_secret_arns=egress.identity.secret_arns if egress else listed([]),
        egress_log_group_arns=egress.identity.log_group_arns if egress else listed([]),
        repository_arns=pulumi.Output.from_input(args.images.repository_arns),
        secret_arns=together(
            workload.secret_arns,
            data.secret_arns,
            models.api_key_arns,
            *([gateway.client_secret_arns] if gateway else []),
            *([egress.identity.client_secret_arns] if egress else []),
        ),
        synthetic=_synthetic_client(args, made.synthetic, models) if made.synthetic else None,
        private_services=_private_services(_servers(args)),
        bucket_arns=pulumi.Output.all(data.bucket_arn).apply(lambda arns: [str(arn) for arn in arns]),
        log_group_arns=operations.log_group_arns.apply(lambda arns: sorted(arns.values())),
        tags=args.tags,
    )


def _servers(args: AIInterfaceArgs) -> list[ModelUpstreamArgs]:
    """Every server of another team: model, search and tool servers."""
    return [*(one for one in args.upstreams if one.kind == UpstreamKind.PRIVATE), *args.tools.upstreams()]


def _network(args: AIInterfaceArgs, operations: Operations) -> PrivateNetworkArgs:
    """The network, in which only declared names resolve."""
    servers, machine = _servers(args), args.machine_clients
    hosts = {service_domain(one.endpoint_service) if one.endpoint_service else one.host_name for one in servers}
    urls = [args.oidc.token_endpoint, args.oidc.user_info_endpoint, *([machine.jwks_endpoint] if machine else [])]
    hosts |= {url.split("/")[2].split(":")[0] for url in urls}
    ports = {one.port for one in servers}
    if UpstreamKind.GATEWAY in args.kinds:
        hosts.add(gateway_host_name(args.environment))
        ports.add(GATEWAY_PORT)
    if args.external_hosts:
        hosts |= {*args.external_hosts, egress_host_name(args.environment)}
    return PrivateNetworkArgs(
        cidr_block=args.cidr_block,
        availability_zones=args.availability_zones,
        flow_log_retention_days=args.retention.flow_log_days,
        allowed_domains=allowed_domains(
            region=args.region,
            account_id=args.account_id,
            services=FARGATE_SERVICES,
            model_regions=bedrock_regions(args.groups),
            mantle_regions=mantle_regions(args.groups),
            hosts=sorted(hosts | set(data_domains(args.region))),
        ),
        account_id=args.account_id,
        region=args.region,
        internal_ports=sorted({DATABASE_PORT, CACHE_PORT, *ports} - {HTTPS}),
        egress_port=EGRESS_PORT if args.external_hosts else None,
        log_key_arn=operations.key_arn,
        existing=args.existing_network,
        allow_deletion=args.allow_deletion,
        tags=args.tags,
    )


def _data(
    args: AIInterfaceArgs, network: PrivateNetwork, operations: Operations, workload: WorkloadIdentity
) -> DataArgs:
    return DataArgs(
        environment=args.environment,
        region=args.region,
        account_id=args.account_id,
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids,
        availability_zones=args.availability_zones,
        client_security_group_id=workload.security_group_id,
        task_role_name=workload.task_role_name,
        execution_role_name=workload.execution_role_name,
        log_key_arn=operations.key_arn,
        alarm_topic_arn=operations.ticket_topic_arn,
        log_retention_days=args.retention.application_log_days,
        backup_days=args.retention.backup_days,
        restore_test_months=args.restore_test_months,
        copy_vault_arn=args.copy_vault_arn,
        copy_key_arn=args.copy_key_arn,
        database=args.database,
        cache=args.cache,
        uploads=args.uploads,
        allow_deletion=args.allow_deletion,
        tags=args.tags,
    )


def _private_services(servers: list[ModelUpstreamArgs]) -> list[PrivateServiceArgs]:
    ports: dict[str, set[int]] = {}
    for one in servers:
        if one.endpoint_service:
            ports.setdefault(one.endpoint_service, set()).add(one.port)
    return [PrivateServiceArgs(service_name=name, ports=sorted(used)) for name, used in sorted(ports.items())]
