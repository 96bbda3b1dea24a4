"""The alarms that every Fargate service has: too few running tasks, and nearly all CPU or memory in use. And the alarm on the
disk, for tasks that write to it."""

import pulumi

from components.monitoring.alarm import LESS, AlarmSpec

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
) -> list[AlarmSpec]:
    """The alarms of one service. ``prefix`` begins each role, and ``tasks`` names the tasks in the messages."""
    service = {"ClusterName": cluster_name, "ServiceName": service_name}
    return [
        AlarmSpec(
            role=f"{prefix}tasks-missing",
            sentence=f"Fewer {tasks} run than the settings require",
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
            sentence=f"{tasks.capitalize()} use nearly all of their CPU although the service should have scaled out",
            namespace="AWS/ECS",
            metric="CPUUtilization",
            statistic="Average",
            threshold=NEARLY_ALL_PERCENT,
            periods=15,
            periods_to_alarm=15,
            dimensions={**service},
        ),
        AlarmSpec(
            role=f"{prefix}memory",
            sentence=f"{tasks.capitalize()} use nearly all of their memory and are killed when it runs out",
            namespace="AWS/ECS",
            metric="MemoryUtilization",
            statistic="Maximum",
            threshold=NEARLY_ALL_PERCENT,
            dimensions={**service},
        ),
    ]


def disk_alarm_spec(cluster_name: pulumi.Input[str], service_name: pulumi.Input[str]) -> AlarmSpec:
    """The alarm on the fullest disk among the tasks of one service.

    Only a cluster whose setting ``containerInsights`` is ``enhanced`` has the metric
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-enhanced-observability-metrics-ECS.html).
    """
    return AlarmSpec(
        role="disk",
        sentence="The disk of a task fills up although its copies of uploads are removed, and uploads fail when it is full",
        namespace="ECS/ContainerInsights",
        metric="TaskEphemeralStorageUtilization",
        statistic="Maximum",
        threshold=DISK_PERCENT,
        dimensions={"ClusterName": cluster_name, "ServiceName": service_name},
    )
