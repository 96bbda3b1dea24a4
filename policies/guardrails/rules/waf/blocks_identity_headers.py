"""Where the load balancer logs users in, the web ACL blocks requests that carry its identity headers.

The application trusts these headers, so a client that sends them on a path without a login could act as any user.

A rule counts only if the header alone makes it block, whatever else the request contains. Whether every forwarding rule
authenticates is checked by reachability-internet-paths-authenticate.
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
    """Each web ACL of a stack with a load balancer login."""
    if not logs_in(graph):
        return
    for firewall in firewalls(graph):
        for header in sorted(set(HEADERS) - _blocked(firewall)):
            wanted = f"a blocking rule on the header {header}"
            if firewall.complete:
                yield violated(
                    firewall.acl, "rules", "no such rule", wanted, _FIX, what="lets clients send identity headers"
                )
            else:
                yield not_proven(firewall.acl, "rules", ["rules"], wanted, _FIX)


def _blocked(firewall: Firewall) -> set[str]:
    return {
        field.removeprefix("header:") for rule in firewall.rules if rule.blocks for field in present(rule.statement)
    }


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.CRITICAL, remediation=_FIX, types=(ACL,))
