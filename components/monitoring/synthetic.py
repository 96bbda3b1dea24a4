"""Alarms on the synthetic chat (``components.synthetic``): it gets no answer, or it does not run."""

import pulumi

from components.args import Args
from components.component import Component
from components.monitoring.alarm import LESS, AlarmSpec, Severity, arns_of, make_alarms, names_of
from components.synthetic.settings import FAILURES, METRICS_NAMESPACE, NAME, RUNS, SyntheticScheduleArgs


class SyntheticAlarmsArgs(Args):
    """Arguments of ``SyntheticAlarms``."""

    environment: str
    """Part of the alarms' names, and the dimension of the metrics."""
    schedule: SyntheticScheduleArgs = SyntheticScheduleArgs()
    """How often the chat runs, and how many runs in a row fail before the alarm fires. Omitted: three runs, five minutes apart."""
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


class SyntheticAlarms(Component):
    """A page for runs in a row without an answer, and a ticket for none that reports."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""

    def __init__(self, name: str, args: SyntheticAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = SyntheticAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:SyntheticAlarms", name, args, opts)
        alarms = make_alarms(
            name, _alarm_specs(args), args, pulumi.ResourceOptions(parent=self), together=args.pages_together
        )
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs({"alarmArns": self.alarm_arns, "alarmNames": self.alarm_names})


def _alarm_specs(args: SyntheticAlarmsArgs) -> list[AlarmSpec]:
    minutes, runs = args.schedule.every_minutes, args.schedule.failed_runs
    own: dict[str, pulumi.Input[str]] = {"environment": args.environment}
    return [
        AlarmSpec(
            role=NAME,
            sentence=f"{runs} synthetic chats in a row got no answer from a model",
            severity=Severity.PAGE,
            namespace=METRICS_NAMESPACE,
            metric=FAILURES,
            statistic="Sum",
            threshold=0,
            period_seconds=60 * minutes,
            periods=runs,
            periods_to_alarm=runs,
            dimensions=own,
        ),
        # One period more than the number of runs: a run ends a little earlier or later than the one before.
        AlarmSpec(
            role=f"{NAME}-silent",
            sentence=f"No synthetic chat has reported for {minutes * (runs + 1)} minutes: a dead model is noticed by users only",
            severity=Severity.TICKET,
            namespace=METRICS_NAMESPACE,
            metric=RUNS,
            statistic="Sum",
            threshold=1,
            comparison=LESS,
            period_seconds=60 * minutes,
            periods=runs + 1,
            periods_to_alarm=runs + 1,
            missing_data="breaching",
            dimensions=own,
        ),
    ]
