"""Where the load balancer logs users in, the firewall blocks client-sent copies of its identity headers.

The application trusts these headers, and a request that never passed a login could carry them.

A rule counts when the header alone makes it block, whatever else a request says. That every forwarding rule
authenticates is proven elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...identity_headers import HEADERS, logs_in
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, Firewall, firewalls, present

_FIX = "add a blocking rule on single_header for each of " + ", ".join(HEADERS)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each web ACL of a stack with a login at the load balancer."""
    if not logs_in(graph):
        return
    for firewall in firewalls(graph):
        for header in sorted(set(HEADERS) - _blocked(firewall)):
            wanted = f"a blocking rule on the header {header}"
            if firewall.complete:
                yield violated(firewall.acl, "rules", "no such rule", wanted, _FIX, what="lets identity headers in")
            else:
                yield not_proven(firewall.acl, "rules", ["rules"], wanted, _FIX)


def _blocked(firewall: Firewall) -> set[str]:
    return {
        field.removeprefix("header:") for rule in firewall.rules if rule.blocks for field in present(rule.statement)
    }


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.CRITICAL, remediation=_FIX, types=(ACL,))
