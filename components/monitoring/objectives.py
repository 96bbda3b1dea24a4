"""Alarms on how fast the failures that an objective allows are used up, in several windows (burn rates).

An objective of 99 percent allows one failure in a hundred. A burn rate of 14.4 uses up two percent of a month's failures in an
hour, 6 five percent in six hours, and 1 all of them in a month
(https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts). A page needs a long and a short window above
the rate: the long one ignores moments, the short one ends the alarm soon after the failures end.

CloudWatch evaluates one alarm over one period, so each window has a separate alarm, without a message, and a composite alarm of
each objective sends the page. The windows slide: each evaluation looks at the last period
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html). A period is at most a day, so the
window of three days is three periods, and each of the days has to be above the rate.

Fewer than ``minimum_failures`` in the window fire nothing: a single failed request at night is a large share of few requests. An
outage with fewer failures is the subject of the alarms on shares in 15 minutes (``edge-outage``, ``target-outage``,
``models-failing``), which have no minimum.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
from pydantic import Field

from components.args import Args
from components.component import Component
from components.monitoring.alarm import AlarmSpec, Series, Severity, make_alarms
from components.monitoring.composite import any_of, both, make_composite
from components.monitoring.groups import is_grouped
from components.monitoring.proxy_log import CALLS, ENVIRONMENT, FAILURES, METRICS_NAMESPACE, SLOW

MINUTE, HOUR, DAY = 60, 3600, 86_400
LEAST_PERCENT, MOST_PERCENT = 94.0, 99.99
"""At the lowest objective, a total outage burns 16.7 times as fast as allowed, which is above the fastest rate."""


@dataclass(frozen=True)
class Window:
    """One window in which a burn rate is measured."""

    name: str
    seconds: int
    rate: float
    periods: int = 1
    """The number of consecutive periods of ``seconds``."""
    long: bool = True
    """Whether the minimum of failures applies. In the short window of a pair it would only delay the page."""


PAGES = (
    (Window("1h", HOUR, 14.4), Window("5m", 5 * MINUTE, 14.4, long=False)),
    (Window("6h", 6 * HOUR, 6), Window("30m", 30 * MINUTE, 6, long=False)),
)
"""The pairs of windows that page."""
TICKET = Window("3d", DAY, 1, periods=3)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One objective and the metrics that measure it."""

    role: str
    sentence: str
    """The experience of users while it is missed."""
    percent: float
    namespace: str
    dimensions: dict[str, pulumi.Input[str]]
    series: tuple[Series, ...]
    failed: str
    """The number of failures, in metric math over ``series``. Without a failure it is 0: while a value is missing, CloudWatch
    evaluates older ones, and a page would end late."""
    total: str


class ObjectiveAlarmsArgs(Args):
    """Arguments of ``ObjectiveAlarms``."""

    environment: str
    """Part of the alarms' names, and the dimension of the proxy's metrics."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """The load balancer's CloudWatch dimension."""
    target_group_arn_suffix: pulumi.Output[str]
    """The target group's CloudWatch dimension."""
    availability_percent: float = Field(default=99.5, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of requests at the load balancer that are not answered with 5xx."""
    chat_success_percent: float = Field(default=99.0, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of chat completions that a model answers completely."""
    first_token_percent: float = Field(default=95.0, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of chat completions whose answer begins in the time of ``ProxyLogAlarms``."""
    minimum_failures: int = Field(default=5, ge=2, le=1000)
    """Fewer failures in a window never fire its alarm."""
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


class ObjectiveAlarms(Component):
    """Burn-rate alarms of three objectives: availability, chat success and time to first token."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of the metric alarms, sorted."""
    composite_arns: pulumi.Output[list[str]]
    """The ARNs of the composite alarms, one for each objective, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""

    def __init__(self, name: str, args: ObjectiveAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ObjectiveAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ObjectiveAlarms", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        arns, composites, names = (list[pulumi.Output[str]]() for _ in range(3))
        for objective in _objectives(args):
            alarms = make_alarms(name, _specs(objective, args), args, child, together=args.pages_together)
            burning = any_of(
                [both(*(alarms[_role(objective, window)].name for window in pair)) for pair in PAGES],
            )
            composite = make_composite(
                name,
                objective.role,
                f"{objective.sentence}: the failures that the objective of {objective.percent:g} percent allows are used up too fast",
                burning,
                args,
                opts=child,
                notifies=not (args.pages_together and is_grouped(objective.role)),
            )
            arns += [one.arn for one in alarms.values()]
            composites.append(composite.arn)
            names += [*(one.name for one in alarms.values()), composite.alarm_name]
        self.alarm_arns, self.alarm_names = _sorted(arns), _sorted(names)
        self.composite_arns = _sorted(composites)
        self.register_outputs(
            {
                "alarmArns": self.alarm_arns,
                "alarmNames": self.alarm_names,
                "compositeArns": self.composite_arns,
            }
        )


def _objectives(args: ObjectiveAlarmsArgs) -> tuple[Objective, ...]:
    balancer: dict[str, pulumi.Input[str]] = {"LoadBalancer": args.load_balancer_arn_suffix}
    environment: dict[str, pulumi.Input[str]] = {ENVIRONMENT: args.environment}
    return (
        Objective(
            role="availability",
            sentence="Requests fail with 5xx",
            percent=args.availability_percent,
            namespace="AWS/ApplicationELB",
            dimensions=balancer,
            # A request for which there is no target is not in the number of requests.
            series=(
                Series(metric="HTTPCode_ELB_5XX_Count"),
                Series(metric="HTTPCode_Target_5XX_Count", dimensions={"TargetGroup": args.target_group_arn_suffix}),
                Series(metric="RequestCount"),
            ),
            failed="(FILL(m1, 0) + FILL(m2, 0))",
            total="SUM([m1, m3])",
        ),
        Objective(
            role="chat-success",
            sentence="Models do not answer chats",
            percent=args.chat_success_percent,
            namespace=METRICS_NAMESPACE,
            dimensions=environment,
            series=(Series(metric=FAILURES), Series(metric=CALLS)),
            failed="FILL(m1, 0)",
            total="m2",
        ),
        Objective(
            role="first-token",
            sentence="Answers of models begin late",
            percent=args.first_token_percent,
            namespace=METRICS_NAMESPACE,
            dimensions=environment,
            series=(Series(metric=SLOW), Series(metric=CALLS)),
            failed="FILL(m1, 0)",
            total="m2",
        ),
    )


def _sorted(texts: list[pulumi.Output[str]]) -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*texts).apply(lambda known: sorted(str(one) for one in known))


def _role(objective: Objective, window: Window) -> str:
    return f"{objective.role}-{window.name}"


def _specs(objective: Objective, args: ObjectiveAlarmsArgs) -> Iterator[AlarmSpec]:
    for window in (*(one for pair in PAGES for one in pair), TICKET):
        share = f"100 * {objective.failed} / {objective.total}"
        enough = f"IF({objective.failed} >= {args.minimum_failures}, {share}, 0)" if window.long else share
        yield AlarmSpec(
            role=_role(objective, window),
            runbook=objective.role,
            sentence=f"{objective.sentence}, more than {window.rate:g} times as often in {window.name} as the objective of "
            f"{objective.percent:g} percent allows",
            severity=Severity.TICKET if window is TICKET else Severity.PAGE,
            notifies=window is TICKET,
            namespace=objective.namespace,
            metric=objective.series[0].metric,
            statistic="Sum",
            threshold=round(window.rate * (100 - objective.percent), 4),
            period_seconds=window.seconds,
            periods=window.periods,
            periods_to_alarm=window.periods,
            series=objective.series,
            expression=enough,
            label="Percent of the requests",
            dimensions=objective.dimensions,
        )
