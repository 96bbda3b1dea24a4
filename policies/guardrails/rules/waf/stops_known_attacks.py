"""Every web ACL applies AWS's managed rules against known attacks, known bad inputs and known bad addresses.

Custom rules describe the application; managed rules describe attacks seen elsewhere, and AWS keeps them current.

The policy checks that each group is applied; counting rules of a group are checked by waf-overrides-are-enforced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, COMMON_RULES, WebAclRules, managed, rules_of_web_acls

_SCHEMA = {
    "groups": {
        "type": "array",
        "items": {"type": "string"},
        "default": [COMMON_RULES, "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList"],
        "description": "The managed rule groups that every web ACL applies; a group of another vendor counts as all of them.",
    }
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL."""
    for web_acl in rules_of_web_acls(graph):
        applied = _applied(web_acl)
        for name in cast("list[str]", settings["groups"]):
            if name in applied or "" in applied:
                continue
            wanted, fix = f"the managed rule group {name}", f"add a rule with the managed rule group {name}"
            if web_acl.complete:
                yield violated(web_acl.acl, "rules", "no such group", wanted, fix, what="does not block known attacks")
            else:
                yield not_proven(web_acl.acl, "rules", ["rules"], wanted, fix)


def _applied(web_acl: WebAclRules) -> set[str]:
    """The groups that apply to every request; a group of another vendor, whose rules are not known here, is ``""``."""
    return {
        str(group.get("name")) if group.get("vendorName") in (None, "AWS") else ""
        for rule in web_acl.rules
        for group in managed(rule)
        if not (rule.overridden or rule.unclear or isinstance(group.get("vendorName"), Unknown))
        and group.get("scopeDownStatement") is None
    }


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="apply the managed rule groups that the policy names, without a scope-down statement",
    types=(ACL,),
    schema=_SCHEMA,
)
