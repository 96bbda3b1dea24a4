"""Security groups and network ACLs as the graph declares them, in every form that the provider supports."""

from __future__ import annotations

from collections.abc import Mapping

from policies.guardrails.topology.graph.resources import Resource

from .model import AclEntry, GroupRule, Match
from .records import Records, count, flag, match, number, sorted_unique, text, texts, value

_EVERYWHERE = ("0.0.0.0/0", "::/0")


class Groups:
    """The rules of each security group by its id, and the default group of each VPC."""

    def __init__(self, records: Records, endpoints: Mapping[str, tuple[str, ...]]) -> None:
        """``endpoints``: the blocks of the prefix lists of gateway endpoints, by id."""
        self._records = records
        self._lists = dict(endpoints) | self._managed_lists()
        self.rules: dict[str, list[GroupRule]] = {}
        self.default: dict[str, str] = {}
        """The id of each VPC's default group, by the VPC's id."""
        self._also_called: dict[str, str] = {}
        self.missing: list[tuple[str, str]] = []
        for group in records.of("ec2.SecurityGroup", "ec2.DefaultSecurityGroup"):
            self.rules.setdefault(text(group, "id"), [])
        for group in records.of("ec2.DefaultSecurityGroup"):
            self.default[text(group, "vpcId")] = text(group, "id")
        for vpc in records.of("ec2.Vpc"):
            self._default_of(text(vpc, "id"), text(vpc, "defaultSecurityGroupId"))
        for group in records.of("ec2.SecurityGroup", "ec2.DefaultSecurityGroup"):
            self._inline(group)
        for rule in records.of("vpc.SecurityGroupIngressRule"):
            self._separate(rule, egress=False)
        for rule in records.of("vpc.SecurityGroupEgressRule"):
            self._separate(rule, egress=True)
        for rule in records.of("ec2.SecurityGroupRule"):
            self._older(rule)

    def id_of(self, name: str) -> str:
        """Return a group's id for any of its identifiers."""
        return self._also_called.get(name, name)

    def _default_of(self, vpc: str, identifier: str) -> None:
        """Adopted, the default group has the declared rules only; otherwise it admits itself and sends anywhere."""
        if vpc in self.default:
            self._also_called[identifier] = self.default[vpc]
            return
        identifier = identifier or f"default group of {vpc}"
        self.default[vpc] = identifier
        self.rules[identifier] = [
            GroupRule(egress=False, match=Match(), groups=(identifier,)),
            GroupRule(egress=True, match=Match(), blocks=_EVERYWHERE),
        ]

    def _managed_lists(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for listed in self._records.of("ec2.ManagedPrefixList"):
            entries = found.setdefault(text(listed, "id"), [])
            entries += [text(listed, f"entries[{index}].cidr") for index in range(count(listed, "entries"))]
        for entry in self._records.of("ec2.ManagedPrefixListEntry"):
            found.setdefault(text(entry, "prefixListId"), []).append(text(entry, "cidr"))
        return {identifier: sorted_unique(entries) for identifier, entries in found.items()}

    def blocks_of_list(self, identifier: str) -> tuple[str, ...] | None:
        """Return the blocks of a prefix list; ``None`` if it is not in the graph."""
        return self._lists.get(identifier)

    def _inline(self, group: Resource) -> None:
        own = text(group, "id")
        for direction in ("ingress", "egress"):
            for index in range(count(group, direction)):
                prefix = f"{direction}[{index}]."
                sources = (*texts(group, f"{prefix}cidrBlocks"), *texts(group, f"{prefix}ipv6CidrBlocks"))
                named = texts(group, f"{prefix}securityGroups")
                self._add(
                    group, own, sources, named, egress=direction == "egress", prefix=prefix, lists="prefixListIds"
                )

    def _separate(self, rule: Resource, *, egress: bool) -> None:
        sources = (*texts(rule, "cidrIpv4"), *texts(rule, "cidrIpv6"))
        named = texts(rule, "referencedSecurityGroupId")
        self._add(rule, text(rule, "securityGroupId"), sources, named, egress=egress, protocol="ipProtocol")

    def _older(self, rule: Resource) -> None:
        sources = (*texts(rule, "cidrBlocks"), *texts(rule, "ipv6CidrBlocks"))
        named = texts(rule, "sourceSecurityGroupId")
        egress = text(rule, "type") == "egress"
        self._add(rule, text(rule, "securityGroupId"), sources, named, egress=egress, lists="prefixListIds")

    def _add(
        self,
        resource: Resource,
        group: str,
        blocks: tuple[str, ...],
        named: tuple[str, ...],
        *,
        egress: bool,
        prefix: str = "",
        protocol: str = "protocol",
        lists: str = "prefixListId",
    ) -> None:
        group = self.id_of(group)
        members = [self.id_of(name.rsplit("/", 1)[-1]) for name in named]
        if flag(resource, f"{prefix}self"):
            members.append(group)
        listed: list[str] = []
        for identifier in texts(resource, f"{prefix}{lists}"):
            found = self.blocks_of_list(identifier)
            if found is None:
                self.missing.append((resource.label, f"prefix list {identifier} is not in the graph"))
            listed += found or ()
        rule = GroupRule(
            egress, match(resource, prefix, protocol), sorted_unique((*blocks, *listed)), sorted_unique(members)
        )
        self.rules.setdefault(group, []).append(rule)


class Acls:
    """The network ACL of each subnet by subnet id; a subnet without an entry has AWS's default network ACL."""

    def __init__(self, records: Records) -> None:
        entries: dict[str, list[AclEntry]] = {}
        self._of_subnet: dict[str, str] = {}
        self._of_vpc: dict[str, str] = {}
        for acl in records.of("ec2.NetworkAcl", "ec2.DefaultNetworkAcl"):
            own = entries.setdefault(text(acl, "id"), [])
            for direction in ("ingress", "egress"):
                own += [
                    _entry(acl, f"{direction}[{index}].", egress=direction == "egress")
                    for index in range(count(acl, direction))
                ]
            for subnet in texts(acl, "subnetIds"):
                self._of_subnet[subnet] = text(acl, "id")
            if acl.kind == "ec2.DefaultNetworkAcl":
                self._adopt(records, acl)
        for rule in records.of("ec2.NetworkAclRule"):
            entries.setdefault(text(rule, "networkAclId"), []).append(_entry(rule, "", egress=flag(rule, "egress")))
        for association in records.of("ec2.NetworkAclAssociation"):
            self._of_subnet[text(association, "subnetId")] = text(association, "networkAclId")
        self._entries = {
            acl: tuple(sorted(own, key=lambda entry: (entry.egress, entry.number))) for acl, own in entries.items()
        }

    def _adopt(self, records: Records, acl: Resource) -> None:
        named = text(acl, "defaultNetworkAclId")
        for vpc in records.of("ec2.Vpc"):
            if named and named == text(vpc, "defaultNetworkAclId"):
                self._of_vpc[text(vpc, "id")] = text(acl, "id")

    def of(self, subnet: str, vpc: str) -> tuple[AclEntry, ...] | None:
        """Return the entries that apply to a subnet, in order; ``None`` for AWS's default network ACL."""
        acl = self._of_subnet.get(subnet) or self._of_vpc.get(vpc)
        return None if acl is None else self._entries.get(acl, ())


def _entry(resource: Resource, prefix: str, *, egress: bool) -> AclEntry:
    named = value(resource, f"{prefix}ruleNumber")
    position = number(resource, f"{prefix}ruleNo" if named is None else f"{prefix}ruleNumber")
    action = text(resource, f"{prefix}ruleAction") or text(resource, f"{prefix}action")
    block = text(resource, f"{prefix}cidrBlock") or text(resource, f"{prefix}ipv6CidrBlock")
    return AclEntry(position, egress, action.lower() == "allow", match(resource, prefix, "protocol"), block)
