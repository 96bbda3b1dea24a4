"""Internal resources that are reachable from the internet, or that a single change would make reachable.

Three layers keep an internal resource private: its security groups admit no internet address, its subnets have no route
to an internet gateway, and it has no public address. Every open layer is reported: as reachable when all are open for
the same traffic, otherwise as a latent exposure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...graph.verdicts import Claim, Finding, Hop, hop, not_proven, violated
from ...network.addresses import (
    INTERNET,
    NO_ADDRESSES,
    PROTOCOLS,
    Addresses,
    PortMap,
    describe_public,
    is_wide,
)
from ...network.instances import INSTANCES
from ...network.placement import OMITTED
from ...network.security_groups import GroupRule
from ..facts.model import Admission, Facts, InternalResource, SubnetFacts

CLOSED_GROUP = "the security groups of its clients, or private addresses"
CLOSE_GROUP = "name the client's security group (referencedSecurityGroupId) instead of internet addresses"
PRIVATE_SUBNET = "subnets without a route to an internet gateway"
PRIVATE_ADDRESS = "no public address"


@dataclass(slots=True)
class _Opening:
    """One rule that admits internet addresses, or may, and the resources that it opens."""

    rule: GroupRule
    internet: Addresses
    opened: list[InternalResource] = field(default_factory=list[InternalResource])
    witness: tuple[Hop, ...] = ()


_DEFAULT_VPC = (
    "not set; proven: AWS places it in the default VPC; not proven: whether someone removed the route to the internet that "
    "AWS gives the subnets of that VPC"
)


def internal_claims(facts: Facts) -> tuple[Claim, ...]:
    """One claim for each internal resource: it is not reachable from the internet, nor after any single change."""
    by_resource: dict[str, list[Finding]] = {}
    opened, unclear = _openings(facts.internal)
    for finding, opening in (
        *((_open_rule(item), item) for item in opened),
        *((_unclear_rule(item), item) for item in unclear),
    ):
        for internal in opening.opened:
            by_resource.setdefault(internal.resource.urn, []).append(finding)
    return tuple(_claim(internal, by_resource.get(internal.resource.urn, [])) for internal in facts.internal)


def _claim(internal: InternalResource, by_rules: Sequence[Finding]) -> Claim:
    reached = any(finding.witness for finding in by_rules)
    found = (*by_rules, *_unknown_groups(internal), *_placement(internal, reached))
    statement = f"{internal.resource.label} ({internal.role}) is not reachable from the internet"
    return Claim(statement, internal.resource.urn, found, _assumptions(internal))


def _openings(every: Sequence[InternalResource]) -> tuple[list[_Opening], list[_Opening]]:
    """The rules that admit internet addresses, and those that may."""
    openings: dict[int, _Opening] = {}
    unclear: dict[int, _Opening] = {}
    for internal in every:
        for admission in internal.admissions:
            rule = admission.rule
            if not set(rule.protocols) & set(PROTOCOLS):
                continue
            if admission.internet and internal.placed.groups.loose:
                place = f"{internal.resource.label}.{internal.placed.group_property}"
                unsure = _Opening(replace(rule, unknowns=(place,)), admission.internet)
                unclear.setdefault(id(rule), unsure).opened.append(internal)
            elif admission.internet:
                opening = openings.setdefault(id(rule), _Opening(rule, admission.internet))
                opening.opened.append(internal)
                opening.witness = opening.witness or path_from_internet(internal, admission)
            elif rule.unknowns:
                unclear.setdefault(id(rule), _Opening(rule, admission.internet)).opened.append(internal)
    return list(openings.values()), list(unclear.values())


def path_from_internet(internal: InternalResource, admission: Admission) -> tuple[Hop, ...]:
    """The path by which a rule opens a resource to internet addresses; ``None`` if another layer closes it."""
    rule, public = admission.rule, internal.public
    unsure = internal.placed.loose and not all(subnet.routes.internet for subnet in internal.subnets)
    for subnet in () if unsure or not internal.placed.accepts else internal.subnets:
        through = admission.internet & subnet.routes.internet & _through_acl(subnet, rule)
        v6 = NO_ADDRESSES if not subnet.v6 else Addresses(v6=through.v6)
        v4 = Addresses(v4=through.v4) if public.value is True else NO_ADDRESSES
        if v4 or v6:
            address = public.resource if v4 else subnet.resource
            property_ = public.property if v4 else "ipv6CidrBlock"
            return (
                Hop("internet"),
                *subnet.routes.hops,
                hop(subnet.resource, "routeTableId" if subnet.routes.hops else "", "its subnet"),
                hop(rule.resource, rule.property, str(rule)),
                hop(address, property_, "a public address"),
                hop(internal.resource),
            )
    return ()


def _through_acl(subnet: SubnetFacts, rule: GroupRule) -> Addresses:
    found = NO_ADDRESSES
    for protocol in rule.protocols:
        found |= subnet.admitted.get(protocol, PortMap()).addresses(rule.ports)
    return found


def _names(opened: Sequence[InternalResource], limit: int = 3) -> str:
    names = sorted({internal.resource.label for internal in opened})
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _open_rule(opening: _Opening) -> Finding:
    rule = opening.rule
    together = NO_ADDRESSES
    for other in (admission.rule for admission in opening.opened[0].admissions):
        if other.protocols == rule.protocols and other.ports & rule.ports:
            together |= other.addresses
    whole = f" (together with its group's other rules: {together})" if together != rule.addresses else f" ({together})"
    traffic = "internet traffic" if is_wide(together) else f"traffic from {describe_public(together)}"
    what = f"allows {traffic} to {_names(opening.opened)}"
    if not opening.witness and any(map(_is_open_by_default, opening.opened)):
        what += ", which the default VPC, as AWS makes it, gives a public address and a route to the internet"
    elif not opening.witness:
        what += ": a latent exposure, which a public route or address would make reachable"
    return violated(
        rule.resource, rule.property, f"{rule}{whole}", CLOSED_GROUP, CLOSE_GROUP, what=what, witness=opening.witness
    )


def _unclear_rule(opening: _Opening) -> Finding:
    rule = opening.rule
    fix = "declare the addresses, or a managed prefix list, in this stack"
    what = f"may allow internet traffic to {_names(opening.opened)}"
    return not_proven(rule.resource, rule.property, rule.unknowns, CLOSED_GROUP, fix, what=what)


def _unknown_groups(internal: InternalResource) -> Iterable[Finding]:
    unknowns = (*internal.groups.unknowns, *(f"the rules of {key}" for key in internal.outside))
    if unknowns:
        fix = "attach security groups that this stack declares"
        wanted = "security groups whose rules are all declared"
        yield not_proven(internal.resource, internal.placed.group_property, unknowns, wanted, fix)


def _placement(internal: InternalResource, reached: bool) -> Iterable[Finding]:
    yield from _subnets(internal, reached)
    address = internal.public
    if address.value is True:
        yield violated(
            address.resource,
            address.property,
            address.resource.get(address.property),
            PRIVATE_ADDRESS,
            f"assign no public address to {internal.resource.label}",
            what=f"gives {internal.resource.label} a public address" + ("" if reached else ": a latent exposure"),
            latent=not reached,
        )
    elif address.value is None:
        fix = "set it to a literal value in the configuration"
        yield not_proven(address.resource, address.property, address.unknowns, PRIVATE_ADDRESS, fix)


def _subnets(internal: InternalResource, reached: bool) -> Iterable[Finding]:
    resource, path = internal.resource, internal.placed.subnet_property
    public = [subnet for subnet in internal.subnets if subnet.is_public]
    if public and internal.placed.loose and len(public) < len(internal.subnets):
        fix = "name its subnets one by one, or place it in a component that lists only private ones"
        yield not_proven(resource, path, (f"{resource.label}.{path}",), PRIVATE_SUBNET, fix)
    elif public:
        named = ", ".join(subnet.resource.name for subnet in public)
        yield violated(
            resource,
            path,
            f"{named}, with a route to the internet",
            PRIVATE_SUBNET,
            "move it to private subnets, or remove the route to the internet gateway from their route table",
            what="is in a public subnet" + ("" if reached else ": a latent exposure"),
            witness=(Hop("internet"), *public[0].routes.hops, hop(public[0].resource), hop(resource, path)),
            latent=not reached,
        )
    unknowns = [
        *internal.placed.subnet_unknowns,
        *(text for subnet in internal.subnets for text in subnet.routes.unknowns),
    ]
    if unknowns and not public and path:
        fix = "declare its subnets and their route tables in this stack, or add an exception that names their owner"
        if _in_default_vpc(internal):
            what = "is in the default VPC"
            yield not_proven(resource, path, unknowns, PRIVATE_SUBNET, fix, found=_DEFAULT_VPC, what=what)
        else:
            yield not_proven(resource, path, unknowns, PRIVATE_SUBNET, fix)


def _in_default_vpc(internal: InternalResource) -> bool:
    """Whether it names no subnet, so that AWS chooses one of the default VPC."""
    unknowns = internal.placed.subnet_unknowns
    return not internal.subnets and bool(unknowns) and all(OMITTED in unknown for unknown in unknowns)


def _is_open_by_default(internal: InternalResource) -> bool:
    """Whether the default VPC, as AWS makes it, gives it a public address and a route to the internet."""
    chosen = internal.public.value is True or (internal.resource.kind in INSTANCES and not internal.public.property)
    return chosen and internal.placed.accepts and _in_default_vpc(internal)


def _assumptions(internal: InternalResource) -> tuple[str, ...]:
    found = [text for subnet in internal.subnets for text in subnet.routes.assumptions]
    if internal.placed.groups.default and not internal.groups.keys:
        found.append(f"the default security group of {internal.resource.label}'s network admits only itself")
    return tuple(dict.fromkeys(found))


def unattached(facts: Facts) -> Iterable[Finding]:
    """Open rules whose security group is not known yet, and public addresses whose owner is not known yet."""
    for rule in facts.unattached_rules:
        if rule.addresses & INTERNET or rule.unknowns:
            unknowns = (f"{rule.resource.label}.securityGroupId", *rule.unknowns)
            fix = "name a group that this stack declares"
            what = "may allow internet traffic to an internal resource"
            yield not_proven(rule.resource, "securityGroupId", unknowns, CLOSED_GROUP, fix, found=str(rule), what=what)
    for address, path in facts.unattached_addresses:
        fix = "name an instance or network interface that this stack declares"
        yield not_proven(address, path, [f"{address.label}.{path}"], PRIVATE_ADDRESS, fix, what="is a public address")
