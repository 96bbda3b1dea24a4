"""Every topic's policy denies requests without TLS, and no topic delivers over plain HTTP.

A topic delivers alarms, which reveal faults of the system.

A queue's policy is checked where a topic or bucket writes to the queue. AWS's SDKs use TLS by default, so this is
advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, undecided
from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import denies_clear_text, statements

_WANTED = "a statement that denies sns:Publish to all principals where aws:SecureTransport is false"
_FIX = "deny sns:Publish where aws:SecureTransport is false, in the topic's policy"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each topic."""
    for topic in graph.of_type("sns.Topic"):
        holders = [topic, *referring(graph, topic, "arn", "sns.TopicPolicy")]
        documents = [(holder, document_at(holder, "policy")) for holder in holders]
        undecided_ = [finding for holder, of in documents for finding in undecided(holder, "policy", of, _WANTED, _FIX)]
        denied = any(denies_clear_text(item, "sns:Publish") for _, of in documents for item in statements(of))
        if undecided_:
            yield from undecided_
        elif not denied:
            yield violated(topic, "policy", "no such statement", _WANTED, _FIX, what="accepts clear text")
    for subscription in graph.of_type("sns.TopicSubscription"):
        fix = "subscribe an https endpoint"
        yield from expect(
            subscription, "protocol", lambda found: found != "http", "https", fix, what="sends in clear text"
        )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("sns.Topic", "sns.TopicSubscription"),
    level=Level.ADVISORY,
)
