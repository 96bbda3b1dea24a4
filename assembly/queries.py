"""Arguments of the saved queries: the logs of the stack, by the names that the queries use."""

import pulumi

from components.data import Data
from components.egress import EgressIdentity
from components.gateway import GatewayIdentity
from components.monitoring import Operations, SavedQueriesArgs
from components.network import PrivateNetwork
from components.synthetic import SyntheticIdentity
from components.synthetic.settings import CONTAINERS as SYNTHETIC_CONTAINERS
from components.waf import Firewall
from settings import StackSettings


def saved_queries(
    settings: StackSettings,
    *,
    network: PrivateNetwork,
    operations: Operations,
    data: Data,
    firewall: Firewall,
    gateway: GatewayIdentity | None,
    egress: EgressIdentity | None,
    synthetic: SyntheticIdentity | None = None,
) -> SavedQueriesArgs:
    """The runbook's queries. Those of the gateway, the egress proxy and the synthetic chat exist only with them."""
    existing = settings.network.existing
    names = {
        "waf": firewall.log_group_name,
        "database-logins": pulumi.Output.concat("/aws/rds/cluster/", data.database_cluster_id, "/iam-db-auth-error"),
    }
    given: list[tuple[tuple[str, ...], pulumi.Output[dict[str, str]]]] = [
        (("prepare", "proxy", "interface"), operations.log_group_names),
        (("flow", "dns") if existing is None or existing.filter_dns else ("flow",), network.log_group_names),
        *([(("gateway", "gateway-proxy"), gateway.log_group_names)] if gateway else []),
        *([(("egress",), egress.log_group_names)] if egress else []),
        *([(SYNTHETIC_CONTAINERS, synthetic.log_group_names)] if synthetic else []),
    ]
    names |= {log: groups[log] for logs, groups in given for log in logs}
    return SavedQueriesArgs(
        environment=settings.environment, logs=sorted(names), log_group_names=pulumi.Output.all(**names)
    )
