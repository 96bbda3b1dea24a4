"""Arguments of the internet-facing part: edge, WAF and their alarms."""

import difflib
from collections.abc import Sequence

import pulumi

from assembly.common import MEBIBYTE, tags
from assembly.task import application, preset
from components.applications import Arrival
from components.edge import (
    Edge,
    EdgeArgs,
    MachineClientsArgs,
    OidcArgs,
    PathsArgs,
    TokenClaimArgs,
)
from components.edge.component import HEALTH_INTERVAL_SECONDS, HEALTHY_AFTER
from components.monitoring import EdgeAlarmsArgs, Operations
from components.network import PrivateNetwork
from components.service import WorkloadIdentity
from components.waf import Firewall, FirewallArgs, FirewallLimitsArgs
from components.waf.table import Action, Rule
from settings import Problem, StackSettings
from settings.errors import shown
from settings.limits import RateLimits
from settings.stack import PREFIX, refused


def edge(
    settings: StackSettings, network: PrivateNetwork, workload: WorkloadIdentity, client_secret: pulumi.Output[str]
) -> EdgeArgs:
    """The load balancer: TLS, login, routing."""
    paths = preset(settings).paths
    identity, timeouts, machine = settings.identity, settings.limits.timeouts, settings.identity.machine_clients
    return EdgeArgs(
        vpc_id=network.vpc_id,
        public_subnet_ids=network.public_subnet_ids,
        target_security_group_id=workload.security_group_id,
        health_check_path=preset(settings).health_path,
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
            extra_parameters=dict(identity.provider.extra_parameters) if identity.provider else {},
        ),
        machine_clients=MachineClientsArgs(
            host_name=machine.host_name,
            issuer=machine.issuer,
            jwks_endpoint=machine.jwks_endpoint,
            audience=machine.audience,
            audience_format=machine.audience_format,
            claims=[
                TokenClaimArgs(
                    name=claim.name,
                    values=list(claim.values),
                    format=claim.format,
                )
                for claim in machine.claims
            ],
            model_paths=[f"/{group.name}/v1/*" for group in settings.models.groups],
        )
        if machine
        else None,
        paths=PathsArgs(
            blocked=[*paths.blocked, *settings.edge.paths.blocked],
            api=[*paths.api, *settings.edge.paths.api],
            pages=[*paths.pages, *settings.edge.paths.pages],
        ),
        idle_timeout_seconds=timeouts.edge_idle_seconds,
        client_keep_alive_seconds=timeouts.client_keep_alive_seconds,
        deregistration_delay_seconds=timeouts.deregistration_delay_seconds,
        access_log_retention_days=settings.retention.edge_access_log_days,
        tls_policy=settings.edge.tls_policy,
        content_security_policy=settings.edge.content_security_policy,
        client_cidr_blocks=[str(block) for block in settings.edge.client_cidr_blocks],
        log_reader_arns=list(settings.edge.log_reader_arns),
        allow_deletion=settings.allow_deletion,
        tags=tags(settings),
    )


def firewall(settings: StackSettings, edge: Edge, operations: Operations) -> FirewallArgs:
    """The web ACL in front of the load balancer."""
    limits, chosen = settings.limits, preset(settings)
    _check_rates(settings, chosen.arrival)
    args = FirewallArgs(
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
            address_pages_per_five_minutes=limits.rates.address_pages_per_five_minutes,
            address_uploads_per_five_minutes=limits.rates.address_uploads_per_five_minutes,
            address_model_calls_per_five_minutes=limits.rates.address_model_calls_per_five_minutes,
            address_static_per_five_minutes=limits.rates.address_static_per_five_minutes,
            **_office_rates(limits.rates, chosen.arrival),
        ),
        office_cidr_blocks=[str(one) for one in offices.cidr_blocks]
        if (offices := limits.rates.office_networks)
        else [],
        model_call_paths=[*chosen.paths.model_calls, *_machine_paths(settings)],
        static_paths=list(chosen.paths.static),
        upload_paths=list(chosen.paths.uploads),
        prompt_paths=[*chosen.paths.prompts, *settings.edge.paths.prompts],
        fixed_body_paths=list(chosen.paths.fixed_bodies),
        query_paths=[*chosen.paths.queries, *settings.edge.paths.queries],
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
        protected_cookies=list(chosen.session_cookie_names),
        log_retention_days=settings.retention.firewall_log_days,
        log_key_arn=operations.key_arn,
        tags=tags(settings),
    )
    return args.model_copy(update={"count_only_rules": _watched(settings, args.rules())})


def _office_rates(rates: RateLimits, arrival: Arrival) -> dict[str, int]:
    """The limits for one address of the office networks: what its people send when all of them open the application at once,
    and at least what any other address may send."""
    if rates.office_networks is None:
        return {}
    people = rates.office_networks.people_behind_one_address
    return {
        "office_uploads_per_five_minutes": max(people * arrival.uploads, rates.address_uploads_per_five_minutes),
        "office_model_calls_per_five_minutes": max(
            people * arrival.model_calls, rates.address_model_calls_per_five_minutes
        ),
        "office_requests_per_five_minutes": max(
            people * (arrival.page_requests + arrival.static_requests),
            rates.address_pages_per_five_minutes + rates.address_static_per_five_minutes,
        ),
    }


def _machine_paths(settings: StackSettings) -> list[str]:
    """The prefixes under which machine clients call models; empty if there are no machine clients."""
    return [f"/{group.name}/v1/" for group in settings.models.groups] if settings.identity.machine_clients else []


def _check_rates(settings: StackSettings, arrival: Arrival) -> None:
    """Refuse limits for one address that an office of the declared size would exceed if all its users opened the
    application at once."""
    rates, problems = settings.limits.rates, list[Problem]()
    people = rates.people_behind_one_address
    for name, limit, each, what in (
        ("Pages", rates.address_pages_per_five_minutes, arrival.page_requests, "pages and API calls"),
        ("Uploads", rates.address_uploads_per_five_minutes, arrival.uploads, "uploads"),
        ("ModelCalls", rates.address_model_calls_per_five_minutes, arrival.model_calls, "model calls"),
        ("Static", rates.address_static_per_five_minutes, arrival.static_requests, "static files"),
    ):
        if limit < people * each:
            problems.append(
                Problem(
                    key=f"{PREFIX}limits.rates.address{name}PerFiveMinutes",
                    value=str(limit),
                    allowed=f"at least {people * each}: limits.rates.peopleBehindOneAddress ({people}) people who open the "
                    f"application at once send {each} {what} each",
                    fix=f"set it to {people * each} or more, or lower peopleBehindOneAddress to {limit // each}"
                    if limit >= each
                    else f"set it to {people * each} or more",
                )
            )
    if problems:
        raise refused(settings.environment, problems)


def _watched(settings: StackSettings, rules: Sequence[Rule]) -> list[str]:
    """The rules in count mode. Raises ``SettingsError`` for a rule that does not exist or that already only counts."""
    chosen = list(settings.edge.count_only_rules)
    counting = {rule.key for rule in rules if rule.action is Action.COUNT}
    blocking = sorted({rule.key for rule in rules} - counting)
    problems = [
        Problem(
            key=f"{PREFIX}edge.countOnlyRules",
            value=shown(rule),
            allowed=f"keys of WAF rules that block: {', '.join(blocking)}",
            fix="remove it: this rule never blocks"
            if rule in counting
            else f"did you mean {difflib.get_close_matches(rule, blocking, n=1, cutoff=0.0)[0]}?",
        )
        for rule in chosen
        if rule not in blocking
    ]
    if problems:
        raise refused(settings.environment, problems)
    return chosen


def edge_alarms(settings: StackSettings, edge: Edge, firewall: Firewall, operations: Operations) -> EdgeAlarmsArgs:
    """Alarms on the load balancer and the WAF."""
    return EdgeAlarmsArgs(
        environment=settings.environment,
        load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
        target_group_arn_suffix=edge.target_group_arn_suffix,
        firewall_metric_name=firewall.web_acl_name,
        region=settings.region,
        rate_rules=firewall.rate_rules,
        availability_zones=list(settings.network.availability_zones),
        minimum_tasks=settings.capacity.minimum_tasks,
        certificates=1 + bool(settings.identity.machine_clients and settings.domain.hosted_zone_id),
        certificate_arns=edge.certificate_arns,
        canary_expected=settings.objectives.canary_from_outside,
        target_start_seconds=application(settings).grace_seconds + HEALTHY_AFTER * HEALTH_INTERVAL_SECONDS,
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )
