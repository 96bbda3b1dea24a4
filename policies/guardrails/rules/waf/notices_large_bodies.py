"""A web ACL blocks or labels requests whose bodies are larger than the part that it inspects.

AWS WAF inspects the first 8 to 64 KB of a body. No rule on bodies sees the rest, so requests with larger bodies have to
be blocked or identifiable in the log.

The policy checks that such a rule exists; what happens to a labelled request is up to the rules and the proxy behind
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, COMMON_RULES, Firewall, FirewallRule, counted, fields, firewalls, managed

_WANTED = "a rule on the body's size with oversizeHandling MATCH, or AWS's own (SizeRestrictions_BODY)"
_FIX = "add a rule on the body's size with oversizeHandling MATCH that blocks, or counts with a label"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each web ACL that inspects bodies."""
    for firewall in firewalls(graph):
        if not firewall.complete:
            yield not_proven(firewall.acl, "rules", ["rules"], _WANTED, _FIX)
        elif any(_looks(rule) for rule in firewall.rules) and not _notices(firewall):
            yield violated(
                firewall.acl,
                "rules",
                "no such rule",
                _WANTED,
                _FIX,
                what="inspects only the first part of large bodies",
            )


def _looks(rule: FirewallRule) -> bool:
    return bool(managed(rule)) or any({"body", "jsonBody"} & fields(body) for _, body in rule.statements)


def _notices(firewall: Firewall) -> bool:
    for rule in firewall.rules:
        for group in managed(rule):
            if (
                group.get("name") == COMMON_RULES
                and not rule.overridden
                and "SizeRestrictions_BODY" not in counted(group)
            ):
                return True
        for _, body in rule.statements:
            part = as_mapping((as_mapping(body.get("fieldToMatch")) or {}).get("body")) or {}
            if part.get("oversizeHandling") == "MATCH" and (rule.blocks or rule.labels):
                return True
    return False


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=(ACL,), level=Level.ADVISORY
)
