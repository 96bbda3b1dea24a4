"""If any role of a stack has a permissions boundary, all of its roles have the same one.

The boundary limits a role regardless of the policies attached to it later, so a role without it can be used to bypass
the limit.

The policy does not require a boundary where no role has one, and does not check the content of a boundary.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_PATH = "permissionsBoundary"
_FIX = "set permissionsBoundary to the boundary of the stack's other roles"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each role of a stack in which some role has a boundary."""
    roles = graph.of_type("iam.Role")
    if not any(role.value(_PATH) not in (None, "") for role in roles):
        return
    for role in roles:
        if role.value(_PATH) in (None, ""):
            yield violated(role, _PATH, None, "the boundary of the stack's other roles", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=("iam.Role",), unknown_blocks=False
)
