"""A web ACL limits how often a client asks and how large path, query, cookies and declared body are.

What has no limit is decided by the weakest part behind it. On a load balancer a firewall sees only the first 8 KB
of a body, so it limits the declared size; the proxy behind it enforces the real one.

Requests far beyond each limit are sent through the rules on paper. It cannot tell whether a limit is right, nor
whether it holds on every path; where a rule cannot be followed on paper, it counts when it looks at the right part.
Cookies are such a part: a load balancer shows its firewall the first 8 KB of all headers, a login's session alone may
take more, and AWS does not document whether the size of a longer cookie is still compared as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acl_limits import LIMITS, limited
from ...web_acls import ACL, firewalls


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each web ACL."""
    for firewall in firewalls(graph):
        missing = sorted(set(LIMITS) - limited(graph, firewall))
        for limit in missing:
            fix = f"add {LIMITS[limit]} to the web ACL"
            if firewall.complete:
                yield violated(
                    firewall.acl, "rules", "no such rule", LIMITS[limit], fix, what=f"does not limit {limit}"
                )
            else:
                yield not_proven(firewall.acl, "rules", ["rules"], LIMITS[limit], fix)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="give the web ACL rate-based and size-constraint rules that block",
    types=(ACL,),
    controls=("WAF.10",),
)
