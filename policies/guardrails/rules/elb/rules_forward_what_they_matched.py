"""A listener rule forwards the host and path that it matched, without rewriting them.

The web ACL, the earlier rules and the login check the original request. A transform changes it afterwards, so a blocked
path becomes reachable under another name.

The policy cannot see whether the target rewrites requests.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "remove transforms: have the target serve the path, or redirect"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one listener rule."""
    yield from expect(
        resource,
        "transforms",
        lambda found: found in (None, []),
        "no transform",
        _FIX,
        what="rewrites a request after it was checked",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.ListenerRule",),
)
