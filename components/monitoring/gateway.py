"""Alarms on the gateway to models. They are created before its service, so that a faulty deployment is rolled back.

The metrics are the gateway's own (``components.gateway.metrics``): Bedrock's do not show errors of the gateway itself.
"""

import pulumi
from pydantic import Field

from components.args import Args
from components.component import Component
from components.gateway.settings import METRICS_NAMESPACE, SERVICE
from components.monitoring.alarm import (
    OUTAGE,
    OUTAGE_PERCENT,
    AlarmSpec,
    Series,
    Severity,
    arns_of,
    make_alarms,
    names_of,
)
from components.monitoring.tasks import NEARLY_ALL_PERCENT, task_alarm_specs

FAILURES_IN_A_MINUTE = 5
"""Fewer may be a single user's retries."""


class GatewayAlarmsArgs(Args):
    """Arguments of ``GatewayAlarms``."""

    environment: str
    """Part of the alarms' names, and the dimension of the gateway's metrics."""
    cluster_name: pulumi.Output[str]
    """The cluster in which the service runs."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The number of tasks below which the alarm fires."""
    full_cpu_percent: int = Field(default=NEARLY_ALL_PERCENT, ge=1, le=NEARLY_ALL_PERCENT)
    """The CPU utilization of a fully loaded task, above which an alarm fires (``components.service.scaling.full_percent``)."""
    pages_together: bool = False
    """True: ``Pages`` sends the pages that several of these alarms would send for one cause. Without that component these alarms
    would be silent."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``page``."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``ticket``."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class GatewayAlarms(Component):
    """Alarms on the gateway: failing calls, too few running tasks, high CPU or memory use."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment of the gateway."""

    def __init__(self, name: str, args: GatewayAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = GatewayAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:GatewayAlarms", name, args, opts)
        alarms = make_alarms(
            name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self), together=args.pages_together
        )
        self.rollback_alarm_names = alarms["gateway-failures"].name.apply(lambda one: [one])
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs(
            {
                "alarmArns": self.alarm_arns,
                "alarmNames": self.alarm_names,
                "rollbackAlarmNames": self.rollback_alarm_names,
            }
        )

    def _alarm_specs(self, args: GatewayAlarmsArgs) -> list[AlarmSpec]:
        return [
            *task_alarm_specs(
                args.cluster_name,
                SERVICE,
                args.minimum_tasks,
                prefix="gateway-",
                tasks="tasks of the gateway",
                full_cpu_percent=args.full_cpu_percent,
            ),
            AlarmSpec(
                role="gateway-failures",
                sentence="Calls of models through the gateway fail with 5xx",
                severity=Severity.PAGE,
                namespace=METRICS_NAMESPACE,
                metric="Failures",
                statistic="Sum",
                threshold=FAILURES_IN_A_MINUTE,
                dimensions={"environment": args.environment},
            ),
            AlarmSpec(
                role="gateway-outage",
                sentence=f"More than {OUTAGE_PERCENT} percent of the calls of models through the gateway fail with 5xx",
                severity=Severity.PAGE,
                namespace=METRICS_NAMESPACE,
                metric="Failures",
                statistic="Sum",
                threshold=OUTAGE_PERCENT,
                series=[Series(), Series(metric="Calls")],
                expression="100 * m1 / m2",
                label="Percent of the calls that fail",
                dimensions={"environment": args.environment},
                **OUTAGE,
            ),
        ]
