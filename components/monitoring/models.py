"""Alarms on what models cost and refuse: tokens an hour, throttled calls, and a monthly budget.

They see Bedrock alone. A private upstream has no bill here, and a call to Bedrock in another region than the stack's
leaves its metrics there: the budget covers it, the alarms do not. A budget is an account's, so other users of
Bedrock in the account count too.
"""

from collections.abc import Iterator

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.models.policies import BEDROCK, ModelGroupArgs

NAMESPACE = "AWS/Bedrock"
HOUR = 3600
THROTTLED_PER_HOUR = 100
MODELS_FOR_EACH_ALARM = 5
"""CloudWatch: at most ten metrics in one alarm, and tokens are two for each model."""


class ModelAlarmsArgs(Args):
    """Arguments of ``ModelAlarms``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The stack's region, whose Bedrock is watched."""
    groups: list[ModelGroupArgs]
    """The declared model groups."""
    tokens_per_hour: int = Field(default=5_000_000, ge=1)
    """More tokens in an hour, prompts and answers together, are an alarm."""
    monthly_budget_usd: int = Field(default=1000, ge=1)
    """Messages at 80 percent spent and at 100 percent forecast. It stops nothing."""
    billed_services: list[str] = Field(default_factory=lambda: ["Amazon Bedrock"])
    """Names on the bill. A model sold on AWS Marketplace is billed under a name of its own: add it."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class ModelAlarms(pulumi.ComponentResource):
    """Token use, throttling and budget."""

    budget_name: pulumi.Output[str]
    """The monthly budget, where one is given."""

    def __init__(self, name: str, args: ModelAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ModelAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:ModelAlarms", name, {}, opts)
        for suffix, models in _watched_metrics(args):
            self._tokens(name, suffix, models, args)
            self._throttled(name, suffix, models, args)
        self.budget_name = self._budget(name, args).name
        self.register_outputs({"budgetName": self.budget_name})

    def _tokens(self, name: str, suffix: str, models: list[str], args: ModelAlarmsArgs) -> None:
        directions = ("InputTokenCount", "OutputTokenCount")
        self._alarm(
            name,
            args,
            role=f"model-tokens{suffix}",
            description=f"Models use more than {args.tokens_per_hour} tokens an hour: a runaway client, or more users "
            f"than planned. What to do: {args.runbook_url}#model-tokens",
            queries=_sum([(direction, model) for direction in directions for model in models]),
            threshold=args.tokens_per_hour,
        )

    def _throttled(self, name: str, suffix: str, models: list[str], args: ModelAlarmsArgs) -> None:
        self._alarm(
            name,
            args,
            role=f"model-throttled{suffix}",
            description="Bedrock refuses calls because a quota is used up: users wait or see errors. "
            f"What to do: {args.runbook_url}#model-throttled",
            queries=_sum([("InvocationThrottles", model) for model in models]),
            threshold=THROTTLED_PER_HOUR,
        )

    def _alarm(
        self,
        name: str,
        args: ModelAlarmsArgs,
        *,
        role: str,
        description: str,
        queries: list[aws.cloudwatch.MetricAlarmMetricQueryArgs],
        threshold: int,
    ) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{name}-{role}",
            name=f"ai-interface {args.environment} {role}",
            alarm_description=description,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            evaluation_periods=1,
            metric_queries=queries,
            treat_missing_data="notBreaching",
            alarm_actions=[args.alarm_topic_arn],
            ok_actions=[args.alarm_topic_arn],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
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
                    subscriber_sns_topic_arns=[args.alarm_topic_arn],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _watched_metrics(args: ModelAlarmsArgs) -> Iterator[tuple[str, list[str]]]:
    models = sorted(
        {
            model
            for group in args.groups
            if any(up.kind == BEDROCK and up.region == args.region for up in group.upstreams)
            for model in group.models
        }
    )
    for start in range(0, len(models), MODELS_FOR_EACH_ALARM):
        number = start // MODELS_FOR_EACH_ALARM
        yield f"-{number + 1}" if number else "", models[start : start + MODELS_FOR_EACH_ALARM]


def _sum(metrics: list[tuple[str, str]]) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """One query for each metric and model of the last hour, and their sum, which the alarm compares."""
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{position}",
            return_data=False,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=NAMESPACE, metric_name=metric, dimensions={"ModelId": model}, period=HOUR, stat="Sum"
            ),
        )
        for position, (metric, model) in enumerate(metrics)
    ]
    # A model that nobody called has no data point: FILL lets the others count.
    total = " + ".join(f"FILL({query.id}, 0)" for query in queries)
    expression = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="total", expression=total, label="All declared models", return_data=True
    )
    return [*queries, expression]
