"""Arguments of the alarms on what users feel: the proxy's log, the objectives, and the pages of several alarms."""

from collections.abc import Sequence

import pulumi

from assembly.common import tags
from components.edge import Edge
from components.monitoring import ObjectiveAlarmsArgs, Operations, PagesArgs, ProxyLogAlarmsArgs
from settings import StackSettings


def proxy_log_alarms(settings: StackSettings, operations: Operations) -> ProxyLogAlarmsArgs:
    """Metrics from the proxy's log, and alarms on them."""
    return ProxyLogAlarmsArgs(
        environment=settings.environment,
        log_group_name=operations.log_group_names["proxy"],
        first_token_seconds=settings.objectives.first_token_seconds,
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def objective_alarms(settings: StackSettings, edge: Edge, operations: Operations) -> ObjectiveAlarmsArgs:
    """Burn-rate alarms of the objectives."""
    chosen = settings.objectives
    return ObjectiveAlarmsArgs(
        environment=settings.environment,
        load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
        target_group_arn_suffix=edge.target_group_arn_suffix,
        availability_percent=chosen.availability_percent,
        chat_success_percent=chosen.chat_success_percent,
        first_token_percent=chosen.first_token_percent,
        minimum_failures=chosen.minimum_failures,
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def pages(
    settings: StackSettings, operations: Operations, alarm_names: Sequence[pulumi.Output[list[str]]]
) -> PagesArgs:
    """The pages of several alarms. ``alarm_names``: those of every component of alarms."""
    return PagesArgs(
        environment=settings.environment,
        alarm_names=pulumi.Output.all(*alarm_names).apply(
            lambda several: sorted(str(name) for names in several for name in names)
        ),
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )
