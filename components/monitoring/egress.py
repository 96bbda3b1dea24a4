"""Alarms on the egress proxy. They are created before its service, so that a faulty deployment is rolled back.

The metrics are counted in the proxy's log: Envoy's own statistics are not published.
"""

import pulumi
from pydantic import Field

from components.args import Args
from components.egress.identity import FAILED, REFUSED
from components.egress.settings import METRICS_NAMESPACE, SERVICE
from components.monitoring.alarm import AlarmSpec, make_alarms
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
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class EgressAlarms(pulumi.ComponentResource):
    """Alarms on the egress proxy: refused destinations, failing tunnels, too few running tasks, high CPU or memory use."""

    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment of the egress proxy."""

    def __init__(self, name: str, args: EgressAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EgressAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:EgressAlarms", name, {}, opts)
        alarms = make_alarms(name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self))
        self.rollback_alarm_names = alarms["egress-failures"].name.apply(lambda one: [one])
        self.register_outputs({"rollbackAlarmNames": self.rollback_alarm_names})

    def _alarm_specs(self, args: EgressAlarmsArgs) -> list[AlarmSpec]:
        return [
            *task_alarm_specs(
                args.cluster_name, SERVICE, args.minimum_tasks, prefix="egress-", tasks="tasks of the egress proxy"
            ),
            AlarmSpec(
                role="egress-refused",
                sentence="The egress proxy refuses a destination that is not declared, or a request that is not a tunnel",
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
                namespace=METRICS_NAMESPACE,
                metric=FAILED,
                statistic="Sum",
                threshold=FAILURES_IN_A_MINUTE,
                dimensions={"environment": args.environment},
            ),
        ]
