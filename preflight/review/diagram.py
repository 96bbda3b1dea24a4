"""The parts of a stack and the connections that it allows, as the drawing shows them.

Every connection is one that the graph allows: a pair of security group rules, a listener rule, an endpoint or a policy. Each names
the resources and properties that allow it, with the line of the program that creates them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from policies.guardrails.topology.graph.documents import document
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown
from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.network.addresses import INTERNET, TCP, describe_ports
from policies.guardrails.topology.network.security_groups import GroupRule
from policies.guardrails.topology.reachability.evaluation import reachability
from policies.guardrails.topology.reachability.facts.build import facts_of
from policies.guardrails.topology.reachability.facts.model import Facts, InternalResource
from preflight.recording.recorder import Recording
from preflight.review.zones import zones_of

COLUMNS = ("internet", "edge", "compute", "stores", "aws")
TITLES = {
    "internet": "Internet",
    "edge": "Public subnets",
    "compute": "Private subnets: tasks",
    "stores": "Private subnets: data",
    "aws": "AWS services",
}
USERS, PROVIDERS = "users", "internet"
_COMPUTE = ("service", "task", "function", "instance")
_PUBLIC_PART = re.compile(r"(foundation-model|inference-profile|application-inference-profile)/(.+)$")


@dataclass(frozen=True, slots=True)
class Reason:
    """One resource that allows a connection."""

    resource: str
    property: str = ""
    allows: str = ""
    source: str = ""
    """``file:line`` of the program; empty if unknown."""


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the drawing."""

    key: str
    column: str
    title: str
    lines: tuple[str, ...] = ()
    public: bool = False
    """Whether clients on the internet can connect to it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow of the drawing: the source opens the connection."""

    source: str
    target: str
    label: str
    reasons: tuple[Reason, ...]
    public: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Everything that the drawing shows, in the order in which it is drawn."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    account: str
    region: str
    network: str
    """The VPC's block; empty without a VPC."""

    def title_of(self, key: str) -> str:
        """The title of a box."""
        return next((node.title for node in self.nodes if node.key == key), key)


def diagram_of(recording: Recording, graph: Graph) -> Diagram:
    """The drawing of one environment."""
    return _Maker(recording, graph).made()


class _Maker:
    def __init__(self, recording: Recording, graph: Graph) -> None:
        self._graph = graph
        self._facts: Facts = facts_of(graph)
        self._sources = {
            one.urn: f"{one.source_file}:{one.source_line}" for one in recording.resources if one.source_file
        }
        self._arns = [str(one.outputs.get("arn")) for one in recording.resources if one.outputs.get("arn")]
        self._nodes: dict[str, Node] = {}
        self._links: list[Link] = []

    def made(self) -> Diagram:
        balancers = sorted(self._facts.balancing.balancers, key=lambda one: one.name)
        shown = [one for one in self._facts.internal if self._is_shown(one)]
        for balancer in balancers:
            self._balancer(balancer)
        for internal in sorted(shown, key=self._order):
            self._internal(internal)
        for balancer in balancers:
            self._from_balancer(balancer, shown)
        for source in sorted(shown, key=self._order):
            if self._column(source) == "compute":
                self._from_compute(source, shown)
        self._endpoints(shown)
        self._buckets(shown)
        self._exposed()
        used = {end for link in self._links for end in (link.source, link.target)}
        nodes = [node for node in self._nodes.values() if node.column in ("edge", "compute") or node.key in used]
        place = {column: number for number, column in enumerate(COLUMNS)}
        account, region = self._where()
        return Diagram(
            nodes=tuple(sorted(nodes, key=lambda node: place[node.column])),
            links=tuple(self._links),
            account=account,
            region=region,
            network=next(
                (block for vpc in self._graph.of_type("ec2.Vpc") if isinstance(block := vpc.value("cidrBlock"), str)),
                "",
            ),
        )

    # -- boxes ------------------------------------------------------------------------------------------------------

    def _is_shown(self, internal: InternalResource) -> bool:
        kind = internal.resource.kind
        return kind != "lb.LoadBalancer" and not kind.endswith("ClusterInstance")

    def _column(self, internal: InternalResource) -> str:
        return "compute" if any(word in internal.role for word in _COMPUTE) else "stores"

    def _order(self, internal: InternalResource) -> tuple[object, ...]:
        models = str(internal.resource.value("serviceName")).rpartition(".")[2].startswith("bedrock")
        return (internal.role == "interface VPC endpoint", models, internal.role, internal.resource.name)

    def _add(self, node: Node) -> str:
        self._nodes.setdefault(node.key, node)
        return node.key

    def _balancer(self, balancer: Resource) -> None:
        internal = self._facts.balancing.is_internal(balancer)
        firewall = self._facts.web_acls.passed(balancer).value is True
        lines = ["behind a web ACL" if firewall else "no web ACL", f"listens on {', '.join(self._listening(balancer))}"]
        lines += self._log_in(balancer)
        lines.append(_zones(self._graph.referenced(balancer, "subnets", ("ec2.Subnet",)).resources))
        self._add(
            Node(
                balancer.urn,
                "edge" if internal is not True else "compute",
                balancer.name,
                tuple(line for line in lines if line),
                public=internal is not True,
            )
        )

    def _listening(self, balancer: Resource) -> list[str]:
        ports = {
            f"{listener.value('port')} ({listener.value('protocol')})"
            for listener in self._facts.balancing.listeners.get(balancer.urn, ())
        }
        return sorted(ports)

    def _rules(self, balancer: Resource) -> list[Resource]:
        listeners = {listener.urn for listener in self._facts.balancing.listeners.get(balancer.urn, ())}
        return [
            rule
            for rule in self._graph.of_type("lb.ListenerRule")
            if any(one.urn in listeners for one in self._graph.referenced(rule, "listenerArn", ("lb.Listener",)))
        ]

    def _log_in(self, balancer: Resource) -> list[str]:
        kinds: dict[str, int] = {}
        for rule in self._rules(balancer):
            for action in _items(rule, "actions"):
                kind = str(action.get("type"))
                if kind.startswith("authenticate") or kind == "jwt-validation":
                    kinds[kind] = kinds.get(kind, 0) + 1
        names = {"authenticate-oidc": "log-in (OIDC)", "jwt-validation": "token (JWT)"}
        return [f"{names.get(kind, kind)} on {count} rules" for kind, count in sorted(kinds.items())]

    def _internal(self, internal: InternalResource) -> None:
        resource, subnets = internal.resource, [one.resource for one in internal.subnets]
        title, lines = resource.name, [internal.role]
        if internal.role == "interface VPC endpoint":
            title, lines = f"endpoint {_service(resource)}", []
        instances = [
            one
            for one in self._graph.of_type("rds.ClusterInstance")
            if resource in self._graph.referenced(one, "clusterIdentifier", ("rds.Cluster",)).resources
        ]
        zones = _zones(instances) or _zones(subnets)
        lines = [line for line in (*lines, *self._containers(resource), zones) if line]
        self._add(Node(resource.urn, self._column(internal), title, tuple(lines), internal.public.value is True))

    def _containers(self, service: Resource) -> list[str]:
        found: list[str] = []
        for task in self._graph.referenced(service, "taskDefinition", ("ecs.TaskDefinition",)):
            text = task.value("containerDefinitions")
            parsed: list[Mapping[str, Any]] = json.loads(text) if isinstance(text, str) else []
            for container in parsed:
                mapped: list[Mapping[str, Any]] = container.get("portMappings") or []
                ports = sorted(str(one.get("containerPort")) for one in mapped)
                found.append(f"container {container.get('name')}" + (f" :{', '.join(ports)}" if ports else ""))
        return found

    # -- arrows -----------------------------------------------------------------------------------------------------

    def _reason(self, resource: Resource, property_: str = "", allows: str = "") -> Reason:
        return Reason(resource.name, property_, allows, self._sources.get(resource.urn, ""))

    def _because(self, rule: GroupRule) -> Reason:
        return self._reason(
            rule.resource, rule.property, f"{'from' if rule.ingress else 'to'} {describe_ports(rule.ports)}"
        )

    def _link(self, source: str, target: str, label: str, reasons: Iterable[Reason], *, public: bool = False) -> None:
        unique = tuple(dict.fromkeys(reasons))
        for number, link in enumerate(self._links):
            if (link.source, link.target) == (source, target):
                labels = dict.fromkeys((*link.label.split(", "), *label.split(", ")))
                more = tuple(dict.fromkeys((*link.reasons, *unique)))
                self._links[number] = replace(link, label=", ".join(labels), reasons=more, public=link.public or public)
                return
        self._links.append(Link(source, target, label, unique, public))

    def _from_balancer(self, balancer: Resource, shown: list[InternalResource]) -> None:
        groups = self._facts.balancing.groups_of(balancer)
        keys = groups.keys if groups is not None else ()
        if self._facts.balancing.is_internal(balancer) is not True:
            self._add(Node(USERS, "internet", "Users", ("any address",)))
            for rule in self._facts.groups.rules(keys):
                if rule.addresses & INTERNET and TCP in rule.protocols:
                    self._link(USERS, balancer.urn, describe_ports(rule.ports), [self._because(rule)], public=True)
        for path in self._facts.paths:
            if any(edge.target == path.target and edge.final for edge in path.edges):
                self._forwarded(balancer, path.target, keys, shown)
        self._identity_provider(balancer, keys)

    def _forwarded(self, balancer: Resource, target: str, keys: Iterable[str], shown: list[InternalResource]) -> None:
        for other in shown:
            if other.resource.urn == target:
                forwarding = [self._reason(rule, "actions") for rule in self._rules(balancer) if self._forwards(rule)]
                for leaving, entering, ports in self._pairs(tuple(keys), other):
                    reasons = [self._because(leaving), self._because(entering), *forwarding]
                    self._link(balancer.urn, target, ports, reasons)

    def _forwards(self, rule: Resource) -> bool:
        return any(action.get("type") == "forward" for action in _items(rule, "actions"))

    def _identity_provider(self, balancer: Resource, keys: Iterable[str]) -> None:
        hosts: dict[str, list[Reason]] = {}
        for rule in self._rules(balancer):
            for action in _items(rule, "actions"):
                oidc = cast("Mapping[str, Any]", action.get("authenticateOidc") or {})
                for name in ("tokenEndpoint", "userInfoEndpoint"):
                    if isinstance(url := oidc.get(name), str):
                        host = re.sub(r"^https://([^/]+).*", r"\1", url)
                        hosts.setdefault(host, []).append(self._reason(rule, f"actions.authenticateOidc.{name}"))
        leaving = [rule for rule in self._facts.groups.rules(keys, ingress=False) if rule.addresses & INTERNET]
        for host, reasons in sorted(hosts.items()):
            key = self._add(Node(f"idp:{host}", "internet", "Identity provider", (host,)))
            self._link(balancer.urn, key, "443", [*map(self._because, leaving), *reasons[:1]])

    def _pairs(self, keys: tuple[str, ...], other: InternalResource) -> Iterator[tuple[GroupRule, GroupRule, str]]:
        """Egress and ingress rules that together allow a connection, and its ports."""
        for leaving in self._facts.groups.rules(sorted(keys), ingress=False):
            for entering in self._facts.groups.rules(sorted(other.groups.keys)):
                ports = leaving.ports & entering.ports
                named = set(other.groups.keys) & set(leaving.groups) and set(keys) & set(entering.groups)
                if named and ports and leaving.covers(TCP, None) and entering.covers(TCP, None):
                    yield leaving, entering, describe_ports(ports)

    def _from_compute(self, source: InternalResource, shown: list[InternalResource]) -> None:
        keys = tuple(source.groups.keys)
        for other in sorted(shown, key=self._order):
            if other is source:
                continue
            for leaving, entering, ports in self._pairs(keys, other):
                reasons = [self._because(leaving), self._because(entering)]
                self._link(source.resource.urn, other.resource.urn, ports, reasons)
        for rule in self._facts.groups.rules(sorted(keys), ingress=False):
            if rule.addresses & INTERNET and TCP in rule.protocols:
                key = self._add(Node(PROVIDERS, "aws", "Internet", ("destinations of the egress proxy",), public=True))
                self._link(source.resource.urn, key, describe_ports(rule.ports), [self._because(rule)], public=True)

    def _endpoints(self, shown: list[InternalResource]) -> None:
        for internal in sorted(shown, key=self._order):
            if internal.role != "interface VPC endpoint":
                continue
            name = _service(internal.resource)
            models = tuple(self._models(internal.resource)) if name.startswith("bedrock") else ()
            key = self._add(Node(f"service:{name}", "aws", "Models" if models else name, models or ("AWS service",)))
            self._link(internal.resource.urn, key, "endpoint policy", [self._reason(internal.resource, "policy")])

    def _models(self, endpoint: Resource) -> Iterator[str]:
        policy = document(endpoint.value("policy"))
        names: set[str] = set()
        for text in _texts(policy):
            if found := _PUBLIC_PART.search(text):
                names.add(found[2])
        yield from sorted(names)

    def _buckets(self, shown: list[InternalResource]) -> None:
        for internal in shown:
            for rule in self._facts.groups.rules(internal.groups.keys, ingress=False):
                for grant in self._facts.grants.get(rule.resource.urn, ()):
                    gateway = self._add(Node(grant.endpoint.urn, "stores", "gateway endpoint s3", ("all zones",)))
                    self._link(internal.resource.urn, gateway, describe_ports(rule.ports), [self._because(rule)])
                    for bucket in grant.buckets:
                        key = self._add(Node(bucket.urn, "aws", bucket.name, ("S3 bucket",)))
                        policy = [self._reason(grant.endpoint, "policy")]
                        self._link(gateway, key, "endpoint policy", policy)

    def _exposed(self) -> None:
        """Exposed resources: the witness of each finding as an arrow from the internet."""
        for finding in reachability(self._graph).exposures:
            if finding.verdict is not Verdict.VIOLATED or finding.latent:
                continue
            known = self._nodes.get(finding.urn)
            node = known or Node(finding.urn, "edge", finding.resource.rpartition(" ")[2], (finding.resource,))
            self._nodes[node.key] = replace(node, public=True)
            self._add(Node(USERS, "internet", "Users", ("any address",)))
            reasons = [
                Reason(hop.resource.rpartition(" ")[2], hop.property, hop.allows, self._sources.get(hop.urn, ""))
                for hop in finding.witness
                if hop.urn
            ]
            self._link(USERS, finding.urn, "exposed", reasons or [Reason(finding.headline)], public=True)

    def _where(self) -> tuple[str, str]:
        accounts: dict[tuple[str, str], int] = {}
        for arn in self._arns:
            parts = arn.split(":")
            if len(parts) > 4 and re.fullmatch(r"\d{12}", parts[4]) and parts[3]:  # noqa: PLR2004 - arn:aws:service:region:account:…
                accounts[parts[4], parts[3]] = accounts.get((parts[4], parts[3]), 0) + 1
        if not accounts:
            return "", ""
        return max(sorted(accounts), key=lambda one: accounts[one])


def _items(resource: Resource, path: str) -> list[Mapping[str, Any]]:
    found = resource.items(path)
    return (
        []
        if isinstance(found, Unknown)
        else [cast("Mapping[str, Any]", one) for one in found if isinstance(one, Mapping)]
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, object]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _texts(one)


def _service(endpoint: Resource) -> str:
    name = str(endpoint.value("serviceName"))
    return name.split(".", 3)[-1] if name.startswith("com.amazonaws.") else name


def _zones(placed: Iterable[Resource]) -> str:
    letters = [zone[-1] for zone in zones_of(placed)]
    if not letters:
        return ""
    return f"zone{'s' if len(letters) > 1 else ''} {', '.join(letters)}"
