"""Every web ACL rule blocks, allows, or counts with a label that other rules can use, and no rule group is set to count
only.

A rule left in count mode after a trial looks like protection but blocks nothing.

A label in the namespace ``count-only:`` does not satisfy the policy: it marks a rule in the log as being on trial. The
policy cannot see whether a later rule uses a label; counting rules of a managed group are checked by
waf-overrides-are-enforced.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, rules_of_web_acls

_WANTED = "block, or count with ruleLabels"
_TRIED_OUT = "count-only:"
_FIX = "set the rule's action to block, or remove the rule"
_GROUP_FIX = "set overrideAction to none; set individual rules of the group to count where necessary"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each rule of each web ACL."""
    for web_acl in rules_of_web_acls(graph):
        if isinstance(web_acl.acl.items("rules"), Unknown):
            yield not_proven(web_acl.acl, "rules", ["rules"], _WANTED, _FIX)
        for rule in web_acl.rules:
            if rule.counts and all(label.startswith(_TRIED_OUT) for label in rule.labels):
                yield violated(web_acl.acl, f"rules[{rule.name}].action", "count", _WANTED, _FIX, what="only counts")
            if rule.overridden:
                place, wanted = f"rules[{rule.name}].overrideAction", "the group's own actions (none)"
                yield violated(web_acl.acl, place, "count", wanted, _GROUP_FIX, what="only counts")


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.HIGH, remediation=_FIX, types=(ACL,))
