"""Where the load balancer logs users in, the WAF log redacts identity headers sent by clients.

A header copied from another session can contain a valid token; a redacted log still shows which header was sent.

The policy checks only the log; whether such headers are blocked is checked by waf-blocks-identity-headers.
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
    """Evaluate the log of each web ACL of a stack with a load balancer login."""
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
                    yield violated(log, "redactedFields", sorted(have) or None, f"fields that include {header}", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=(ACL,), level=Level.ADVISORY
)
