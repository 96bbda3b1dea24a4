"""Alarms on the load balancer, the WAF and the service, each with a destination and a runbook entry.

``EdgeAlarms`` is created before the service, so that its alarms can roll back a faulty deployment; ``ServiceAlarms``
monitors the service. Neither creates a dashboard or reads request contents.
"""

import json
import math

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.monitoring.alarm import AlarmSpec, make_alarms
from components.monitoring.tasks import disk_alarm_spec, task_alarm_specs


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
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    target_start_seconds: int = 390
    """How long a new target may fail its health check while it starts. The alarm on unhealthy targets waits longer;
    otherwise it would roll back successful deployments. Omitted: the longest start that ``InterfaceService`` allows."""
    firewall_blocked_per_five_minutes: int = 500
    """An alarm fires above this number of blocked requests in five minutes: an attack, or a rule that blocks users."""
    tags: dict[str, str]
    """Tags of every resource."""


class EdgeAlarms(pulumi.ComponentResource):
    """Alarms on errors from the load balancer and its targets, unhealthy targets, and many blocked requests."""

    rollback_alarm_names: pulumi.Output[list[str]]
    """The alarms that roll back a deployment: errors from targets, and targets that fail their health check."""

    def __init__(self, name: str, args: EdgeAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EdgeAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:EdgeAlarms", name, {}, opts)
        alarms = make_alarms(name, self._alarm_specs(args), args, pulumi.ResourceOptions(parent=self))
        self.rollback_alarm_names = pulumi.Output.all(
            *(alarms[role].name for role in ("target-errors", "unhealthy-targets"))
        ).apply(lambda names: sorted(str(one) for one in names))
        self.register_outputs({"rollbackAlarmNames": self.rollback_alarm_names})

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
                threshold=10,
                dimensions={**balancer},
            ),
            AlarmSpec(
                role="target-errors",
                sentence="The proxy, the application or a model returns 5xx",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_Target_5XX_Count",
                statistic="Sum",
                threshold=10,
                dimensions={**targets},
            ),
            AlarmSpec(
                role="unhealthy-targets",
                sentence="A task fails its health check for longer than a start takes",
                namespace="AWS/ApplicationELB",
                metric="UnHealthyHostCount",
                statistic="Maximum",
                threshold=0,
                periods=longer_than_a_start,
                periods_to_alarm=longer_than_a_start,
                dimensions={**targets},
            ),
        ]
        if args.firewall_metric_name is not None:
            specs.append(
                AlarmSpec(
                    role="firewall-blocked",
                    sentence="The WAF blocks an unusual number of requests: an attack, or a rule that blocks users",
                    namespace="AWS/WAFV2",
                    metric="BlockedRequests",
                    statistic="Sum",
                    threshold=args.firewall_blocked_per_five_minutes,
                    period_seconds=300,
                    periods=1,
                    periods_to_alarm=1,
                    dimensions={"WebACL": args.firewall_metric_name, "Region": args.region, "Rule": "ALL"},
                )
            )
        return specs


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
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class ServiceAlarms(pulumi.ComponentResource):
    """Alarms on too few running tasks, high use of CPU, memory or disk, and failed deployments."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""

    def __init__(self, name: str, args: ServiceAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ServiceAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ServiceAlarms", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        specs = [
            *task_alarm_specs(args.cluster_name, args.service_name, args.minimum_tasks),
            # Other tasks have no writable directory.
            disk_alarm_spec(args.cluster_name, args.service_name),
        ]
        alarms = make_alarms(name, specs, args, child)
        self.alarm_arns = pulumi.Output.all(*(alarm.arn for alarm in alarms.values())).apply(
            lambda arns: sorted(str(one) for one in arns)
        )
        self._failed_deployments(name, args, child)
        self.register_outputs({"alarmArns": self.alarm_arns})

    def _failed_deployments(self, name: str, args: ServiceAlarmsArgs, child: pulumi.ResourceOptions) -> None:
        # No metric shows it, because after a rollback the old tasks are healthy.
        rule = aws.cloudwatch.EventRule(
            f"{name}-deployment-failed",
            description="A deployment failed or was rolled back",
            event_pattern=args.service_arn.apply(deployment_failed_pattern),
            tags=args.tags,
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-deployment-failed-target",
            rule=rule.name,
            arn=args.alarm_topic_arn,
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"reason": "$.detail.reason"},
                input_template=json.dumps(
                    f"ai-interface {args.environment}: a deployment failed and the service keeps its previous release. "
                    f"ECS reports: <reason>. What to do: {args.runbook_url}#deployment-failed"
                ),
            ),
            opts=child,
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
