"""Where roles of a stack have a permissions boundary, every one has.

The boundary is what a role cannot exceed whatever is attached to it later; the one that lacks it is the way around it.

It does not ask for a boundary where no role has one, nor read what a boundary allows.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_PATH = "permissionsBoundary"
_FIX = "set permissionsBoundary as the stack's other roles do"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each role beside a bounded one."""
    roles = graph.of_type("iam.Role")
    if not any(role.value(_PATH) not in (None, "") for role in roles):
        return
    for role in roles:
        if role.value(_PATH) in (None, ""):
            yield violated(role, _PATH, None, "the boundary of the stack's other roles", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=("iam.Role",), unknown_blocks=False
)
