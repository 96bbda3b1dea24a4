"""The shapes of AWS's identifiers, filled deterministically from a resource's URN."""

from __future__ import annotations

import base64
import functools
import hashlib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from preflight.sdk.wire import Json

DOCUMENTATION_ACCOUNT = "111122223333"
"""The account number of AWS's documentation: used if the stack names none."""
DEFAULT_REGION = "us-east-1"
CREATED = "2026-01-01T00:00:00Z"

_BASE36 = "abcdefghijklmnopqrstuvwxyz0123456789"
_LOAD_BALANCER_ZONES = {
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "eu-west-1": "Z32O12XQLTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
}


@dataclass(frozen=True)
class Site:
    """The account and region of a stack."""

    account: str = DOCUMENTATION_ACCOUNT
    region: str = DEFAULT_REGION

    @property
    def partition(self) -> str:
        """``aws``, or the partition of China's and the US government's regions."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    @property
    def load_balancer_zone(self) -> str:
        """The hosted zone of the region's application load balancers."""
        return _LOAD_BALANCER_ZONES.get(self.region, "Z" + Digest(self.region).base36(13).upper())

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """An ARN; global services have no region, buckets have no account either."""
        return ":".join(
            ("arn", self.partition, service, self.region if region else "", self.account if account else "", resource)
        )


class Digest:
    """Identifiers of any shape that depend on nothing but a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def _number(self, salt: str) -> int:
        return int.from_bytes(hashlib.sha512(f"{self._seed}\n{salt}".encode()).digest())

    def hex(self, length: int, salt: str = "") -> str:
        """Lower-case hexadecimal, as in ``vpc-0abc…``."""
        return f"{self._number(salt):0128x}"[-length:]

    def decimal(self, length: int, salt: str = "") -> str:
        """Decimal digits."""
        return str(self._number(salt))[-length:]

    def base36(self, length: int, salt: str = "") -> str:
        """Lower-case letters and digits, starting with a letter."""
        number, text = self._number(salt), ""
        for _ in range(length):
            number, digit = divmod(number, len(_BASE36))
            text += _BASE36[digit if text else digit % 26]
        return text

    def uuid(self, salt: str = "") -> str:
        """A version 4 UUID."""
        digits = self.hex(32, salt)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def pem(self, label: str) -> str:
        """Text in the shape of a PEM block; it is not a usable key."""
        body = base64.b64encode(hashlib.shake_256(f"{self._seed}\n{label}".encode()).digest(300)).decode()
        return f"-----BEGIN {label}-----\n" + "\n".join(textwrap.wrap(body, 64)) + f"\n-----END {label}-----\n"


@dataclass(frozen=True)
class Subject:
    """The resource whose computed values are needed. ``inputs`` are known, and not marked as secrets."""

    site: Site
    urn: str
    logical_name: str
    inputs: Mapping[str, Json]
    made: Mapping[str, Mapping[str, Json]]
    """Outputs of the resources that were created earlier, by id."""

    @functools.cached_property
    def digest(self) -> Digest:
        """Identifiers seeded by the URN, and therefore different in each stack."""
        return Digest(self.urn)

    def get(self, name: str, default: str = "") -> str:
        """An input as text."""
        value = self.inputs.get(name)
        return default if value is None else str(value)

    def output_of(self, identifier: str, name: str) -> str:
        """An output of another resource; empty if it is not known."""
        return str(self.made.get(identifier, {}).get(name) or "")

    @functools.cached_property
    def name(self) -> str:
        """The physical name: the given one, or one generated as the AWS provider does."""
        return self.get("name") or (self.get("namePrefix") or f"{self.logical_name}-") + self.digest.hex(7, "name")

    def ec2_id(self, prefix: str, salt: str = "") -> str:
        """An id with a prefix, for example ``subnet-0…`` with 17 hexadecimal digits."""
        return f"{prefix}-0{self.digest.hex(16, salt or prefix)}"

    def ec2(self, prefix: str, kind: str = "", **outputs: Json) -> dict[str, Json]:
        """Id, ARN and owner of an EC2 resource."""
        identifier = self.ec2_id(prefix)
        arn = {"arn": self.site.arn("ec2", f"{kind}/{identifier}")} if kind else {}
        return {"id": identifier, **arn, **outputs}
