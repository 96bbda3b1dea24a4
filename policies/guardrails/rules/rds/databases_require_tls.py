"""PostgreSQL databases refuse connections without TLS.

Traffic within a private network is rarely inspected, so clear text would go unnoticed.

The policy checks parameter groups of this stack; it cannot see an engine's defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, contains_unknown, unknowns_in
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "a parameter group with rds.force_ssl = 1"
_FIX = "give the database a parameter group in this stack that sets rds.force_ssl to 1"
_GROUPS = {
    "rds.Cluster": ("dbClusterParameterGroupName", "rds.ClusterParameterGroup"),
    "rds.Instance": ("parameterGroupName", "rds.ParameterGroup"),
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each PostgreSQL cluster and instance."""
    for database in graph.of_type(*_GROUPS):
        engine = database.value("engine")
        if isinstance(engine, Unknown):
            yield not_proven(database, "engine", [engine], "a known engine", _FIX)
        elif "postgres" in str(engine):
            yield from _database(graph, database)


def _database(graph: Graph, database: Resource) -> Iterator[Finding]:
    path, kind = _GROUPS[database.kind]
    groups = graph.referenced(database, path, (kind,), ("name", "id", "arn"))
    if not groups:
        found = database.value(path)
        if isinstance(found, Unknown) or groups.external:
            yield not_proven(database, path, [path], _WANTED, _FIX, found=found)
        else:
            yield violated(database, path, found, _WANTED, _FIX, what="accepts connections without TLS")
    for group in groups:
        yield from _group(group)


def _group(group: Resource) -> Iterator[Finding]:
    parameters = group.items("parameters")
    if isinstance(parameters, Unknown) or contains_unknown(parameters):
        yield not_proven(group, "parameters", list(unknowns_in(parameters)), _WANTED, _FIX)
        return
    settled = [as_mapping(item) or {} for item in parameters]
    values = {str(item.get("name")): item.get("value") for item in settled}
    if str(values.get("rds.force_ssl")) != "1":
        yield violated(group, "parameters[rds.force_ssl]", values.get("rds.force_ssl"), "1", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted(_GROUPS)),
    controls=("RDS.38",),
)
