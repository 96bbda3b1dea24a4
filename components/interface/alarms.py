"""The alarms of ``AIInterface`` on service, models and data, messages about changes, saved queries, and the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from components.edge.component import Edge
from components.egress.task_definition import CONTAINERS as EGRESS_CONTAINERS
from components.gateway.task_definition import CONTAINERS as GATEWAY_CONTAINERS
from components.interface.args import AIInterfaceArgs, Making
from components.interface.internal import InternalAlarms
from components.interface.private import PrivatePart
from components.monitoring.changes import ChangeEvents, ChangeEventsArgs
from components.monitoring.dashboard import Dashboard, DashboardArgs, DashboardPartArgs
from components.monitoring.data import DataAlarms, DataAlarmsArgs
from components.monitoring.edge_and_service import EdgeAlarms, ServiceAlarms, ServiceAlarmsArgs
from components.monitoring.graphs import ORDER, dashboard_graphs
from components.monitoring.log_protection import LogProtection
from components.monitoring.models import ModelAlarms, ModelAlarmsArgs
from components.monitoring.objectives import ObjectiveAlarms, ObjectiveAlarmsArgs
from components.monitoring.operations import CONTAINERS
from components.monitoring.pages import Pages, PagesArgs
from components.monitoring.proxy_log import ProxyLogAlarms, ProxyLogAlarmsArgs
from components.monitoring.queries import SavedQueries, SavedQueriesArgs
from components.monitoring.synthetic import SyntheticAlarms, SyntheticAlarmsArgs
from components.service.component import InterfaceService
from components.service.scaling import full_percent
from components.synthetic.settings import CONTAINERS as SYNTHETIC_CONTAINERS
from components.waf.component import Firewall


@dataclass(frozen=True)
class WatchedPart:
    """The components that the alarms watch."""

    private: PrivatePart
    edge: Edge
    edge_alarms: EdgeAlarms
    protection: LogProtection | None
    firewall: Firewall
    service: InterfaceService
    internal: InternalAlarms


class Messages(TypedDict):
    """The arguments that all alarms share: where their messages go and lead, and their tags."""

    alarm_topic_arn: pulumi.Output[str]
    ticket_topic_arn: pulumi.Output[str]
    runbook_url: str
    tags: dict[str, str]


def _messages(args: AIInterfaceArgs, watched: WatchedPart) -> Messages:
    operations = watched.private.operations
    return {
        "alarm_topic_arn": operations.alarm_topic_arn,
        "ticket_topic_arn": operations.ticket_topic_arn,
        "runbook_url": args.runbook_url,
        "tags": args.tags,
    }


def make_alarms_part(making: Making, watched: WatchedPart) -> None:
    """Creates the alarms, and the dashboard with all of them."""
    name, args, child = making.name, making.args, making.child
    service = _service_alarms(making, watched)
    models = _model_alarms(making, watched)
    data = _data_alarms(making, watched)
    objectives = _objective_alarms(making, watched)
    log = _log_alarms(making, watched)
    gateway, egress = watched.internal.gateway, watched.internal.egress
    synthetic = _synthetic_alarms(making, watched) if watched.private.synthetic else None
    pages = _pages(
        making,
        watched,
        [
            watched.edge_alarms.alarm_names,
            objectives.alarm_names,
            log.alarm_names,
            service.alarm_names,
            models.alarm_names,
            data.alarm_names,
            *(one.alarm_names for one in (gateway, egress, synthetic) if one is not None),
        ],
    )
    changes = ChangeEvents(
        f"{name}-changes",
        ChangeEventsArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            generated_secrets=[f"{name}-{part}-" for part in ("egress", "gateway", "state", "workload")],
            backup_vault_arn=watched.private.data.backup_vault_arn,
            **_messages(args, watched),
        ),
        child,
    )
    _queries(making, watched)
    shown = {
        "Users": objectives.alarm_arns,
        "Edge": watched.edge_alarms.alarm_arns,
        "Proxy": log.alarm_arns,
        "Interface": service.alarm_arns,
        "Models": models.alarm_arns,
        "Changes": changes.alarm_arns,
        "Data": data.alarm_arns,
        "Cost": pulumi.Output.from_input(list[str]()),
        **({"Synthetic chat": synthetic.alarm_arns} if synthetic else {}),
        **({"Gateway to models": gateway.alarm_arns} if gateway else {}),
        **({"Egress proxy": egress.alarm_arns} if egress else {}),
        **({"Logs": watched.protection.alarm_arns} if watched.protection else {}),
    }
    graphs = dashboard_graphs(
        environment=args.environment,
        region=args.region,
        models=_counted_models(args),
        edge=watched.edge,
        firewall=watched.firewall,
    )
    Dashboard(
        f"{name}-dashboard",
        DashboardArgs(
            environment=args.environment,
            region=args.region,
            parts=[
                DashboardPartArgs(
                    title=title,
                    alarm_arns=shown[title],
                    composite_arns=_sorted(pages.composite_arns, objectives.composite_arns)
                    if title == "Users"
                    else None,
                    graphs=graphs.get(title, []),
                )
                for title in ORDER
                if title in shown and (title != "Cost" or graphs["Cost"])
            ],
        ),
        child,
    )


def _counted_models(args: AIInterfaceArgs) -> list[str]:
    """The models that this region's ``bedrock-runtime`` serves."""
    return sorted(
        {
            model
            for group in args.groups
            if any(upstream.bedrock_region == args.region for upstream in group.upstreams)
            for model in group.models
        }
    )


def _objective_alarms(making: Making, watched: WatchedPart) -> ObjectiveAlarms:
    name, args, child = making.name, making.args, making.child
    return ObjectiveAlarms(
        f"{name}-objectives",
        ObjectiveAlarmsArgs(
            environment=args.environment,
            load_balancer_arn_suffix=watched.edge.load_balancer_arn_suffix,
            target_group_arn_suffix=watched.edge.target_group_arn_suffix,
            availability_percent=args.objectives.availability_percent,
            chat_success_percent=args.objectives.chat_success_percent,
            first_token_percent=args.objectives.first_token_percent,
            minimum_failures=args.objectives.minimum_failures,
            pages_together=True,
            **_messages(args, watched),
        ),
        child,
    )


def _log_alarms(making: Making, watched: WatchedPart) -> ProxyLogAlarms:
    name, args, child = making.name, making.args, making.child
    return ProxyLogAlarms(
        f"{name}-proxy-log",
        ProxyLogAlarmsArgs(
            environment=args.environment,
            log_group_name=watched.private.operations.log_group_names["proxy"],
            first_token_seconds=args.objectives.first_token_seconds,
            pages_together=True,
            **_messages(args, watched),
        ),
        child,
    )


def _pages(making: Making, watched: WatchedPart, alarm_names: Sequence[pulumi.Output[list[str]]]) -> Pages:
    name, args, child = making.name, making.args, making.child
    return Pages(
        f"{name}-pages",
        PagesArgs(
            environment=args.environment,
            alarm_names=_sorted(*alarm_names),
            **_messages(args, watched),
        ),
        child,
    )


def _sorted(*lists: pulumi.Output[list[str]]) -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*lists).apply(lambda several: sorted(str(one) for some in several for one in some))


def _service_alarms(making: Making, watched: WatchedPart) -> ServiceAlarms:
    name, args, child = making.name, making.args, making.child
    return ServiceAlarms(
        f"{name}-service-alarms",
        ServiceAlarmsArgs(
            environment=args.environment,
            cluster_name=watched.service.cluster_name,
            service_name=watched.service.service_name,
            service_arn=watched.service.service_arn,
            minimum_tasks=args.size.minimum_tasks,
            full_cpu_percent=full_percent(args.size.cpu_units, making.preset.processes),
            pages_together=True,
            **_messages(args, watched),
        ),
        child,
    )


def _model_alarms(making: Making, watched: WatchedPart) -> ModelAlarms:
    name, args, child = making.name, making.args, making.child
    return ModelAlarms(
        f"{name}-model-alarms",
        ModelAlarmsArgs(
            environment=args.environment,
            region=args.region,
            groups=args.groups,
            tokens_per_hour=args.tokens_per_hour,
            quota_tokens_per_minute=args.quota_tokens_per_minute,
            billed_services=args.billed_services,
            monthly_budget_usd=args.monthly_budget_usd,
            pages_together=True,
            **_messages(args, watched),
        ),
        child,
    )


def _synthetic_alarms(making: Making, watched: WatchedPart) -> SyntheticAlarms:
    return SyntheticAlarms(
        f"{making.name}-synthetic-alarms",
        SyntheticAlarmsArgs(
            environment=making.args.environment,
            schedule=making.args.synthetic_chat,
            pages_together=True,
            **_messages(making.args, watched),
        ),
        making.child,
    )


def _data_alarms(making: Making, watched: WatchedPart) -> DataAlarms:
    name, args, child = making.name, making.args, making.child
    data = watched.private.data
    return DataAlarms(
        f"{name}-state-alarms",
        DataAlarmsArgs(
            environment=args.environment,
            database_cluster_id=data.database_cluster_id,
            maximum_capacity_units=args.database.maximum_capacity_units,
            task_connections=args.size.database_connections if making.preset.connection_pools else 0,
            cluster_name=watched.service.cluster_name,
            service_name=watched.service.service_name,
            database_instances=args.database.instances,
            cache_nodes=1 + args.cache.replicas,
            cache_node_ids=data.cache_node_ids,
            backup_vault_arn=data.backup_vault_arn,
            restore_test_plan_arn=data.restore_test_plan_arn if args.restore_test_months else None,
            backup_vault_name=data.backup_vault_name,
            pages_together=True,
            **_messages(args, watched),
        ),
        child,
    )


def _queries(making: Making, watched: WatchedPart) -> None:
    """The runbook's queries of the logs that exist."""
    name, args, child = making.name, making.args, making.child
    private, existing = watched.private, args.existing_network
    names = {
        "waf": watched.firewall.log_group_name,
        "database-logins": pulumi.Output.concat(
            "/aws/rds/cluster/", private.data.database_cluster_id, "/iam-db-auth-error"
        ),
        **{log: private.operations.log_group_names[log] for log in CONTAINERS},
        "flow": private.network.log_group_names["flow"],
    }
    if existing is None or existing.filter_dns:
        names["dns"] = private.network.log_group_names["dns"]
    for one, groups in (
        (GATEWAY_CONTAINERS, private.gateway and private.gateway.log_group_names),
        (EGRESS_CONTAINERS, private.egress and private.egress.identity.log_group_names),
        (SYNTHETIC_CONTAINERS, private.synthetic and private.synthetic.log_group_names),
    ):
        names |= {log: groups[log] for log in one} if groups is not None else {}
    SavedQueries(
        f"{name}-queries",
        SavedQueriesArgs(environment=args.environment, logs=sorted(names), log_group_names=pulumi.Output.all(**names)),
        child,
    )
