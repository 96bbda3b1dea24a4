"""The effect of a change on limits: sizes, times and rates along a request's path, and the sizes of the parts that serve it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_mapping
from preflight.review.path_limits import limits_of
from preflight.review.side import Side, listed

_SIZES: Mapping[str, Mapping[str, str]] = {
    "rds.Cluster": {
        "serverlessv2ScalingConfiguration.minCapacity": "least capacity units of the database",
        "serverlessv2ScalingConfiguration.maxCapacity": "most capacity units of the database",
        "engineVersion": "version of the database",
    },
    "elasticache.ReplicationGroup": {"nodeType": "node type of the cache", "numCacheClusters": "nodes of the cache"},
    "ecs.TaskDefinition": {
        "ephemeralStorage.sizeInGib": "GiB of disk of a task",
        "runtimePlatform.cpuArchitecture": "architecture of a task",
    },
    "budgets.Budget": {"limitAmount": "monthly budget in US dollars"},
}
_COUNTED = {"rds.ClusterInstance": "database instances", "ec2.Subnet": "subnets"}


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence: the same change in several places is one."""
    old, new = _limits(before), _limits(after)
    same: dict[tuple[str, str, str], list[str]] = {}
    for key in sorted({*old, *new}):
        one, two = old.get(key, []), new.get(key, [])
        if one != two:
            place, what = key
            none = "none" if place == "task" else "no limit"
            same.setdefault((what, ", ".join(one) or none, ", ".join(two) or none), []).append(place)
    for (what, one, two), places in same.items():
        yield f"{what}: {one} → {two} ({listed(places)})"
    yield from _sizes(before.graph, after.graph)


def _limits(side: Side) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for limit in limits_of(side.recording, side.graph):
        of = f" of {limit.where.partition('.')[0]}" if limit.place == "task" and "(" not in limit.what else ""
        own = found.setdefault((limit.place, f"{limit.what}{of}"), [])
        own += [limit.value] if limit.value not in own else []
    return found


def _sizes(before: Graph, after: Graph) -> Iterator[str]:
    for kind, properties in _SIZES.items():
        for path, what in properties.items():
            old, new = (_values(graph, kind, path) for graph in (before, after))
            for name in sorted(old.keys() & new.keys()):
                if old[name] != new[name]:
                    which = f" ({name})" if len(new) > 1 else ""
                    yield f"{what}{which}: {old[name]} → {new[name]}"
    one, two = (Counter(resource.kind for resource in graph) for graph in (before, after))
    for kind, what in _COUNTED.items():
        if one[kind] != two[kind]:
            yield f"{what}: {one[kind]} → {two[kind]}"


def _values(graph: Graph, kind: str, path: str) -> dict[str, str]:
    return {
        one.name: str(_inside(one.value(path.split(".", maxsplit=1)[0]), path.split(".")[1:]))
        for one in graph.of_type(kind)
    }


def _inside(value: Any, steps: list[str]) -> Any:  # noqa: ANN401 - a value of the graph
    for step in steps:
        value = (as_mapping(value) or {}).get(step)
    return "not set" if value is None else value
