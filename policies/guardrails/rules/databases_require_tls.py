"""PostgreSQL databases refuse connections without TLS.

Inside a network nobody looks for clear text, so nobody would notice it.

It judges parameter groups of this stack; an engine's own default is not visible in a program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Resource, Unknown
from ..topology.values import Value
from ..topology.verdicts import Finding, not_proven, violated

_WANTED = "a parameter group with rds.force_ssl = 1"
_FIX = "give the database a parameter group of this stack that sets rds.force_ssl to 1"
_GROUPS = {
    "rds.Cluster": ("dbClusterParameterGroupName", "rds.ClusterParameterGroup"),
    "rds.Instance": ("parameterGroupName", "rds.ParameterGroup"),
}


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each PostgreSQL cluster and instance."""
    for database in graph.of_type(*_GROUPS):
        if "postgres" not in str(database.value("engine")):
            continue
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
    if isinstance(parameters, Unknown):
        yield not_proven(group, "parameters", [parameters], _WANTED, _FIX)
        return
    values: dict[str, Value] = {
        str(item.get("name")): item.get("value") for item in cast("list[Mapping[str, Value]]", parameters)
    }
    if str(values.get("rds.force_ssl")) != "1":
        yield violated(group, "parameters[rds.force_ssl]", values.get("rds.force_ssl"), "1", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted(_GROUPS)),
    controls=("RDS.38",),
)
