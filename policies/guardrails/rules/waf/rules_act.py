"""Every rule of a web ACL acts: one that only counts gives a label to a later rule, and no rule group only counts.

A rule that was set to count while it was tried out, and left there, is a hole that looks like a wall.

A label in the namespace ``count-only:`` is no such label: it only tells the log that a rule is being tried out.
It cannot see whether a later rule uses a label; single rules of a managed group that count are judged by
waf-overrides-are-enforced.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, firewalls

_WANTED = "block, or count with ruleLabels"
_TRIED_OUT = "count-only:"
_FIX = "set the rule's action to block, or remove the rule"
_GROUP_FIX = "set overrideAction to none; let single rules of the group count if they have to"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each rule of each web ACL."""
    for firewall in firewalls(graph):
        if isinstance(firewall.acl.items("rules"), Unknown):
            yield not_proven(firewall.acl, "rules", ["rules"], _WANTED, _FIX)
        for rule in firewall.rules:
            if rule.counts and all(label.startswith(_TRIED_OUT) for label in rule.labels):
                yield violated(firewall.acl, f"rules[{rule.name}].action", "count", _WANTED, _FIX, what="only counts")
            if rule.overridden:
                place, wanted = f"rules[{rule.name}].overrideAction", "the group's own actions (none)"
                yield violated(firewall.acl, place, "count", wanted, _GROUP_FIX, what="only counts")


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.HIGH, remediation=_FIX, types=(ACL,))
