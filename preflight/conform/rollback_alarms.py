"""No alarm that rolls back a deployment can fire during a healthy deployment.

For each alarm in a service's deployment alarms, two times are compared: how long the metric may be degraded while a
working release starts, derived from the service, its task definition and its target group, and after how long the alarm
fires. A metric that is not in this table is reported, because it may not be safe.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from preflight.conform.documented.model import Json, listed, mapping
from preflight.conform.documented.observation import ALARM, longest_period
from preflight.conform.documented.services import SERVICE, TASK, containers
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording

SOURCE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html"
TARGETS = "aws:lb/targetGroup:TargetGroup"


class Shown(StrEnum):
    """The phase of a healthy deployment in which a metric is degraded."""

    NEVER = "never"
    WHILE_STARTING = "while tasks start"
    WHILE_FEWER = "while fewer tasks run than wanted"
    WHILE_NONE = "while no task runs"


METRICS: dict[tuple[str, str], Shown] = {
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): Shown.WHILE_NONE,
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): Shown.NEVER,
    ("AWS/ApplicationELB", "HealthyHostCount"): Shown.WHILE_FEWER,
    ("AWS/ApplicationELB", "UnHealthyHostCount"): Shown.WHILE_STARTING,
    ("AWS/ECS", "CPUUtilization"): Shown.WHILE_STARTING,
    ("AWS/ECS", "MemoryUtilization"): Shown.NEVER,
    ("ECS/ContainerInsights", "RunningTaskCount"): Shown.WHILE_FEWER,
    # Counts answers: a task that starts gets no request, and one that stops finishes its own.
    ("ai-interface/gateway", "Failures"): Shown.NEVER,
    # Counts tunnels that could not be opened: a task that starts gets none, and one that stops opens no more.
    ("ai-interface/egress", "Failed"): Shown.NEVER,
}
"""Namespace and metric → the phase of a healthy deployment in which it is degraded."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """How long the phases of a healthy deployment may take, in seconds."""

    start: int
    """From a new task's first failed health check to the one that makes it healthy."""
    gap: int
    """From the stop of the first old task until the last new one is healthy, if fewer tasks run meanwhile."""
    none: bool
    """Whether no task may run for some time."""

    def shows(self, when: Shown) -> int:
        """How long a metric may be degraded."""
        return {
            Shown.NEVER: 0,
            Shown.WHILE_STARTING: self.start,
            Shown.WHILE_FEWER: self.gap,
            Shown.WHILE_NONE: self.gap if self.none else 0,
        }[when]


def findings(recording: Recording) -> list[Finding]:
    """Each deployment alarm of a service that a healthy deployment can raise."""
    return [
        finding
        for service in recording.of_type(SERVICE)
        if mapping(service.inputs.get("alarms")).get("enable")
        for finding in _service(recording, service)
    ]


def deployment(recording: Recording, service: RecordedResource) -> Deployment:
    """How long a service's deployment takes."""
    start, drain = int(service.inputs.get("healthCheckGracePeriodSeconds") or 0), 0
    used = {mapping(one).get("targetGroupArn") for one in listed(service.inputs.get("loadBalancers"))}
    for group in recording.of_type(TARGETS):
        if group.outputs.get("arn") in used:
            check = mapping(group.inputs.get("healthCheck"))
            healthy = int(check.get("healthyThreshold", 5)) * int(check.get("interval", 30))
            start += healthy + int(group.inputs.get("slowStart") or 0)
            drain = max(drain, int(group.inputs.get("deregistrationDelay", 300)))
    for task in recording.of_type(TASK):
        if task.outputs.get("arn") == service.inputs.get("taskDefinition"):
            found = containers(task)
            allowed = max((int(mapping(one.get("healthCheck")).get("startPeriod", 0)) for one in found), default=0)
            start = max(start, allowed)
            drain += max((int(one.get("stopTimeout", 30)) for one in found), default=0)
    least = service.inputs.get("deploymentMinimumHealthyPercent", 100)
    return Deployment(start=start, gap=0 if least >= 100 else drain + start, none=least == 0)  # noqa: PLR2004 - percent


def _service(recording: Recording, service: RecordedResource) -> Iterator[Finding]:
    times = deployment(recording, service)
    names = set(listed(mapping(service.inputs.get("alarms")).get("alarmNames")))
    for alarm in recording.of_type(ALARM):
        if alarm.inputs.get("name") not in names:
            continue
        period = longest_period(alarm)
        points = int(alarm.inputs.get("datapointsToAlarm") or alarm.inputs.get("evaluationPeriods") or 1)
        for namespace, metric in _metrics(alarm):
            when = METRICS.get((namespace, metric))
            if when is None:
                found = f"{namespace} {metric}, whose behaviour during a deployment is not known"
                yield _finding(recording, alarm, found, "a metric listed in preflight/conform/rollback_alarms.py")
            elif shown := times.shows(when):
                # The number of minutes that the time overlaps: one more than it fills.
                needed = math.ceil(shown / period) + 2
                if points < needed:
                    found = f"fires after {points} periods of {period} s; {metric} is degraded {when} for {shown} s"
                    yield _finding(recording, alarm, found, f"at least {needed} bad periods of {period} s")


def _metrics(alarm: RecordedResource) -> Iterator[tuple[str, str]]:
    queries = [mapping(mapping(one).get("metric")) for one in listed(alarm.inputs.get("metricQueries"))]
    for source in (alarm.inputs, *queries):
        if name := _text(source, "metricName"):
            yield _text(source, "namespace"), name


def _text(source: dict[str, Json], key: str) -> str:
    return str(source.get(key) or "")


def _finding(recording: Recording, alarm: RecordedResource, found: str, wanted: str) -> Finding:
    return Finding(
        environment=recording.stack,
        rule="conform-rollback-alarms",
        verdict=Verdict.VIOLATED,
        headline=f"{alarm.name}.datapointsToAlarm is too low: a healthy deployment can raise the alarm that rolls it back",
        urn=alarm.urn,
        found=found,
        wanted=f"{wanted} ({SOURCE})",
        fix="raise the number of periods, or remove the alarm from the service's deployment alarms",
        pack="conform",
        source_file=alarm.source_file,
        source_line=alarm.source_line,
    )
