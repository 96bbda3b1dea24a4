"""The whole program in each shape that its settings allow, recorded once: zones, whose VPC, whose zone, who calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from preflight.recording.recorder import Recording
from tests.once import main_program
from tests.settings.stack_files import stack_file

HOST, MACHINE_HOST = "chat.example.com", "models.example.com"
REGION = "eu-west-1"
CERTIFICATE = f"arn:aws:acm:{REGION}:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"
PUBLIC_IDS = tuple(f"subnet-0000000000000000{letter}" for letter in "abc")
PRIVATE_IDS = tuple(f"subnet-0000000000000001{letter}" for letter in "abc")


@dataclass(frozen=True)
class Shape:
    """One combination of the choices that decide which resources there are."""

    zones: int
    own_vpc: bool
    hosted_zone: bool
    machine_clients: bool
    region: str = REGION

    def __str__(self) -> str:
        """The choices in words."""
        return ", ".join(
            (
                f"{self.zones} zones",
                "own VPC" if self.own_vpc else "existing VPC",
                "hosted zone" if self.hosted_zone else "own certificate",
                "machine clients" if self.machine_clients else "people only",
                *([] if self.region == REGION else [self.region]),
            )
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that the edge answers."""
        return (HOST, MACHINE_HOST) if self.machine_clients else (HOST,)


SHAPES = [Shape(*choices) for choices in product((2, 3), (True, False), (True, False), (False, True))]
ELSEWHERE = [Shape(3, True, True, True, region) for region in ("us-east-1", "eu-south-1")]
"""The region whose services have global names, and one that an account has to opt in to."""


@cache
def recorded(shape: Shape, application: str = "") -> Recording:
    """The real program, as the engine would run it for these settings. ``application``: a preset other than the stack's."""
    config = _config(shape) | ({"ai-interface:application": application} if application else {})
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return main_program("staging", values)


def _config(shape: Shape) -> dict[str, Any]:
    config = stack_file("staging")
    config["aws:region"] = shape.region
    for group in config["ai-interface:models"]["groups"]:
        for upstream in group["upstreams"]:
            upstream["region"] = shape.region
    network: dict[str, Any] = {
        "cidrBlock": "10.20.0.0/16",
        "availabilityZones": [f"{shape.region}{letter}" for letter in "abc"[: shape.zones]],
    }
    if not shape.own_vpc:
        network["existing"] = {
            "vpcId": "vpc-0123456789abcdef0",
            "publicSubnetIds": PUBLIC_IDS[: shape.zones],
            "privateSubnetIds": PRIVATE_IDS[: shape.zones],
            "privateRouteTableIds": ["rtb-00000000000000001"],
        }
    config["ai-interface:network"] = network
    config["ai-interface:capacity"]["minimumTasks"] = shape.zones
    names = (
        {"hostedZoneId": "Z0123456789ABCDEFGHIJ"}
        if shape.hosted_zone
        else {"certificateArn": CERTIFICATE.replace(REGION, shape.region)}
    )
    config["ai-interface:domain"] = {"hostName": HOST, **names}
    if shape.machine_clients:
        config["ai-interface:identity"]["machineClients"] = {
            "hostName": MACHINE_HOST,
            "issuer": "https://login.example.com",
            "jwksEndpoint": "https://keys.example.com/jwks",
            "audience": "models",
            "audienceFormat": "string-array",
            "claims": [{"name": "scope", "values": ["models.call"], "format": "space-separated-values"}],
        }
    return config
