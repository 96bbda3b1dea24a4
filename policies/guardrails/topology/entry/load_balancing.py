"""Load balancers, listeners, rules, target groups and targets, as edges that forward traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown, as_mapping
from ..graph.verdicts import Hop, hop
from ..network.addresses import ALL_PORTS, NO_ADDRESSES, TCP, UDP, Addresses, Intervals, ports
from ..network.addresses import INTERNET as INTERNET_ADDRESSES
from ..network.instances import INSTANCES
from ..network.paths import INTERNET, MISSED, PASSED, Edge, Pass
from ..network.routing import Routing
from ..network.security_groups import GroupSet, SecurityGroups
from ..waf.associations import WebAclAssociations

BALANCERS = ("lb.LoadBalancer", "elb.LoadBalancer")
AUTHENTICATING = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
_TARGET_KINDS = (*INSTANCES, "lb.LoadBalancer", "lambda.Function", "ec2.NetworkInterface")
_GROUP_KEYS = ("arn", "id")


@dataclass(frozen=True, slots=True)
class Target:
    """A target in a target group, with the property that registers it."""

    urn: str
    resource: Resource
    step: Hop
    entry: Resource


def actions_of(resource: Resource) -> list[tuple[str, dict[str, Any]]] | Unknown:
    """The actions of a listener or rule with their paths, in the order in which they run."""
    path = "defaultActions" if resource.kind == "lb.Listener" else "actions"
    declared = resource.items(path)
    if isinstance(declared, Unknown):
        return declared
    found: list[tuple[float, int, str, dict[str, Any]]] = []
    for index, item in enumerate(declared):
        action = as_mapping(item)
        if action is None:
            return Unknown(f"{path}[{index}]")
        order = action.get("order")
        found.append((order if isinstance(order, int | float) else index + 1, index, f"{path}[{index}]", action))
    return [(place, action) for _, _, place, action in sorted(found, key=lambda item: item[:2])]


def authentication_of(resource: Resource, actions: list[tuple[str, dict[str, Any]]]) -> Pass:
    """Whether the actions before the forward action admit only authenticated requests."""
    for path, action in actions:
        type_ = action.get("type")
        if isinstance(type_, Unknown):
            return Pass(None, (f"{resource.label}.{path}.type",))
        if type_ == "forward":
            return MISSED
        if type_ not in AUTHENTICATING:
            continue
        details = "authenticateOidc" if type_ == "authenticate-oidc" else "authenticateCognito"
        place = f"{path}.{details}.onUnauthenticatedRequest"
        otherwise = resource.value(place)
        if isinstance(otherwise, Unknown):
            return Pass(None, (f"{resource.label}.{place}",))
        if otherwise != "allow":
            return PASSED
    return MISSED


def _port_of(group: Resource) -> Intervals:
    port = group.value("port")
    return ports(int(port), int(port)) if isinstance(port, int | float) else ALL_PORTS


class LoadBalancing:
    """Every load balancer of a stack and the targets it forwards to."""

    def __init__(self, graph: Graph, groups: SecurityGroups, routing: Routing, web_acls: WebAclAssociations) -> None:
        self.graph = graph
        self.groups = groups
        self.routing = routing
        self.web_acls = web_acls
        self.balancers = graph.of_type(*BALANCERS)
        self.listeners: dict[str, list[Resource]] = {}
        self.rules: dict[str, list[Resource]] = {}
        self.unattached: list[tuple[Resource, str]] = []
        """Listeners and rules whose load balancer is not in this stack, and the property that names it."""
        for listener in graph.of_type("lb.Listener"):
            found = graph.referenced(listener, "loadBalancerArn", types=("lb.LoadBalancer",))
            self._file(self.listeners, listener, found.resources, "loadBalancerArn")
        for rule in graph.of_type("lb.ListenerRule"):
            found = graph.referenced(rule, "listenerArn", types=("lb.Listener",))
            self._file(self.rules, rule, found.resources, "listenerArn")
        self.targets = self._targets()
        self._classic_targets = self._targets_of_classic()

    def _file(
        self, index: dict[str, list[Resource]], resource: Resource, found: tuple[Resource, ...], property_: str
    ) -> None:
        for parent in found:
            index.setdefault(parent.urn, []).append(resource)
        if not found:
            self.unattached.append((resource, property_))

    def groups_of(self, balancer: Resource) -> GroupSet | None:
        """The security groups of a load balancer; ``None`` if its type has none."""
        found = self.groups.of(balancer, "securityGroups")
        kind = balancer.value("loadBalancerType")
        if found.default and (kind in ("network", "gateway") or isinstance(kind, Unknown)):
            return None
        if found.default:
            subnets = self.graph.referenced(balancer, "subnets", types=("ec2.Subnet", "ec2.DefaultSubnet")).resources
            return self.groups.default_of(self.routing.vpc_of(subnets[0]) if subnets else None)
        return found

    def is_internal(self, balancer: Resource) -> bool | None:
        """Whether a load balancer has private addresses only; ``None`` if that is not known yet."""
        value = balancer.value("internal")
        if isinstance(value, Unknown):
            return None
        return value is True

    def edges(self) -> Iterator[Edge]:
        """All edges from the internet to load balancers and from them to their targets."""
        for entry, property_ in self.unattached:
            yield from self._from_elsewhere(entry, property_)
        for balancer in self.balancers:
            if balancer.kind == "elb.LoadBalancer":
                yield from self._classic(balancer)
                continue
            for listener in self.listeners.get(balancer.urn, ()):
                yield from self._from_internet(balancer, listener)
                for entry in (listener, *self.rules.get(listener.urn, ())):
                    yield from self._forwards(balancer, listener, entry)

    def _from_elsewhere(self, entry: Resource, property_: str) -> Iterator[Edge]:
        """A listener or rule on a load balancer of another stack may serve the internet."""
        unknowns = (f"{entry.label}.{property_}",)
        yield Edge(INTERNET, entry.urn, entry, property_, (hop(entry, property_),), unknowns=unknowns, protected=entry)
        for inner in (entry, *self.rules.get(entry.urn, ())):
            for edge in self._forwards(entry, entry, inner):
                yield replace(edge, protected=entry)

    # -- into a load balancer -----------------------------------------------------------------------------------

    def _from_internet(self, balancer: Resource, listener: Resource) -> Iterator[Edge]:
        internal = self.is_internal(balancer)
        if internal is True:
            return
        port = listener.value("port")
        number = int(port) if isinstance(port, int | float) else None
        protocol = UDP if listener.value("protocol") in ("UDP", "QUIC") else TCP
        unknowns = () if internal is False else (f"{balancer.label}.internal",)
        admitted, why, rule = self._admits_internet(balancer, protocol, number)
        facing = hop(balancer, "internal", "internet-facing")
        arriving = hop(listener, "port", f"port {number or 'unknown'}")
        steps = (facing, rule, arriving) if rule is not None else (facing, arriving)
        if not admitted and not why:
            return
        yield Edge(
            INTERNET,
            listener.urn,
            balancer,
            "internal",
            steps,
            self.web_acls.passed(balancer),
            MISSED,
            unknowns if admitted else (*unknowns, *why),
            protected=balancer,
            addresses=admitted or INTERNET_ADDRESSES,
            ports=ALL_PORTS if number is None else ports(number, number),
            protocol=protocol,
        )

    def _admits_internet(
        self, balancer: Resource, protocol: str, port: int | None
    ) -> tuple[Addresses, tuple[str, ...], Hop | None]:
        """The internet addresses that the security groups admit to a port, the unknown values, and a rule that admits
        the addresses.
        """
        groups = self.groups_of(balancer)
        if groups is None:
            return INTERNET_ADDRESSES, (), None
        unknowns = [*groups.unknowns, *self.groups.outside(groups.keys)]
        found, step = NO_ADDRESSES, None
        for rule in self.groups.rules(groups.keys):
            if not rule.covers(protocol, port):
                continue
            if admitted := self.groups.admits_internet(rule, self.routing.own_addresses):
                found |= admitted
                step = step or hop(rule.resource, rule.property, str(rule))
            unknowns += rule.unknowns
        return found, () if found else tuple(dict.fromkeys(unknowns)), step

    # -- out of a load balancer ---------------------------------------------------------------------------------

    def _forwards(self, balancer: Resource, listener: Resource, entry: Resource) -> Iterator[Edge]:
        actions = actions_of(entry)
        if isinstance(actions, Unknown):
            yield self._edge(listener, entry.urn, entry, actions.path, Pass(None, (f"{entry.label}.{actions.path}",)))
            return
        authenticated = authentication_of(entry, actions) | self._by_certificate(listener)
        for path, action in actions:
            type_ = action.get("type")
            if type_ != "forward" and not isinstance(type_, Unknown):
                continue
            named = (action.get("targetGroupArn"), action.get("forward"))
            groups = self.graph.referenced(
                entry,
                path,
                types=("lb.TargetGroup",),
                keys=_GROUP_KEYS,
                value=[part for part in named if part is not None],
            )
            for group in groups:
                yield from self._to_targets((balancer, listener, entry), path, group, authenticated)
            if not groups.resources:
                yield self._edge(listener, entry.urn, entry, path, authenticated)

    def _by_certificate(self, listener: Resource) -> Pass:
        mode = listener.value("mutualAuthentication.mode")
        if isinstance(mode, Unknown):
            return Pass(None, (f"{listener.label}.mutualAuthentication.mode",))
        return PASSED if mode == "verify" else MISSED

    def _edge(self, listener: Resource, target: str, entry: Resource, path: str, authenticated: Pass) -> Edge:
        return Edge(
            listener.urn, target, entry, path, (hop(entry, path, "forwards"),), MISSED, authenticated, final=True
        )

    def _to_targets(
        self, chain: tuple[Resource, Resource, Resource], path: str, group: Resource, authenticated: Pass
    ) -> Iterator[Edge]:
        balancer, listener, entry = chain
        targets = self.targets.get(group.urn, ())
        step = hop(entry, path, f"forwards to {group.label}")
        if not targets:
            yield Edge(listener.urn, group.urn, entry, path, (step,), MISSED, authenticated, final=True)
        for target in targets:
            if target.resource.kind == "lb.LoadBalancer":
                for inner in self.listeners.get(target.urn, ()):
                    web_acl = self.web_acls.passed(target.resource)
                    steps = (step, target.step, hop(inner, "port"))
                    yield Edge(listener.urn, inner.urn, entry, path, steps, web_acl, authenticated, protected=balancer)
                continue
            yield Edge(
                listener.urn, target.urn, entry, path, (step, target.step), MISSED, authenticated, final=True,
                ports=_port_of(group),
            )  # fmt: skip

    # -- targets ------------------------------------------------------------------------------------------------

    def _targets(self) -> dict[str, list[Target]]:
        found: dict[str, list[Target]] = {}

        def add(group: Resource, target: Resource, holder: Resource, path: str) -> None:
            found.setdefault(group.urn, []).append(Target(target.urn, target, hop(holder, path), holder))

        for attachment in self.graph.of_type("lb.TargetGroupAttachment"):
            targets = self.graph.referenced(attachment, "targetId", types=_TARGET_KINDS).resources
            for group in self._groups_in(attachment, "targetGroupArn"):
                for target in targets or (attachment,):
                    add(group, target, attachment, "targetId")
        for service in self.graph.of_type("ecs.Service", "ecs.TaskSet"):
            for group in self._groups_in(service, "loadBalancers"):
                add(group, service, service, "loadBalancers")
        for scaled in self.graph.of_type("autoscaling.Group"):
            for path in ("targetGroupArns", "trafficSources"):
                for group in self._groups_in(scaled, path):
                    add(group, scaled, scaled, path)
        for kind, path in (
            ("autoscaling.Attachment", "lbTargetGroupArn"),
            ("autoscaling.TrafficSourceAttachment", "trafficSource"),
        ):
            for attachment in self.graph.of_type(kind):
                for scaled in self._scaled(attachment):
                    for group in self._groups_in(attachment, path):
                        add(group, scaled, attachment, path)
        return found

    def _groups_in(self, resource: Resource, path: str) -> tuple[Resource, ...]:
        if resource.value(path) in (None, []):
            return ()
        return self.graph.referenced(resource, path, types=("lb.TargetGroup",), keys=_GROUP_KEYS).resources

    def _scaled(self, attachment: Resource) -> tuple[Resource, ...]:
        path = "autoscalingGroupName"
        return self.graph.referenced(
            attachment, path, types=("autoscaling.Group",), keys=("name", "id", "arn")
        ).resources

    # -- classic load balancers ---------------------------------------------------------------------------------

    def _targets_of_classic(self) -> dict[str, list[Target]]:
        found: dict[str, list[Target]] = {}
        keys = ("name", "id", "arn")

        def add(balancer: Resource, target: Resource, holder: Resource, path: str) -> None:
            found.setdefault(balancer.urn, []).append(Target(target.urn, target, hop(holder, path), holder))

        for balancer in self.graph.of_type("elb.LoadBalancer"):
            for target in self.graph.referenced(balancer, "instances", types=INSTANCES):
                add(balancer, target, balancer, "instances")
        for attachment in self.graph.of_type("elb.Attachment"):
            for balancer in self.graph.referenced(attachment, "elb", types=("elb.LoadBalancer",), keys=keys):
                for target in self.graph.referenced(attachment, "instance", types=INSTANCES):
                    add(balancer, target, attachment, "instance")
        for kind in ("ecs.Service", "autoscaling.Group"):
            for holder in self.graph.of_type(kind):
                if holder.value("loadBalancers") not in (None, []):
                    for balancer in self.graph.referenced(
                        holder, "loadBalancers", types=("elb.LoadBalancer",), keys=keys
                    ):
                        add(balancer, holder, holder, "loadBalancers")
        return found

    def _classic(self, balancer: Resource) -> Iterator[Edge]:
        internal = self.is_internal(balancer)
        if internal is not True:
            admitted, why, rule = self._admits_internet(balancer, TCP, None)
            unknowns = () if internal is False else (f"{balancer.label}.internal",)
            steps = (hop(balancer, "internal", "internet-facing"), *((rule,) if rule else ()))
            if admitted or why:
                whole = unknowns if admitted else (*unknowns, *why)
                yield Edge(INTERNET, balancer.urn, balancer, "internal", steps, unknowns=whole, protected=balancer)
        for target in self._classic_targets.get(balancer.urn, ()):
            step = hop(target.entry, target.step.property, "forwards all requests that a classic load balancer accepts")
            yield Edge(balancer.urn, target.urn, target.entry, target.step.property, (step,), final=True)
