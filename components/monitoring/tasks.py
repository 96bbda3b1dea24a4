"""The alarms that every Fargate service has: too few running tasks, and nearly all CPU or memory in use. And the alarm on the
disk, for tasks that write to it."""

import math

import pulumi

from components.monitoring.alarm import LESS, AlarmSpec, Severity

NEARLY_ALL_PERCENT = 90
DISK_PERCENT = 80
"""Above the marks between which the cleaner keeps the disk (``components.cleaner``)."""


def task_alarm_specs(
    cluster_name: pulumi.Input[str],
    service_name: pulumi.Input[str],
    minimum_tasks: int,
    *,
    prefix: str = "",
    tasks: str = "tasks",
    full_cpu_percent: int = NEARLY_ALL_PERCENT,
    usable_memory_percent: float = 100,
) -> list[AlarmSpec]:
    """The alarms of one service. ``prefix`` begins each role, and ``tasks`` names the tasks in the messages.

    ``full_cpu_percent``: the CPU utilization of a fully loaded task, less than 90 if its processes cannot use all of it
    (``components.service.scaling.full_percent``). ``usable_memory_percent`` is the share of a task's memory that its program can
    use at most. The metrics are shares of the task's size, so a threshold derived from the size alone may be out of reach.
    """
    service = {"ClusterName": cluster_name, "ServiceName": service_name}
    return [
        AlarmSpec(
            role=f"{prefix}tasks-missing",
            sentence=f"Fewer {tasks} run than the settings require",
            severity=Severity.PAGE,
            namespace="ECS/ContainerInsights",
            metric="RunningTaskCount",
            statistic="Minimum",
            threshold=minimum_tasks,
            comparison=LESS,
            periods_to_alarm=5,
            missing_data="breaching",
            dimensions={**service},
        ),
        AlarmSpec(
            role=f"{prefix}cpu",
            sentence=f"{tasks.capitalize()} use nearly all CPU that they can although the service should have scaled out",
            severity=Severity.PAGE,
            namespace="AWS/ECS",
            metric="CPUUtilization",
            statistic="Average",
            threshold=full_cpu_percent,
            periods=15,
            periods_to_alarm=15,
            dimensions={**service},
        ),
        AlarmSpec(
            role=f"{prefix}memory",
            sentence=f"{tasks.capitalize()} use nearly all of their memory and are killed when it runs out",
            severity=Severity.PAGE,
            namespace="AWS/ECS",
            metric="MemoryUtilization",
            statistic="Maximum",
            threshold=nearly_all(usable_memory_percent),
            dimensions={**service},
        ),
    ]


def no_tasks_alarm_spec(cluster_name: pulumi.Input[str], service_name: pulumi.Input[str]) -> AlarmSpec:
    """The alarm on the tasks that users reach, when none of them runs: without a registered target and without requests nothing at
    the load balancer shows it."""
    return AlarmSpec(
        role="no-tasks",
        sentence="No task runs: every request fails",
        severity=Severity.PAGE,
        namespace="ECS/ContainerInsights",
        metric="RunningTaskCount",
        statistic="Maximum",
        threshold=1,
        comparison=LESS,
        periods=3,
        missing_data="breaching",
        dimensions={"ClusterName": cluster_name, "ServiceName": service_name},
    )


def nearly_all(usable_percent: float) -> int:
    """The threshold of nearly all of what a program can use."""
    return math.floor(NEARLY_ALL_PERCENT * usable_percent / 100)


def disk_alarm_spec(cluster_name: pulumi.Input[str], service_name: pulumi.Input[str]) -> AlarmSpec:
    """The alarm on the fullest disk among the tasks of one service.

    Only a cluster whose setting ``containerInsights`` is ``enhanced`` has the metric
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-enhanced-observability-metrics-ECS.html).
    """
    return AlarmSpec(
        role="disk",
        sentence="The disk of a task fills up although its copies of uploads are removed, and uploads fail when it is full",
        severity=Severity.PAGE,
        namespace="ECS/ContainerInsights",
        metric="TaskEphemeralStorageUtilization",
        statistic="Maximum",
        threshold=DISK_PERCENT,
        dimensions={"ClusterName": cluster_name, "ServiceName": service_name},
    )
