"""Mutants that nothing reports, and why that is accepted: patterns over their labels."""

from __future__ import annotations

_THIRD_ZONE = "only production has this zone, so parity has nothing to compare it with, and "

ACCEPTED: dict[str, str] = {
    "delete * *-1c": f"{_THIRD_ZONE}what is deleted only closes something",
    "swap ec2.NetworkAclRule *-1c.*": f"{_THIRD_ZONE}the entry moves to a list whose security groups stay as narrow",
    "swap ec2.RouteTableAssociation *-1c.*": f"{_THIRD_ZONE}the subnet falls back to a table without a route out",
    "widen ec2.NetworkAclRule *-1c.*": f"{_THIRD_ZONE}the security groups behind the list stay as narrow",
}
