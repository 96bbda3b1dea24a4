"""The path of a request: load balancer, firewall, and the application's tasks."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

import assembly
from assembly.layers.foundation import Foundation
from components.edge import Edge
from components.monitoring import EdgeAlarms, LogProtection
from components.service import InterfaceService
from components.waf import Firewall
from releases.manifest import Release
from releases.prompts import Prompts
from settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class RequestPath:
    """Its components, the alarms that roll a deployment back, and the protection of logs that a request may reach."""

    edge: Edge
    firewall: Firewall
    service: InterfaceService
    edge_alarms: EdgeAlarms
    log_protection: LogProtection | None
    """``None`` with ``retention.unmaskedLogs``."""


def request_path(settings: StackSettings, release: Release, prompts: Prompts, below: Foundation) -> RequestPath:
    """Create it. A task that starts before its egress rules, permissions and WAF exist fails or is exposed, so the service
    depends on everything before it that its tasks use."""
    # Looked up by name, so that the value is in no file; Output.secret keeps it encrypted in state and plan.
    client_secret = pulumi.Output.secret(
        aws.secretsmanager.get_secret_version_output(secret_id=settings.identity.client_secret_name).secret_string
    )
    edge = Edge("edge", assembly.edge(settings, below.network, below.workload, client_secret))
    firewall = Firewall("firewall", assembly.firewall(settings, edge, below.operations))
    protected = assembly.log_protection(
        settings,
        operations=below.operations,
        data=below.data,
        firewall=firewall,
        gateway=below.gateway,
        egress=below.egress,
        synthetic=below.synthetic,
    )
    log_protection = LogProtection("log-protection", protected) if protected else None
    edge_alarms = EdgeAlarms("edge-alarms", assembly.edge_alarms(settings, edge, firewall, below.operations))
    first = [below.endpoints, below.models, below.workload, *below.data.used_by_tasks, below.uploads, edge, firewall]
    optional = [one for one in (below.gateway, below.egress, log_protection) if one]
    service = InterfaceService(
        "service",
        assembly.service(
            settings,
            release,
            prompts,
            network=below.network,
            operations=below.operations,
            workload=below.workload,
            models=below.models,
            endpoints=below.endpoints,
            data=below.data,
            edge=edge,
            gateway=below.gateway,
            egress=below.egress,
            rollback_alarm_names=edge_alarms.rollback_alarm_names,
        ),
        pulumi.ResourceOptions(depends_on=[*first, *optional]),
    )
    return RequestPath(
        edge=edge, firewall=firewall, service=service, edge_alarms=edge_alarms, log_protection=log_protection
    )
