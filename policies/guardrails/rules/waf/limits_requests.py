"""A web ACL limits the request rate of each client, and the size of path, query string, cookies and declared body.

Otherwise the weakest component behind it sets the limit. On a load balancer, a web ACL sees only the first 8 KB of a
body, so it limits the declared size, and the proxy behind it enforces the actual one.

The policy evaluates the rules with sample requests far beyond each limit. It cannot check whether a limit is suitable,
or whether it applies on every path; a rule that it cannot evaluate counts as a limit if it inspects the right part of
the request. Limits on cookie size are always accepted this way: a load balancer passes only the first 8 KB of all
headers to the web ACL, a login session alone may exceed that, and AWS does not document whether a longer cookie is
measured at its full size.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acl_limits import LIMITS, limited
from ...web_acls import ACL, rules_of_web_acls


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL."""
    for web_acl in rules_of_web_acls(graph):
        missing = sorted(set(LIMITS) - limited(graph, web_acl))
        for limit in missing:
            fix = f"add {LIMITS[limit]} to the web ACL"
            if web_acl.complete:
                yield violated(web_acl.acl, "rules", "no such rule", LIMITS[limit], fix, what=f"does not limit {limit}")
            else:
                yield not_proven(web_acl.acl, "rules", ["rules"], LIMITS[limit], fix)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="add rate-based and size-constraint rules that block to the web ACL",
    types=(ACL,),
    controls=("WAF.10",),
)
