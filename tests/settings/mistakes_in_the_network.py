"""The table of mistakes, continued: the network's addresses and zones, and an existing VPC."""

from __future__ import annotations

from tests.settings.mistakes import FIXES, FORM, UNKNOWN, row
from tests.settings.stack_files import Values

EXISTING: Values = {
    "vpcId": "vpc-0123456789abcdef0",
    "publicSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "privateSubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "privateRouteTableIds": ["rtb-0123456789abcdef0"],
}

NETWORK_ROWS = [
    # network
    row(
        "a mask of 33 bits",
        {"network.cidrBlock": "10.20.0.0/33"},
        ("network.cidrBlock", '"10.20.0.0/33"', FIXES["block"]),
    ),
    row(
        "host bits are set",
        {"network.cidrBlock": "10.20.0.1/16"},
        ("network.cidrBlock", '"10.20.0.1/16"', FIXES["block"]),
    ),
    row("public addresses", {"network.cidrBlock": "8.8.0.0/16"}, ("network.cidrBlock", '"8.8.0.0/16"', FIXES["block"])),
    row(
        "a block too small",
        {"network.cidrBlock": "10.20.0.0/24"},
        ("network.cidrBlock", '"10.20.0.0/24"', FIXES["block"]),
    ),
    row("a block that is a number", {"network.cidrBlock": 10}, ("network.cidrBlock", "10", FIXES["block"])),
    row("IPv6", {"network.cidrBlock": "fd00::/16"}, ("network.cidrBlock", '"fd00::/16"', FIXES["block"])),
    row(
        "one zone",
        {"network.availabilityZones": ["eu-west-1a"]},
        ("network.availabilityZones", "a list of 1", "write at least 2"),
    ),
    row(
        "four zones",
        {"network.availabilityZones": [f"eu-west-1{z}" for z in "abcd"]},
        ("network.availabilityZones", "a list of 4", "write at most 3"),
    ),
    row(
        "a zone twice",
        {"network.availabilityZones": ["eu-west-1a", "eu-west-1a"]},
        ("network.availabilityZones", "eu-west-1a, eu-west-1a", "list each zone once"),
    ),
    row(
        "endpoints in more zones than there are",
        {"network.endpointZones": 3},
        ("network.endpointZones", "3", "set it to 2 or less, or remove it for an endpoint address in every zone"),
    ),
    row("endpoints in no zone", {"network.endpointZones": 0}, ("network.endpointZones", "0", "set it to 1 or more")),
    row(
        "a zone of another region",
        {"network.availabilityZones": ["eu-west-1a", "us-east-1b"]},
        ("network.availabilityZones[1]", "us-east-1b", "write eu-west-1b, or change aws:region"),
    ),
    row(
        "an existing network with too few subnets",
        {"network.existing": EXISTING, "network.availabilityZones": [f"eu-west-1{z}" for z in "abc"]},
        (
            "network.existing.publicSubnetIds",
            "subnet-0123456789abcdef0, subnet-0123456789abcdef1",
            "list one subnet for each zone, in the order of the zones",
        ),
        (
            "network.existing.privateSubnetIds",
            "subnet-0123456789abcdef2, subnet-0123456789abcdef3",
            "list one subnet for each zone, in the order of the zones",
        ),
    ),
    row(
        "a subnet that is public and private",
        {
            "network.existing": {
                **EXISTING,
                "privateSubnetIds": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
            }
        },
        ("network.existing.privateSubnetIds", "subnet-0123456789abcdef1", "list one private subnet for each zone"),
    ),
    row(
        "two route tables for three zones",
        {
            "network.existing": {
                **EXISTING,
                "publicSubnetIds": [f"subnet-0000000{n}" for n in range(3)],
                "privateSubnetIds": [f"subnet-0000001{n}" for n in range(3)],
                "privateRouteTableIds": ["rtb-00000000", "rtb-00000001"],
            },
            "network.availabilityZones": [f"eu-west-1{z}" for z in "abc"],
        },
        (
            "network.existing.privateRouteTableIds",
            "rtb-00000000, rtb-00000001",
            "list the route table of each private subnet; the same one may be repeated",
        ),
    ),
    row(
        "whether to filter names in quotes",
        {"network.existing": {**EXISTING, "filterDns": "true"}},
        ("network.existing.filterDns", '"true"', "write true or false, without quotes"),
    ),
    row(
        "a wrong kind of id",
        {"network.existing": {**EXISTING, "vpcId": "subnet-12345678"}},
        (
            "network.existing.vpcId",
            '"subnet-12345678"',
            "copy the id from the VPC console, or from the stack that creates it",
        ),
    ),
    row(
        "a zone whose letter has no share of the addresses",
        {"network.availabilityZones": ["eu-west-1a", "eu-west-1g"]},
        ("network.availabilityZones[1]", '"eu-west-1g"', FORM),
    ),
    row(
        "zones by their ids",
        {"network.availabilityZones": ["euw1-az1", "euw1-az2"]},
        ("network.availabilityZones[0]", '"euw1-az1"', FORM),
        ("network.availabilityZones[1]", '"euw1-az2"', FORM),
    ),
    row(
        "a VPC beside existing",
        {"network.vpcId": "vpc-0123456789abcdef0"},
        ("network.vpcId", UNKNOWN, "it belongs under network.existing"),
    ),
    row("a NAT gateway", {"network.natGateways": 1}, ("network.natGateways", UNKNOWN, "remove the key")),
]
