"""Target tracking of the number of tasks, on requests and on CPU; the higher result applies."""

import math
from dataclasses import dataclass
from fractions import Fraction

import pulumi
import pulumi_aws as aws

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"

SCALE_OUT_SECONDS = 60
SCALE_IN_SECONDS = 600
"""Deregistered tasks first finish their responses, so scaling in is deliberately slow."""


FULL_PERCENT = 90
"""Above this CPU utilization a task responds slowly. The remaining tasks must stay below it after the loss of a
zone."""


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


def lost_zone_shortage(tasks: range, zones: int, cpu_target_percent: int) -> str:
    """The reason why the service does not survive the loss of a zone at some number of tasks in the range, or an empty
    string."""
    several = [number for number in tasks if number > 1]
    if not several:
        return ""
    worst = min(several, key=lambda number: left_after_a_zone(number, zones))
    share = left_after_a_zone(worst, zones)
    if share == 0:
        return f"{worst} tasks in one availability zone: none remain if it fails; use two zones or more"
    load = math.ceil(cpu_target_percent / share)
    if load <= FULL_PERCENT:
        return ""
    return (
        f"{worst} tasks in {zones} availability zones at {cpu_target_percent} percent CPU: when a zone fails, the "
        f"remaining {int(worst * share)} would need {load} percent, more than {FULL_PERCENT}; lower the CPU target to "
        f"{math.floor(FULL_PERCENT * share)}, omit it, or use another zone"
    )


@dataclass(frozen=True, kw_only=True)
class RequestTarget:
    """The number of requests from the load balancer above which a task is added."""

    per_task_per_minute: int
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
    requests: RequestTarget | None = None
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
    _track(f"{name}-scaling-cpu", target, _metric("ECSServiceAverageCPUUtilization"), plan.cpu_target_percent, child)
    if requests := plan.requests:
        label = pulumi.Output.concat(requests.load_balancer_arn_suffix, "/", requests.target_group_arn_suffix)
        metric = _metric("ALBRequestCountPerTarget", label)
        _track(f"{name}-scaling-requests", target, metric, requests.per_task_per_minute, child)


Metric = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs


def _metric(name: str, label: pulumi.Output[str] | None = None) -> Metric:
    return Metric(predefined_metric_type=name, resource_label=label)


def _track(
    name: str, target: aws.appautoscaling.Target, metric: Metric, value: int, child: pulumi.ResourceOptions
) -> None:
    aws.appautoscaling.Policy(
        name,
        name=name,
        policy_type="TargetTrackingScaling",
        service_namespace=NAMESPACE,
        scalable_dimension=DIMENSION,
        resource_id=target.resource_id,
        target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
            target_value=value,
            scale_out_cooldown=SCALE_OUT_SECONDS,
            scale_in_cooldown=SCALE_IN_SECONDS,
            predefined_metric_specification=metric,
        ),
        opts=child,
    )
