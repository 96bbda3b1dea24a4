"""Alarms on the load balancer, the WAF and the service, each with a destination and a runbook entry.

``EdgeAlarms`` is created before the service, so that its alarms can roll back a faulty deployment; ``ServiceAlarms``
monitors the service. Neither creates a dashboard or reads request contents.
"""

import json
import math

import pulumi
from pydantic import Field

from components.args import Args
from components.component import Component
from components.monitoring.alarm import (
    LESS,
    METRICS_OF_AN_ALARM,
    OUTAGE,
    OUTAGE_PERCENT,
    AlarmSpec,
    Series,
    Severity,
    arns_of,
    make_alarms,
    names_of,
)
from components.monitoring.edge_parts import firewall_specs, zone_and_certificate_specs
from components.monitoring.events import EventMessage, make_event_message
from components.monitoring.tasks import NEARLY_ALL_PERCENT, disk_alarm_spec, no_tasks_alarm_spec, task_alarm_specs


class EdgeAlarmsArgs(Args):
    """Arguments of ``EdgeAlarms``."""

    environment: str
    """Part of the alarms' names."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """The load balancer's CloudWatch dimension."""
    target_group_arn_suffix: pulumi.Output[str]
    """The target group's CloudWatch dimension."""
    firewall_metric_name: pulumi.Output[str] | None = None
    """The web ACL's CloudWatch name (its ``WebACL`` dimension). Omitted: no alarm on blocked requests."""
    region: str
    """The region of the metrics."""
    pages_together: bool = False
    """True: ``Pages`` sends the pages that several of these alarms would send for one cause. Without that component these alarms
    would be silent."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``page``."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``ticket``."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    rate_rules: list[str] = Field(default_factory=list[str], max_length=METRICS_OF_AN_ALARM - 1)
    """The names of the web ACL's rate rules by address. What they block is a separate ticket, and no part of the page on blocked
    requests: they work as intended, or an office needs a higher limit."""
    availability_zones: list[str] = Field(default_factory=list[str], max_length=METRICS_OF_AN_ALARM)
    """The zones in which tasks should serve. Omitted: no alarm on a zone without one."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The number of tasks that always run. They are expected in as many of the zones."""
    certificates: int = Field(default=0, ge=0, le=METRICS_OF_AN_ALARM)
    """The number of ``certificate_arns``."""
    certificate_arns: pulumi.Output[list[str]] | None = None
    """The load balancer's certificates. Omitted: no alarm on their expiry."""
    canary_expected: bool = False
    """Whether a monitor outside AWS requests the web ACL's canary path at least once in five minutes. The alarm on its silence is
    the only signal that the load balancer is reachable from outside."""
    target_start_seconds: int = 390
    """How long a new target may fail its health check while it starts. The alarm on unhealthy targets waits longer;
    otherwise it would roll back successful deployments. Omitted: the longest start that ``InterfaceService`` allows."""
    firewall_blocked_per_five_minutes: int = 500
    """An alarm fires above this number of blocked requests in five minutes: an attack, or a rule that blocks users."""
    tags: dict[str, str]
    """Tags of every resource."""


class EdgeAlarms(Component):
    """Alarms on errors from the load balancer and its targets, failing logins, unhealthy targets, and many blocked requests."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment: errors from targets, and targets that fail their health check."""

    def __init__(self, name: str, args: EdgeAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EdgeAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:EdgeAlarms", name, args, opts)
        alarms = make_alarms(
            name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self), together=args.pages_together
        )
        self.rollback_alarm_names = pulumi.Output.all(
            *(alarms[role].name for role in ("target-errors", "unhealthy-targets"))
        ).apply(lambda names: sorted(str(one) for one in names))
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs(
            {
                "alarmArns": self.alarm_arns,
                "alarmNames": self.alarm_names,
                "rollbackAlarmNames": self.rollback_alarm_names,
            }
        )

    def _alarm_specs(self, args: EdgeAlarmsArgs) -> list[AlarmSpec]:
        balancer = {"LoadBalancer": args.load_balancer_arn_suffix}
        targets = {**balancer, "TargetGroup": args.target_group_arn_suffix}
        # A start within a single minute also shows in that minute's maximum.
        longer_than_a_start = math.ceil(args.target_start_seconds / 60) + 2
        specs = [
            AlarmSpec(
                role="edge-errors",
                sentence="The load balancer itself returns 5xx: there is no healthy target, or logins fail",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_ELB_5XX_Count",
                statistic="Sum",
                severity=Severity.PAGE,
                threshold=10,
                dimensions={**balancer},
            ),
            # A request for which there is no target is not in the number of requests, one whose target fails is.
            AlarmSpec(
                role="edge-outage",
                sentence=f"The load balancer itself answers more than {OUTAGE_PERCENT} percent of the requests with 5xx",
                severity=Severity.PAGE,
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_ELB_5XX_Count",
                statistic="Sum",
                threshold=OUTAGE_PERCENT,
                series=[Series(), Series(metric="RequestCount")],
                expression="100 * m1 / MAX([m1, m2])",
                label="Percent of the requests that fail",
                dimensions={**balancer},
                **OUTAGE,
            ),
            # Users who are logged in notice nothing, so failing logins may be a small share of the requests.
            AlarmSpec(
                role="login-errors",
                sentence="Users cannot log in: the load balancer cannot complete logins with the identity provider",
                severity=Severity.PAGE,
                namespace="AWS/ApplicationELB",
                metric="ELBAuthError",
                statistic="Sum",
                threshold=0,
                dimensions={**balancer},
                **OUTAGE,
            ),
            AlarmSpec(
                role="target-errors",
                sentence="The proxy, the application or a model returns 5xx",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_Target_5XX_Count",
                statistic="Sum",
                severity=Severity.PAGE,
                threshold=10,
                dimensions={**targets},
            ),
            # At low traffic even an outage of everything has fewer errors.
            AlarmSpec(
                role="target-outage",
                sentence=f"More than {OUTAGE_PERCENT} percent of the requests to the tasks fail with 5xx",
                severity=Severity.PAGE,
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_Target_5XX_Count",
                statistic="Sum",
                threshold=OUTAGE_PERCENT,
                series=[Series(), Series(metric="RequestCount")],
                expression="100 * m1 / m2",
                label="Percent of the requests that fail",
                dimensions={**targets},
                **OUTAGE,
            ),
            AlarmSpec(
                role="no-healthy-targets",
                sentence="No task passes its health check: every request fails",
                severity=Severity.PAGE,
                namespace="AWS/ApplicationELB",
                metric="HealthyHostCount",
                statistic="Maximum",
                threshold=1,
                comparison=LESS,
                periods=3,
                # Without a registered target there is no such metric: then too few tasks run, which has its own alarm.
                dimensions={**targets},
            ),
            AlarmSpec(
                role="unhealthy-targets",
                sentence="A task fails its health check for longer than a start takes",
                severity=Severity.PAGE,
                namespace="AWS/ApplicationELB",
                metric="UnHealthyHostCount",
                statistic="Maximum",
                threshold=0,
                periods=longer_than_a_start,
                periods_to_alarm=longer_than_a_start,
                dimensions={**targets},
            ),
        ]
        return [*specs, *zone_and_certificate_specs(args, targets), *firewall_specs(args)]


class ServiceAlarmsArgs(Args):
    """Arguments of ``ServiceAlarms``."""

    environment: str
    """Part of the alarms' names."""
    cluster_name: pulumi.Output[str]
    """The cluster of the monitored service."""
    service_name: pulumi.Output[str]
    """The monitored service."""
    service_arn: pulumi.Output[str]
    """The monitored service's ARN."""
    minimum_tasks: int = 1
    """An alarm fires if fewer tasks than this run for five minutes."""
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


class ServiceAlarms(Component):
    """Alarms on too few running tasks, high use of CPU, memory or disk, and failed deployments."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""

    def __init__(self, name: str, args: ServiceAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ServiceAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ServiceAlarms", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        specs = [
            no_tasks_alarm_spec(args.cluster_name, args.service_name),
            *task_alarm_specs(
                args.cluster_name, args.service_name, args.minimum_tasks, full_cpu_percent=args.full_cpu_percent
            ),
            # Other tasks have no writable directory.
            disk_alarm_spec(args.cluster_name, args.service_name),
        ]
        alarms = make_alarms(name, specs, args, child, together=args.pages_together)
        alarms |= make_event_message(name, _failed_deployments(args), args, child)
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs({"alarmArns": self.alarm_arns, "alarmNames": self.alarm_names})


def _failed_deployments(args: ServiceAlarmsArgs) -> EventMessage:
    """No metric shows it, because after a rollback the old tasks are healthy."""
    return EventMessage(
        role="deployment-failed",
        description="A deployment failed or was rolled back",
        severity=Severity.TICKET,
        pattern=args.service_arn.apply(deployment_failed_pattern),
        inputs={"reason": "$.detail.reason"},
        text="a deployment failed and the service keeps its previous release. ECS reports: <reason>",
    )


def deployment_failed_pattern(service_arn: str) -> str:
    """EventBridge pattern of the failed deployments of this service."""
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change"],
        "resources": [service_arn],
        "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
    }
    return json.dumps(pattern, sort_keys=True)
