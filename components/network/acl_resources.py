"""A network ACL with its entries, as resources. Not a component, but part of the networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.network.acls import ICMP, AclEntry, AclTable


def make_acl(
    name: str,
    table: AclTable,
    *,
    vpc_id: pulumi.Output[str],
    subnets: Sequence[aws.ec2.Subnet],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Create the network ACL of the subnets. ``name`` begins the names of the resources."""
    acl = aws.ec2.NetworkAcl(
        f"{name}-acl",
        vpc_id=vpc_id,
        subnet_ids=[subnet.id for subnet in subnets],
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for direction, rows in (("ingress", table.ingress), ("egress", table.egress)):
        for entry in rows:
            aws.ec2.NetworkAclRule(
                f"{name}-{direction}-{entry.key}",
                network_acl_id=acl.id,
                egress=direction == "egress",
                rule_number=entry.number,
                protocol=entry.protocol,
                rule_action="allow" if entry.allow else "deny",
                cidr_block=entry.cidr_block,
                **_matched(entry),
                # AWS identifies an entry by its number, so the new entry cannot be created alongside the old one.
                opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
            )


def _matched(entry: AclEntry) -> dict[str, Any]:
    """The protocol arguments of an entry: ports, or ICMP type and code."""
    if entry.protocol == ICMP:
        return {"icmp_type": entry.first_port, "icmp_code": entry.last_port}
    return {"from_port": entry.first_port, "to_port": entry.last_port}
