"""Arguments of the task: the application's preset, the proxy's settings and the service."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

import pulumi

from assembly.common import MEBIBYTE, image, tags
from assembly.egress import EGRESS_SECRETS, proxy_egress
from assembly.model_keys import key_secrets, key_variable, upstream_name
from assembly.tools import proxy_tools, search, tool_servers
from components.applications import ApplicationArgs, Deployment, Embeddings, Preset, find_preset, preset_names
from components.applications.application import SchemaArgs
from components.data import Data
from components.edge import Edge
from components.egress import EgressIdentity
from components.gateway import GatewayIdentity
from components.gateway.identity import host_name as gateway_host_name
from components.gateway.settings import PORT as GATEWAY_PORT
from components.models import ModelAccess
from components.models.iam_documents import UpstreamKind
from components.monitoring import Operations, ServiceAlarmsArgs
from components.network import PrivateEndpoints, PrivateNetwork
from components.proxy import ProxyIdentity, ProxyModelGroup, ProxyPeople, ProxySettings, ProxyUpstream, envoy_arguments
from components.proxy.settings import ProxyLimits, ProxyLogout
from components.service import InterfaceService, InterfaceServiceArgs, WorkloadIdentity
from components.service.scaling import full_percent
from components.service.upstreams import CLIENT_SECRETS, GATEWAY_CERTIFICATE_VARIABLE, GATEWAY_KEY_VARIABLE
from releases.manifest import Release, load_release, stops_before_start, versions
from releases.prompts import Prompts
from settings import Problem, StackSettings
from settings.errors import shown
from settings.limits import Limits
from settings.models import ModelGroup
from settings.people import People
from settings.providers import IdentityProvider
from settings.stack import PREFIX, refused
from settings.upstreams import (
    BedrockUpstream,
    ExternalUpstream,
    GatewayUpstream,
    MantleUpstream,
    PrivateUpstream,
    Upstream,
)


def preset(settings: StackSettings) -> Preset:
    """The application that the settings select. Raises ``SettingsError`` if it does not exist or does not work with the
    settings."""
    names, chosen = preset_names(), settings.application
    if chosen not in names:
        closest = difflib.get_close_matches(chosen, names, n=1, cutoff=0.6)
        problem = Problem(
            key=f"{PREFIX}application",
            value=shown(chosen),
            allowed=f"a preset in components/applications/presets/: {', '.join(names)}",
            fix=f"did you mean {closest[0]}?"
            if closest
            else "write one of these names, or add a preset (CONTRIBUTING.md)",
        )
        raise refused(settings.environment, [problem])
    found = find_preset(chosen)
    connections, least = settings.capacity.database_connections, found.least_database_connections
    if connections < least:
        problem = Problem(
            key=f"{PREFIX}capacity.databaseConnections",
            value=str(connections),
            allowed=f"at least {least}, which the connection pools of {chosen} need",
            fix=f"set it to {least} or more",
        )
        raise refused(settings.environment, [problem])
    return found


def application(
    settings: StackSettings, prompts: Prompts | None = None, release: Release | None = None
) -> ApplicationArgs:
    """The application's container. Without prompts and release, the result is only for the arguments of other components."""
    return preset(settings).application(
        Deployment(
            origin=f"https://{settings.domain.host_name}",
            model_base_urls=[_base_url(group) for group in settings.models.groups if "chat" in group.serves],
            embeddings=next(
                (
                    Embeddings(base_url=_base_url(group), model=group.models[0])
                    for group in settings.models.groups
                    if "embeddings" in group.serves
                ),
                None,
            ),
            version=release.images["interface"].version if release else "",
            search=search(settings),
            tool_servers=tool_servers(settings),
            session_seconds=settings.identity.session_timeout_seconds,
            upload_mebibytes=settings.limits.upload_mebibytes,
            model_deadline_seconds=settings.limits.timeouts.model_deadline_seconds,
            prompt_environment=prompts.environment if prompts else {},
            region=settings.region,
            shared_data=True,
            database_connections=settings.capacity.database_connections,
        )
    )


OPERATIONS = {"chat": "/chat/completions", "embeddings": "/embeddings"}
"""Use of a group → the operation that the proxy forwards below its base path."""


def _base_url(group: ModelGroup) -> str:
    return f"http://127.0.0.1:{ProxySettings.model_port}/{group.name}/v1"


def proxy(
    settings: StackSettings,
    preset: Preset,
    signer_arn: str,
    guardrails: Mapping[str, tuple[str, str]],
    gateway_authority: str = "",
    *,
    service_names: Mapping[str, str] | None = None,
    egress_authority: str = "",
) -> ProxySettings:
    """The proxy's settings; ``guardrails`` is region → guardrail id and version, ``gateway_authority`` the certificate of
    the CA that signed the gateway's, if there is one, ``service_names`` is endpoint service → name of its endpoint, and ``egress_authority`` the certificate of the
    CA that signed the egress proxy's, if there is one."""
    outside = _Outside(guardrails, gateway_authority, service_names or {})
    identity = settings.identity
    required = (identity.provider.required_claim if identity.provider else None) or ("", ())
    return ProxySettings(
        environment=settings.environment,
        host_names=(settings.domain.host_name,),
        identity=ProxyIdentity(
            signer_arn=signer_arn,
            client_id=identity.client_id,
            issuer=identity.issuer,
            allowed=replace(
                _people(identity.allowed, identity.provider),
                everyone_the_provider_assigns=identity.allowed.everyone_the_provider_assigns,
            ),
            administrators=_people(identity.administrators, identity.provider),
            blocked=_people(identity.blocked, identity.provider),
            blocked_users=identity.blocked.users,
            contact=settings.owner.contact,
            required_claim_name=required[0],
            required_claim_values=required[1],
            email_verified_required=identity.provider is not None and identity.provider.verifies_email,
            email_header=preset.headers.email,
            name_header=preset.headers.name,
            role_header=preset.headers.role,
            administrator_role=preset.headers.administrator_role,
            member_role=preset.headers.member_role,
        ),
        limits=replace(
            proxy_limits(settings.limits, identity.session_timeout_seconds),
            tool_seconds=settings.tools.timeout_seconds,
        ),
        application=preset.proxy,
        logout=ProxyLogout(
            edge_cookie_name=identity.session_cookie_name, redirect_url=identity.end_session_endpoint or ""
        ),
        model_groups=tuple(
            ProxyModelGroup(
                name=group.name,
                models=group.models,
                upstreams=tuple(_upstream(settings, group.name, upstream, outside) for upstream in group.upstreams),
                operations=tuple(operation for use, operation in OPERATIONS.items() if use in group.serves),
            )
            for group in settings.models.groups
        ),
        tools=proxy_tools(settings, outside.service_names),
        egress=proxy_egress(settings, egress_authority),
        machine_host_names=(identity.machine_clients.host_name,) if identity.machine_clients else (),
    )


def proxy_limits(limits: Limits, session_timeout_seconds: int) -> ProxyLimits:
    """The proxy's part of the limits. A WebSocket may stay open for as long as a session."""
    times = limits.timeouts
    return ProxyLimits(
        prompt_bytes=limits.prompt_mebibytes * MEBIBYTE,
        upload_bytes=limits.upload_mebibytes * MEBIBYTE,
        header_bytes=limits.header_bytes,
        request_headers_seconds=times.request_headers_seconds,
        request_body_seconds=times.request_body_seconds,
        idle_seconds=times.edge_idle_seconds,
        keep_alive_seconds=times.keep_alive_seconds,
        stream_seconds=times.stream_seconds,
        websocket_seconds=session_timeout_seconds,
        model_deadline_seconds=times.model_deadline_seconds,
        model_idle_seconds=times.silence_seconds(servers=2),
    )


GATEWAY_SECRETS = CLIENT_SECRETS[UpstreamKind.GATEWAY]
"""The proxy's variables with the certificate that it shows to the gateway."""


def _people(people: People, provider: IdentityProvider | None) -> ProxyPeople:
    claim = people.claim
    encoding = (claim.format or (provider.encoding(claim.name) if provider else None)) if claim else None
    return ProxyPeople(
        claim_name=claim.name if claim else "",
        claim_values=claim.values if claim else (),
        claim_format=encoding.value if encoding else "",
        email_domains=people.email_domains,
        emails=people.emails,
    )


@dataclass(frozen=True)
class _Outside:
    """Values that other resources determine."""

    guardrails: Mapping[str, tuple[str, str]]
    gateway_authority: str
    service_names: Mapping[str, str]


def _upstream(settings: StackSettings, group: str, upstream: Upstream, outside: _Outside) -> ProxyUpstream:
    """One upstream of one group."""
    match upstream:
        case PrivateUpstream():
            service = upstream.endpoint_service
            return ProxyUpstream(
                name=upstream_name(group, upstream),
                host_name=upstream.host_name,
                port=upstream.port,
                address="" if service is None else outside.service_names[service],
                ca_certificate=upstream.ca_certificate or "",
                api_key_variable=key_variable(group, upstream),
            )
        case ExternalUpstream():
            return ProxyUpstream(
                name=upstream_name(group, upstream),
                host_name=upstream.host_name,
                path_prefix=upstream.path_prefix,
                through_egress=True,
                api_key_variable=key_variable(group, upstream),
            )
        case GatewayUpstream():
            return ProxyUpstream(
                name=f"{group}:gateway",
                host_name=gateway_host_name(settings.environment),
                port=GATEWAY_PORT,
                ca_certificate=outside.gateway_authority,
                client_certificate_variable=GATEWAY_CERTIFICATE_VARIABLE,
                client_private_key_variable=GATEWAY_KEY_VARIABLE,
            )
        case MantleUpstream():
            return ProxyUpstream(
                name=f"{group}:bedrock-mantle-{upstream.region}",
                host_name=f"bedrock-mantle.{upstream.region}.api.aws",
                path_prefix=upstream.path_prefix,
                signing_region=upstream.region,
                signing_service=upstream.signing_service,
            )
        case BedrockUpstream():
            identifier, version = outside.guardrails[upstream.region]
            return ProxyUpstream(
                name=f"{group}:bedrock-{upstream.region}",
                host_name=f"bedrock-runtime.{upstream.region}.amazonaws.com",
                path_prefix="/openai/v1",
                signing_region=upstream.region,
                headers=(
                    ("x-amzn-bedrock-guardrailidentifier", identifier),
                    ("x-amzn-bedrock-guardrailversion", version),
                ),
            )
        case _:
            assert_never(upstream)


def service(
    settings: StackSettings,
    release: Release,
    prompts: Prompts,
    *,
    network: PrivateNetwork,
    operations: Operations,
    workload: WorkloadIdentity,
    models: ModelAccess,
    endpoints: PrivateEndpoints,
    data: Data,
    edge: Edge,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None,
    rollback_alarm_names: pulumi.Output[list[str]],
) -> InterfaceServiceArgs:
    """The task definition and the service."""
    chosen, capacity, times = preset(settings), settings.capacity, settings.limits.timeouts

    def arguments(known: list[Any]) -> list[str]:
        signer, ids, versions, authority, names, egress_authority = known
        guardrails = {region: (ids[region], versions[region]) for region in ids}
        made = proxy(
            settings,
            chosen,
            signer,
            guardrails,
            authority,
            service_names=names,
            egress_authority=egress_authority,
        )
        return envoy_arguments(made)

    return InterfaceServiceArgs(
        environment=settings.environment,
        region=settings.region,
        release=release.version,
        schemas=schemas(release),
        application=application(settings, prompts, release),
        interface_image=image(settings, release, "interface"),
        proxy_image=image(settings, release, "proxy"),
        proxy_arguments=pulumi.Output.all(
            edge.load_balancer_arn,
            models.guardrail_ids,
            models.guardrail_versions,
            gateway.authority if gateway else "",
            endpoints.private_service_names,
            egress.authority if egress else "",
        ).apply(arguments),
        proxy_secrets={
            **(GATEWAY_SECRETS if gateway else {}),
            **(EGRESS_SECRETS if egress else {}),
            **key_secrets(settings),
        },
        execution_role_arn=workload.execution_role_arn,
        task_role_arn=workload.task_role_arn,
        secret_references=pulumi.Output.all(
            workload.secret_references,
            data.secret_references,
            models.api_key_references,
            *([gateway.secret_references] if gateway else []),
            *([egress.secret_references] if egress else []),
        ).apply(lambda known: {name: reference for references in known for name, reference in references.items()}),
        data_values=data.values,
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
        proxy_memory_mebibytes=ProxySettings.memory_bytes // MEBIBYTE,
        ephemeral_gibibytes=capacity.ephemeral_gibibytes,
        architecture=capacity.architecture.value,
        minimum_tasks=capacity.minimum_tasks,
        maximum_tasks=capacity.maximum_tasks,
        availability_zones=len(settings.network.availability_zones),
        deregistration_delay_seconds=times.deregistration_delay_seconds,
        stop_seconds=times.stop_seconds,
        stop_before_start=stops_before_start(release, _later(release)),
        tags=tags(settings),
    )


def _later(release: Release) -> list[Release]:
    known = versions()
    return [load_release(version) for version in known[known.index(release.version) + 1 :]]


def schemas(release: Release) -> list[SchemaArgs]:
    """The database schemas of this release and of every later release, because a later release may already have
    migrated the database."""
    return [
        SchemaArgs(
            release=one.version, revision=one.schema_.revision, compatible_with=list(one.schema_.compatible_with)
        )
        for one in [release, *_later(release)]
    ]


def service_alarms(settings: StackSettings, service: InterfaceService, operations: Operations) -> ServiceAlarmsArgs:
    """Alarms on the service itself."""
    return ServiceAlarmsArgs(
        environment=settings.environment,
        cluster_name=service.cluster_name,
        service_name=service.service_name,
        service_arn=service.service_arn,
        minimum_tasks=settings.capacity.minimum_tasks,
        full_cpu_percent=full_percent(settings.capacity.cpu_units, preset(settings).processes),
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )
