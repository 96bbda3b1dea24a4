"""Every backup plan rule sets a retention period for its backups.

Data that a user deleted remains in the backups; without a retention period it remains there indefinitely.

The policy checks backup plans; a database's automated backups always have a retention period.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven

_WANTED, _FIX = "a number of days", "set lifecycle.deleteAfter"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one backup plan."""
    rules = resource.items("rules")
    if isinstance(rules, Unknown):
        yield not_proven(resource, "rules", [rules], "rules with known values", _FIX)
        return
    for index in range(len(rules)):
        path = f"rules[{index}].lifecycle.deleteAfter"
        yield from expect(resource, path, lambda found: isinstance(found, int | float) and found >= 1, _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("backup.Plan",),
    level=Level.ADVISORY,
)
