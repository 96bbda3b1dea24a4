"""A listener rule hands on the host and path that it was matched by.

The firewall, the rules before it and the login judge the request as it came. A transform changes it after that: a path
that is blocked by name is reached under another one.

It cannot see what the target itself rewrites.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "remove transforms: let the target serve the path, or redirect"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One listener rule."""
    yield from expect(
        resource, "transforms", lambda found: found in (None, []), "no transform", _FIX, what="rewrites what was judged"
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.ListenerRule",),
)
