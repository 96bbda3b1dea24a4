"""Arguments of the private part: network, endpoints, task identity, models and operations."""

from collections.abc import Iterable, Mapping
from typing import assert_never

import pulumi

from assembly.alerts import alert_channels, alert_subscriptions
from assembly.common import repository_arns, tags, together
from assembly.egress import external_hosts
from assembly.existing import existing_network
from assembly.model_keys import look_up_keys
from assembly.tools import private_servers
from components.data import Data
from components.data.cache import PORT as CACHE_PORT
from components.data.component import data_domains
from components.data.database import PORT as DATABASE_PORT
from components.egress import EgressIdentity, EgressNetwork
from components.egress.settings import PORT as EGRESS_PORT
from components.egress.settings import host_name as egress_host_name
from components.gateway import GatewayIdentity
from components.gateway.identity import host_name as gateway_host_name
from components.gateway.settings import PORT as GATEWAY_PORT
from components.models import (
    GuardrailArgs,
    ModelAccess,
    ModelAccessArgs,
    ModelGroupArgs,
    ModelKeyArgs,
    ModelUpstreamArgs,
    PromptRecordingArgs,
)
from components.models.component import SyntheticCallerArgs
from components.models.iam_documents import UpstreamKind
from components.monitoring import ModelAlarmsArgs, Operations, OperationsArgs
from components.network import (
    PrivateEndpointsArgs,
    PrivateNetwork,
    PrivateNetworkArgs,
    PrivateServiceArgs,
)
from components.network.dns import allowed_domains
from components.network.endpoint_services import FARGATE_SERVICES
from components.network.endpoints import SyntheticClientArgs
from components.network.private_services import service_domain
from components.service import WorkloadIdentity, WorkloadIdentityArgs
from releases.prompts import Prompts
from settings import StackSettings
from settings.upstreams import (
    BedrockUpstream,
    ExternalUpstream,
    GatewayUpstream,
    MantleUpstream,
    PrivateServer,
    PrivateUpstream,
    Upstream,
)

HTTPS = 443


def operations(settings: StackSettings) -> OperationsArgs:
    """Key, log groups and the topics of alarms."""
    return OperationsArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        contact_email=settings.owner.contact,
        subscriptions=alert_subscriptions(settings),
        slack_channels=alert_channels(settings),
        log_retention_days=settings.retention.application_log_days,
        tags=tags(settings),
    )


def network(settings: StackSettings, operations: Operations) -> PrivateNetworkArgs:
    """The private network, in which only declared names resolve."""
    chosen, identity = settings.network, settings.identity
    model_regions: set[str] = set()
    mantle_regions: set[str] = set()
    model_hosts: set[str] = set()
    model_ports: set[int] = set()
    for upstream in (upstream for group in settings.models.groups for upstream in group.upstreams):
        match upstream:
            case BedrockUpstream():
                model_regions.add(upstream.region)
            case MantleUpstream():
                mantle_regions.add(upstream.region)
            case GatewayUpstream():
                model_regions.add(upstream.region)
                model_hosts.add(gateway_host_name(settings.environment))
                model_ports.add(GATEWAY_PORT)
            case PrivateUpstream():
                pass
            case ExternalUpstream():
                model_hosts |= {upstream.host_name, egress_host_name(settings.environment)}
            case _:
                assert_never(upstream)
    for server in private_servers(settings):
        service = server.endpoint_service
        model_hosts.add(server.host_name if service is None else service_domain(service))
        model_ports.add(server.port)
    identity_hosts = [
        str(url).split("/")[2].split(":")[0]
        for url in (
            identity.token_endpoint,
            identity.user_info_endpoint,
            *([identity.machine_clients.jwks_endpoint] if identity.machine_clients else []),
        )
    ]
    return PrivateNetworkArgs(
        cidr_block=str(chosen.cidr_block),
        availability_zones=list(chosen.availability_zones),
        flow_log_retention_days=settings.retention.flow_log_days,
        allowed_domains=allowed_domains(
            region=settings.region,
            account_id=settings.account_id,
            services=FARGATE_SERVICES,
            model_regions=sorted(model_regions),
            mantle_regions=sorted(mantle_regions),
            hosts=sorted({*identity_hosts, *data_domains(settings.region), *model_hosts}),
        ),
        account_id=settings.account_id,
        region=settings.region,
        internal_ports=sorted({DATABASE_PORT, CACHE_PORT, *model_ports} - {HTTPS}),
        egress_port=EGRESS_PORT if external_hosts(settings) else None,
        log_key_arn=operations.key_arn,
        existing=existing_network(chosen.existing, settings.environment) if chosen.existing else None,
        allow_deletion=settings.allow_deletion,
        tags=tags(settings),
    )


def workload(settings: StackSettings, network: PrivateNetwork, operations: Operations) -> WorkloadIdentityArgs:
    """The task's roles, security group and secrets."""
    return WorkloadIdentityArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        image_repository_arns=repository_arns(settings),
        log_group_arns=operations.log_group_arns,
        key_arn=operations.key_arn,
        tags=tags(settings),
    )


def models(
    settings: StackSettings,
    prompts: Prompts,
    workload: WorkloadIdentity,
    gateway: GatewayIdentity | None,
    synthetic: SyntheticCallerArgs | None = None,
) -> ModelAccessArgs:
    """Access to the declared model groups, with the release's guardrail."""
    guardrail, keys = prompts.guardrail, look_up_keys(settings)
    return ModelAccessArgs(
        environment=settings.environment,
        account_id=settings.account_id,
        groups=_model_groups(settings, keys),
        tool_servers=[_private_server(server, keys) for _, server in settings.tools.located()],
        guardrail=GuardrailArgs(
            content_strength=guardrail.content_strength.value,
            prompt_attack_strength=guardrail.prompt_attack_strength.value,
            blocked_entities=list(guardrail.blocked_entities),
            masked_entities=list(guardrail.masked_entities),
            blocked_prompt_message=guardrail.blocked_prompt_message,
            blocked_answer_message=guardrail.blocked_answer_message,
        ),
        task_role_name=workload.task_role_name,
        gateway_role_name=gateway.task_role_name if gateway else None,
        execution_role_name=workload.execution_role_name,
        region=settings.region,
        security_group_id=workload.security_group_id,
        synthetic=synthetic,
        tags=tags(settings),
    )


def prompt_recording(settings: StackSettings) -> PromptRecordingArgs | None:
    """The recording of prompts and answers; ``None`` if the settings do not enable it."""
    chosen = settings.models.record_prompts
    if chosen is None:
        return None
    return PromptRecordingArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        record_prompts_for_days=chosen.days,
        reader_arns=list(chosen.reader_arns),
        tags=tags(settings),
    )


def model_alarms(settings: StackSettings, operations: Operations) -> ModelAlarmsArgs:
    """Alarms on the models' token use, throttling and cost."""
    return ModelAlarmsArgs(
        environment=settings.environment,
        region=settings.region,
        groups=_model_groups(settings, {}),
        tokens_per_hour=settings.models.tokens_per_hour,
        quota_tokens_per_minute=settings.models.quota_tokens_per_minute,
        monthly_budget_usd=settings.models.monthly_budget_usd,
        billed_services=list(settings.models.billed_services),
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def _model_groups(settings: StackSettings, keys: Mapping[str, ModelKeyArgs]) -> list[ModelGroupArgs]:
    """The groups. ``keys``: API keys as the settings name them; empty for a component that does not need them."""
    return [
        ModelGroupArgs(
            name=group.name,
            models=list(group.models),
            upstreams=[_model_upstream(upstream, keys) for upstream in group.upstreams],
            serves=list(group.serves),
        )
        for group in settings.models.groups
    ]


def _model_upstream(upstream: Upstream, keys: Mapping[str, ModelKeyArgs]) -> ModelUpstreamArgs:
    match upstream:
        case BedrockUpstream() | GatewayUpstream():
            return ModelUpstreamArgs(
                kind=upstream.kind,
                region=upstream.region,
                destination_regions=list(upstream.destination_regions),
            )
        case MantleUpstream():
            return ModelUpstreamArgs(kind=upstream.kind, region=upstream.region)
        case PrivateUpstream():
            return _private_server(upstream, keys)
        case ExternalUpstream():
            return ModelUpstreamArgs(
                kind=upstream.kind, host_name=upstream.host_name, api_key=keys.get(upstream.api_key_secret)
            )
        case _:
            assert_never(upstream)


def _private_server(server: PrivateServer, keys: Mapping[str, ModelKeyArgs]) -> ModelUpstreamArgs:
    return ModelUpstreamArgs(
        kind=UpstreamKind.PRIVATE,  # tool servers too, which have no kind
        host_name=server.host_name,
        port=server.port,
        security_group_id=server.security_group_id or "",
        endpoint_service=server.endpoint_service or "",
        api_key=keys.get(server.api_key_secret or ""),
    )


def private_services(servers: Iterable[PrivateServer]) -> list[PrivateServiceArgs]:
    """The endpoint services of these servers, each with the ports of all of its servers."""
    ports: dict[str, set[int]] = {}
    for server in servers:
        if server.endpoint_service is not None:
            ports.setdefault(server.endpoint_service, set()).add(server.port)
    return [PrivateServiceArgs(service_name=name, ports=sorted(used)) for name, used in sorted(ports.items())]


def endpoints(
    settings: StackSettings,
    *,
    network: PrivateNetwork,
    operations: Operations,
    workload: WorkloadIdentity,
    models: ModelAccess,
    data: Data,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None = None,
    egress_network: EgressNetwork | None = None,
    synthetic: SyntheticClientArgs | None = None,
) -> PrivateEndpointsArgs:
    """The VPC endpoints: those that Fargate needs, Bedrock in each declared region, and S3 for the bucket of
    uploads."""
    return PrivateEndpointsArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids_in(settings.network.endpoint_zones),
        route_table_ids=together(
            network.private_route_table_ids, *([egress_network.route_table_ids] if egress_network else [])
        )
        if egress_network
        else network.private_route_table_ids,
        client_security_group_id=workload.security_group_id,
        region=settings.region,
        account_id=settings.account_id,
        execution_role_arn=workload.execution_role_arn,
        task_role_arn=workload.task_role_arn,
        model_regions=models.regions,
        model_statements=models.statements,
        mantle_regions=models.mantle_regions,
        mantle_statements=models.mantle_statements,
        gateway_security_group_id=gateway.security_group_id if gateway else None,
        gateway_execution_role_arn=gateway.execution_role_arn if gateway else None,
        gateway_task_role_arn=gateway.task_role_arn if gateway else None,
        gateway_repository_arns=gateway.image_repository_arns if gateway else _listed([]),
        gateway_secret_arns=gateway.secret_arns if gateway else _listed([]),
        gateway_log_group_arns=gateway.log_group_arns if gateway else _listed([]),
        gateway_model_statements=models.gateway_statements,
        egress_security_group_id=egress.security_group_id if egress else None,
        egress_execution_role_arn=egress.execution_role_arn if egress else None,
        egress_repository_arns=egress.image_repository_arns if egress else _listed([]),
        egress_secret_arns=egress.secret_arns if egress else _listed([]),
        egress_log_group_arns=egress.log_group_arns if egress else _listed([]),
        synthetic=synthetic,
        repository_arns=_listed(repository_arns(settings)),
        secret_arns=together(
            workload.secret_arns,
            data.secret_arns,
            models.api_key_arns,
            *([gateway.client_secret_arns] if gateway else []),
            *([egress.client_secret_arns] if egress else []),
        ),
        private_services=private_services(private_servers(settings)),
        bucket_arns=pulumi.Output.all(data.bucket_arn).apply(lambda arns: [str(arn) for arn in arns]),
        log_group_arns=operations.log_group_arns.apply(lambda arns: sorted(arns.values())),
        tags=tags(settings),
    )


def _listed(values: list[str]) -> pulumi.Output[list[str]]:
    return pulumi.Output.from_input(values)
