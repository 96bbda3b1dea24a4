"""A managed rule set to count is followed by a rule that acts on its label or that limits the same size.

Setting a managed rule to count suppresses a false positive, but for every request, not only for the one that caused it.
Whether that is acceptable is the team's decision, so this is advisory.

The policy compares labels and sizes, not the exclusions of a later rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.waf.web_acl import managed_label
from ...web_acl_limits import COMMON_LIMITS, limited
from ...web_acls import ACL, WebAclRule, WebAclRules, counted, managed, rules_of_web_acls

_WANTED = "a later rule that acts on the label, or a custom limit on the same size"
_FIX = "add a blocking rule on the label that excludes only the requests with the false positive"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each rule of a managed group that counts."""
    for web_acl in rules_of_web_acls(graph):
        if isinstance(web_acl.acl.items("rules"), Unknown):
            yield not_proven(web_acl.acl, "rules", ["rules"], _WANTED, _FIX)
        own = limited(graph, web_acl)
        for number, rule in enumerate(web_acl.rules):
            if not (groups := managed(rule)):
                continue
            acted_on = {label.lower() for label in _acted_on(web_acl, number)}
            for group in groups:
                named = str(group.get("name"))
                for name in counted(group):
                    label = managed_label(named, name).lower()
                    if COMMON_LIMITS.get(name) in own or any(_covers(known, label) for known in acted_on):
                        continue
                    place = f"rules[{rule.name}].ruleActionOverrides[{name}]"
                    yield violated(web_acl.acl, place, "count", _WANTED, _FIX, what="no longer blocks")


def _acted_on(web_acl: WebAclRules, number: int) -> set[str]:
    later: list[WebAclRule] = [rule for rule in web_acl.rules[number + 1 :] if rule.ends]
    return set[str]().union(*(rule.matched_labels() for rule in later))


def _covers(known: str, label: str) -> bool:
    return label == known or label.endswith(f":{known}") or (known.endswith(":") and label.startswith(known))


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=(ACL,), level=Level.ADVISORY
)
