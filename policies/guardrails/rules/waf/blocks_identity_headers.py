"""Where the load balancer logs users in, the web ACL blocks client requests that contain its identity headers.

The application trusts these headers, so a client that sends them on a path without a login could act as any user.

A rule counts only if the header alone is enough to block the request. Whether every forwarding rule authenticates is
checked by reachability-internet-paths-authenticate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...identity_headers import HEADERS, logs_in
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, WebAclRules, present, rules_of_web_acls

_FIX = "add a blocking rule on single_header for each of " + ", ".join(HEADERS)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL of a stack with a load balancer login."""
    if not logs_in(graph):
        return
    for web_acl in rules_of_web_acls(graph):
        for header in sorted(set(HEADERS) - _blocked(web_acl)):
            wanted = f"a blocking rule on the header {header}"
            if web_acl.complete:
                yield violated(
                    web_acl.acl, "rules", "no such rule", wanted, _FIX, what="allows clients to send identity headers"
                )
            else:
                yield not_proven(web_acl.acl, "rules", ["rules"], wanted, _FIX)


def _blocked(web_acl: WebAclRules) -> set[str]:
    return {field.removeprefix("header:") for rule in web_acl.rules if rule.blocks for field in present(rule.statement)}


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.CRITICAL, remediation=_FIX, types=(ACL,))
