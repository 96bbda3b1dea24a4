"""An Envoy route without an access filter serves only a load balancer's health check.

A health check has no session, so its route cannot have the access filter. Any other route without the filter serves
every client that the security group admits.

The policy compares the route's path with the health checks of the target groups in the stack. It does not see target
groups of other stacks: list their health check paths in openPaths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ...access_filters import access_filters, is_health_check, open_routes, path_of
from ...checks import containers
from ...proxies import proxy_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = (
    "make it the healthCheck.path of the target group if it is the health check; otherwise remove the route's "
    "typed_per_filter_config"
)
_SCHEMA: dict[str, dict[str, Any]] = {
    "openPaths": {
        "type": "array",
        "items": {"type": "string"},
        "default": [],
        "description": "Exact paths of health checks whose target groups are in other stacks.",
    }
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each Envoy proxy of a task definition, with every target group of the stack."""
    checked: set[str] = set(cast("list[str]", settings["openPaths"]))
    unknown: list[Unknown] = []
    for group in graph.of_type("lb.TargetGroup"):
        path = group.value("healthCheck.path")
        if isinstance(path, Unknown):
            unknown.append(path)
        else:
            checked.add(str(path or "/"))
    for task in graph.of_type("ecs.TaskDefinition"):
        yield from _task(task, checked, unknown)


def _task(task: Resource, checked: set[str], unknown: list[Unknown]) -> Iterator[Finding]:
    wanted = f"a health check's path: {', '.join(sorted(checked)) or 'the stack has no target group'}"
    found, undecided = containers(task, wanted, _FIX)
    yield from undecided
    for container in found:
        proxy = proxy_of(container)
        for listener in proxy.inbound() if proxy is not None else ():
            for chain in listener.chains:
                for manager in chain.managers:
                    for route in open_routes(manager, access_filters(manager)):
                        if not is_health_check(route) or path_of(route) in checked:
                            continue
                        place = container.path(
                            f"listeners[{listener.name}].routes[{route.get('name') or path_of(route)}]"
                        )
                        if unknown:
                            yield not_proven(task, place, unknown, wanted, _FIX, found=path_of(route))
                        else:
                            what = "has no access filter"
                            yield violated(task, place, path_of(route), wanted, _FIX, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    schema=_SCHEMA,
    unknown_blocks=False,
)
