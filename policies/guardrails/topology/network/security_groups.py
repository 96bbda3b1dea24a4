"""The traffic that security groups allow, regardless of how their rules are declared.

Inline rules, ``vpc.SecurityGroupIngressRule``/``EgressRule`` and the older ``ec2.SecurityGroupRule`` become one kind of
rule. A group is identified by its URN, or by its literal id if it is not in this stack; its other rules are then
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..graph.resources import Graph, References, Resource
from ..graph.values import Unknown, Value, as_mapping
from .addresses import (
    ALL_PORTS,
    EVERYWHERE,
    INTERNET,
    NO_ADDRESSES,
    PROTOCOLS,
    Addresses,
    Intervals,
    describe,
    describe_ports,
    parse,
    ports,
    protocols,
)

GROUPS = ("ec2.SecurityGroup", "ec2.DefaultSecurityGroup")
_NETWORKS = ("ec2.Vpc", "ec2.DefaultVpc")
_NAMED = (*GROUPS, *_NETWORKS)
"""A VPC stands for its default security group, which a program may name without declaring it."""
_GROUP_KEYS = ("id", "arn", "name", "defaultSecurityGroupId")
"""An instance in a default VPC may name its security groups by name."""
_PREFIX_LISTS = ("ec2.ManagedPrefixList", "ec2.VpcEndpoint")
_PREFIX_KEYS = ("id", "arn", "prefixListId")


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One rule of one group, with the resource and property that declare its source."""

    ingress: bool
    resource: Resource
    property: str
    protocols: tuple[str, ...] = PROTOCOLS
    ports: Intervals = ALL_PORTS
    addresses: Addresses = NO_ADDRESSES
    groups: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    """The unknown values that determine the admitted addresses."""
    group_unknowns: tuple[str, ...] = ()
    """The unknown values that determine the referenced groups."""

    def covers(self, protocol: str, port: int | None) -> bool:
        """Whether the rule covers this protocol and port; without a port, any port."""
        return protocol in self.protocols and (port is None or port in self.ports)

    def __str__(self) -> str:
        named = "all protocols" if self.protocols == PROTOCOLS else "/".join(self.protocols)
        source = ", ".join(self.blocks) if self.blocks else describe(self.addresses)
        return f"{named} {describe_ports(self.ports)} from {source}"


@dataclass(frozen=True, slots=True)
class GroupSet:
    """The groups of one resource. Without any, it has the network's default group."""

    keys: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    default: bool = False
    loose: bool = False
    """Whether the resource might use only some of these groups, because the list is not known yet."""


@dataclass(slots=True)
class _Source:
    addresses: Addresses = NO_ADDRESSES
    blocks: list[str] = field(default_factory=list[str])
    groups: list[str] = field(default_factory=list[str])
    unknowns: list[str] = field(default_factory=list[str])
    group_unknowns: list[str] = field(default_factory=list[str])


class SecurityGroups:
    """Every rule of every group of a stack."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._rules: dict[str, list[GroupRule]] = {}
        self.unattached: list[GroupRule] = []
        """Rules whose security group is not known: they may belong to any."""
        self._prefix_entries = self._entries_by_list()
        self._adopted = self._adopted_defaults()
        for group in graph.of_type(*GROUPS):
            self._rules.setdefault(group.urn, [])
            self._inline(group, "ingress")
            self._inline(group, "egress")
        for rule in graph.of_type("vpc.SecurityGroupIngressRule"):
            self._separate(rule, ingress=True)
        for rule in graph.of_type("vpc.SecurityGroupEgressRule"):
            self._separate(rule, ingress=False)
        for rule in graph.of_type("ec2.SecurityGroupRule"):
            self._older(rule)
        self._declared_defaults = {vpc.urn for vpc in graph.of_type(*_NETWORKS) if vpc.urn in self._rules}
        for vpc in graph.of_type(*_NETWORKS):
            if vpc.urn not in self._adopted:
                self._as_aws_makes_it(vpc)

    # -- reading ------------------------------------------------------------------------------------------------

    def rules(self, keys: Iterable[str], *, ingress: bool = True) -> list[GroupRule]:
        """The rules of these groups in one direction."""
        every = dict.fromkeys(other for key in keys for other in (key, *self._adopted.get(key, ())))
        return [rule for key in every for rule in self._rules.get(key, ()) if rule.ingress is ingress]

    def of(self, resource: Resource, path: str, value: Value = None) -> GroupSet:
        """The groups that a resource refers to at a path."""
        references = self.graph.referenced(resource, path, types=_NAMED, keys=_GROUP_KEYS, value=value)
        keys = tuple(group.urn for group in references) + references.external
        unknowns = tuple(f"{resource.label}.{unknown.path}" for unknown in references.unknowns)
        loose = references.loose and len(references.resources) > 1
        return GroupSet(keys, unknowns, default=not keys and not unknowns, loose=loose)

    def default_of(self, vpc: Resource | None) -> GroupSet:
        """The default group of a network: as declared, or as AWS creates it (it admits only itself)."""
        if vpc is None:
            return GroupSet(default=True)
        adopted = self._adopted.get(vpc.urn, ())
        declared = adopted or vpc.urn in self._declared_defaults
        return GroupSet((vpc.urn, *adopted) if declared else (), default=True)

    def outside(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The security groups that are not in this stack, whose other rules are therefore unknown."""
        return tuple(key for key in keys if key not in self.graph.by_urn)

    def admits_internet(self, rule: GroupRule, own: Addresses) -> Addresses:
        """The internet addresses that a rule admits, excluding the network's own blocks."""
        return (rule.addresses & INTERNET) - own

    # -- collecting ---------------------------------------------------------------------------------------------

    def _adopted_defaults(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for group in self.graph.of_type("ec2.DefaultSecurityGroup"):
            for vpc in self.graph.referenced(group, "vpcId", types=_NETWORKS):
                found.setdefault(vpc.urn, []).append(group.urn)
        return found

    def _as_aws_makes_it(self, vpc: Resource) -> None:
        """A default group that no resource adopts admits its members and allows all egress, in addition to other
        rules."""
        itself = GroupRule(ingress=True, resource=vpc, property="defaultSecurityGroupId", groups=(vpc.urn,))
        everywhere = replace(itself, ingress=False, groups=(), addresses=EVERYWHERE, blocks=("0.0.0.0/0", "::/0"))
        self._add((vpc.urn,), itself)
        self._add((vpc.urn,), everywhere)

    def _entries_by_list(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for entry in self.graph.of_type("ec2.ManagedPrefixListEntry"):
            for prefix_list in self.graph.referenced(entry, "prefixListId", types=("ec2.ManagedPrefixList",)):
                found.setdefault(prefix_list.urn, []).append(entry)
        return found

    def _inline(self, group: Resource, direction: str) -> None:
        """Inline rules; without any, the provider answers with rules that are resources of their own, old ones too."""
        if not group.declares(direction):
            return
        declared = group.items(direction)
        if isinstance(declared, Unknown):
            where = f"{group.label}.{direction}"
            self._add((group.urn,), GroupRule(direction == "ingress", group, direction, unknowns=(where,)))
            return
        for index, _ in enumerate(declared):
            path = f"{direction}[{index}]"
            entry = group.value(path)
            if isinstance(entry, Unknown):
                self._add(
                    (group.urn,), GroupRule(direction == "ingress", group, path, unknowns=(f"{group.label}.{path}",))
                )
            elif as_mapping(entry) is not None:
                rule = self._rule(
                    group,
                    ingress=direction == "ingress",
                    prefix=f"{path}.",
                    protocol="protocol",
                    cidrs=("cidrBlocks", "ipv6CidrBlocks"),
                    prefix_lists="prefixListIds",
                    groups="securityGroups",
                    own=(group.urn,),
                )
                self._add((group.urn,), rule)

    def _separate(self, resource: Resource, *, ingress: bool) -> None:
        keys = self._keys(resource)
        rule = self._rule(
            resource,
            ingress=ingress,
            prefix="",
            protocol="ipProtocol",
            cidrs=("cidrIpv4", "cidrIpv6"),
            prefix_lists="prefixListId",
            groups="referencedSecurityGroupId",
            own=keys,
        )
        self._add(keys, rule)

    def _older(self, resource: Resource) -> None:
        keys = self._keys(resource)
        direction = resource.value("type")
        for ingress in (True, False):
            if isinstance(direction, str) and direction != ("ingress" if ingress else "egress"):
                continue
            rule = self._rule(
                resource,
                ingress=ingress,
                prefix="",
                protocol="protocol",
                cidrs=("cidrBlocks", "ipv6CidrBlocks"),
                prefix_lists="prefixListIds",
                groups="sourceSecurityGroupId",
                own=keys,
            )
            self._add(keys, rule)

    def _keys(self, resource: Resource) -> tuple[str, ...]:
        references = self.graph.referenced(resource, "securityGroupId", types=_NAMED, keys=_GROUP_KEYS)
        return tuple(group.urn for group in references) + references.external

    def _add(self, keys: Sequence[str], rule: GroupRule) -> None:
        for key in keys:
            self._rules.setdefault(key, []).append(rule)
        if not keys:
            self.unattached.append(rule)

    def _rule(
        self,
        resource: Resource,
        *,
        ingress: bool,
        prefix: str,
        protocol: str,
        cidrs: tuple[str, str],
        prefix_lists: str,
        groups: str,
        own: tuple[str, ...],
    ) -> GroupRule:
        source = _Source()
        places = [path for path in (f"{prefix}{name}" for name in cidrs) if self._blocks(resource, path, source)]
        if self._prefix_lists(resource, f"{prefix}{prefix_lists}", source):
            places.append(f"{prefix}{prefix_lists}")
        if self._groups(resource, f"{prefix}{groups}", source):
            places.append(f"{prefix}{groups}")
        itself = resource.value(f"{prefix}self")
        if itself is True or isinstance(itself, Unknown):
            source.groups.extend(own)
        name = resource.value(f"{prefix}{protocol}")
        named = protocols(str(name)) if isinstance(name, str | int | float) else PROTOCOLS
        return GroupRule(
            ingress,
            resource,
            places[0] if places else prefix.rstrip("."),
            named,
            self._ports(resource, prefix, str(name)),
            source.addresses,
            tuple(source.groups),
            tuple(source.blocks),
            tuple(source.unknowns),
            tuple(source.group_unknowns),
        )

    @staticmethod
    def _ports(resource: Resource, prefix: str, protocol: str) -> Intervals:
        low, high = resource.value(f"{prefix}fromPort"), resource.value(f"{prefix}toPort")
        if protocol in ("-1", "all") or not isinstance(low, int | float) or not isinstance(high, int | float):
            return ALL_PORTS
        return ALL_PORTS if low < 0 else ports(int(low), int(high))

    @staticmethod
    def _blocks(resource: Resource, path: str, source: _Source) -> bool:
        values = resource.items(path)
        entries: list[Any] = [values] if isinstance(values, Unknown) else values
        for entry in entries:
            block = parse(entry) if isinstance(entry, str) else None
            if block is None:
                source.unknowns.append(f"{resource.label}.{entry.path if isinstance(entry, Unknown) else path}")
            else:
                source.addresses |= block
                source.blocks.append(str(entry))
        return bool(entries)

    def _prefix_lists(self, resource: Resource, path: str, source: _Source) -> bool:
        if resource.value(path) is None:
            return False
        references = self.graph.referenced(resource, path, types=_PREFIX_LISTS, keys=_PREFIX_KEYS)
        for listed in references:
            if listed.kind == "ec2.VpcEndpoint":
                source.unknowns.append(f"{listed.label}.prefixListId")
                continue
            self._entries(listed, source)
            for entry in self._prefix_entries.get(listed.urn, ()):
                self._blocks(entry, "cidr", source)
        source.unknowns += self._missing(resource, path, references)
        return resource.value(path) != []

    def _entries(self, listed: Resource, source: _Source) -> None:
        entries = listed.items("entries")
        if isinstance(entries, Unknown):
            source.unknowns.append(f"{listed.label}.entries")
            return
        for index, _ in enumerate(entries):
            self._blocks(listed, f"entries[{index}].cidr", source)

    def _groups(self, resource: Resource, path: str, source: _Source) -> bool:
        if resource.value(path) is None:
            return False
        references = self.graph.referenced(resource, path, types=_NAMED, keys=("id", "arn", "defaultSecurityGroupId"))
        source.groups += [group.urn for group in references]
        source.groups += [key.rsplit("/", 1)[-1] for key in references.external]
        source.group_unknowns += [f"{resource.label}.{unknown.path}" for unknown in references.unknowns]
        return bool(references.resources or references.external or references.unknowns)

    @staticmethod
    def _missing(resource: Resource, path: str, references: References) -> list[str]:
        return [f"{resource.label}.{path} {literal}" for literal in references.external] + [
            f"{resource.label}.{unknown.path}" for unknown in references.unknowns
        ]
