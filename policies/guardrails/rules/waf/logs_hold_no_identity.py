"""Where the load balancer logs users in, the firewall's log leaves out client-sent copies of its identity headers.

A copied header is a token that may still be good; the log tells which header it was in without it.

It judges the log only; that such headers are blocked, waf-blocks-identity-headers judges.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...identity_headers import HEADERS, logs_in
from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown, contains_unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acl_logs import protected, redacted
from ...web_acls import ACL

_FIX = "add the headers to redactedFields of the logging configuration"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """The log of each web ACL of a stack with a login at the load balancer."""
    if not logs_in(graph):
        return
    for acl in graph.of_type(ACL):
        for log in referring(graph, acl, "resourceArn", "wafv2.WebAclLoggingConfiguration"):
            found = log.items("redactedFields")
            if isinstance(found, Unknown) or contains_unknown(found):
                yield not_proven(log, "redactedFields", ["redactedFields"], ", ".join(HEADERS), _FIX)
                continue
            have = redacted(found) | protected(acl)
            for header in HEADERS:
                if f"header:{header}" not in have:
                    yield violated(log, "redactedFields", sorted(have) or None, f"{header} among them", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=(ACL,), level=Level.ADVISORY
)
