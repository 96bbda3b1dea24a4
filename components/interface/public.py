"""The internet-facing part of ``AIInterface``: load balancer, WAF, the protection of logs, and the application's preset."""

from components.data.component import LOG_GROUPS
from components.edge.args import EdgeArgs, MachineClientsArgs, PathsArgs
from components.edge.component import HEALTH_INTERVAL_SECONDS, HEALTHY_AFTER, Edge
from components.egress.task_definition import CONTAINERS as EGRESS_CONTAINERS
from components.gateway.task_definition import CONTAINERS as GATEWAY_CONTAINERS
from components.interface.args import AIInterfaceArgs, Making, merged
from components.interface.private import PrivatePart
from components.monitoring.edge_and_service import EdgeAlarms, EdgeAlarmsArgs
from components.monitoring.log_protection import LogProtection, LogProtectionArgs
from components.monitoring.operations import CONTAINERS
from components.proxy.args import AccessArgs
from components.service.preset import PresetArgs
from components.synthetic.settings import CONTAINERS as SYNTHETIC_CONTAINERS
from components.waf.args import FirewallArgs
from components.waf.component import Firewall

FIREWALL = "firewall"


def make_edge(making: Making, private: PrivatePart) -> Edge:
    """The load balancer: TLS, login, routing."""
    args, preset = making.args, making.preset
    paths, more, times = preset.paths, args.edge.paths, args.timeouts
    return Edge(
        f"{making.name}-edge",
        EdgeArgs(
            vpc_id=private.network.vpc_id,
            public_subnet_ids=private.network.public_subnet_ids,
            target_security_group_id=private.workload.security_group_id,
            health_check_path=preset.health_path,
            account_id=args.account_id,
            region=args.region,
            host_names=[args.host_name],
            hosted_zone_id=args.hosted_zone_id,
            certificate_arn=args.certificate_arn,
            oidc=args.oidc,
            machine_clients=_machine_clients(args),
            paths=PathsArgs(
                blocked=[*paths.blocked, *more.blocked], api=[*paths.api, *more.api], pages=[*paths.pages, *more.pages]
            ),
            idle_timeout_seconds=times.edge_idle_seconds,
            client_keep_alive_seconds=times.client_keep_alive_seconds,
            deregistration_delay_seconds=times.deregistration_delay_seconds,
            tls_policy=args.edge.tls_policy,
            content_security_policy=args.edge.content_security_policy,
            log_reader_arns=args.edge.log_reader_arns,
            client_cidr_blocks=args.client_cidr_blocks,
            access_log_retention_days=args.retention.access_log_days,
            allow_deletion=args.allow_deletion,
            tags=args.tags,
        ),
        making.child,
    )


def make_firewall(making: Making, private: PrivatePart, edge: Edge) -> Firewall:
    """The web ACL in front of the load balancer."""
    args, preset = making.args, making.preset
    paths, headers, more = preset.paths, preset.headers, args.edge.paths
    return Firewall(
        f"{making.name}-firewall",
        FirewallArgs(
            load_balancer_arn=edge.load_balancer_arn,
            account_id=args.account_id,
            region=args.region,
            limits=args.limits,
            upload_paths=list(paths.uploads),
            office_cidr_blocks=args.office_cidr_blocks,
            model_call_paths=[*paths.model_calls, *args.machine_paths],
            prompt_paths=[*paths.prompts, *more.prompts],
            fixed_body_paths=list(paths.fixed_bodies),
            query_paths=[*paths.queries, *more.queries],
            count_only_rules=args.edge.count_only_rules,
            static_paths=list(paths.static),
            trusted_headers=sorted(
                {
                    "x-amzn-oidc-accesstoken",
                    "x-amzn-oidc-data",
                    "x-amzn-oidc-identity",
                    headers.email,
                    headers.name,
                    headers.role,
                }
            ),
            session_cookie_name=args.oidc.session_cookie_name,
            protected_cookies=list(preset.session_cookie_names),
            log_retention_days=args.retention.firewall_log_days,
            log_key_arn=private.operations.key_arn,
            tags=args.tags,
        ),
        making.child,
    )


def make_log_protection(making: Making, private: PrivatePart, firewall: Firewall) -> LogProtection | None:
    """Every log group that may receive what a user or a client wrote; ``None`` with ``retention.unmasked_logs``."""
    args = making.args
    if args.retention.unmasked_logs:
        return None
    gateway, egress, synthetic = private.gateway, private.egress, private.synthetic
    return LogProtection(
        f"{making.name}-log-protection",
        LogProtectionArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            roles=[
                *CONTAINERS,
                *LOG_GROUPS,
                FIREWALL,
                *(GATEWAY_CONTAINERS if gateway else ()),
                *(EGRESS_CONTAINERS if egress else ()),
                *(SYNTHETIC_CONTAINERS if synthetic else ()),
            ],
            log_group_names=merged(
                private.operations.log_group_names,
                private.data.log_group_names,
                firewall.log_group_name.apply(lambda one: {FIREWALL: one}),
                *([gateway.log_group_names] if gateway else []),
                *([egress.identity.log_group_names] if egress else []),
                *([synthetic.log_group_names] if synthetic else []),
            ),
            key_arn=private.operations.key_arn,
            log_retention_days=args.retention.application_log_days,
            alarm_topic_arn=private.operations.alarm_topic_arn,
            ticket_topic_arn=private.operations.ticket_topic_arn,
            runbook_url=args.runbook_url,
            tags=args.tags,
        ),
        making.child,
    )


def make_edge_alarms(making: Making, private: PrivatePart, edge: Edge, firewall: Firewall) -> EdgeAlarms:
    """Alarms on the load balancer and the WAF."""
    args = making.args
    machine = args.machine_clients
    return EdgeAlarms(
        f"{making.name}-edge-alarms",
        EdgeAlarmsArgs(
            environment=args.environment,
            load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
            target_group_arn_suffix=edge.target_group_arn_suffix,
            firewall_metric_name=firewall.web_acl_name,
            region=args.region,
            rate_rules=firewall.rate_rules,
            availability_zones=args.availability_zones,
            minimum_tasks=args.size.minimum_tasks,
            certificates=1 + bool(machine and (args.hosted_zone_id is not None or machine.certificate_arn is not None)),
            certificate_arns=edge.certificate_arns,
            canary_expected=args.objectives.canary_from_outside,
            pages_together=True,
            target_start_seconds=preset_args(args, private, edge).container(args.region).grace_seconds
            + HEALTHY_AFTER * HEALTH_INTERVAL_SECONDS,
            alarm_topic_arn=private.operations.alarm_topic_arn,
            ticket_topic_arn=private.operations.ticket_topic_arn,
            runbook_url=args.runbook_url,
            tags=args.tags,
        ),
        making.child,
    )


def preset_args(args: AIInterfaceArgs, private: PrivatePart, edge: Edge) -> PresetArgs:
    """The application behind its proxy."""
    machine, gateway, egress = args.machine_clients, private.gateway, private.egress
    return PresetArgs(
        application=args.application,
        environment=args.environment,
        host_names=[args.host_name],
        access=AccessArgs(
            issuer=args.oidc.issuer,
            client_id=args.oidc.client_id,
            allowed=args.allowed,
            everyone_the_provider_assigns=args.everyone_the_provider_assigns,
            administrators=args.administrators,
            blocked=args.blocked,
            blocked_users=args.blocked_users,
            required_claim_name=args.required_claim_name,
            required_claim_values=args.required_claim_values,
            email_verified_required=args.email_verified_required,
            contact=args.contact_email,
        ),
        groups=args.groups,
        tools=args.tools,
        machine_host_names=[machine.host_name] if machine else [],
        gateway_authority=gateway.authority if gateway else None,
        egress_authority=egress.identity.authority if egress else None,
        limits=args.proxy_limits,
        load_balancer_arn=edge.load_balancer_arn,
        guardrail_ids=private.models.guardrail_ids,
        guardrail_versions=private.models.guardrail_versions,
        private_service_names=private.endpoints.private_service_names,
        session_cookie_name=args.oidc.session_cookie_name,
        session_timeout_seconds=args.oidc.session_timeout_seconds,
        logout_url=args.logout_url,
        database_connections=args.size.database_connections,
        prompt_environment=args.prompt_environment,
        version=args.images.version,
    )


def _machine_clients(args: AIInterfaceArgs) -> MachineClientsArgs | None:
    machine = args.machine_clients
    if machine is None:
        return None
    return MachineClientsArgs(
        host_name=machine.host_name,
        issuer=machine.issuer,
        jwks_endpoint=machine.jwks_endpoint,
        audience=machine.audience,
        audience_format=machine.audience_format,
        claims=machine.claims,
        model_paths=[f"{prefix}*" for prefix in args.machine_paths],
        certificate_arn=machine.certificate_arn,
    )
