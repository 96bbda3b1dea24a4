"""Load balancer bypass: other sources with access to a target that trusts the identity verified by the load balancer.

A target behind an authenticating rule trusts identity headers, so its security groups must admit only its load
balancer's security group on its port: no other group, and no address, not even a private one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...graph.verdicts import Finding, hop, not_proven, violated
from ...network.addresses import NO_ADDRESSES, TCP
from ...network.security_groups import GroupRule
from ..facts.model import Facts, TrustingTarget

_WANTED = "only the load balancer's security group on this port"
_FIX = "name the load balancer's security group (referencedSecurityGroupId) as the only source"


def bypasses(facts: Facts) -> Iterator[Finding]:
    """Rules that open an authenticated target to sources other than its load balancers."""
    seen: set[tuple[str, str]] = set()
    for target in facts.trusting:
        for rule in (admission.rule for admission in target.resource.admissions):
            if not any(rule.covers(TCP, port) for port in target.ports):
                continue
            for finding in _evaluate(facts, target, rule):
                if (finding.urn, finding.property) not in seen:
                    seen.add((finding.urn, finding.property))
                    yield finding


def _evaluate(facts: Facts, target: TrustingTarget, rule: GroupRule) -> Iterator[Finding]:
    resource = target.resource.resource
    others = [key for key in rule.groups if key not in target.balancer_groups]
    if others or rule.addresses != NO_ADDRESSES:
        named = [facts.label_of(key) for key in others]
        found = "; ".join([*([str(rule)] if rule.addresses else []), *(f"from {name}" for name in named)])
        what = f"opens {resource.label}, which trusts identity headers, to sources other than the load balancer"
        witness = (hop(rule.resource, rule.property, found), hop(resource))
        yield violated(rule.resource, rule.property, found, _WANTED, _FIX, what=what, witness=witness)
    elif rule.unknowns or rule.group_unknowns:
        yield not_proven(rule.resource, rule.property, [*rule.unknowns, *rule.group_unknowns], _WANTED, _FIX)
