"""Metrics from the proxy's log, and alarms on them: the path to the models as users experience it, and who is refused.

The application returns 200 or 400 to a user whose model is dead, so the load balancer's metrics do not show it. Envoy's own
statistics are not published; its log has one line for each request (``components.proxy.common``). Each metric has the environment
as its only dimension: a metric is charged for each value of its dimensions, so there is none by user, model or path.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.component import Component
from components.monitoring.alarm import (
    LESS,
    OUTAGE,
    OUTAGE_PERCENT,
    AlarmSpec,
    Series,
    Severity,
    arns_of,
    make_alarms,
    names_of,
)

METRICS_NAMESPACE = "ai-interface/proxy"
ENVIRONMENT = "environment"
CALLS, FAILURES, SLOW, FIRST_BYTE = "ModelCalls", "ModelFailures", "ModelSlow", "ModelFirstByte"
RETRIES, UNREACHABLE, THROTTLED = "ModelRetries", "ModelUnreachable", "ModelThrottled"
REQUESTS, UNAUTHENTICATED, FORBIDDEN, TOO_LARGE = "Requests", "Unauthenticated", "Forbidden", "TooLarge"
HOUR, QUARTER = 3600, 900
RETRIED_PERCENT, LEAST_RETRIES = 20, 5
TOO_LARGE_AN_HOUR = 50
THROTTLED_AN_HOUR = 20
FAILED_IN_A_MINUTE = 5
"""Fewer may be a single user's retries."""
_CHAT = '$.side = "models" && $.path = "*/chat/completions" && $.route != "undeclared"'
_BROKEN_OFF = '$.detail = "upstream_reset_after_response_started*"'
_INBOUND = '$.side = "inbound" && $.route != "health"'


@dataclass(frozen=True)
class Counted:
    """One metric: the lines that it counts."""

    name: str
    pattern: str
    """A filter pattern, without braces
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html)."""
    value: str = "1"
    """``1``, or the field with the value."""
    unit: str = "Count"


def counted(first_token_seconds: int) -> tuple[Counted, ...]:
    """The metrics. Refusals by the proxy itself (413, an undeclared path) are no failures of a model; 401, 403 and 404 of a model
    server are: a permission, a key or the model is missing. A client that closes its connection is no failure."""
    milliseconds = 1000 * first_token_seconds
    failed = " || ".join(f"$.status {one}" for one in (">= 500", "= 401", "= 403", "= 404", "= 429"))
    return (
        Counted(CALLS, _CHAT),
        Counted(FAILURES, f"{_CHAT} && ({failed} || {_BROKEN_OFF})"),
        Counted(SLOW, f"{_CHAT} && $.status = 200 && $.first_byte_ms > {milliseconds}"),
        Counted(FIRST_BYTE, f"{_CHAT} && $.status = 200 && $.first_byte_ms >= 0", "$.first_byte_ms", "Milliseconds"),
        Counted(RETRIES, f"{_CHAT} && $.attempts > 1"),
        Counted(UNREACHABLE, '$.side = "models" && $.detail = "no_healthy_upstream"'),
        Counted(THROTTLED, f"{_CHAT} && $.status = 429"),
        Counted(REQUESTS, _INBOUND),
        Counted(UNAUTHENTICATED, f"{_INBOUND} && $.status = 401"),
        Counted(FORBIDDEN, f"{_INBOUND} && $.status = 403"),
        Counted(TOO_LARGE, f"{_INBOUND} && $.status = 413"),
    )


class ProxyLogAlarmsArgs(Args):
    """Arguments of ``ProxyLogAlarms``."""

    environment: str
    """Part of the alarms' names, and the dimension of the metrics."""
    log_group_name: pulumi.Output[str]
    """The log group of the proxy's container."""
    first_token_seconds: int = Field(default=10, ge=1, le=120)
    """The time within which a model's answer should begin."""
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


class ProxyLogAlarms(Component):
    """Metric filters on the proxy's log, and alarms on models that fail, on refused users, and on a log that is silent."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""

    def __init__(self, name: str, args: ProxyLogAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ProxyLogAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ProxyLogAlarms", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        for one in counted(args.first_token_seconds):
            aws.cloudwatch.LogMetricFilter(
                f"{name}-{one.name}",
                name=f"ai-interface-{args.environment}-proxy-{one.name}",
                log_group_name=args.log_group_name,
                pattern=f"{{ {one.pattern} }}",
                metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                    namespace=METRICS_NAMESPACE,
                    name=one.name,
                    value=one.value,
                    unit=one.unit,
                    dimensions={ENVIRONMENT: f"$.{ENVIRONMENT}"},
                ),
                opts=child,
            )
        alarms = make_alarms(name, _alarm_specs(args), args, child, together=args.pages_together)
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs({"alarmArns": self.alarm_arns, "alarmNames": self.alarm_names})


def _share(
    role: str,
    sentence: str,
    part: str,
    whole: str,
    *,
    severity: Severity = Severity.PAGE,
    **more: Any,  # noqa: ANN401 - fields of AlarmSpec
) -> AlarmSpec:
    values: dict[str, Any] = {
        "threshold": OUTAGE_PERCENT,
        "expression": "100 * m1 / m2",
        "label": "Percent",
        **OUTAGE,
        **more,
    }
    return AlarmSpec(
        role=role,
        sentence=sentence,
        severity=severity,
        namespace=METRICS_NAMESPACE,
        metric=part,
        statistic="Sum",
        series=[Series(), Series(metric=whole)],
        **values,
    )


def _alarm_specs(args: ProxyLogAlarmsArgs) -> list[AlarmSpec]:
    own: dict[str, pulumi.Input[str]] = {ENVIRONMENT: args.environment}

    def number(role: str, sentence: str, metric: str, threshold: int, severity: Severity, **more: Any) -> AlarmSpec:  # noqa: ANN401 - fields of AlarmSpec
        values: dict[str, Any] = {"period_seconds": HOUR, "periods": 1, "periods_to_alarm": 1, **more}
        return AlarmSpec(
            role=role,
            sentence=sentence,
            severity=severity,
            namespace=METRICS_NAMESPACE,
            metric=metric,
            statistic="Sum",
            threshold=threshold,
            dimensions=own,
            **values,
        )

    return [
        number(
            "models-errors",
            "Models do not answer chats",
            FAILURES,
            FAILED_IN_A_MINUTE,
            Severity.PAGE,
            period_seconds=60,
            periods=5,
            periods_to_alarm=3,
        ),
        _share(
            "models-failing",
            f"Models do not answer more than {OUTAGE_PERCENT} percent of the chats",
            FAILURES,
            CALLS,
            dimensions=own,
        ),
        number(
            "models-unreachable",
            "A group of models has no server left: its chats fail at once",
            UNREACHABLE,
            0,
            Severity.PAGE,
            period_seconds=300,
            periods=3,
            periods_to_alarm=2,
        ),
        number(
            "models-throttled",
            "Model servers refuse chats because a quota or a rate limit is used up",
            THROTTLED,
            THROTTLED_AN_HOUR,
            Severity.PAGE,
        ),
        _share(
            "models-retried",
            f"More than {RETRIED_PERCENT} percent of the chats need another attempt: the first model server fails",
            RETRIES,
            CALLS,
            severity=Severity.TICKET,
            threshold=RETRIED_PERCENT,
            expression=f"IF(m1 >= {LEAST_RETRIES}, 100 * m1 / m2, 0)",
            period_seconds=HOUR,
            periods=1,
            periods_to_alarm=1,
            dimensions=own,
        ),
        AlarmSpec(
            role="first-token-slow",
            sentence=f"5 percent of the answers begin after more than {args.first_token_seconds} seconds, for an hour",
            severity=Severity.TICKET,
            namespace=METRICS_NAMESPACE,
            metric=FIRST_BYTE,
            statistic="p95",
            threshold=1000 * args.first_token_seconds,
            period_seconds=QUARTER,
            periods=4,
            periods_to_alarm=4,
            ignore_low_samples=True,
            dimensions=own,
        ),
        _share(
            "access-refused",
            f"The proxy refuses more than {OUTAGE_PERCENT} percent of the requests with 403: no one may use the application",
            FORBIDDEN,
            REQUESTS,
            dimensions=own,
        ),
        _share(
            "access-unauthenticated",
            f"The proxy answers more than {OUTAGE_PERCENT} percent of the requests with 401: claims are missing or not accepted",
            UNAUTHENTICATED,
            REQUESTS,
            dimensions=own,
        ),
        number(
            "too-large",
            f"More than {TOO_LARGE_AN_HOUR} uploads or prompts in an hour exceed the limit",
            TOO_LARGE,
            TOO_LARGE_AN_HOUR,
            Severity.TICKET,
        ),
        # The load balancer's health checks are in the log, so that a task that runs is never silent.
        AlarmSpec(
            role="log-silent",
            sentence="The proxy's log receives no line: the alarms on the models see nothing",
            severity=Severity.PAGE,
            namespace="AWS/Logs",
            metric="IncomingLogEvents",
            statistic="Sum",
            threshold=1,
            comparison=LESS,
            period_seconds=300,
            periods=3,
            periods_to_alarm=3,
            missing_data="breaching",
            dimensions={"LogGroupName": args.log_group_name},
        ),
    ]
