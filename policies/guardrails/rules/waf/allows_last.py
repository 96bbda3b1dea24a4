"""A web ACL rule with the action Allow comes after every rule that can block, or matches only a few known addresses.

An allow action ends the evaluation, so no later limit or protection applies to the request. To exempt requests from
some rules only, a rule can count and add a label that those rules exclude.

The policy checks the order of rules and the size of IP sets, not the other conditions of a rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown, contains_unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import INTERNET, NO_ADDRESSES, parse
from ...web_acls import ACL, WebAclRule, WebAclRules, rules_of_web_acls

_WANTED = "allow only after the last rule that blocks"
_FIX = "give the rule a later priority, or have it count and add a label that the other rules exclude"
_FEW = 2**16


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each rule of each web ACL that allows."""
    for web_acl in rules_of_web_acls(graph):
        if isinstance(web_acl.acl.items("rules"), Unknown):
            yield not_proven(web_acl.acl, "rules", ["rules"], _WANTED, _FIX)
        for number, rule in enumerate(web_acl.rules):
            if "allow" in rule.actions or rule.unclear:
                yield from _rule(graph, web_acl, rule, web_acl.rules[number + 1 :])


def _rule(graph: Graph, web_acl: WebAclRules, rule: WebAclRule, later: tuple[WebAclRule, ...]) -> Iterator[Finding]:
    place = f"rules[{rule.name}].action"
    behind = [other.name for other in later if other.ends and not other.unclear]
    about_few = _is_about_few(graph, web_acl, rule)
    if about_few:
        return
    if behind and not rule.unclear and about_few is False:
        found = f"allow, before {', '.join(behind[:3])}" + (", …" if behind[3:] else "")
        what = "skips the rules after it"
        yield violated(web_acl.acl, place, found, _WANTED, _FIX, what=what)
    elif behind or any(other.unclear for other in later):
        yield not_proven(web_acl.acl, place, ["rules"], _WANTED, _FIX)


def _is_about_few(graph: Graph, web_acl: WebAclRules, rule: WebAclRule) -> bool | None:
    """Whether the rule matches only a small IP set of this stack; ``None`` when the addresses are not known."""
    named = [body.get("arn") for body in rule.of_kind("ipSetReferenceStatement")]
    if [kind for kind, _ in rule.statements] != ["ipSetReferenceStatement"]:
        return None if contains_unknown(rule.statement) else False
    sets = graph.referenced(web_acl.acl, "rules", ("wafv2.IpSet",), value=named)
    admitted = NO_ADDRESSES
    for ip_set in sets:
        addresses = ip_set.items("addresses")
        if isinstance(addresses, Unknown) or contains_unknown(addresses):
            return None
        for block in addresses:
            admitted |= (parse(block) if isinstance(block, str) else None) or INTERNET
    # A set of IPv6 blocks is as small as its IPv4 sibling when it has no more than as many /64 networks.
    return bool(sets) and admitted.v4.size() + (admitted.v6.size() >> 64) <= _FEW


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.HIGH, remediation=_FIX, types=(ACL,))
