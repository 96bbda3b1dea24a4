"""Alarms on the models: hourly token usage, throttled calls, and a monthly budget.

They cover Bedrock's endpoints ``bedrock-runtime`` and ``bedrock-mantle``, which publish different metrics. Private upstreams are not billed by AWS. Calls to Bedrock in another region publish their
metrics there: the budget covers them, the alarms do not. A budget covers the whole account, including other users of
Bedrock.
"""

from collections.abc import Iterator, Sequence

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.component import Component
from components.models.iam_documents import ModelGroupArgs
from components.monitoring.alarm import (
    METRICS_OF_AN_ALARM,
    OUTAGE,
    OUTAGE_PERCENT,
    AlarmSpec,
    Combination,
    Series,
    Severity,
    arns_of,
    make_alarms,
    names_of,
)

NAMESPACE = "AWS/Bedrock"
MANTLE_NAMESPACE = "AWS/BedrockMantle"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html"""
HOUR = 3600
THROTTLED_PER_HOUR = 100
MODELS_FOR_EACH_ALARM = METRICS_OF_AN_ALARM // 2
"""Token usage and the share of refused calls have two metrics for each model."""
QUOTA_PERCENT = 80
MANTLE_OUTAGE_PERCENT = 40
"""Below a half, in case the endpoint's completed requests include the refused ones, which is not documented."""


class ModelAlarmsArgs(Args):
    """Arguments of ``ModelAlarms``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The stack's region, whose Bedrock calls are monitored."""
    groups: list[ModelGroupArgs]
    """The declared model groups."""
    tokens_per_hour: int = Field(default=5_000_000, ge=1)
    """An alarm fires when hourly token usage (prompts plus answers) exceeds this number."""
    quota_tokens_per_minute: int | None = Field(default=None, ge=1)
    """The account's quota of tokens per minute for one model. An alarm fires at 80 percent of it. Omitted: there is no such alarm;
    one on refused calls exists in any case."""
    monthly_budget_usd: int = Field(default=1000, ge=1)
    """Notifications at 80 percent of actual and at 100 percent of forecast cost. No call is blocked."""
    billed_services: list[str] = Field(default_factory=lambda: ["Amazon Bedrock"])
    """The services that the budget tracks, by their names on the bill. A model sold on AWS Marketplace is billed under
    a separate name: add it."""
    pages_together: bool = False
    """True: ``Pages`` sends the pages that several of these alarms would send for one cause. Without that component these alarms
    would be silent."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``page``."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``ticket``, and of the budget."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class ModelAlarms(Component):
    """Token use, throttling and budget."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""
    budget_name: pulumi.Output[str]
    """The monthly budget's name."""

    def __init__(self, name: str, args: ModelAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ModelAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ModelAlarms", name, args, opts)
        alarms = make_alarms(
            name, _alarm_specs(args), args, pulumi.ResourceOptions(parent=self), together=args.pages_together
        )
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.budget_name = self._budget(name, args).name
        self.register_outputs(
            {"alarmArns": self.alarm_arns, "alarmNames": self.alarm_names, "budgetName": self.budget_name}
        )

    def _budget(self, name: str, args: ModelAlarmsArgs) -> aws.budgets.Budget:
        return aws.budgets.Budget(
            f"{name}-budget",
            name=f"ai-interface {args.environment} models",
            budget_type="COST",
            limit_amount=str(args.monthly_budget_usd),
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filters=[aws.budgets.BudgetCostFilterArgs(name="Service", values=sorted(args.billed_services))],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    threshold=threshold,
                    threshold_type="PERCENTAGE",
                    notification_type=kind,
                    subscriber_sns_topic_arns=[args.ticket_topic_arn],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _alarm_specs(args: ModelAlarmsArgs) -> Iterator[AlarmSpec]:
    """Three alarms for each batch of models, of each endpoint."""
    for suffix, models in _batches(_models(args, mantle=False)):
        yield _sum_of(
            ("InputTokenCount", "OutputTokenCount"),
            models,
            role=f"model-tokens{suffix}",
            runbook="model-tokens",
            severity=Severity.TICKET,
            sentence=f"Models use more than {args.tokens_per_hour} tokens an hour: a runaway client, or more users than planned",
            threshold=args.tokens_per_hour,
        )
        yield _sum_of(
            ("InvocationThrottles",),
            models,
            role=f"model-throttled{suffix}",
            runbook="model-throttled",
            severity=Severity.PAGE,
            sentence="Bedrock refuses calls because a quota is used up: users wait or see errors",
            threshold=THROTTLED_PER_HOUR,
        )
        yield _refused_share(
            "InvocationThrottles",
            "Invocations",
            models,
            role=f"model-outage{suffix}",
            runbook="model-throttled",
            sentence=f"Bedrock refuses more than {OUTAGE_PERCENT} percent of the calls because a quota is used up",
            threshold=OUTAGE_PERCENT,
        )
        yield _refused_share(
            "InvocationServerErrors",
            "Invocations",
            models,
            role=f"model-server-errors{suffix}",
            runbook="model-server-errors",
            sentence=f"Bedrock answers more than {OUTAGE_PERCENT} percent of the calls with a server error",
            threshold=OUTAGE_PERCENT,
        )
        if args.quota_tokens_per_minute:
            yield _near_quota(args.quota_tokens_per_minute, models, role=f"model-quota{suffix}")
    for suffix, models in _batches(_models(args, mantle=True)):
        yield _sum_of(
            ("TotalInputTokens", "TotalOutputTokens"),
            models,
            role=f"model-tokens-mantle{suffix}",
            runbook="model-tokens",
            severity=Severity.TICKET,
            sentence=f"Models at bedrock-mantle use more than {args.tokens_per_hour} tokens an hour: a runaway client, or more users "
            "than planned",
            threshold=args.tokens_per_hour,
            mantle=True,
        )
        # The endpoint has no metric of throttled calls alone: they are among the client errors.
        yield _sum_of(
            ("InferenceClientErrors",),
            models,
            role=f"model-throttled-mantle{suffix}",
            runbook="model-throttled",
            severity=Severity.PAGE,
            sentence="bedrock-mantle refuses calls, because a quota is used up or a request is not valid: users see errors",
            threshold=THROTTLED_PER_HOUR,
            mantle=True,
        )
        yield _refused_share(
            "InferenceClientErrors",
            "Inferences",
            models,
            role=f"model-outage-mantle{suffix}",
            runbook="model-throttled",
            sentence=f"bedrock-mantle refuses more than {MANTLE_OUTAGE_PERCENT} percent of the calls",
            threshold=MANTLE_OUTAGE_PERCENT,
            mantle=True,
        )


def _sum_of(
    metrics: Sequence[str],
    models: Sequence[str],
    *,
    role: str,
    runbook: str,
    severity: Severity,
    sentence: str,
    threshold: int,
    mantle: bool = False,
) -> AlarmSpec:
    """The sum of one hour of every metric of every model."""
    dimension = "Model" if mantle else "ModelId"
    return AlarmSpec(
        role=role,
        runbook=runbook,
        severity=severity,
        sentence=sentence,
        namespace=MANTLE_NAMESPACE if mantle else NAMESPACE,
        metric=metrics[0],
        statistic="Sum",
        threshold=threshold,
        period_seconds=HOUR,
        periods=1,
        periods_to_alarm=None,
        series=[Series(metric=metric, dimensions={dimension: model}) for metric in metrics for model in models],
        combination=Combination.SUM,
        label="All declared models",
    )


def _near_quota(quota: int, models: Sequence[str], *, role: str) -> AlarmSpec:
    """The quota is of each model, so the one that uses most of it counts. Bedrock's estimate includes what output tokens count more
    than once."""
    return AlarmSpec(
        role=role,
        runbook="model-quota",
        severity=Severity.TICKET,
        sentence=f"A model uses more than {QUOTA_PERCENT} percent of {quota} tokens a minute, after which Bedrock refuses calls",
        namespace=NAMESPACE,
        metric="EstimatedTPMQuotaUsage",
        statistic="Sum",
        threshold=quota * QUOTA_PERCENT // 100,
        series=[Series(dimensions={"ModelId": model}) for model in models],
        label="Tokens of the model that uses most",
    )


def _refused_share(
    refused: str,
    answered: str,
    models: Sequence[str],
    *,
    role: str,
    runbook: str,
    sentence: str,
    threshold: int,
    mantle: bool = False,
) -> AlarmSpec:
    """Refused calls as a share of all: while every call is refused, there are no answers, whose metrics have no data, so the
    sums are functions of arrays, which ignore missing values."""
    dimension = "Model" if mantle else "ModelId"
    count = len(models)
    ids = [f"m{number}" for number in range(1, 2 * count + 1)]
    # SUM of a single metric is one number for the whole window, not one for each period.
    of_refused = "m1" if count == 1 else f"SUM([{', '.join(ids[:count])}])"
    return AlarmSpec(
        role=role,
        runbook=runbook,
        severity=Severity.PAGE,
        sentence=sentence,
        namespace=MANTLE_NAMESPACE if mantle else NAMESPACE,
        metric=refused,
        statistic="Sum",
        threshold=threshold,
        series=[
            Series(metric=metric, dimensions={dimension: model}) for metric in (refused, answered) for model in models
        ],
        expression=f"100 * {of_refused} / SUM([{', '.join(ids)}])",
        label="Percent of the calls that are refused",
        **OUTAGE,
    )


def _models(args: ModelAlarmsArgs, *, mantle: bool) -> list[str]:
    """The declared models of one of Bedrock's endpoints in this region, sorted."""
    return sorted(
        {
            model
            for group in args.groups
            if any((up.mantle_region if mantle else up.bedrock_region) == args.region for up in group.upstreams)
            for model in group.models
        }
    )


def _batches(models: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The models in batches that fit into one alarm, with the alarm's suffix."""
    for start in range(0, len(models), MODELS_FOR_EACH_ALARM):
        number = start // MODELS_FOR_EACH_ALARM
        yield f"-{number + 1}" if number else "", models[start : start + MODELS_FOR_EACH_ALARM]
