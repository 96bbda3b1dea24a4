"""Every connection that joins another network to this one is named, with what that network could then reach.

Whoever is in the other network is inside: rules that admit private addresses, and every route that answers, hold for
them too. The proof of reachability assumes that the other network forwards nothing from the internet.

It names connections for a reviewer, so it advises; who is in the other network, it cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, hop, not_proven, violated
from ...topology.network.addresses import NOT_ROUTED, describe
from ...topology.reachability.exposure import reachability

_WANTED = "networks that stay apart, or an exception that says who is in the other one"
_FIX = "record in exceptions.yaml which network this is and who answers for it, or remove the connection"
KINDS = {
    "directconnect.GatewayAssociation": "a dedicated line",
    "directconnect.PrivateVirtualInterface": "a dedicated line",
    "ec2.VpcPeeringConnection": "a peered network",
    "ec2.VpcPeeringConnectionAccepter": "a peered network",
    "ec2.VpnConnection": "a network behind a VPN",
    "ec2.VpnGateway": "networks behind a VPN or a dedicated line",
    "ec2.VpnGatewayAttachment": "networks behind a VPN or a dedicated line",
    "ec2clientvpn.NetworkAssociation": "clients of a VPN",
    "ec2transitgateway.VpcAttachment": "every network at the transit gateway",
    "ec2transitgateway.VpcAttachmentAccepter": "every network at the transit gateway",
    "networkmanager.VpcAttachment": "every network at the core network",
    "vpclattice.ServiceNetworkVpcAssociation": "services of a VPC Lattice network",
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each connection to another network."""
    admitting = _admitting(graph) if graph.of_type(*KINDS) else []
    for connection in graph.of_type(*KINDS):
        what = f"joins {KINDS[connection.kind]}"
        if admitting:
            rules = ", ".join(f"{rule.label} ({text})" for rule, text in admitting[:3])
            found = f"rules that admit addresses of other private networks: {rules}" + (", …" if admitting[3:] else "")
            witness = (hop(connection), *(hop(rule, "", text) for rule, text in admitting[:1]))
            yield violated(connection, "", found, _WANTED, _FIX, what=what, witness=witness)
        else:
            found = "no rule admits addresses of other private networks"
            unknowns = ["who is in the other network"]
            yield not_proven(connection, "", unknowns, _WANTED, _FIX, found=found, what=what)


def _admitting(graph: Graph) -> list[tuple[Resource, str]]:
    """Rules of internal endpoints that admit private addresses outside the stack's own networks."""
    network = reachability(graph).network
    found: dict[str, tuple[Resource, str]] = {}
    for endpoint in network.endpoints:
        for rule in network.groups.rules(network.groups_of(endpoint).keys):
            beyond = (rule.addresses & NOT_ROUTED) - network.routing.own_addresses
            if beyond:
                found.setdefault(rule.resource.urn, (rule.resource, describe(beyond, limit=2)))
    return [found[urn] for urn in sorted(found)]


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=tuple(sorted(KINDS)),
    level=Level.ADVISORY,
)
