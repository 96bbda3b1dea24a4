"""The ingress paths from the internet to the interface, and the interface's egress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Unknown, Value, as_mapping
from policies.guardrails.topology.network.paths import Path
from policies.guardrails.topology.reachability.dependencies import reached_by
from policies.guardrails.topology.reachability.evaluation import Reachability, reachability
from policies.guardrails.topology.reachability.facts.build import facts_of
from preflight.analysis import external
from preflight.analysis.admission import admission
from preflight.analysis.edge_proxy import CONTAINER
from preflight.findings import Connectivity, IngressPath, Station
from preflight.recording.recorder import Recording


def connectivity_of(
    recordings: Mapping[tuple[str, bool], Recording], order: list[str], graphs: Mapping[str, Graph] | None = None
) -> tuple[Connectivity, ...]:
    """Ingress and egress of every environment that has any, from its run with known values. ``graphs`` are theirs, where they exist."""
    found: list[Connectivity] = []
    for name in order:
        graph = graphs[name] if graphs is not None else Graph.from_recorded(recordings[name, False].resources)
        evaluated = reachability(graph)
        ingress = tuple(sorted({_ingress(graph, path) for path in evaluated.paths}, key=str))
        egress = (*_edge_egress(graph), *_task_egress(graph), *external.egress(recordings[name, False], graph))
        if ingress or egress:
            admitted = admission(recordings[name, False])
            found.append(Connectivity(name, ingress, egress, _is_proven(evaluated), admitted))
    return tuple(found)


def _is_proven(evaluated: Reachability) -> bool:
    """Whether there are no other paths: every endpoint is evaluated, and every path is guarded."""
    return not (evaluated.exposures or evaluated.unprotected or evaluated.unauthenticated or evaluated.not_modelled)


def _ingress(graph: Graph, path: Path) -> IngressPath:
    listener = next((graph.by_urn[edge.target] for edge in path.edges if edge.target in graph.by_urn), None)
    port = _text(None if listener is None else listener.value("port"))
    edge = ["firewall"] if path.web_acl.value is True else []
    edge.append("edge")
    edge += [_authentication(path)] if path.authentication.value is True else []
    inside = _containers(graph, path.target)
    stations = [Station("internet"), *_reached(edge, port), *_reached(inside, _target_port(graph, path))]
    models = ", ".join(service for service in _services(graph) if service.startswith("bedrock"))
    if models and inside[0] == CONTAINER:
        stations += [Station(CONTAINER), Station(models, "443")]
    return IngressPath(tuple(stations))


def _reached(names: Sequence[str], port: str) -> list[Station]:
    """The first is reached on the port, the others are part of the same step."""
    return [Station(name, "" if place else port) for place, name in enumerate(names)]


def _authentication(path: Path) -> str:
    actions = path.entry.entry.items("actions")
    kinds = [] if isinstance(actions, Unknown) else [str(action.get("type")) for action in actions]
    return "JWT" if "jwt-validation" in kinds else "OIDC"


def _target_port(graph: Graph, path: Path) -> str:
    for group in graph.referenced(path.entry.entry, "actions", types=["lb.TargetGroup"]):
        return _text(group.value("port"))
    return "?"


def _containers(graph: Graph, urn: str) -> list[str]:
    service = graph.by_urn.get(urn)
    if service is None:
        return [urn]
    return [CONTAINER, "interface"] if _has_proxy(graph) else [service.name]


def _has_proxy(graph: Graph) -> bool:
    return any(f'"name":"{CONTAINER}"' in _compact(task.value("containerDefinitions")) for task in _tasks(graph))


def _tasks(graph: Graph) -> list[Value]:
    return list(graph.of_type("ecs.TaskDefinition"))


def _compact(value: Value) -> str:
    return value.replace(" ", "") if isinstance(value, str) else ""


def _edge_egress(graph: Graph) -> Iterator[str]:
    """The identity provider, which the load balancer itself calls."""
    hosts: set[str] = set()
    for rule in [*graph.of_type("lb.ListenerRule"), *graph.of_type("lb.Listener")]:
        for key in ("actions", "defaultActions"):
            actions = rule.items(key)
            for action in [] if isinstance(actions, Unknown) else actions:
                oidc = as_mapping(as_mapping(action) and action.get("authenticateOidc")) or {}
                for name in ("tokenEndpoint", "userInfoEndpoint"):
                    if isinstance(address := oidc.get(name), str):
                        url = urlsplit(address)
                        hosts.add(f"{url.hostname}:{url.port or 443} (edge)")
    yield from sorted(hosts)


def _task_egress(graph: Graph) -> Iterator[str]:
    """The tasks' egress inside the network: the services with an endpoint, and the stores."""
    if reached := sorted([*_services(graph), *_stores(graph)]):
        yield f"{', '.join(reached)} (task)"


def _stores(graph: Graph) -> set[str]:
    facts = facts_of(graph)
    found = (reached for service in graph.of_type("ecs.Service") for reached in reached_by(facts, service))
    return {
        f"{reached.resource.name}:{reached.ports}" if reached.role != "bucket" else reached.resource.name
        for reached in found
        if reached.role != "models"
    }


def _services(graph: Graph) -> list[str]:
    """The short names of the services with an endpoint in the network."""
    names = (endpoint.value("serviceName") for endpoint in graph.of_type("ec2.VpcEndpoint"))
    return sorted({_short(name) for name in names if isinstance(name, str)})


def _short(name: str) -> str:
    """An AWS service without its region, or the id of another account's service."""
    if name.startswith("com.amazonaws.vpce."):
        return name.rpartition(".")[2]
    return name.split(".", 3)[-1] if name.startswith("com.amazonaws.") else name


def _text(value: Value) -> str:
    return str(value) if isinstance(value, int | str) else "?"
