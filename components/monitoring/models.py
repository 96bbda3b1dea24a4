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
from components.models.iam_documents import ModelGroupArgs
from components.monitoring.alarm import METRICS_OF_AN_ALARM, AlarmSpec, Combination, Series, make_alarms

NAMESPACE = "AWS/Bedrock"
MANTLE_NAMESPACE = "AWS/BedrockMantle"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html"""
HOUR = 3600
THROTTLED_PER_HOUR = 100
MODELS_FOR_EACH_ALARM = METRICS_OF_AN_ALARM // 2
"""Token usage has two metrics for each model."""


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
    monthly_budget_usd: int = Field(default=1000, ge=1)
    """Notifications at 80 percent of actual and at 100 percent of forecast cost. No call is blocked."""
    billed_services: list[str] = Field(default_factory=lambda: ["Amazon Bedrock"])
    """The services that the budget tracks, by their names on the bill. A model sold on AWS Marketplace is billed under
    a separate name: add it."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class ModelAlarms(pulumi.ComponentResource):
    """Token use, throttling and budget."""

    budget_name: pulumi.Output[str]
    """The monthly budget's name."""

    def __init__(self, name: str, args: ModelAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ModelAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ModelAlarms", name, {}, opts)
        make_alarms(name, _alarm_specs(args), args, pulumi.ResourceOptions(parent=self))
        self.budget_name = self._budget(name, args).name
        self.register_outputs({"budgetName": self.budget_name})

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
                    subscriber_sns_topic_arns=[args.alarm_topic_arn],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _alarm_specs(args: ModelAlarmsArgs) -> Iterator[AlarmSpec]:
    """Two alarms for each batch of models, of each endpoint."""
    for suffix, models in _batches(_models(args, mantle=False)):
        yield _sum_of(
            ("InputTokenCount", "OutputTokenCount"),
            models,
            role=f"model-tokens{suffix}",
            runbook="model-tokens",
            sentence=f"Models use more than {args.tokens_per_hour} tokens an hour: a runaway client, or more users than planned",
            threshold=args.tokens_per_hour,
        )
        yield _sum_of(
            ("InvocationThrottles",),
            models,
            role=f"model-throttled{suffix}",
            runbook="model-throttled",
            sentence="Bedrock refuses calls because a quota is used up: users wait or see errors",
            threshold=THROTTLED_PER_HOUR,
        )
    for suffix, models in _batches(_models(args, mantle=True)):
        yield _sum_of(
            ("TotalInputTokens", "TotalOutputTokens"),
            models,
            role=f"model-tokens-mantle{suffix}",
            runbook="model-tokens",
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
            sentence="bedrock-mantle refuses calls, because a quota is used up or a request is not valid: users see errors",
            threshold=THROTTLED_PER_HOUR,
            mantle=True,
        )


def _sum_of(
    metrics: Sequence[str],
    models: Sequence[str],
    *,
    role: str,
    runbook: str,
    sentence: str,
    threshold: int,
    mantle: bool = False,
) -> AlarmSpec:
    """The sum of one hour of every metric of every model."""
    dimension = "Model" if mantle else "ModelId"
    return AlarmSpec(
        role=role,
        runbook=runbook,
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
