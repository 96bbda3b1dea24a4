"""Every database is selected by a backup plan, so that its backups outlive the database.

A database's automated backups can be deleted together with it.

The policy checks this stack's backup selections, by reference and by tag; it cannot see an organization's backup
policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_TYPES = ("rds.Cluster", "rds.Instance")
_WANTED = "a backup selection that names the database or one of its tags"
_FIX = "add the database's ARN to aws.backup.Selection"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each database cluster, and each instance outside a cluster."""
    selections = graph.of_type("backup.Selection")
    for database in graph.of_type(*_TYPES):
        found = [_selects(graph, selection, database) for selection in selections]
        if True in found:
            continue
        if None in found:
            yield not_proven(database, "", ["backup.Selection.resources"], _WANTED, _FIX)
        else:
            yield violated(database, "", "no backup selection", _WANTED, _FIX)


def _selects(graph: Graph, selection: Resource, database: Resource) -> bool | None:
    named = graph.referenced(selection, "resources", _TYPES)
    if any(resource.urn == database.urn for resource in named):
        return True
    literals = selection.items("resources")
    if isinstance(literals, list) and any(item in ("*", "arn:aws:rds:*:*:cluster:*") for item in literals):
        return True
    tags = cast("Mapping[str, Any]", as_mapping(database.value("tags")) or {})
    conditions = selection.items("selectionTags")
    if isinstance(conditions, Unknown):
        return None
    for index in range(len(conditions)):
        key, value = (selection.value(f"selectionTags[{index}].{part}") for part in ("key", "value"))
        if isinstance(key, str) and tags.get(key) == value:
            return True
    return None if named.unknowns else False


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=_TYPES, controls=("RDS.26",)
)
