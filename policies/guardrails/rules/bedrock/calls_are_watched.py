"""A stack that calls models billed by usage has a budget, and alarms on tokens and on throttled calls.

A prompt in a loop can cost more in one night than the rest of the month.

The policy checks that these resources exist, not whether their thresholds are right. It cannot see a budget declared
elsewhere in the account, so it is advisory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, contains_unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "add aws.budgets.Budget with notifications, and alarms on the metrics of AWS/Bedrock or AWS/BedrockMantle"
_MANTLE = ".bedrock-mantle"
_METRICS = (
    ("a budget for model usage", ()),
    ("an alarm on tokens", ("TokenCount", "InputTokens")),
    ("an alarm on throttled calls", ("Throttles", "InferenceClientErrors")),
)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each stack with a guardrail, and each stack with an endpoint to bedrock-mantle."""
    mantle = [one for one in graph.of_type("ec2.VpcEndpoint") if str(one.value("serviceName")).endswith(_MANTLE)]
    for guardrail in [*graph.of_type("bedrock.Guardrail"), *mantle][:1]:
        alarms = graph.of_type("cloudwatch.MetricAlarm")
        texts = [json.dumps(dict(alarm.properties), default=str) for alarm in alarms]
        for wanted, words in _METRICS:
            there = (
                any(word in text for word in words for text in texts)
                if words
                else bool(graph.of_type("budgets.Budget"))
            )
            if there:
                continue
            if words and any(contains_unknown(alarm.value("metricQueries")) for alarm in alarms):
                yield not_proven(guardrail, "", ["cloudwatch.MetricAlarm.metricQueries"], wanted, _FIX)
            else:
                yield violated(guardrail, "", "none", wanted, _FIX, what="has no limit on cost")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("bedrock.Guardrail", "ec2.VpcEndpoint"),
    level=Level.ADVISORY,
)
