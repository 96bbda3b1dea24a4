"""Target tracking of the number of tasks, on CPU, requests and open connections; the highest result applies.

A stream is one request however long it lasts, so requests alone do not show a task full of streams; its connections do.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import pulumi
import pulumi_aws as aws

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"

SCALE_OUT_SECONDS = 60
SCALE_IN_SECONDS = 600
"""Deregistered tasks first finish their responses, so scaling in is deliberately slow."""


FULL_PERCENT = 90
"""Above this share of the CPU that it can use, a task responds slowly. The remaining tasks must stay below it after the
loss of a zone."""
UNITS_OF_A_PROCESS = 1024
"""The CPU units that one Python or Node.js process can use: its event loop runs on one vCPU."""
CONNECTIONS_OF_A_STREAM = 2
"""How many of the load balancer's connections one stream or WebSocket occupies: the client's and the target's. The metric
``ActiveConnectionCount`` counts both
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html)."""


def full_percent(cpu_units: int, processes: int | None) -> int:
    """The CPU utilization of a task at full load.

    ECS divides by all of the task's CPU. A single process on two vCPU therefore reports 50 percent when it is saturated, and
    a target or a threshold above that is never reached. ``processes``: how many processes serve requests; ``None``: they use
    all of the task's CPU.
    """
    usable = cpu_units if processes is None else min(cpu_units, processes * UNITS_OF_A_PROCESS)
    return FULL_PERCENT * usable // cpu_units


def left_after_a_zone(tasks: int, zones: int) -> Fraction:
    """The fraction of the tasks that remains if the fullest zone fails.

    Tasks are spread evenly, so the fullest zone contains ``ceil(tasks / zones)`` of them.
    """
    return Fraction(tasks - math.ceil(tasks / zones), tasks)


def headroom(tasks: range, zones: int) -> Fraction:
    """The fraction of its full load at which another task is added, valid for every number of tasks in the range.

    When a zone fails, the remaining tasks, already at the target, take over its load. Scaling can stop at any task
    count in the range, so the worst count determines the result: with 3 tasks in two zones, for example, only 1 may
    remain. A single task is ignored, because no other task can take over from it.
    """
    several = [number for number in tasks if number > 1]
    return min((left_after_a_zone(number, zones) for number in several), default=Fraction(1))


def highest_target(full: int, tasks: range, zones: int) -> int:
    """The highest scaling target at which the service survives the loss of a zone; ``full`` is the metric's value for a
    fully loaded task."""
    return math.floor(full * headroom(tasks, zones))


def lost_zone_shortage(tasks: range, zones: int, cpu_target_percent: int, full: int = FULL_PERCENT) -> str:
    """The reason why the service does not survive the loss of a zone at some number of tasks in the range, or an empty
    string. ``full``: the CPU utilization of a fully loaded task (``full_percent``)."""
    several = [number for number in tasks if number > 1]
    if not several:
        return ""
    worst = min(several, key=lambda number: left_after_a_zone(number, zones))
    share = left_after_a_zone(worst, zones)
    if share == 0:
        return f"{worst} tasks in one availability zone: none remain if it fails; use two zones or more"
    load = math.ceil(cpu_target_percent / share)
    if load <= full:
        return ""
    return (
        f"{worst} tasks in {zones} availability zones at {cpu_target_percent} percent CPU: when a zone fails, the "
        f"remaining {int(worst * share)} would need {load} percent, more than {full}; lower the CPU target to "
        f"{math.floor(full * share)}, omit it, or use another zone"
    )


@dataclass(frozen=True, kw_only=True)
class EdgeTargets:
    """The load from the load balancer above which a task is added."""

    requests_per_task_per_minute: int
    streams_per_task: int
    """Open streams and WebSockets, counted by their connections."""
    load_balancer_arn_suffix: pulumi.Output[str]
    target_group_arn_suffix: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class ScalingPlan:
    """The range of the number of tasks, and the targets that scale it."""

    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    minimum_tasks: int
    maximum_tasks: int
    cpu_target_percent: int
    edge: EdgeTargets | None = None
    """Omitted: CPU alone decides, because the service has no load balancer."""
    tags: dict[str, str]


def scale(name: str, plan: ScalingPlan, child: pulumi.ResourceOptions) -> None:
    """Register the scalable target and its policies.

    They are also registered at a fixed size (``minimum_tasks`` = ``maximum_tasks``), so that a later change of capacity
    changes only numbers, not the shape of the environment.
    """
    target = aws.appautoscaling.Target(
        f"{name}-scaling",
        service_namespace=NAMESPACE,
        scalable_dimension=DIMENSION,
        resource_id=pulumi.Output.concat("service/", plan.cluster_name, "/", plan.service_name),
        min_capacity=plan.minimum_tasks,
        max_capacity=plan.maximum_tasks,
        tags=plan.tags,
        opts=child,
    )
    _track(
        f"{name}-scaling-cpu", target, _predefined("ECSServiceAverageCPUUtilization"), plan.cpu_target_percent, child
    )
    if edge := plan.edge:
        label = pulumi.Output.concat(edge.load_balancer_arn_suffix, "/", edge.target_group_arn_suffix)
        requests = _predefined("ALBRequestCountPerTarget", label)
        _track(f"{name}-scaling-requests", target, requests, edge.requests_per_task_per_minute, child)
        _track(f"{name}-scaling-streams", target, _streams(plan, edge), edge.streams_per_task, child)


Metric = dict[str, Any]
"""The half of a target tracking configuration that names the metric."""


def _predefined(name: str, label: pulumi.Output[str] | None = None) -> Metric:
    return {"predefined_metric_specification": {"predefined_metric_type": name, "resource_label": label}}


def _streams(plan: ScalingPlan, edge: EdgeTargets) -> Metric:
    """Open streams for each task. The load balancer's connections are counted as a whole only, so they are divided by the
    number of tasks, as in AWS's example of a queue's backlog per task
    (https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html).

    ``FILL`` would let the policy scale in while no request arrives, but the load balancer's newest minute arrives late: it
    would be read as zero, and the policy could never scale out.
    """
    connections = _query(
        "connections", "AWS/ApplicationELB", "ActiveConnectionCount", "Sum", LoadBalancer=edge.load_balancer_arn_suffix
    )
    tasks = _query(
        "tasks",
        "ECS/ContainerInsights",
        "RunningTaskCount",
        "Average",
        ClusterName=plan.cluster_name,
        ServiceName=plan.service_name,
    )
    result = {
        "id": "streams",
        "label": "Open streams per task",
        "expression": f"connections / {CONNECTIONS_OF_A_STREAM} / tasks",
        "return_data": True,
    }
    return {"customized_metric_specification": {"metrics": [connections, tasks, result]}}


def _query(key: str, namespace: str, metric: str, statistic: str, **dimensions: pulumi.Output[str]) -> Metric:
    return {
        "id": key,
        "metric_stat": {
            "metric": {
                "namespace": namespace,
                "metric_name": metric,
                "dimensions": [{"name": name, "value": value} for name, value in sorted(dimensions.items())],
            },
            "stat": statistic,
        },
        "return_data": False,
    }


def _track(
    name: str, target: aws.appautoscaling.Target, metric: Metric, value: int, child: pulumi.ResourceOptions
) -> None:
    configuration = {
        "target_value": value,
        "scale_out_cooldown": SCALE_OUT_SECONDS,
        "scale_in_cooldown": SCALE_IN_SECONDS,
        **metric,
    }
    aws.appautoscaling.Policy(
        name,
        name=name,
        policy_type="TargetTrackingScaling",
        service_namespace=NAMESPACE,
        scalable_dimension=DIMENSION,
        resource_id=target.resource_id,
        target_tracking_scaling_policy_configuration=cast(
            "aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgsDict", configuration
        ),
        opts=child,
    )
