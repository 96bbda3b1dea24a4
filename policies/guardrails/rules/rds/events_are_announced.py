"""Database events are sent to a topic: failures, failovers, and changes of parameters and security groups.

Otherwise users are the first to notice a failover.

The policy checks subscriptions of this stack, not who reads the topic.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference, expect_value
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_SOURCES = {
    "rds.Cluster": ("db-cluster", "db-parameter-group"),
    "rds.Instance": ("db-instance", "db-parameter-group", "db-security-group"),
}
_FIX = "add aws.rds.EventSubscription for the source type, without eventCategories, to the alarm topic"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each type of event source among the stack's databases."""
    subscriptions = graph.of_type("rds.EventSubscription")
    sources = [subscription.value("sourceType") for subscription in subscriptions]
    unknown = [source for source in sources if isinstance(source, Unknown)]
    for kind, needed in _SOURCES.items():
        for database in graph.of_type(kind)[:1]:
            for source in needed:
                if source in sources or None in sources:
                    continue
                wanted = f"a subscription to events of type {source}"
                if unknown:
                    yield not_proven(database, "", unknown, wanted, _FIX)
                else:
                    yield violated(database, "", "no subscription", wanted, _FIX)
    for subscription in subscriptions:
        yield from expect_reference(graph, subscription, "snsTopic", "a topic", _FIX)
        yield from expect_value(subscription, "enabled", True, "remove enabled", default=True)
        named = subscription.items("sourceIds")
        known = [] if isinstance(named, Unknown) else [item for item in named if isinstance(item, str)]
        if len(set(known)) < len(known):
            fix = "name each database, or remove sourceIds to cover all databases"
            yield violated(subscription, "sourceIds", known, "each database", fix, what="leaves out a database")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_SOURCES)),
    controls=("RDS.19", "RDS.20", "RDS.21", "RDS.22"),
)
