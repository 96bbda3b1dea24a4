"""Where each limit of a request is enforced, from the firewall to the model, read from the recorded resources."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Unknown, Value, as_mapping
from preflight.analysis.edge_proxy import configuration, facts
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording

PLACES = ("firewall", "load balancer", "proxy, inbound", "proxy, outbound", "task")
"""The stations of a request that enforce limits, in order."""
KINDS = ("size", "time", "rate", "number")
_BYTES = ("B", "KiB", "MiB", "GiB")
_STEP = 1024
_FIELDS = {
    "body": "body",
    "cookies": "cookies",
    "headers": "headers",
    "queryString": "query",
    "uriPath": "path",
    "singleHeader": "header",
    "allQueryArguments": "query",
}
_COMPARED = {"GT": "at most", "GE": "less than", "LT": "at least", "LE": "more than", "EQ": "not", "NE": "exactly"}


@dataclass(frozen=True, slots=True)
class PathLimit:
    """One limit: what it is about, its value as text, and the place that enforces it."""

    place: str
    kind: str
    what: str
    value: str
    seconds: float = 0
    """A limit in time, for the picture."""
    where: str = ""
    """The resource and property."""


def limits_of(recording: Recording, graph: Graph) -> list[PathLimit]:
    """Every limit of one environment, in the order of the path, without duplicates."""
    found = [*_firewall(graph), *_balancer(graph), *_proxy(recording), *_task(graph)]
    return list(dict.fromkeys(found))


def size(number: float) -> str:
    """A number of bytes for readers: 8192 → 8 KiB."""
    power = min(int(math.log(number, _STEP)), len(_BYTES) - 1) if number >= 1 else 0
    return f"{number / _STEP**power:.4g} {_BYTES[power]}"


def duration(seconds: float) -> str:
    """A duration for readers: 28800 → 8 h."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (seconds >= length and seconds % length == 0):
            return f"{seconds / length:.4g} {unit}"
    return f"{seconds:.4g} s"


def _time(place: str, what: str, seconds: float, where: str) -> Iterator[PathLimit]:
    if seconds > 0:
        yield PathLimit(place, "time", what, duration(seconds), seconds, where)


def _firewall(graph: Graph) -> Iterator[PathLimit]:
    for acl in graph.of_type("wafv2.WebAcl"):
        for rule in _objects(acl.items("rules")):
            name = str(rule.get("name"))
            if not as_mapping(rule.get("action")) or "count" in (as_mapping(rule.get("action")) or {}):
                continue
            statement = as_mapping(rule.get("statement")) or {}
            if rate := as_mapping(statement.get("rateBasedStatement")):
                window = int(cast("int", rate.get("evaluationWindowSec") or 300))
                keyed = "session" if rate.get("aggregateKeyType") == "CUSTOM_KEYS" else "address"
                value = f"{rate.get('limit')} requests in {duration(window)} for each {keyed}"
                yield PathLimit("firewall", "rate", name, value, where=f"{acl.name}.rules[{name}]")
                continue
            for constraint in _within(statement, "sizeConstraintStatement"):
                matched = next(iter(as_mapping(constraint.get("fieldToMatch")) or {}), "")
                header = (as_mapping((as_mapping(constraint.get("fieldToMatch")) or {}).get("singleHeader")) or {}).get(
                    "name"
                )
                bound, operator = constraint.get("size"), str(constraint.get("comparisonOperator"))
                if isinstance(bound, int | float) and bound > 1 and operator in ("GT", "GE"):
                    what = f"{header or _FIELDS.get(matched, matched)} ({name})"
                    value = f"{_COMPARED[operator]} {size(bound)}"
                    yield PathLimit("firewall", "size", what, value, where=f"{acl.name}.rules[{name}]")


def _balancer(graph: Graph) -> Iterator[PathLimit]:
    place = "load balancer"
    for balancer in graph.of_type("lb.LoadBalancer"):
        for name, what in (("idleTimeout", "without a byte"), ("clientKeepAlive", "age of a client's connection")):
            if isinstance(seconds := balancer.value(name), int | float):
                yield from _time(place, what, seconds, f"{balancer.name}.{name}")
    for rule in graph.of_type("lb.ListenerRule"):
        for action in _objects(rule.items("actions")):
            oidc = as_mapping(action.get("authenticateOidc")) or {}
            if isinstance(seconds := oidc.get("sessionTimeout"), int | float):
                yield from _time(place, "session after a log-in", seconds, "listener rules: sessionTimeout")
    for group in graph.of_type("lb.TargetGroup"):
        if isinstance(seconds := group.value("deregistrationDelay"), int | float):
            yield from _time(place, "open requests of a stopped task", seconds, f"{group.name}.deregistrationDelay")


def _proxy(recording: Recording) -> Iterator[PathLimit]:
    try:
        found = configuration(recording)
        known = facts(found)
    except PreflightError:
        return
    inbound = "proxy, inbound"
    yield PathLimit(inbound, "size", "body", f"at most {size(known.prompt_bytes)}", where="route request-too-large")
    if known.upload_bytes:
        paths = ", ".join(known.upload_path_prefixes)
        yield PathLimit(
            inbound, "size", f"upload ({paths})", f"at most {size(known.upload_bytes)}", where="route upload-too-large"
        )
    yield PathLimit(inbound, "size", "headers", f"at most {size(known.header_bytes)}", where="max_request_headers_kb")
    for listener in cast("list[Mapping[str, Any]]", found["static_resources"]["listeners"]):
        if listener["name"] == "inbound":
            yield from _manager(inbound, listener, {"request": "whole request and answer", "websocket": "WebSocket"})
        elif listener["name"] == "models":
            yield from _manager("proxy, outbound", listener, {})
    for monitor in _within(found, "typed_config"):
        if isinstance(most := monitor.get("max_active_downstream_connections"), str | int):
            yield PathLimit(inbound, "number", "connections", f"at most {most}", where="overload_manager")


def _manager(place: str, listener: Mapping[str, Any], routes: Mapping[str, str]) -> Iterator[PathLimit]:
    for manager in _within(listener, "typed_config"):
        for name, what in (
            ("request_headers_timeout", "until the headers are complete"),
            ("request_timeout", "until the body is complete"),
            ("stream_idle_timeout", "without a byte"),
        ):
            if "stream_idle_timeout" in manager:
                yield from _time(place, what, _seconds(manager.get(name)), name)
    for named in _named_routes(listener):
        route = as_mapping(named.get("route")) or {}
        length = _seconds((as_mapping(route.get("max_stream_duration")) or {}).get("max_stream_duration"))
        for name, what in routes.items():
            if length and (name == "websocket") == (length > 3600):  # noqa: PLR2004 - only WebSockets may last longer
                yield from _time(place, what, length, "max_stream_duration")
        if not routes:
            yield from _outbound(place, str(named.get("name")), route)


def _outbound(place: str, name: str, route: Mapping[str, Any]) -> Iterator[PathLimit]:
    """The limits of one route to a model, a search server or a tool server."""
    if name == "search" or name.startswith("tools:"):
        called = "a search's whole answer" if name == "search" else "a tool call's whole answer"
        yield from _time(place, called, _seconds(route.get("timeout")), "route timeout")
        return
    yield from _time(place, "a model's whole answer", _seconds(route.get("timeout")), "route timeout")
    retry = as_mapping(route.get("retry_policy")) or {}
    if "num_retries" in retry:
        most = int(cast("int", retry["num_retries"])) + 1
        yield PathLimit(place, "number", "attempts", f"at most {most}", where="retry_policy")
    silence = _seconds(retry.get("per_try_idle_timeout"))
    yield from _time(place, "a model's silence, if there is another", silence, "per_try_idle_timeout")


def _named_routes(value: object) -> Iterator[Mapping[str, Any]]:
    """Every route that forwards, at any depth, in order."""
    if isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _named_routes(one)
    elif isinstance(value, Mapping):
        own = cast("Mapping[str, Any]", value)
        if isinstance(own.get("route"), Mapping) and "match" in own:
            yield own
        for one in own.values():
            yield from _named_routes(cast("object", one))


def _task(graph: Graph) -> Iterator[PathLimit]:
    for task in graph.of_type("ecs.TaskDefinition"):
        for name, unit in (("cpu", "CPU units"), ("memory", "MiB of memory")):
            if (value := task.value(name)) is not None and not isinstance(value, Unknown):
                yield PathLimit("task", "number", unit, str(value), where=f"{task.name}.{name}")
    for target in graph.of_type("appautoscaling.Target"):
        least, most = target.value("minCapacity"), target.value("maxCapacity")
        yield PathLimit(
            "task",
            "number",
            f"tasks ({target.name})",
            f"{least} to {most}",
            where=f"{target.name}.minCapacity, maxCapacity",
        )


def _objects(value: Value) -> list[Mapping[str, Value]]:
    return [] if isinstance(value, Unknown) else [as_mapping(one) or {} for one in cast("list[Value]", value)]


def _within(value: object, key: str) -> Iterator[Mapping[str, Any]]:
    """Every mapping under this key, at any depth, in order."""
    if isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _within(one, key)
    elif isinstance(value, Mapping):
        for name, one in cast("Mapping[str, Any]", value).items():
            if name == key and isinstance(one, Mapping):
                yield cast("Mapping[str, Any]", one)
            yield from _within(cast("object", one), key)


def _seconds(value: object) -> float:
    """Envoy's text of a duration, such as ``10s``; 0 without one."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(value or ""))
    return float(found[1]) if found else 0
