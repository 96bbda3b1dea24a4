"""Arguments of the logs' data protection."""

import pulumi

from assembly.common import tags
from components.data import Data
from components.data.component import LOG_GROUPS
from components.egress import EgressIdentity
from components.egress.task_definition import CONTAINERS as EGRESS_CONTAINERS
from components.gateway import GatewayIdentity
from components.gateway.task_definition import CONTAINERS as GATEWAY_CONTAINERS
from components.monitoring import LogProtectionArgs, Operations
from components.monitoring.operations import CONTAINERS
from components.synthetic import SyntheticIdentity
from components.synthetic.settings import CONTAINERS as SYNTHETIC_CONTAINERS
from components.waf import Firewall
from settings import StackSettings

FIREWALL = "firewall"


def log_protection(
    settings: StackSettings,
    *,
    operations: Operations,
    data: Data,
    firewall: Firewall,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None,
    synthetic: SyntheticIdentity | None = None,
) -> LogProtectionArgs | None:
    """Every log group that may receive what a user or a client wrote; ``None`` with ``retention.unmaskedLogs``.

    Flow logs, DNS query logs and Container Insights contain addresses, names and numbers of this stack only.
    """
    if settings.retention.unmasked_logs:
        return None
    roles = [*CONTAINERS, *LOG_GROUPS, FIREWALL]
    names = [
        operations.log_group_names,
        data.log_group_names,
        firewall.log_group_name.apply(lambda one: {FIREWALL: one}),
    ]
    if gateway:
        roles += GATEWAY_CONTAINERS
        names.append(gateway.log_group_names)
    if egress:
        roles += EGRESS_CONTAINERS
        names.append(egress.log_group_names)
    if synthetic:
        roles += SYNTHETIC_CONTAINERS
        names.append(synthetic.log_group_names)
    return LogProtectionArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        roles=roles,
        log_group_names=pulumi.Output.all(*names).apply(_merged),
        key_arn=operations.key_arn,
        log_retention_days=settings.retention.application_log_days,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def _merged(several: list[dict[str, str]]) -> dict[str, str]:
    return {role: name for names in several for role, name in names.items()}
