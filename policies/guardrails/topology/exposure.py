"""Who can be reached from the internet, by which path, and what one more change would open.

Three layers keep an internal endpoint private: its groups admit no internet address, its subnets have no route to
an internet gateway, and it has no public address. Every open layer is reported: as reachable when all are open on
the same traffic, otherwise as a latent exposure. Separately, every path that a load balancer or another front door
makes must pass a firewall and an authenticating action.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from .addresses import INTERNET, NO_ADDRESSES, PROTOCOLS, Addresses, PortMap
from .bypasses import bypasses
from .carriers import Carriers, Path
from .firewalls import Firewalls
from .front_doors import FrontDoors
from .load_balancing import LoadBalancing
from .machines import INSTANCES, MACHINES, Machines
from .network_acls import NetworkAcls
from .not_modelled import not_modelled
from .placement import ROWS, Endpoint, PublicAddress, place
from .public_services import public_services
from .resources import Graph, Resource
from .routing import Placement, Routing
from .security_groups import GroupRule, GroupSet, SecurityGroups
from .verdicts import Claim, Finding, Hop, hop, not_proven, violated

CLOSED_GROUP = "the security groups of its clients, or private addresses"
CLOSE_GROUP = (
    "name the client's security group (referencedSecurityGroupId) instead of addresses that the internet can have"
)
PRIVATE_SUBNET = "subnets without a route to an internet gateway"
PRIVATE_ADDRESS = "no public address"

_ATTACHMENTS = (
    ("ec2.NetworkInterfaceSecurityGroupAttachment", "networkInterfaceId", (*INSTANCES, "ec2.NetworkInterface")),
    ("ec2.SecurityGroupAssociation", "vpcEndpointId", ("ec2.VpcEndpoint",)),
)


@dataclass(slots=True)
class _Opening:
    """One rule that admits internet addresses, or may, and the endpoints that it opens."""

    rule: GroupRule
    addresses: Addresses
    endpoints: list[Endpoint] = field(default_factory=list[Endpoint])
    witness: tuple[Hop, ...] = ()


class Network:
    """The parts of a stack's network, each built once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups = SecurityGroups(graph)
        self.routing = Routing(graph)
        self.acls = NetworkAcls(graph)
        self.firewalls = Firewalls(graph)
        self.balancing = LoadBalancing(graph, self.groups, self.routing, self.firewalls)
        self.doors = FrontDoors(graph, self.firewalls, self.balancing)
        self.endpoints = tuple(self._endpoints())
        self._admitted: dict[str, dict[str, PortMap]] = {}

    def _endpoints(self) -> list[Endpoint]:
        machines = Machines(self.graph, self.groups)
        extra = self._attached_groups()
        found: list[Endpoint] = []
        for resource in self.graph.of_type(*ROWS, *MACHINES):
            placed = machines.place(resource) if resource.kind in MACHINES else place(self.graph, self.groups, resource)
            if placed is not None:
                found.append(_with_groups(placed, extra.get(resource.urn, ())))
        for balancer in self.balancing.balancers:
            if self.balancing.is_internal(balancer) is not False:
                groups = self.balancing.groups_of(balancer)
                internal = Endpoint(
                    balancer, "internal load balancer", (), "", (), groups or GroupSet(), "securityGroups",
                    PublicAddress(False, balancer),
                )  # fmt: skip
                found.append(internal)
        return found

    def _attached_groups(self) -> dict[str, list[GroupSet]]:
        """Groups and the endpoints that resources of their own attach them to."""
        found: dict[str, list[GroupSet]] = {}
        for kind, path, kinds in _ATTACHMENTS:
            for attachment in self.graph.of_type(kind):
                attached = self.groups.of(attachment, "securityGroupId")
                keys = ("id", "arn", "primaryNetworkInterfaceId")
                for holder in self.graph.referenced(attachment, path, types=kinds, keys=keys):
                    found.setdefault(holder.urn, []).append(attached)
        return found

    def groups_of(self, endpoint: Endpoint) -> GroupSet:
        """The endpoint's groups, its network's default group when it names none."""
        if not endpoint.groups.default or not endpoint.subnets:
            return endpoint.groups
        return self.groups.default_of(self.routing.vpc_of(endpoint.subnets[0]))

    def open_to(self, endpoint: Endpoint, rule: GroupRule) -> tuple[Hop, ...]:
        """The path by which a rule lets internet addresses in to an endpoint, or nothing when another layer closes it."""
        admitted = self.groups.admits_internet(rule, self.routing.own_addresses)
        for subnet in endpoint.subnets:
            placed = self.routing.placement(subnet)
            through = admitted & placed.internet & self._through_acl(subnet, rule)
            v6 = NO_ADDRESSES if not _has_v6(endpoint, subnet) else Addresses(v6=through.v6)
            v4 = Addresses(v4=through.v4) if endpoint.public.value is True else NO_ADDRESSES
            if v4 or v6:
                address = endpoint.public.resource if v4 else subnet
                property_ = endpoint.public.property if v4 else "ipv6CidrBlock"
                return (
                    Hop("internet"),
                    *placed.hops,
                    hop(subnet, "routeTableId" if placed.hops else "", "the endpoint's subnet"),
                    hop(rule.resource, rule.property, str(rule)),
                    hop(address, property_, "a public address"),
                    hop(endpoint.resource),
                )
        return ()

    def _through_acl(self, subnet: Resource, rule: GroupRule) -> Addresses:
        if subnet.urn not in self._admitted:
            self._admitted[subnet.urn] = self.acls.admitted(subnet)
        admitted = self._admitted[subnet.urn]
        found = NO_ADDRESSES
        for protocol in rule.protocols:
            found |= admitted.get(protocol, PortMap()).addresses(rule.ports)
        return found


def _with_groups(endpoint: Endpoint, extra: Iterable[GroupSet]) -> Endpoint:
    """The endpoint with groups that are attached to it from outside."""
    keys, unknowns = endpoint.groups.keys, endpoint.groups.unknowns
    for groups in extra:
        keys, unknowns = (*keys, *groups.keys), (*unknowns, *groups.unknowns)
    if (keys, unknowns) == (endpoint.groups.keys, endpoint.groups.unknowns):
        return endpoint
    return replace(endpoint, groups=GroupSet(tuple(dict.fromkeys(keys)), unknowns))


def _has_v6(endpoint: Endpoint, subnet: Resource) -> bool:
    return endpoint.v6 and subnet.value("ipv6CidrBlock") not in (None, "")


@dataclass(frozen=True, slots=True)
class Reachability:
    """Everything that can be said about who reaches what, from a stack as declared."""

    network: Network
    claims: tuple[Claim, ...]
    """One for each internal endpoint: it is not reachable from the internet, nor one change away from it."""
    exposures: tuple[Finding, ...]
    """The findings of all claims, each once."""
    paths: tuple[Path, ...]
    """Every way from the internet to something that serves."""
    unprotected: tuple[Finding, ...]
    """Paths that no firewall stands in."""
    unauthenticated: tuple[Finding, ...]
    """Forwarding rules, routes and addresses that let anyone in."""
    bypasses: tuple[Finding, ...]
    """Rules that let others than its load balancer speak to a target which believes identity headers."""
    not_modelled: tuple[Finding, ...]
    """Resources that may hold an endpoint and that this model does not know."""
    assumptions: tuple[str, ...]


_CACHE: WeakKeyDictionary[Graph, Reachability] = WeakKeyDictionary()


def reachability(graph: Graph) -> Reachability:
    """Judge a stack's network once; asking again for the same graph costs nothing."""
    found = _CACHE.get(graph)
    if found is None:
        found = _CACHE[graph] = _judge(Network(graph))
    return found


def _judge(network: Network) -> Reachability:
    carriers = Carriers()
    carriers.add(network.balancing.edges())
    carriers.add(network.doors.edges())
    paths = tuple(path for path in carriers.paths() if path.entry.final)
    claims = _claims(network)
    exposures = tuple(dict.fromkeys(finding for claim in claims for finding in claim.findings))
    return Reachability(
        network=network,
        claims=claims,
        exposures=(*exposures, *_adrift(network), *public_services(network.graph)),
        paths=paths,
        unprotected=_unprotected(paths),
        unauthenticated=_unauthenticated(paths),
        bypasses=tuple(
            bypasses(
                network.graph, network.balancing, [(item, network.groups_of(item)) for item in network.endpoints], paths
            )
        ),
        not_modelled=tuple(not_modelled(network.graph)),
        assumptions=tuple(sorted({text for claim in claims for text in claim.assumptions})),
    )


# -- internal endpoints ---------------------------------------------------------------------------------------------


def _claims(network: Network) -> tuple[Claim, ...]:
    openings: dict[int, _Opening] = {}
    unclear: dict[int, _Opening] = {}
    for endpoint in network.endpoints:
        for rule in network.groups.rules(network.groups_of(endpoint).keys):
            if not set(rule.protocols) & set(PROTOCOLS):
                continue
            admitted = network.groups.admits_internet(rule, network.routing.own_addresses)
            if admitted:
                opening = openings.setdefault(id(rule), _Opening(rule, admitted))
                opening.endpoints.append(endpoint)
                opening.witness = opening.witness or network.open_to(endpoint, rule)
            elif rule.unknowns:
                unclear.setdefault(id(rule), _Opening(rule, admitted)).endpoints.append(endpoint)
    by_endpoint: dict[str, list[Finding]] = {}
    for opening in openings.values():
        finding = _open_rule(network, opening)
        for endpoint in opening.endpoints:
            by_endpoint.setdefault(endpoint.resource.urn, []).append(finding)
    for opening in unclear.values():
        finding = _unclear_rule(opening)
        for endpoint in opening.endpoints:
            by_endpoint.setdefault(endpoint.resource.urn, []).append(finding)
    claims: list[Claim] = []
    for endpoint in network.endpoints:
        findings = by_endpoint.get(endpoint.resource.urn, [])
        reached = any(finding.witness for finding in findings)
        found = (*findings, *_unknown_groups(network, endpoint), *_placement(network, endpoint, reached))
        statement = f"{endpoint.resource.label} ({endpoint.role}) is not reachable from the internet"
        claims.append(Claim(statement, endpoint.resource.urn, found, _assumptions(network, endpoint)))
    return tuple(claims)


def _names(endpoints: Sequence[Endpoint], limit: int = 3) -> str:
    names = sorted({endpoint.resource.label for endpoint in endpoints})
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _open_rule(network: Network, opening: _Opening) -> Finding:
    rule = opening.rule
    same = [
        other.addresses
        for other in network.groups.rules(network.groups_of(opening.endpoints[0]).keys)
        if other.protocols == rule.protocols and other.ports & rule.ports
    ]
    together = NO_ADDRESSES
    for addresses in same:
        together |= addresses
    whole = f" (together with its group's other rules: {together})" if together != rule.addresses else f" ({together})"
    named = _names(opening.endpoints)
    reached = bool(opening.witness)
    what = f"admits the internet to {named}" + (
        "" if reached else ": a latent exposure, unreachable only for want of a public route or address"
    )
    return violated(
        rule.resource, rule.property, f"{rule}{whole}", CLOSED_GROUP, CLOSE_GROUP, what=what, witness=opening.witness
    )


def _unclear_rule(opening: _Opening) -> Finding:
    rule = opening.rule
    fix = "declare the addresses, or a managed prefix list, in this stack"
    return not_proven(
        rule.resource,
        rule.property,
        rule.unknowns,
        CLOSED_GROUP,
        fix,
        what=f"may admit the internet to {_names(opening.endpoints)}",
    )


def _unknown_groups(network: Network, endpoint: Endpoint) -> Iterable[Finding]:
    found = network.groups_of(endpoint)
    unknowns = (*found.unknowns, *(f"the rules of {key}" for key in network.groups.outside(found.keys)))
    if unknowns:
        fix = "attach security groups that this stack declares"
        yield not_proven(
            endpoint.resource, endpoint.group_property, unknowns, "groups of which every rule is declared", fix
        )


def _placement(network: Network, endpoint: Endpoint, reached: bool) -> Iterable[Finding]:
    public_subnets = [(subnet, network.routing.placement(subnet)) for subnet in endpoint.subnets]
    outside = [(subnet, placed) for subnet, placed in public_subnets if _is_public(endpoint, subnet, placed)]
    if outside:
        subnet, placed = outside[0]
        named = ", ".join(item.name for item, _ in outside)
        yield violated(
            endpoint.resource,
            endpoint.subnet_property,
            f"{named}, routed from the internet",
            PRIVATE_SUBNET,
            "place it in private subnets, or take the route to the internet gateway out of their route table",
            what="is in a public subnet" + ("" if reached else ": a latent exposure"),
            witness=(Hop("internet"), *placed.hops, hop(subnet), hop(endpoint.resource, endpoint.subnet_property)),
            latent=not reached,
        )
    unknowns = [*endpoint.subnet_unknowns, *(text for _, placed in public_subnets for text in placed.unknowns)]
    if unknowns and not outside and endpoint.subnet_property:
        fix = "declare its subnets and their route tables in this stack, or have an exception say who vouches for them"
        yield not_proven(endpoint.resource, endpoint.subnet_property, unknowns, PRIVATE_SUBNET, fix)
    address = endpoint.public
    if address.value is True:
        yield violated(
            address.resource,
            address.property,
            address.resource.get(address.property),
            PRIVATE_ADDRESS,
            f"give {endpoint.resource.label} no public address",
            what=f"gives {endpoint.resource.label} a public address" + ("" if reached else ": a latent exposure"),
            latent=not reached,
        )
    elif address.value is None:
        fix = "make it a plain value in the configuration"
        yield not_proven(address.resource, address.property, address.unknowns, PRIVATE_ADDRESS, fix)


def _is_public(endpoint: Endpoint, subnet: Resource, placed: Placement) -> bool:
    return bool(placed.internet.v4 or (placed.internet.v6 and _has_v6(endpoint, subnet)))


def _assumptions(network: Network, endpoint: Endpoint) -> tuple[str, ...]:
    found = [text for subnet in endpoint.subnets for text in network.routing.placement(subnet).assumptions]
    if endpoint.groups.default and not network.groups_of(endpoint).keys:
        found.append(f"the default security group of {endpoint.resource.label}'s network admits only itself")
    return tuple(dict.fromkeys(found))


def _adrift(network: Network) -> Iterable[Finding]:
    """Rules of which the group is not known yet, and which the internet may pass."""
    for rule in network.groups.adrift:
        admitted = rule.addresses & INTERNET
        if rule.ingress and (admitted or rule.unknowns):
            unknowns = (f"{rule.resource.label}.securityGroupId", *rule.unknowns)
            fix = "name a group that this stack declares"
            what = "may admit the internet to an internal endpoint"
            yield not_proven(rule.resource, "securityGroupId", unknowns, CLOSED_GROUP, fix, found=str(rule), what=what)


# -- paths through front doors --------------------------------------------------------------------------------------


def _unprotected(paths: Sequence[Path]) -> tuple[Finding, ...]:
    wanted = "a web ACL with blocking rules in front of every path to a workload"
    found: dict[str, Finding] = {}
    for path in sorted(paths, key=lambda item: (item.firewall.value is None, len(item.edges))):
        carrier = path.edges[0].carrier or path.edges[0].entry
        if path.firewall.value is True or carrier.urn in found:
            continue
        fix = f"associate a web ACL with {carrier.label}"
        unknowns = (*path.unknowns, *path.firewall.unknowns)
        if path.firewall.value is False and not path.unknowns:
            what = "hands on requests that no firewall has seen"
            found[carrier.urn] = violated(
                carrier, "", "no web ACL that blocks", wanted, fix, what=what, witness=path.hops
            )
        else:
            found[carrier.urn] = not_proven(carrier, "", unknowns, wanted, fix, witness=path.hops)
    return tuple(found[urn] for urn in sorted(found))


def _unauthenticated(paths: Sequence[Path]) -> tuple[Finding, ...]:
    wanted = "an authenticating action before every forward"
    found: dict[tuple[str, str], Finding] = {}
    for path in sorted(
        paths, key=lambda item: (item.authentication.value is None, bool(item.unknowns), len(item.edges))
    ):
        entry = path.entry
        key = (entry.entry.urn, entry.property)
        if path.authentication.value is True or key in found:
            continue
        unknowns = (*path.unknowns, *path.authentication.unknowns)
        fix = "put an authenticate-oidc or jwt-validation action that refuses strangers before the forward"
        if path.authentication.value is False and not path.unknowns:
            what = "forwards without authentication"
            found[key] = violated(
                entry.entry, entry.property, entry.hops[0].allows, wanted, fix, what=what, witness=path.hops
            )
        else:
            found[key] = not_proven(entry.entry, entry.property, unknowns, wanted, fix, witness=path.hops)
    return tuple(found[key] for key in sorted(found))
