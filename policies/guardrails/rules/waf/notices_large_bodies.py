"""A web ACL blocks or labels requests whose bodies are larger than the part that it inspects.

AWS WAF inspects the first 8 to 64 KB of a body. No rule inspects the rest, so requests with larger bodies have to be
blocked or identifiable in the log.

The policy checks that such a rule exists; the treatment of a labelled request is up to the rules and the proxy behind
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, COMMON_RULES, WebAclRule, WebAclRules, counted, fields, managed, rules_of_web_acls

_WANTED = "a rule on the body's size with oversizeHandling MATCH, or AWS's own (SizeRestrictions_BODY)"
_FIX = "add a rule on the body's size with oversizeHandling MATCH that blocks, or counts with a label"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL that inspects bodies."""
    for web_acl in rules_of_web_acls(graph):
        if not web_acl.complete:
            yield not_proven(web_acl.acl, "rules", ["rules"], _WANTED, _FIX)
        elif any(_looks(rule) for rule in web_acl.rules) and not _notices(web_acl):
            yield violated(
                web_acl.acl,
                "rules",
                "no such rule",
                _WANTED,
                _FIX,
                what="inspects only the first part of large bodies",
            )


def _looks(rule: WebAclRule) -> bool:
    return bool(managed(rule)) or any({"body", "jsonBody"} & fields(body) for _, body in rule.statements)


def _notices(web_acl: WebAclRules) -> bool:
    for rule in web_acl.rules:
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
