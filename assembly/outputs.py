"""The stack's outputs: the values that people and other programs need after a deployment.

``docs/runbook.md`` and the documents that it links to have ``<backup vault>`` for the output ``backupVault`` and so on;
``preflight runbook`` fills them in. A name that AWS or Pulumi chooses at creation is known from here only.
"""

from typing import TypeAlias

import pulumi

from components.data import Data
from components.edge import Edge
from components.egress import EgressIdentity, EgressProxy
from components.gateway import GatewayIdentity, GatewayService
from components.monitoring import Dashboard, Operations
from components.service import InterfaceService, WorkloadIdentity
from components.synthetic import SyntheticChat, SyntheticIdentity
from releases.manifest import Release
from settings import StackSettings

Outputs: TypeAlias = dict[str, pulumi.Input[object]]


def outputs(
    settings: StackSettings,
    release: Release,
    *,
    operations: Operations,
    workload: WorkloadIdentity,
    data: Data,
    edge: Edge,
    service: InterfaceService,
    dashboard: Dashboard,
) -> Outputs:
    """Name → value, for every stack."""
    return {
        "account": settings.account_id,
        "alarmTopic": operations.alarm_topic_arn,
        "backupRole": data.backup_role_arn,
        "backupVault": data.backup_vault_name,
        "clientSecret": settings.identity.client_secret_name,
        "cluster": service.cluster_name,
        "dashboard": dashboard.dashboard_name,
        "database": data.database_cluster_id,
        "edgeLogBucket": edge.log_bucket_name,
        "environment": settings.environment,
        "hostName": settings.domain.host_name,
        "identityProvider": str(settings.identity.issuer),
        "loadBalancer": edge.load_balancer_arn,
        "loadBalancerDimension": edge.load_balancer_arn_suffix,
        "loadBalancerDnsName": edge.dns_name,
        "models": ", ".join(sorted({model for group in settings.models.groups for model in group.models})),
        "owner": settings.owner.model_dump(by_alias=True),
        "region": settings.region,
        "release": release.version,
        "restoreTestPlan": data.restore_test_plan_arn,
        "service": service.service_name,
        "targetGroup": edge.target_group_arn,
        "taskDefinition": service.task_definition_arn,
        "taskRole": workload.task_role_name,
        "taskSecurityGroup": workload.security_group_id,
        "ticketTopic": operations.ticket_topic_arn,
        "tokenEndpoint": str(settings.identity.token_endpoint),
        "uploadsBucket": data.bucket_name,
        "url": f"https://{settings.domain.host_name}",
        "userInfoEndpoint": str(settings.identity.user_info_endpoint),
    }


def gateway_outputs(gateway: GatewayIdentity, service: GatewayService) -> Outputs:
    """Name → value, for a stack with the gateway."""
    return {"gatewayService": service.service_name, "gatewayTaskRole": gateway.task_role_name}


def synthetic_outputs(synthetic: SyntheticIdentity, chat: SyntheticChat) -> Outputs:
    """Name → value, for a stack with a synthetic chat."""
    return {
        "syntheticSchedule": chat.schedule_name,
        "syntheticSecurityGroup": synthetic.security_group_id,
        "syntheticTaskRole": synthetic.task_role_name,
    }


def egress_outputs(egress: EgressIdentity, proxy: EgressProxy) -> Outputs:
    """Name → value, for a stack with a provider on the internet."""
    return {"egressSecurityGroup": egress.security_group_id, "egressService": proxy.service_name}
