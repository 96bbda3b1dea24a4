"""One page for one cause: the composite alarms of ``components.monitoring.groups``."""

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.component import Component
from components.monitoring.alarm import SEVERITY_TAG, Severity
from components.monitoring.composite import any_of, firing, make_composite
from components.monitoring.groups import PAGES, Page, role_of


class PagesArgs(Args):
    """Arguments of ``Pages``."""

    environment: str
    """Part of the alarms' names."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the stack's alarms, from components whose ``pages_together`` is true."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``page``."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``ticket``. No alarm of this component notifies it."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class Pages(Component):
    """The composite alarms that send the pages of several alarms."""

    composite_arns: pulumi.Output[list[str]]
    """The ARNs of the composite alarms, sorted."""

    def __init__(self, name: str, args: PagesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PagesArgs.model_validate(args)
        super().__init__("ai-interface:index:Pages", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        made: dict[str, aws.cloudwatch.CompositeAlarm] = {}
        for page in PAGES:
            causes = [made[one].alarm_name for one in page.explained_by]
            explained = causes[0] if len(causes) == 1 else None
            if len(causes) > 1:
                helper = aws.cloudwatch.CompositeAlarm(
                    f"{name}-explains-{page.role}",
                    alarm_name=f"ai-interface {args.environment} explains-{page.role}",
                    alarm_description=f"Holds back the page {page.role}. What to do: {args.runbook_url}#{page.role}",
                    alarm_rule=any_of([firing(one) for one in causes]),
                    tags={**args.tags, SEVERITY_TAG: Severity.PAGE.value},
                    opts=child,
                )
                explained = helper.alarm_name
            rule = args.alarm_names.apply(lambda names, page=page: _rule(page, [str(one) for one in names]))
            made[page.role] = make_composite(
                name, page.role, page.sentence, rule, args, opts=child, explained_by=explained
            )
        self.composite_arns = pulumi.Output.all(*(one.arn for one in made.values())).apply(
            lambda arns: sorted(str(one) for one in arns)
        )
        self.register_outputs({"compositeArns": self.composite_arns})


def _rule(page: Page, names: list[str]) -> str:
    """Never empty: every stack has at least one alarm of each page."""
    return " OR ".join(f'ALARM("{name}")' for name in sorted(names) if role_of(name) in page.alarms)
