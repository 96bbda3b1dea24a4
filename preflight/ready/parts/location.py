"""Account, region and availability zones."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.account.identity import caller
from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext


def account(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The credentials belong to the stack's account. If the account is unknown, the command ends with exit code 2."""
    found = caller(context.account)
    wanted = context.wanted
    yield group.holds(
        "account",
        found == wanted.account,
        f"the credentials are those of account {found}"
        + ("" if found == wanted.account else f", aws:allowedAccountIds names {wanted.account}"),
        f"log in to account {wanted.account}, or correct aws:allowedAccountIds in Pulumi.{wanted.stack}.yaml",
    )


def region(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The region is enabled in the account."""
    name = context.wanted.region
    found = context.account.ask("ec2", "describe_regions", AllRegions=True, RegionNames=[name])["Regions"]
    status = found[0].get("OptInStatus", "") if found else "unknown"
    yield group.holds(
        "region",
        status in {"opt-in-not-required", "opted-in"},
        f"{name} is {status}",
        f"enable it: aws account enable-region --region-name {name} (opting in takes minutes to hours)",
    )


def zones(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every availability zone exists in this account and accepts new resources."""
    wanted = context.wanted.zones
    answer = context.account.ask("ec2", "describe_availability_zones", AllAvailabilityZones=True)["AvailabilityZones"]
    states = {
        zone["ZoneName"]: zone.get("State", "")
        for zone in answer
        if zone.get("ZoneType", "availability-zone") == "availability-zone"
        and zone.get("OptInStatus") != "not-opted-in"
    }
    usable = sorted(name for name, state in states.items() if state == "available")
    lost = [name for name in wanted if name not in usable]
    yield group.holds(
        "availability zones",
        not lost,
        f"{joined(wanted)} are available" if not lost else f"{joined(lost)} cannot be used; usable: {joined(usable)}",
        f"name usable zones in network.availabilityZones of Pulumi.{context.wanted.stack}.yaml",
    )


PART = Part("account", (("account", account), ("region", region), ("availability zones", zones)))
