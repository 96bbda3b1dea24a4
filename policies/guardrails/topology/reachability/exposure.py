"""What is reachable from the internet, by which path, and what one more change would open.

Three layers keep an internal endpoint private: its security groups admit no internet address, its subnets have no route
to an internet gateway, and it has no public address. Every open layer is reported: as reachable when all are open for
the same traffic, otherwise as a latent exposure. Separately, every path through a load balancer or another entry point
must pass a web ACL and an authenticating action.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..entry.public_services import public_services
from ..graph.resources import Graph, Resource
from ..graph.verdicts import Claim, Finding, Hop, hop, not_proven, violated
from ..network.addresses import INTERNET, NO_ADDRESSES, PROTOCOLS, Addresses
from ..network.paths import Path, PathFinder
from ..network.placement import Endpoint
from ..network.routing import Placement
from ..network.security_groups import GroupRule
from .load_balancer_bypass import bypasses
from .network import Network, has_v6
from .not_modelled import not_modelled
from .path_findings import unauthenticated, unprotected

CLOSED_GROUP = "the security groups of its clients, or private addresses"
CLOSE_GROUP = "name the client's security group (referencedSecurityGroupId) instead of internet addresses"
PRIVATE_SUBNET = "subnets without a route to an internet gateway"
PRIVATE_ADDRESS = "no public address"


@dataclass(slots=True)
class _Opening:
    """One rule that admits internet addresses, or may, and the endpoints that it opens."""

    rule: GroupRule
    addresses: Addresses
    endpoints: list[Endpoint] = field(default_factory=list[Endpoint])
    witness: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class Reachability:
    """All claims about reachability, for a stack as declared."""

    network: Network
    claims: tuple[Claim, ...]
    """One for each internal endpoint: it is not reachable from the internet, nor one change away from it."""
    exposures: tuple[Finding, ...]
    """The findings of all claims, each once."""
    paths: tuple[Path, ...]
    """Every path from the internet to something that serves."""
    unprotected: tuple[Finding, ...]
    """Paths without a web ACL."""
    unauthenticated: tuple[Finding, ...]
    """Forwarding rules, routes and addresses without authentication."""
    bypasses: tuple[Finding, ...]
    """Rules that open a target, which trusts identity headers, to sources other than its load balancer."""
    not_modelled: tuple[Finding, ...]
    """Resources that may hold an endpoint but are not modelled."""
    assumptions: tuple[str, ...]


def reachability(graph: Graph) -> Reachability:
    """Evaluate a stack's network once; further calls for the same graph return the same result."""
    found: Reachability | None = graph.memory.get(__name__)
    if found is None:
        found = graph.memory[__name__] = _evaluate(Network(graph))
    return found


def _evaluate(network: Network) -> Reachability:
    carriers = PathFinder()
    carriers.add(network.balancing.edges())
    carriers.add(network.doors.edges())
    paths = tuple(path for path in carriers.paths() if path.entry.final)
    claims = _claims(network)
    exposures = tuple(dict.fromkeys(finding for claim in claims for finding in claim.findings))
    return Reachability(
        network=network,
        claims=claims,
        exposures=(*exposures, *_unattached(network), *public_services(network.graph)),
        paths=paths,
        unprotected=unprotected(paths),
        unauthenticated=unauthenticated(paths),
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
            if admitted and endpoint.groups.loose:
                place = f"{endpoint.resource.label}.{endpoint.group_property}"
                unsure = unclear.setdefault(id(rule), _Opening(replace(rule, unknowns=(place,)), admitted))
                unsure.endpoints.append(endpoint)
            elif admitted:
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
        "" if reached else ": a latent exposure, which a public route or address would make reachable"
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
            endpoint.resource, endpoint.group_property, unknowns, "security groups whose rules are all declared", fix
        )


def _placement(network: Network, endpoint: Endpoint, reached: bool) -> Iterable[Finding]:
    public_subnets = [(subnet, network.routing.placement(subnet)) for subnet in endpoint.subnets]
    outside = [(subnet, placed) for subnet, placed in public_subnets if _is_public(endpoint, subnet, placed)]
    if outside and endpoint.loose and len(outside) < len(public_subnets):
        unknowns = (f"{endpoint.resource.label}.{endpoint.subnet_property}",)
        fix = "name its subnets one by one, or place it in a component that lists only private ones"
        yield not_proven(endpoint.resource, endpoint.subnet_property, unknowns, PRIVATE_SUBNET, fix)
    elif outside:
        subnet, placed = outside[0]
        named = ", ".join(item.name for item, _ in outside)
        yield violated(
            endpoint.resource,
            endpoint.subnet_property,
            f"{named}, with a route to the internet",
            PRIVATE_SUBNET,
            "move it to private subnets, or remove the route to the internet gateway from their route table",
            what="is in a public subnet" + ("" if reached else ": a latent exposure"),
            witness=(Hop("internet"), *placed.hops, hop(subnet), hop(endpoint.resource, endpoint.subnet_property)),
            latent=not reached,
        )
    unknowns = [*endpoint.subnet_unknowns, *(text for _, placed in public_subnets for text in placed.unknowns)]
    if unknowns and not outside and endpoint.subnet_property:
        fix = (
            "declare its subnets and their route tables in this stack, or add an exception that names who is "
            "responsible for them"
        )
        yield not_proven(endpoint.resource, endpoint.subnet_property, unknowns, PRIVATE_SUBNET, fix)
    address = endpoint.public
    if address.value is True:
        yield violated(
            address.resource,
            address.property,
            address.resource.get(address.property),
            PRIVATE_ADDRESS,
            f"assign no public address to {endpoint.resource.label}",
            what=f"gives {endpoint.resource.label} a public address" + ("" if reached else ": a latent exposure"),
            latent=not reached,
        )
    elif address.value is None:
        fix = "make it a plain value in the configuration"
        yield not_proven(address.resource, address.property, address.unknowns, PRIVATE_ADDRESS, fix)


def _is_public(endpoint: Endpoint, subnet: Resource, placed: Placement) -> bool:
    return bool(placed.internet.v4 or (placed.internet.v6 and has_v6(endpoint, subnet)))


def _assumptions(network: Network, endpoint: Endpoint) -> tuple[str, ...]:
    found = [text for subnet in endpoint.subnets for text in network.routing.placement(subnet).assumptions]
    if endpoint.groups.default and not network.groups_of(endpoint).keys:
        found.append(f"the default security group of {endpoint.resource.label}'s network admits only itself")
    return tuple(dict.fromkeys(found))


def _unattached(network: Network) -> Iterable[Finding]:
    """Open rules whose security group is not known yet, and public addresses whose holder is not known yet."""
    for rule in network.groups.adrift:
        admitted = rule.addresses & INTERNET
        if rule.ingress and (admitted or rule.unknowns):
            unknowns = (f"{rule.resource.label}.securityGroupId", *rule.unknowns)
            fix = "name a group that this stack declares"
            what = "may admit the internet to an internal endpoint"
            yield not_proven(rule.resource, "securityGroupId", unknowns, CLOSED_GROUP, fix, found=str(rule), what=what)
    for address, path in network.machines.adrift:
        fix = "name an instance or network interface that this stack declares"
        yield not_proven(address, path, [f"{address.label}.{path}"], PRIVATE_ADDRESS, fix, what="is a public address")
