"""Every connection from another network to this VPC is reviewed, with the rules that admit traffic from that network.

Clients in a connected network count as internal: rules that admit private addresses apply to them. The reachability
proof assumes that the other network forwards no traffic from the internet.

The policy lists connections for review and cannot see which clients are in the other network, so it is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, hop, not_proven, violated
from ...topology.network.addresses import NOT_ROUTED, describe
from ...topology.reachability.facts.build import facts_of

_WANTED = "networks that stay separate, or an exception that names the clients in the other network"
_FIX = "record the network and its owner in exceptions.yaml, or remove the connection"
KINDS = {
    "directconnect.GatewayAssociation": "a Direct Connect line",
    "directconnect.PrivateVirtualInterface": "a Direct Connect line",
    "directconnect.TransitVirtualInterface": "a Direct Connect line",
    "ec2.CarrierGateway": "the network of a mobile operator",
    "ec2.VpcPeeringConnection": "a peered network",
    "ec2.VpcPeeringConnectionAccepter": "a peered network",
    "ec2.VpnConnection": "a network behind a VPN",
    "ec2.VpnGateway": "networks behind a VPN or Direct Connect",
    "ec2.VpnGatewayAttachment": "networks behind a VPN or Direct Connect",
    "ec2clientvpn.NetworkAssociation": "VPN clients",
    "ec2transitgateway.PeeringAttachment": "the networks of another transit gateway",
    "ec2transitgateway.PeeringAttachmentAccepter": "the networks of another transit gateway",
    "ec2transitgateway.VpcAttachment": "every network attached to the transit gateway",
    "ec2transitgateway.VpcAttachmentAccepter": "every network attached to the transit gateway",
    "networkmanager.ConnectAttachment": "an appliance of another network",
    "networkmanager.DxGatewayAttachment": "a Direct Connect line",
    "networkmanager.SiteToSiteVpnAttachment": "a network behind a VPN",
    "networkmanager.TransitGatewayPeering": "the networks of another transit gateway",
    "networkmanager.VpcAttachment": "every network attached to the core network",
    "odb.NetworkPeeringConnection": "a network of Oracle Database@AWS",
    "vpclattice.ServiceNetworkResourceAssociation": "every network of a VPC Lattice network to a resource",
    "vpclattice.ServiceNetworkVpcAssociation": "services of a VPC Lattice network",
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each connection to another network."""
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
    """Rules of internal resources that admit private addresses outside the stack's VPCs."""
    facts = facts_of(graph)
    found: dict[str, tuple[Resource, str]] = {}
    for internal in facts.internal:
        for rule in facts.groups.rules(internal.groups.keys):
            beyond = (rule.addresses & NOT_ROUTED) - facts.routing.own_addresses
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
