"""Alarms on the egress proxy. They are created before its service, so that a faulty deployment is rolled back.

The metrics are counted in the proxy's log: Envoy's own statistics are not published.
"""

import pulumi
from pydantic import Field

from components.args import Args
from components.component import Component
from components.egress.identity import FAILED, REFUSED, TUNNELS
from components.egress.settings import CONTAINER_MEMORY_PERCENT, METRICS_NAMESPACE, SERVICE
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
from components.monitoring.tasks import task_alarm_specs

FAILURES_IN_A_MINUTE = 5
"""Fewer may be a single provider's connection that was reset."""


class EgressAlarmsArgs(Args):
    """Arguments of ``EgressAlarms``."""

    environment: str
    """Part of the alarms' names, and the dimension of the egress proxy's metrics."""
    cluster_name: pulumi.Output[str]
    """The cluster in which the service runs."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The number of tasks below which the alarm fires."""
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


class EgressAlarms(Component):
    """Alarms on the egress proxy: refused destinations, failing tunnels, too few running tasks, high CPU or memory use."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment of the egress proxy."""

    def __init__(self, name: str, args: EgressAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EgressAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:EgressAlarms", name, args, opts)
        alarms = make_alarms(
            name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self), together=args.pages_together
        )
        self.rollback_alarm_names = alarms["egress-failures"].name.apply(lambda one: [one])
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs(
            {
                "alarmArns": self.alarm_arns,
                "alarmNames": self.alarm_names,
                "rollbackAlarmNames": self.rollback_alarm_names,
            }
        )

    def _alarm_specs(self, args: EgressAlarmsArgs) -> list[AlarmSpec]:
        return [
            *task_alarm_specs(
                args.cluster_name,
                SERVICE,
                args.minimum_tasks,
                prefix="egress-",
                tasks="tasks of the egress proxy",
                usable_memory_percent=CONTAINER_MEMORY_PERCENT,
            ),
            AlarmSpec(
                role="egress-refused",
                sentence="The egress proxy refuses a destination that is not declared, or a request that is not a tunnel",
                severity=Severity.PAGE,
                namespace=METRICS_NAMESPACE,
                metric=REFUSED,
                statistic="Sum",
                threshold=0,
                periods=1,
                periods_to_alarm=1,
                dimensions={"environment": args.environment},
            ),
            AlarmSpec(
                role="egress-failures",
                sentence="The egress proxy cannot connect to model providers",
                severity=Severity.PAGE,
                namespace=METRICS_NAMESPACE,
                metric=FAILED,
                statistic="Sum",
                threshold=FAILURES_IN_A_MINUTE,
                dimensions={"environment": args.environment},
            ),
            AlarmSpec(
                role="egress-outage",
                sentence=f"More than {OUTAGE_PERCENT} percent of the tunnels to model providers fail",
                severity=Severity.PAGE,
                namespace=METRICS_NAMESPACE,
                metric=FAILED,
                statistic="Sum",
                threshold=OUTAGE_PERCENT,
                series=[Series(), Series(metric=TUNNELS)],
                expression="100 * m1 / m2",
                label="Percent of the tunnels that fail",
                dimensions={"environment": args.environment},
                **OUTAGE,
            ),
        ]
