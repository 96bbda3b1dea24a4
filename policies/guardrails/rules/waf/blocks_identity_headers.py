"""Where the load balancer logs users in, the web ACL blocks requests that carry its identity headers.

The application trusts these headers, so a client that sends them on a path without a login could act as any user.

A rule counts only if the header alone makes it block, whatever else the request contains. Whether every forwarding rule
authenticates is checked by reachability-internet-paths-authenticate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, Firewall, firewalls, present

HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity")
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


def logs_in(graph: Graph) -> bool:
    """Whether a listener or a rule of the stack authenticates users."""
    for resource, path in [(rule, "actions") for rule in graph.of_type("lb.ListenerRule")] + [
        (listener, "defaultActions") for listener in graph.of_type("lb.Listener")
    ]:
        actions = resource.items(path)
        if isinstance(actions, Unknown):
            return True
        if any(str(resource.value(f"{path}[{i}].type")).startswith("authenticate-") for i in range(len(actions))):
            return True
    return False


def _blocked(firewall: Firewall) -> set[str]:
    return {
        field.removeprefix("header:") for rule in firewall.rules if rule.blocks for field in present(rule.statement)
    }


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.CRITICAL, remediation=_FIX, types=(ACL,))
