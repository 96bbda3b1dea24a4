"""A rule of a web ACL that allows comes after every rule that can block, or is about a few known addresses.

To allow ends the evaluation: what such a rule matches meets no limit, no rate and no defence behind it. A rule that
exempts by counting with a label, which later rules leave out, exempts from those rules only.

It judges the order of rules and the size of sets of addresses, not what a rule matches otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..firewalls import ACL, Firewall, FirewallRule, firewalls
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.addresses import INTERNET, NO_ADDRESSES, parse
from ..topology.resources import Graph, Unknown
from ..topology.verdicts import Finding, not_proven, violated

_WANTED = "allow only behind the last rule that blocks"
_FIX = "give the rule a priority behind the others, or let it count with a label that the others leave out"
_FEW = 2**16


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each rule of each web ACL that allows."""
    for firewall in firewalls(graph):
        if isinstance(firewall.acl.items("rules"), Unknown):
            yield not_proven(firewall.acl, "rules", ["rules"], _WANTED, _FIX)
        for number, rule in enumerate(firewall.rules):
            behind = [other.name for other in firewall.rules[number + 1 :] if other.ends]
            if "allow" in rule.actions and behind and not _is_about_few(graph, firewall, rule):
                found = f"allow, before {', '.join(behind[:3])}" + (", …" if len(behind) > 3 else "")  # noqa: PLR2004
                what = "passes over the rules behind it"
                yield violated(firewall.acl, f"rules[{rule.name}].action", found, _WANTED, _FIX, what=what)


def _is_about_few(graph: Graph, firewall: Firewall, rule: FirewallRule) -> bool:
    """Whether the rule matches by a set of addresses of this stack and nothing else, and the set is small."""
    named = [body.get("arn") for body in rule.of_kind("ipSetReferenceStatement")]
    if [kind for kind, _ in rule.statements] != ["ipSetReferenceStatement"]:
        return False
    sets = graph.referenced(firewall.acl, "rules", ("wafv2.IpSet",), value=named)
    admitted = NO_ADDRESSES
    for ip_set in sets:
        addresses = ip_set.items("addresses")
        for block in ["0.0.0.0/0"] if isinstance(addresses, Unknown) else addresses:
            admitted |= (parse(block) if isinstance(block, str) else None) or INTERNET
    # A set of IPv6 blocks is as small as its IPv4 sibling when it has no more than as many /64 networks.
    return bool(sets) and admitted.v4.size() + (admitted.v6.size() >> 64) <= _FEW


RULE: Rule = stack_rule(__name__, __doc__, judge, severity=Severity.HIGH, remediation=_FIX, types=(ACL,))
