"""Alarms on the gateway to models. They are created before its service, so that a faulty deployment is rolled back.

The metrics are the gateway's own (``components.gateway.metrics``): Bedrock's do not show errors of the gateway itself.
"""

import pulumi
from pydantic import Field

from components.args import Args
from components.gateway.settings import METRICS_NAMESPACE, SERVICE
from components.monitoring.alarm import AlarmSpec, make_alarms
from components.monitoring.tasks import task_alarm_specs

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
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class GatewayAlarms(pulumi.ComponentResource):
    """Alarms on the gateway: failing calls, too few running tasks, high CPU or memory use."""

    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment of the gateway."""

    def __init__(self, name: str, args: GatewayAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = GatewayAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:GatewayAlarms", name, {}, opts)
        alarms = make_alarms(name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self))
        self.rollback_alarm_names = alarms["gateway-failures"].name.apply(lambda one: [one])
        self.register_outputs({"rollbackAlarmNames": self.rollback_alarm_names})

    def _alarm_specs(self, args: GatewayAlarmsArgs) -> list[AlarmSpec]:
        return [
            *task_alarm_specs(
                args.cluster_name, SERVICE, args.minimum_tasks, prefix="gateway-", tasks="tasks of the gateway"
            ),
            AlarmSpec(
                role="gateway-failures",
                sentence="Calls of models through the gateway fail with 5xx",
                namespace=METRICS_NAMESPACE,
                metric="Failures",
                statistic="Sum",
                threshold=FAILURES_IN_A_MINUTE,
                dimensions={"environment": args.environment},
            ),
        ]
