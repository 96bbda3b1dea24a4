"""The alarms that every Fargate service has: too few running tasks, and nearly all CPU or memory in use."""

import pulumi

from components.monitoring.alarm import LESS, AlarmSpec

NEARLY_ALL_PERCENT = 90


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
