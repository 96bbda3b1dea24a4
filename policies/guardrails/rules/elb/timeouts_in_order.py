"""Each component waits at least as long as the one behind it needs: idle timeout, keep-alive, stream limit,
deregistration.

If the target's keep-alive is not longer than the load balancer's idle timeout, users see 502 errors; if a proxy's
stream limit exceeds the deregistration delay, a deployment cuts off responses. Where a timeout is not set, AWS's
default applies.

The policy reads the proxy's limits where its configuration is in the task definition (Envoy as JSON), unless all services with
that definition have no load balancer.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import containers, expect
from ...joins import referring
from ...proxies import proxy_limits
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "timeouts in order"
_FIX = "set the timeouts consistently: model < stream <= deregistration delay, load balancer idle < keep-alive"
_DEFAULTS = {"clientKeepAlive": 3600, "deregistrationDelay": 300, "idleTimeout": 60}
_LONGEST = {"clientKeepAlive": 604_800, "deregistrationDelay": 3600, "idleTimeout": 4000}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer, target group and task definition, and how they fit together."""
    balancers = [
        b for b in graph.of_type("lb.LoadBalancer") if b.value("loadBalancerType") not in ("network", "gateway")
    ]
    for balancer in balancers:
        yield from _sound(balancer, "idleTimeout")
        yield from _sound(balancer, "clientKeepAlive")
    groups = [g for g in graph.of_type("lb.TargetGroup") if g.value("targetType") not in ("lambda", "alb")]
    for group in groups:
        yield from _sound(group, "deregistrationDelay")
    for task in graph.of_type("ecs.TaskDefinition"):
        if _is_behind_none(graph, task):
            continue
        found, undecided = containers(task, _WANTED, _FIX)
        yield from undecided
        for container in found:
            limits = proxy_limits(container)
            for balancer in balancers:
                yield from _longer(task, container.path("keep-alive"), limits.keep_alive, balancer, "idleTimeout")
            for group in groups:
                yield from _within(task, container.path("stream"), limits.stream, group)


def _is_behind_none(graph: Graph, task: Resource) -> bool:
    """Whether services run the task, and none of them has a load balancer."""
    services = referring(graph, task, "taskDefinition", "ecs.Service")
    return bool(services) and not any(service.value("loadBalancers") for service in services)


def _sound(resource: Resource, path: str) -> Iterator[Finding]:
    wanted = f"a number of seconds up to {_LONGEST[path]}"
    yield from expect(
        resource, path, lambda found: _within_range(found, path), wanted, f"set {path}", default=_DEFAULTS[path]
    )


def _within_range(found: object, path: str) -> bool:
    seconds = _number(found)
    return seconds is not None and 0 <= seconds <= _LONGEST[path]


def _seconds(resource: Resource, path: str) -> float | None:
    found = resource.value(path)
    return _number(_DEFAULTS[path] if found is None else found)


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and value.isdigit() else None


def _longer(task: Resource, place: str, keep_alive: float | None, balancer: Resource, path: str) -> Iterator[Finding]:
    found = balancer.value(path)
    if isinstance(found, Unknown):
        yield not_proven(balancer, path, [found], "a known idle timeout", _FIX)
        return
    idle = _seconds(balancer, path)
    if keep_alive is not None and idle is not None and keep_alive <= idle:
        wanted = f"more than {balancer.label}.{path} ({idle:g} s)"
        yield violated(
            task, place, f"{keep_alive:g} s", wanted, _FIX, what="closes the connection before the load balancer does"
        )


def _within(task: Resource, place: str, stream: float | None, group: Resource) -> Iterator[Finding]:
    delay = _seconds(group, "deregistrationDelay")
    if stream is not None and delay is not None and stream > delay:
        wanted = f"at most {group.label}.deregistrationDelay ({delay:g} s)"
        yield violated(task, place, f"{stream:g} s", wanted, _FIX, what="is cut off by a deployment")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.TaskDefinition", "lb.LoadBalancer", "lb.TargetGroup"),
    unknown_blocks=False,
)
