"""From settings and a release to the arguments of each component: names and units are translated here, once.

Components know nothing of settings, settings nothing of components. Every function takes what it needs and returns
arguments; none makes a resource. What is worth deciding (which paths are offered, which services have an endpoint) is
decided in the components' own tables.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.alarms import EdgeAlarmsArgs, ServiceAlarmsArgs
from components.compute import InterfaceService, InterfaceServiceArgs
from components.edge import Edge
from components.edge_args import EdgeArgs, MachineClientsArgs, OidcArgs, TokenClaimArgs
from components.endpoint_services import FARGATE_SERVICES
from components.endpoints import PrivateEndpointsArgs
from components.firewall import Firewall
from components.firewall_args import FirewallArgs, FirewallLimitsArgs
from components.model_policies import ModelGroupArgs, ModelUpstreamArgs
from components.models import ModelAccess, ModelAccessArgs
from components.network import ExistingNetworkArgs, PrivateNetwork, PrivateNetworkArgs
from components.network_dns import allowed_domains
from components.operations import Operations, OperationsArgs
from components.presets import OpenWebuiSettings, Preset, open_webui
from components.proxy import envoy_arguments
from components.proxy_settings import (
    ProxyIdentity,
    ProxyLimits,
    ProxyLogout,
    ProxyModelGroup,
    ProxyPeople,
    ProxySettings,
    ProxyUpstream,
)
from components.workload import WorkloadIdentity, WorkloadIdentityArgs
from releases.manifest import Release
from settings import StackSettings
from settings.identity import People
from settings.sections import BedrockUpstream, PrivateUpstream

MEBIBYTE = 1024 * 1024
REPOSITORY = "ai-interface"
"""Image repositories are ``ai-interface/<image>``; ``bootstrap`` makes them."""


def tags(settings: StackSettings) -> dict[str, str]:
    """What every resource carries. The release is not among them: it would touch the whole stack."""
    return {"owner": settings.owner.team, "environment": settings.environment, "project": REPOSITORY}


def image(settings: StackSettings, release: Release, name: str) -> str:
    """The image's copy, by digest, in the account's own repository."""
    registry = f"{settings.account_id}.dkr.ecr.{settings.region}.amazonaws.com"
    return f"{registry}/{REPOSITORY}/{name}@{release.images[name].digest}"


def operations(settings: StackSettings) -> OperationsArgs:
    """Key, log groups and alarm topic."""
    return OperationsArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        contact_email=settings.owner.contact,
        log_retention_days=settings.retention.application_log_days,
        tags=tags(settings),
    )


def network(settings: StackSettings, operations: Operations) -> PrivateNetworkArgs:
    """The private network, in which only declared names resolve."""
    chosen, identity = settings.network, settings.identity
    upstreams = [upstream for group in settings.models.groups for upstream in group.upstreams]
    identity_hosts = [
        str(url).split("/")[2].split(":")[0] for url in (identity.token_endpoint, identity.user_info_endpoint)
    ]
    existing = chosen.existing
    return PrivateNetworkArgs(
        cidr_block=str(chosen.cidr_block),
        availability_zones=list(chosen.availability_zones),
        flow_log_retention_days=settings.retention.flow_log_days,
        allowed_domains=allowed_domains(
            region=settings.region,
            account_id=settings.account_id,
            services=FARGATE_SERVICES,
            model_regions=sorted({u.region for u in upstreams if isinstance(u, BedrockUpstream)}),
            hosts=sorted({*identity_hosts, *(u.host_name for u in upstreams if isinstance(u, PrivateUpstream))}),
        ),
        account_id=settings.account_id,
        region=settings.region,
        log_key_arn=operations.key_arn,
        existing=ExistingNetworkArgs(
            vpc_id=existing.vpc_id,
            public_subnet_ids=list(existing.public_subnet_ids),
            private_subnet_ids=list(existing.private_subnet_ids),
            private_route_table_ids=list(existing.private_route_table_ids),
        )
        if existing
        else None,
        tags=tags(settings),
    )


def workload(settings: StackSettings, network: PrivateNetwork, operations: Operations) -> WorkloadIdentityArgs:
    """The task's roles, security group and secrets."""
    registry = f"arn:aws:ecr:{settings.region}:{settings.account_id}:repository/{REPOSITORY}"
    return WorkloadIdentityArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        image_repository_arns=[f"{registry}/interface", f"{registry}/proxy"],
        log_group_arns=operations.log_group_arns,
        key_arn=operations.key_arn,
        tags=tags(settings),
    )


def models(settings: StackSettings, workload: WorkloadIdentity) -> ModelAccessArgs:
    """The declared model groups, and nothing else."""
    return ModelAccessArgs(
        environment=settings.environment,
        account_id=settings.account_id,
        groups=[
            ModelGroupArgs(
                name=group.name,
                models=list(group.models),
                upstreams=[
                    ModelUpstreamArgs(kind=upstream.kind, region=upstream.region)
                    if isinstance(upstream, BedrockUpstream)
                    else ModelUpstreamArgs(
                        kind=upstream.kind,
                        host_name=upstream.host_name,
                        port=upstream.port,
                        security_group_id=upstream.security_group_id,
                    )
                    for upstream in group.upstreams
                ],
            )
            for group in settings.models.groups
        ],
        task_role_name=workload.task_role_name,
        security_group_id=workload.security_group_id,
        tags=tags(settings),
    )


def endpoints(
    settings: StackSettings,
    network: PrivateNetwork,
    operations: Operations,
    workload: WorkloadIdentity,
    models: ModelAccess,
) -> PrivateEndpointsArgs:
    """The ways out: what Fargate needs, and Bedrock in each declared region."""
    registry = f"arn:aws:ecr:{settings.region}:{settings.account_id}:repository/{REPOSITORY}"
    return PrivateEndpointsArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids,
        route_table_ids=network.private_route_table_ids,
        client_security_group_id=workload.security_group_id,
        region=settings.region,
        account_id=settings.account_id,
        execution_role_arn=workload.execution_role_arn,
        task_role_arn=workload.task_role_arn,
        model_regions=models.regions,
        model_statements=models.statements,
        repository_arns=pulumi.Output.from_input([f"{registry}/interface", f"{registry}/proxy"]),
        secret_arns=workload.secret_arns,
        log_group_arns=operations.log_group_arns.apply(lambda arns: sorted(arns.values())),
        tags=tags(settings),
    )


def edge(
    settings: StackSettings, network: PrivateNetwork, workload: WorkloadIdentity, client_secret: pulumi.Output[str]
) -> EdgeArgs:
    """The load balancer, where traffic ends and people log in."""
    identity, timeouts, machine = settings.identity, settings.limits.timeouts, settings.identity.machine_clients
    return EdgeArgs(
        vpc_id=network.vpc_id,
        public_subnet_ids=network.public_subnet_ids,
        target_security_group_id=workload.security_group_id,
        account_id=settings.account_id,
        region=settings.region,
        host_names=[settings.domain.host_name],
        hosted_zone_id=settings.domain.hosted_zone_id,
        certificate_arn=settings.domain.certificate_arn,
        oidc=OidcArgs(
            issuer=identity.issuer,
            authorization_endpoint=identity.authorization_endpoint,
            token_endpoint=identity.token_endpoint,
            user_info_endpoint=identity.user_info_endpoint,
            client_id=identity.client_id,
            client_secret=client_secret,
            scopes=list(identity.scopes),
            session_cookie_name=identity.session_cookie_name,
            session_timeout_seconds=identity.session_timeout_seconds,
        ),
        machine_clients=MachineClientsArgs(
            host_name=machine.host_name,
            issuer=machine.issuer,
            jwks_endpoint=machine.jwks_endpoint,
            audience=machine.audience,
            claims=[TokenClaimArgs(name=claim.name, values=list(claim.values)) for claim in machine.claims],
            model_paths=[f"/{group.name}/v1/*" for group in settings.models.groups],
        )
        if machine
        else None,
        idle_timeout_seconds=timeouts.edge_idle_seconds,
        client_keep_alive_seconds=timeouts.client_keep_alive_seconds,
        deregistration_delay_seconds=timeouts.deregistration_delay_seconds,
        access_log_retention_days=settings.retention.edge_access_log_days,
        tags=tags(settings),
    )


def firewall(settings: StackSettings, edge: Edge, operations: Operations) -> FirewallArgs:
    """Sizes, rates and forged headers, in front of the edge."""
    limits, chosen = settings.limits, preset(settings)
    return FirewallArgs(
        load_balancer_arn=edge.load_balancer_arn,
        account_id=settings.account_id,
        region=settings.region,
        limits=FirewallLimitsArgs(
            prompt_bytes=limits.prompt_mebibytes * MEBIBYTE,
            upload_bytes=limits.upload_mebibytes * MEBIBYTE,
            cookie_bytes=limits.cookie_bytes,
            header_bytes=limits.header_bytes,
            query_bytes=limits.query_bytes,
            uri_bytes=limits.uri_bytes,
            pages_per_five_minutes=limits.rates.pages_per_five_minutes,
            uploads_per_five_minutes=limits.rates.uploads_per_five_minutes,
            model_calls_per_five_minutes=limits.rates.model_calls_per_five_minutes,
        ),
        upload_paths=list(chosen.proxy.upload_path_prefixes),
        trusted_headers=sorted(
            {
                "x-amzn-oidc-accesstoken",
                "x-amzn-oidc-data",
                "x-amzn-oidc-identity",
                chosen.headers.email,
                chosen.headers.name,
                chosen.headers.role,
            }
        ),
        session_cookie_name=settings.identity.session_cookie_name,
        protected_cookies=list(chosen.proxy.session_cookie_names),
        log_retention_days=settings.retention.firewall_log_days,
        log_key_arn=operations.key_arn,
        tags=tags(settings),
    )


def preset(settings: StackSettings) -> Preset:
    """The application: Open WebUI."""
    port = ProxySettings.model_port
    return open_webui(
        OpenWebuiSettings(
            origin=f"https://{settings.domain.host_name}",
            model_base_urls=[f"http://127.0.0.1:{port}/{group.name}/v1" for group in settings.models.groups],
            session_seconds=settings.identity.session_timeout_seconds,
            upload_mebibytes=settings.limits.upload_mebibytes,
            model_deadline_seconds=settings.limits.timeouts.model_deadline_seconds,
        )
    )


def proxy(
    settings: StackSettings, preset: Preset, signer_arn: str, guardrails: Mapping[str, tuple[str, str]]
) -> ProxySettings:
    """The proxy's settings; ``guardrails`` is region → guardrail id and version."""
    identity, limits, times = settings.identity, settings.limits, settings.limits.timeouts
    return ProxySettings(
        host_names=(settings.domain.host_name,),
        identity=ProxyIdentity(
            signer_arn=signer_arn,
            client_id=identity.client_id,
            issuer=identity.issuer,
            allowed=_people(identity.allowed),
            administrators=_people(identity.administrators),
            contact=settings.owner.contact,
            email_header=preset.headers.email,
            name_header=preset.headers.name,
            role_header=preset.headers.role,
            administrator_role=preset.headers.administrator_role,
            member_role=preset.headers.member_role,
        ),
        limits=ProxyLimits(
            prompt_bytes=limits.prompt_mebibytes * MEBIBYTE,
            upload_bytes=limits.upload_mebibytes * MEBIBYTE,
            header_bytes=limits.header_bytes,
            request_headers_seconds=times.request_headers_seconds,
            request_body_seconds=times.request_body_seconds,
            idle_seconds=times.edge_idle_seconds,
            keep_alive_seconds=times.keep_alive_seconds,
            stream_seconds=times.stream_seconds,
            websocket_seconds=identity.session_timeout_seconds,
            model_deadline_seconds=times.model_deadline_seconds,
        ),
        application=preset.proxy,
        logout=ProxyLogout(
            edge_cookie_name=identity.session_cookie_name, redirect_url=identity.end_session_endpoint or ""
        ),
        model_groups=tuple(
            ProxyModelGroup(
                name=group.name,
                models=group.models,
                upstreams=tuple(_upstream(group.name, upstream, guardrails) for upstream in group.upstreams),
            )
            for group in settings.models.groups
        ),
        machine_host_names=(identity.machine_clients.host_name,) if identity.machine_clients else (),
    )


def _people(people: People) -> ProxyPeople:
    return ProxyPeople(
        claim_name=people.claim.name if people.claim else "",
        claim_values=people.claim.values if people.claim else (),
        email_domains=people.email_domains,
        emails=people.emails,
    )


def _upstream(
    group: str, upstream: BedrockUpstream | PrivateUpstream, guardrails: Mapping[str, tuple[str, str]]
) -> ProxyUpstream:
    if isinstance(upstream, PrivateUpstream):
        return ProxyUpstream(
            name=f"{group}-{upstream.host_name}",
            host_name=upstream.host_name,
            port=upstream.port,
            ca_certificate=upstream.ca_certificate,
        )
    identifier, version = guardrails[upstream.region]
    return ProxyUpstream(
        name=f"{group}-bedrock-{upstream.region}",
        host_name=f"bedrock-runtime.{upstream.region}.amazonaws.com",
        path_prefix="/openai/v1",
        signing_region=upstream.region,
        headers=(
            ("x-amzn-bedrock-guardrailidentifier", identifier),
            ("x-amzn-bedrock-guardrailversion", version),
        ),
    )


def service(
    settings: StackSettings,
    release: Release,
    *,
    network: PrivateNetwork,
    operations: Operations,
    workload: WorkloadIdentity,
    models: ModelAccess,
    edge: Edge,
    rollback_alarm_names: pulumi.Output[list[str]],
) -> InterfaceServiceArgs:
    """The task and the service that keeps it running."""
    chosen, capacity, times = preset(settings), settings.capacity, settings.limits.timeouts

    def arguments(known: list[Any]) -> list[str]:
        signer, ids, versions = known
        return envoy_arguments(
            proxy(settings, chosen, signer, {region: (ids[region], versions[region]) for region in ids})
        )

    return InterfaceServiceArgs(
        environment=settings.environment,
        region=settings.region,
        release=release.version,
        application=chosen.application,
        interface_image=image(settings, release, "interface"),
        proxy_image=image(settings, release, "proxy"),
        proxy_arguments=pulumi.Output.all(
            edge.load_balancer_arn, models.guardrail_ids, models.guardrail_versions
        ).apply(arguments),
        execution_role_arn=workload.execution_role_arn,
        task_role_arn=workload.task_role_arn,
        secret_references=workload.secret_references,
        log_group_names=operations.log_group_names,
        log_retention_days=settings.retention.application_log_days,
        key_arn=operations.key_arn,
        subnet_ids=network.private_subnet_ids,
        security_group_id=workload.security_group_id,
        target_group_arn=edge.target_group_arn,
        load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
        target_group_arn_suffix=edge.target_group_arn_suffix,
        rollback_alarm_names=rollback_alarm_names,
        cpu_units=capacity.cpu_units,
        memory_mebibytes=capacity.memory_mebibytes,
        ephemeral_gibibytes=capacity.ephemeral_gibibytes,
        architecture=capacity.architecture.value,
        minimum_tasks=capacity.minimum_tasks,
        maximum_tasks=capacity.maximum_tasks,
        deregistration_delay_seconds=times.deregistration_delay_seconds,
        stop_seconds=times.stop_seconds,
        tags=tags(settings),
    )


def edge_alarms(settings: StackSettings, edge: Edge, firewall: Firewall, operations: Operations) -> EdgeAlarmsArgs:
    """Alarms on what comes in."""
    return EdgeAlarmsArgs(
        environment=settings.environment,
        load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
        target_group_arn_suffix=edge.target_group_arn_suffix,
        firewall_metric_name=firewall.web_acl_name,
        region=settings.region,
        alarm_topic_arn=operations.alarm_topic_arn,
        runbook_url=settings.owner.on_call,
        tags=tags(settings),
    )


def service_alarms(settings: StackSettings, service: InterfaceService, operations: Operations) -> ServiceAlarmsArgs:
    """Alarms on the service itself."""
    return ServiceAlarmsArgs(
        environment=settings.environment,
        cluster_name=service.cluster_name,
        service_name=service.service_name,
        minimum_tasks=settings.capacity.minimum_tasks,
        alarm_topic_arn=operations.alarm_topic_arn,
        runbook_url=settings.owner.on_call,
        tags=tags(settings),
    )
