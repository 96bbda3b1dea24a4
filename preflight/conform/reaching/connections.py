"""Whether security groups, network ACLs and routes of a stack allow its task to connect to a target."""

from __future__ import annotations

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.network.addresses import INTERNET, TCP, Addresses, PortMap, ports
from policies.guardrails.topology.reachability.claims.connections import filtered
from policies.guardrails.topology.reachability.facts.build import facts_of
from policies.guardrails.topology.reachability.facts.flows import Flow
from policies.guardrails.topology.reachability.facts.peers import Peer

CLIENT_PORT = 32768
"""The first of the ports from which a task connects."""
_GATEWAY_KEYS = ("id", "arn", "prefixListId")


class Connections:
    """The connections of the services that run one task definition."""

    def __init__(self, graph: Graph, task: Resource) -> None:
        self._graph = graph
        self._facts = facts_of(graph)
        self._peers = self._facts.peers
        definitions = ("ecs.TaskDefinition",)
        self._services = [
            peer
            for peer in self._peers.all
            if peer.resource.kind == "ecs.Service"
            and task in graph.referenced(peer.resource, "taskDefinition", definitions).resources
        ]

    def gap(self, target: Resource, port: int) -> str:
        """The cause that blocks the task's connection to the target's port; empty if none does."""
        for service in self._services:
            if target.kind == "ec2.VpcEndpoint" and target.value("vpcEndpointType") != "Interface":
                found = self._by_gateway(service, target, port)
            else:
                found = self._to(service, target, port)
            if found:
                return found
        return ""

    def leaves(self, port: int) -> bool:
        """Whether the task may connect, on a port, to a host outside this stack."""
        groups = self._facts.groups
        return all(
            any(
                rule.covers(TCP, port) and (rule.addresses or groups.outside(rule.groups))
                for rule in self._peers.rules(service, ingress=False)
            )
            for service in self._services
        )

    def internet_gap(self, port: int) -> str:
        """The cause that blocks the task's connections to a port of the internet; empty if none does."""
        for service in self._services:
            rules = self._peers.rules(service, ingress=False)
            if not any(rule.covers(TCP, port) and rule.addresses & INTERNET for rule in rules):
                return f"no rule of {service.resource.label}'s groups allows egress on tcp {port} to the internet"
            for subnet in service.subnets:
                if not self._facts.routing.outward(subnet):
                    return f"no route of {subnet.label} leads to the internet"
                acl = self._facts.acls.acl_of(subnet)
                if acl is None:
                    continue
                for egress, wanted in ((True, port), (False, CLIENT_PORT)):
                    passed = self._facts.acls.passes(acl, egress=egress).get(TCP, PortMap())
                    if not passed.at(wanted) & INTERNET:
                        way = "egress to" if egress else "responses from"
                        return f"{acl.label} allows no {way} the internet on tcp {wanted}"
        return ""

    def _to(self, service: Peer, target: Resource, port: int) -> str:
        peer = self._peers.by_urn.get(target.urn)
        if peer is None:
            return f"{target.label} has no network interface in the graph"
        for side, other, ingress in ((service, peer, False), (peer, service, True)):
            if not self._names(side, other, port, ingress=ingress):
                way = "allows ingress from" if ingress else "allows egress to"
                return f"no rule of {side.resource.label}'s groups for tcp {port} {way} {other.resource.label}"
        gap = next(filtered(self._facts, Flow(service, peer, ports(port, port))), None)
        return "" if gap is None else f"{gap.resource.label}: {gap.found}"

    def _names(self, side: Peer, other: Peer, port: int, *, ingress: bool) -> bool:
        """Whether a rule matches the other side over IPv4. Unknown addresses, such as those of a prefix list, do not match:
        otherwise S3's prefix list would match every endpoint."""
        there = Addresses(v4=self._peers.addresses_of([other]).v4)
        return any(
            rule.covers(TCP, port) and (set(rule.groups) & set(other.groups) or rule.addresses & there)
            for rule in self._peers.rules(side, ingress=ingress)
        )

    def _by_gateway(self, service: Peer, gateway: Resource, port: int) -> str:
        sends = any(
            rule.covers(TCP, port)
            and gateway
            in self._graph.referenced(rule.resource, "prefixListId", ("ec2.VpcEndpoint",), _GATEWAY_KEYS).resources
            for rule in self._peers.rules(service, ingress=False)
        )
        if not sends:
            return f"no rule of {service.resource.label}'s groups allows egress on tcp {port} to the prefix list of {gateway.label}"
        listed = gateway.items("routeTableIds")
        for subnet in service.subnets:
            table = self._facts.routing.table_of(subnet)
            if table is not None and isinstance(listed, list) and table.value("id") not in listed:
                return f"{gateway.label} is not in {table.label}, which {subnet.label} uses"
        return ""
