"""Instances, Auto Scaling groups and network interfaces: each described by several resources together.

Launch templates and configurations set groups and public addresses, subnets set the default for public addresses, and
Elastic IPs and separately declared network interfaces add more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from .placement import OMITTED, PlacedResource, PublicAddress, Subnets, as_switch
from .security_groups import GroupSet, SecurityGroups

INSTANCES = ("ec2.Instance", "ec2.SpotInstanceRequest")
_FLEETS = ("ec2.Fleet", "ec2.SpotFleetRequest")
INSTANCE_KINDS = (*INSTANCES, *_FLEETS, "autoscaling.Group", "ec2.NetworkInterface", "gamelift.GameServerGroup")
_GROUPS = (*_FLEETS, "autoscaling.Group", "gamelift.GameServerGroup")
_TEMPLATES = ("ec2.LaunchTemplate",)
_TEMPLATE_KEYS = ("id", "arn", "name")


@dataclass(slots=True)
class _Sum:
    """The combined network settings of one instance."""

    subnets: Subnets
    keys: list[str] = field(default_factory=list[str])
    group_unknowns: list[str] = field(default_factory=list[str])
    public: PublicAddress | None = None
    loose: bool = False

    def add_groups(self, found: GroupSet) -> None:
        self.keys += found.keys
        self.group_unknowns += found.unknowns
        self.loose |= found.loose

    def add_public(self, resource: Resource, path: str) -> None:
        value = resource.value(path)
        if value in (None, ""):
            return
        switched = as_switch(value, False)
        unknowns = (f"{resource.label}.{path}",) if switched is None else ()
        self.say_public(PublicAddress(switched, resource, path, unknowns))

    def say_public(self, found: PublicAddress) -> None:
        if self.public is None or found.value is True or (found.value is None and self.public.value is False):
            self.public = found


class Instances:
    """Places instances, groups of instances and network interfaces."""

    def __init__(self, graph: Graph, groups: SecurityGroups) -> None:
        self.graph = graph
        self.groups = groups
        self.unattached: list[tuple[Resource, str]] = []
        """Elastic IPs whose holder is unknown or not in this stack, and the property that names it."""
        self._elastic = self._elastic_addresses()
        self._attached = self._attachments()

    def place(self, resource: Resource) -> PlacedResource:
        """The placement of an instance, with its groups and addresses."""
        total = _Sum(Subnets("subnetId"))
        if resource.kind == "autoscaling.Group":
            self._scaled(resource, total)
        elif resource.kind == "gamelift.GameServerGroup":
            total.subnets.property = "vpcSubnets"
            if resource.value("vpcSubnets") is not None:
                total.subnets.add(self.graph, resource, "vpcSubnets")
            self._templates(resource, "launchTemplate", total)
        elif resource.kind in _FLEETS:
            self._fleet(resource, total)
        elif resource.kind == "ec2.NetworkInterface":
            self._interface(resource, total)
        else:
            self._instance(resource, total)
        for address, path in self._elastic.get(resource.urn, ()):
            total.say_public(PublicAddress(True, address, path))
        if total.public is None:
            self._subnet_default(resource, total)
        if not total.subnets.found and not total.subnets.unknowns:
            total.subnets.unknowns.append(f"{resource.label}.{total.subnets.property} ({OMITTED})")
        role = {"ec2.NetworkInterface": "network interface"} | dict.fromkeys(_GROUPS, "group of instances")
        keys = tuple(dict.fromkeys(total.keys))
        unknowns = tuple(dict.fromkeys(total.group_unknowns))
        return PlacedResource(
            resource=resource,
            role=role.get(resource.kind, "instance"),
            subnets=total.subnets.ordered(),
            subnet_property=total.subnets.property,
            subnet_unknowns=tuple(dict.fromkeys(total.subnets.unknowns)),
            loose=total.subnets.loose,
            groups=GroupSet(keys, unknowns, default=not keys and not unknowns, loose=total.loose),
            group_property="securityGroups" if resource.kind == "ec2.NetworkInterface" else "vpcSecurityGroupIds",
            public=total.public or PublicAddress(False, resource),
        )

    def _instance(self, resource: Resource, total: _Sum) -> None:
        if resource.value("subnetId") is not None:
            total.subnets.add(self.graph, resource, "subnetId")
        for path in ("vpcSecurityGroupIds", "securityGroups"):
            if resource.value(path) not in (None, []):
                total.add_groups(self.groups.of(resource, path))
        total.add_public(resource, "associatePublicIpAddress")
        for interface in self._interfaces_of(resource):
            self._interface(interface, total)
            for address, path in self._elastic.get(interface.urn, ()):
                total.say_public(PublicAddress(True, address, path))
        if resource.value("launchTemplate") is not None:
            self._templates(resource, "launchTemplate", total)

    def _scaled(self, resource: Resource, total: _Sum) -> None:
        total.subnets.property = "vpcZoneIdentifiers"
        if resource.value("vpcZoneIdentifiers") is not None:
            total.subnets.add(self.graph, resource, "vpcZoneIdentifiers")
        for path in ("launchTemplate", "mixedInstancesPolicy.launchTemplate"):
            if resource.value(path) is not None:
                self._templates(resource, path, total)
        for configuration in self.graph.referenced(
            resource, "launchConfiguration", types=("ec2.LaunchConfiguration",), keys=("name", "id", "arn")
        ):
            total.add_groups(self.groups.of(configuration, "securityGroups"))
            total.add_public(configuration, "associatePublicIpAddress")

    def _fleet(self, resource: Resource, total: _Sum) -> None:
        """A fleet: each of its launch specifications and templates, with the subnets that override those of a template."""
        total.subnets.property = "launchTemplateConfigs"
        for index in _indexes(resource, "launchSpecifications"):
            total.subnets.property = "launchSpecifications"
            prefix = f"launchSpecifications[{index}]"
            if resource.value(f"{prefix}.subnetId") not in (None, ""):
                total.subnets.add(self.graph, resource, f"{prefix}.subnetId")
            if resource.value(f"{prefix}.vpcSecurityGroupIds") not in (None, []):
                total.add_groups(self.groups.of(resource, f"{prefix}.vpcSecurityGroupIds"))
            total.add_public(resource, f"{prefix}.associatePublicIpAddress")
        for index in _indexes(resource, "launchTemplateConfigs"):
            prefix = f"launchTemplateConfigs[{index}]"
            self._templates(resource, f"{prefix}.launchTemplateSpecification", total)
            for number in _indexes(resource, f"{prefix}.overrides"):
                if resource.value(f"{prefix}.overrides[{number}].subnetId") not in (None, ""):
                    total.subnets.add(self.graph, resource, f"{prefix}.overrides[{number}].subnetId")

    def _templates(self, resource: Resource, path: str, total: _Sum) -> None:
        references = self.graph.referenced(resource, path, types=_TEMPLATES, keys=_TEMPLATE_KEYS)
        if not references.resources:
            total.group_unknowns.append(f"{resource.label}.{path}")
        for template in references:
            if template.value("vpcSecurityGroupIds") not in (None, []):
                total.add_groups(self.groups.of(template, "vpcSecurityGroupIds"))
            declared = template.items("networkInterfaces")
            if isinstance(declared, Unknown):
                total.group_unknowns.append(f"{template.label}.networkInterfaces")
                continue
            for index, _ in enumerate(declared):
                prefix = f"networkInterfaces[{index}]"
                total.add_public(template, f"{prefix}.associatePublicIpAddress")
                if template.value(f"{prefix}.subnetId") not in (None, ""):
                    total.subnets.add(self.graph, template, f"{prefix}.subnetId")
                if template.value(f"{prefix}.securityGroups") not in (None, []):
                    total.add_groups(self.groups.of(template, f"{prefix}.securityGroups"))

    def _interface(self, interface: Resource, total: _Sum) -> None:
        total.subnets.add(self.graph, interface, "subnetId")
        if interface.value("securityGroups") not in (None, []):
            total.add_groups(self.groups.of(interface, "securityGroups"))
        if interface.kind == "ec2.NetworkInterface" and total.public is None:
            total.say_public(PublicAddress(False, interface))

    def _interfaces_of(self, instance: Resource) -> list[Resource]:
        found = dict.fromkeys(
            self.graph.referenced(instance, path, types=("ec2.NetworkInterface",)).resources
            for path in ("networkInterfaces", "primaryNetworkInterface")
            if instance.value(path) is not None
        )
        attached = self._attached.get(instance.urn, [])
        return [interface for interfaces in found for interface in interfaces] + attached

    def _subnet_default(self, resource: Resource, total: _Sum) -> None:
        """Without an explicit setting, an instance gets what its subnet assigns."""
        for subnet in total.subnets.ordered():
            default = subnet.kind == "ec2.DefaultSubnet"
            switched = as_switch(subnet.value("mapPublicIpOnLaunch"), default)
            if switched is not False:
                unknowns = () if switched else (f"{subnet.label}.mapPublicIpOnLaunch",)
                total.say_public(PublicAddress(switched, subnet, "mapPublicIpOnLaunch", unknowns))
        if total.public is None:
            total.public = PublicAddress(False, resource)

    def _attachments(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for attachment in self.graph.of_type("ec2.NetworkInterfaceAttachment"):
            interfaces = self.graph.referenced(attachment, "networkInterfaceId", types=("ec2.NetworkInterface",))
            for instance in self.graph.referenced(attachment, "instanceId", types=INSTANCES):
                found.setdefault(instance.urn, []).extend(interfaces.resources)
        return found

    def _elastic_addresses(self) -> dict[str, list[tuple[Resource, str]]]:
        found: dict[str, list[tuple[Resource, str]]] = {}
        for kind, paths in (
            ("ec2.Eip", ("instance", "networkInterface")),
            ("ec2.EipAssociation", ("instanceId", "networkInterfaceId")),
        ):
            for address in self.graph.of_type(kind):
                for path in paths:
                    if address.value(path) in (None, ""):
                        continue
                    holders = self.graph.referenced(address, path, types=(*INSTANCES, "ec2.NetworkInterface"))
                    for holder in holders:
                        found.setdefault(holder.urn, []).append((address, path))
                    if holders.unknowns or holders.external:
                        self.unattached.append((address, path))
        return found


def _indexes(resource: Resource, path: str) -> range:
    """The positions of a list; none of one that is not known yet."""
    items = resource.items(path)
    return range(0 if isinstance(items, Unknown) else len(items))
