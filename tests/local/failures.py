"""Failures as the metrics and events that they produce, on top of a quiet stack with some traffic, and the message that each raises.

Every failure is stated once here; ``test_failures.py`` simulates each on the recorded graph, and holds the table in ``docs/alarms.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local.alarms import ALARM, Alarm, Metric
from local.signals import Metrics
from local.stack import Stack
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, PROMPTS

NOW = 1_800_000_000.0
MINUTE, HOUR = 60, 3600
HISTORY_HOURS = 72
"""The longest window of an alarm."""
REQUESTS, CALLS = 60.0, 20.0
"""Requests and model calls a minute, at ordinary traffic."""
Value = float | None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failure."""

    name: str
    raises: str
    """The one alarm or event rule that sends a message; the runbook's section."""
    page: bool = True
    """Whether the message is a page; otherwise a ticket."""
    metrics: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """Metric (``Namespace/Name``, or its name) → its value in each minute of the failure, ``None``: no data."""
    only: str = ""
    """A part of a dimension's value that the metrics must have, where several parts of the stack have the metric."""
    minutes: int = 20
    case: str = "staging"
    """The stack, or the variant of staging, that has what fails."""
    quiet: bool = False
    """Whether there is only one request in five minutes, as at night."""


_DOWN: Mapping[str, Value] = {
    "RunningTaskCount": 0.0,
    "HealthyHostCount": None,
    "UnHealthyHostCount": None,
    "IncomingLogEvents": None,
    "RequestCount": None,
    "Requests": None,
    "ModelCalls": None,
    "Invocations": None,
}
"""No task runs: the load balancer answers, and nothing behind it writes a line."""
_DEAD_CHAT: Mapping[str, Value] = {"ai-interface/synthetic-chat/Failures": 1.0}
"""The synthetic chat meets the same model."""
_DEAD_MODEL: Mapping[str, Value] = {
    **_DEAD_CHAT,
    "ModelFailures": CALLS,
    "ModelUnreachable": CALLS / 2,
    "ModelFirstByte": None,
}
FAILURES: Sequence[Failure] = (
    Failure(name="No task runs", raises="requests-failing", metrics={**_DOWN, "HTTPCode_ELB_5XX_Count": REQUESTS}),
    Failure(name="No task runs, at night", raises="requests-failing", metrics=_DOWN, quiet=True),
    Failure(
        name="Tasks crash in a loop, and some run",
        raises="tasks-degraded",
        metrics={"RunningTaskCount": 1.0, "UnHealthyHostCount": 1.0},
    ),
    Failure(
        name="One zone is gone: its tasks are missing until they run elsewhere",
        raises="tasks-degraded",
        metrics={"RunningTaskCount": 1.0, "HealthyHostCount": 1.0},
        minutes=10,
    ),
    Failure(
        name="The application returns 5xx",
        raises="requests-failing",
        metrics={"HTTPCode_Target_5XX_Count": REQUESTS / 2},
    ),
    Failure(
        name="The application returns 5xx, at night",
        raises="requests-failing",
        metrics={"HTTPCode_Target_5XX_Count": 1.0},
        quiet=True,
    ),
    Failure(
        name="The database is down: the application returns 5xx",
        raises="requests-failing",
        metrics={
            "HTTPCode_Target_5XX_Count": REQUESTS,
            "DatabaseConnections": None,
            "AWS/RDS/CPUUtilization": None,
            "FreeableMemory": None,
            "ACUUtilization": None,
        },
    ),
    Failure(
        name="The identity provider is down, while few log in",
        raises="logins-failing",
        metrics={"ELBAuthError": 1.0, "HTTPCode_ELB_5XX_Count": 0.2},
    ),
    Failure(
        name="The identity provider is down, and many log in",
        raises="requests-failing",
        metrics={"ELBAuthError": 30.0, "HTTPCode_ELB_5XX_Count": 30.0},
    ),
    Failure(
        name="The client secret has expired",
        raises="logins-failing",
        metrics={"ELBAuthError": 0.4, "HTTPCode_ELB_5XX_Count": 0.4},
    ),
    Failure(
        name="The identity provider sends other claims, and the proxy refuses everyone",
        raises="access-refused",
        metrics={"Forbidden": REQUESTS * 0.9},
    ),
    Failure(name="A model is dead, and the application returns 200", raises="chats-failing", metrics=_DEAD_MODEL),
    Failure(
        name="A model is dead, at night",
        raises="chats-failing",
        metrics={**_DEAD_CHAT, "ModelFailures": 1.0, "ModelFirstByte": None},
        quiet=True,
    ),
    Failure(
        name="A model is dead, and there are no users",
        raises="chats-failing",
        metrics={**_DEAD_CHAT, "RequestCount": None, "Requests": None, "ModelCalls": None, "ModelFirstByte": None},
    ),
    Failure(
        name="The synthetic chat does not run",
        raises="synthetic-chat-silent",
        page=False,
        metrics={"ai-interface/synthetic-chat/Runs": None, "ai-interface/synthetic-chat/Failures": None},
        minutes=30,
    ),
    Failure(
        name="Bedrock throttles every call",
        raises="chats-failing",
        metrics={
            **_DEAD_CHAT,
            "ModelFailures": CALLS,
            "ModelThrottled": CALLS,
            "InvocationThrottles": 2 * CALLS,
            "Invocations": None,
        },
    ),
    Failure(
        name="Bedrock throttles some calls, and the second attempt succeeds",
        raises="models-degraded",
        metrics={"InvocationThrottles": 8.0, "ModelRetries": 2.0},
    ),
    Failure(
        name="The first model server of a group fails, and the second one answers",
        raises="models-retried",
        page=False,
        metrics={"ModelRetries": CALLS},
    ),
    Failure(
        name="Models answer slowly",
        raises="first-token-slow",
        page=False,
        metrics={"ModelFirstByte": 11_000.0, "ModelSlow": CALLS / 4},
        minutes=70,
    ),
    Failure(
        name="The gateway to models is down",
        raises="chats-failing",
        case=GATEWAY,
        metrics={**_DEAD_MODEL, "ai-interface/gateway/Failures": CALLS},
    ),
    Failure(
        name="The egress proxy cannot connect to the provider",
        raises="chats-failing",
        case=EXTERNAL,
        metrics={**_DEAD_MODEL, "ai-interface/egress/Failed": CALLS, "ai-interface/egress/Tunnels": CALLS},
    ),
    Failure(name="The disk of a task is full", raises="disk", metrics={"TaskEphemeralStorageUtilization": 95.0}),
    Failure(
        name="The tasks have opened all connections to the database that they may",
        raises="database-overloaded",
        metrics={"DatabaseConnections": 200.0},
    ),
    Failure(
        name="The database has no capacity left",
        raises="database-overloaded",
        metrics={"ACUUtilization": 99.0, "AWS/RDS/CPUUtilization": 99.0, "FreeableMemory": 1e8},
    ),
    Failure(
        name="A database reader lags behind",
        raises="database-replication",
        page=False,
        case="prod",
        metrics={"AuroraReplicaLagMaximum": 10_000.0},
    ),
    Failure(name="The cache is full", raises="cache-evictions", page=False, metrics={"Evictions": 50.0}),
    Failure(
        name="No backup has started for a day",
        raises="backup-missing",
        page=False,
        metrics={"NumberOfBackupJobsCompleted": None},
        minutes=29 * 60,
    ),
    Failure(
        name="The proxy's log is not delivered",
        raises="signals-missing",
        metrics={"IncomingLogEvents": None, "Requests": None, "ModelCalls": None, "ModelFirstByte": None},
        minutes=30,
    ),
    Failure(
        name="The firewall blocks a wave of requests",
        raises="firewall-blocked",
        metrics={"BlockedRequests": 400.0},
        only="ALL",
    ),
    Failure(
        name="An office behind one address exceeds the rate limits",
        raises="rate-limited",
        page=False,
        metrics={"BlockedRequests": 30.0},
        only="rate-",
    ),
    Failure(
        name="Nothing outside reaches the load balancer any more",
        raises="signals-missing",
        case=PROMPTS,
        metrics={"BlockedRequests": None},
        only="canary",
        minutes=30,
    ),
    Failure(
        name="A zone has no capacity, and its tasks run in another one",
        raises="zone-without-hosts",
        page=False,
        metrics={"HealthyHostCount": None},
        only="eu-west-1a",
    ),
    Failure(
        name="A certificate is not renewed",
        raises="certificate-expiring",
        page=False,
        metrics={"DaysToExpiry": 29.0},
    ),
    Failure(
        name="Bedrock answers with server errors, and the second attempt succeeds",
        raises="models-degraded",
        metrics={"InvocationServerErrors": 2 * CALLS, "Invocations": CALLS / 2, "ModelRetries": 2.0},
    ),
    Failure(
        name="The quota of a model is nearly used up",
        raises="model-quota",
        page=False,
        case=PROMPTS,
        metrics={"EstimatedTPMQuotaUsage": 190_000.0},
    ),
    Failure(
        name="The database refuses the tasks' logins by IAM, and their connections last",
        raises="database-logins-failing",
        page=False,
        metrics={"IncomingLogEvents": 20.0},
        only="iam-db-auth-error",
    ),
    Failure(
        name="A program sends uploads above the limit",
        raises="too-large",
        page=False,
        metrics={"TooLarge": 10.0},
    ),
    Failure(
        name="A client uses more tokens than planned",
        raises="model-tokens",
        page=False,
        metrics={"InputTokenCount": 500_000.0},
    ),
    Failure(
        name="A destination that is not declared is requested",
        raises="egress-refused",
        case=EXTERNAL,
        metrics={"ai-interface/egress/Refused": 1.0},
    ),
    Failure(
        name="A message of an event rule cannot be delivered",
        raises="backup-failed-undelivered",
        metrics={"FailedInvocations": 1.0},
        only="backup-failed",
    ),
    Failure(
        name="A log line contains a token or an address",
        raises="log-findings",
        page=False,
        metrics={"IncomingLogEvents": 3.0},
        only="/findings",
    ),
)


_BY_REQUEST = {
    *("RequestCount", "Requests", "ModelCalls", "ModelFailures", "Invocations", "Calls", "Tunnels"),
    *("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
}
"""Metrics that have a value only in a minute with a request."""
_TRAFFIC: Mapping[str, float] = {
    "RequestCount": REQUESTS,
    "Requests": REQUESTS,
    "ModelCalls": CALLS,
    "Invocations": CALLS,
    "Calls": CALLS,
    "Tunnels": CALLS,
    "ModelFirstByte": 800.0,
    "HealthyHostCount": 2.0,
    "DaysToExpiry": 200.0,
}


def simulated(stack: Stack, failure: Failure) -> Metrics:
    """The metrics of the stack: ``HISTORY_HOURS`` of ordinary traffic by the hour, an hour by the minute, then the failure from
    ``NOW`` on."""
    found = Metrics()
    used = set[str]()
    for metric, usual in sorted(_ordinary(stack).items(), key=lambda one: str(one[0])):
        changed = _changed(failure, metric)
        if changed is not None:
            used.add(changed)
        put = _Putter(found, metric, quiet=failure.quiet)
        if usual is not None:
            for hour in range(1, HISTORY_HOURS):
                many = 12.0 if failure.quiet else 60.0
                put.at(NOW - hour * HOUR - MINUTE, usual * many if metric.name in _BY_REQUEST else usual)
        for minute in range(-59, 1):
            put.in_minute(minute, usual)
        for minute in range(1, failure.minutes + 1):
            put.in_minute(minute, usual if changed is None else failure.metrics[changed])
    unused = sorted(set(failure.metrics) - used)
    assert not unused, f"{failure.name}: no alarm of {failure.case} has {unused}"
    return found


@dataclass(frozen=True)
class _Putter:
    metrics: Metrics
    metric: Metric
    quiet: bool

    def in_minute(self, minute: int, value: Value) -> None:
        """At night there is one request in five minutes."""
        if self.quiet and self.metric.name in _BY_REQUEST:
            if minute % 5 == 0:
                self.at(NOW + minute * MINUTE, None if value is None else 1.0)
        else:
            self.at(NOW + minute * MINUTE, value)

    def at(self, seconds: float, value: Value) -> None:
        if value is not None:
            one = self.metric
            self.metrics.put(one.namespace, one.name, value, seconds, dict(one.dimensions))


def _ordinary(stack: Stack) -> dict[Metric, Value]:
    """Each metric of the stack's alarms → its value in an ordinary minute: traffic, twice what an alarm on too little expects,
    nothing for failures and load."""
    found: dict[tuple[object, ...], tuple[Metric, Value]] = {}
    for alarm in (Alarm.of(one) for one in stack.all(ALARM)):
        for metric in alarm.metrics:
            key = (metric.namespace, metric.name, metric.dimensions)
            usual = _TRAFFIC.get(metric.name)
            if not alarm.rises and not alarm.expressions:
                usual = 2 * alarm.threshold
            before = found[key][1] if key in found else None
            found[key] = (metric, usual if before is None else max(before, usual or before))
    return dict(found.values())


def _changed(failure: Failure, metric: Metric) -> str | None:
    """The key of the failure's metric that this is."""
    parts = " ".join(value for _, value in metric.dimensions)
    if failure.only and failure.only not in parts:
        return None
    for name in (f"{metric.namespace}/{metric.name}", metric.name):
        if name in failure.metrics:
            return name
    return None
