"""A load balancer targets a container that listens on the target port; in a task with a proxy, it targets the proxy.

Traffic sent straight to the application's port skips the proxy's checks. An application that trusts identity headers
because the proxy verified them would then accept any identity.

The policy checks container and port names; it cannot see whether an application listens on all addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import Container, containers, listed
from ...proxies import proxy_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "the proxy's container and the port that it listens on"
_FIX = "name the proxy's container and port in loadBalancers, and remove portMappings from the task's other containers"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each service and task set, and each task definition with a proxy."""
    for task in graph.of_type("ecs.TaskDefinition"):
        found, undecided = containers(task, _WANTED, _FIX)
        yield from undecided
        entered = _entered(found)
        for container in found if entered else ():
            if container.name not in entered and container.get("portMappings") not in (None, []):
                mapped = ", ".join(str(port) for port in sorted(_mapped(container)))
                place = container.path("portMappings")
                yield violated(
                    task,
                    place,
                    mapped or "a port",
                    "no port",
                    _FIX,
                    what="is reachable without going through the proxy",
                )
    for service in graph.of_type("ecs.Service", "ecs.TaskSet"):
        yield from _service(graph, service)


def _service(graph: Graph, service: Resource) -> Iterator[Finding]:
    entries = service.items("loadBalancers")
    tasks = graph.referenced(service, "taskDefinition", ("ecs.TaskDefinition",), ("arn", "id", "family")).resources
    if isinstance(entries, Unknown) or len(tasks) != 1:
        return  # another stack's task definition, or no load balancer to enter by
    found, undecided = containers(tasks[0], _WANTED, _FIX)
    for index in range(0 if undecided else len(entries)):
        place = f"loadBalancers[{index}]"
        name, port = (service.value(f"{place}.{key}") for key in ("containerName", "containerPort"))
        if isinstance(name, Unknown) or isinstance(port, Unknown):
            unknown = [value for value in (name, port) if isinstance(value, Unknown)]
            yield not_proven(service, place, unknown, _WANTED, _FIX)
        elif name is not None:
            yield from _entry(service, place, found, str(name), port)


def _entry(
    service: Resource, place: str, found: list[Container], name: str, port: float | str | None
) -> Iterator[Finding]:
    entered, number = _entered(found), int(port or 0)
    container = next((item for item in found if item.name == name), None)
    target = f"{name}:{number}"
    if container is None or number not in _mapped(container):
        yield violated(
            service,
            place,
            target,
            "a container of the task with a mapping for the port",
            _FIX,
            what="has no matching port",
        )
    elif entered and number not in entered.get(name, set()):
        yield violated(service, place, target, _WANTED, _FIX, what="bypasses the proxy")


def _entered(found: list[Container]) -> dict[str, set[int]]:
    """The proxies of a task by container, and the ports on which each is reachable from outside the task."""
    ports: dict[str, set[int]] = {}
    for container in found:
        proxy = proxy_of(container)
        inbound = proxy.inbound() if proxy is not None else []
        if known := {listener.port for listener in inbound if listener.port is not None}:
            ports[container.name] = known
    return ports


def _mapped(container: Container) -> set[int]:
    mappings = [as_mapping(item) or {} for item in listed(container.get("portMappings"))]
    return {int(item["containerPort"]) for item in mappings if isinstance(item.get("containerPort"), int | float)}


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.Service", "ecs.TaskDefinition", "ecs.TaskSet"),
    unknown_blocks=False,
)
