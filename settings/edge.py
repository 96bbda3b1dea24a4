"""What a team may choose at the edge: TLS clients, who reads its logs, and which firewall rules are only watched."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from settings.errors import check, collected
from settings.values import Section


class TlsPolicy(StrEnum):
    """Which TLS clients must speak."""

    TLS_1_2_RESTRICTED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    TLS_1_3_ONLY = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"


RoleArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/*?-]{1,512}$"),
    Field(description="the ARN of a role, in which * and ? are wildcards: arn:aws:iam::111122223333:role/log-readers"),
]
RuleKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$"),
    Field(description="the key of a rule in components/firewall_rules.py"),
]


def _network(value: object) -> object:
    try:
        return ipaddress.IPv4Network(value) if isinstance(value, str) else value
    except ValueError:
        return value


ClientBlock = Annotated[
    ipaddress.IPv4Network,
    BeforeValidator(_network),
    Field(description="an IPv4 network without host bits, for example 198.51.100.0/24"),
]


class Edge(Section):
    """Choices at the edge that are safe either way."""

    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """TLS 1.3, and 1.2 with forward secrecy only; or TLS 1.3 alone, which shuts out clients from before about 2019."""
    client_cidr_blocks: tuple[ClientBlock, ...] = Field(default=(ipaddress.IPv4Network("0.0.0.0/0"),), min_length=1)
    """Where clients may come from. Omitted: anywhere."""
    log_reader_arns: tuple[RoleArn, ...] = ()
    """Roles that may read access logs, which hold whole request lines. Omitted: nobody, until somebody is named."""
    count_only_rules: tuple[RuleKey, ...] = ()
    """Firewall rules that count instead of blocking, so that a new one is watched before it blocks."""
    content_security_policy: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[\x20-\x7e]{1,1024}$"),
            Field(description="the header's value: up to 1024 printable characters"),
        ]
        | None
    ) = None
    """Replaces the application's own header. Omitted: the application's stays, since a strict one can break pages."""

    @model_validator(mode="after")
    def _lists_name_each_thing_once(self) -> Self:
        with collected():
            for key, values in (
                ("clientCidrBlocks", tuple(map(str, self.client_cidr_blocks))),
                ("countOnlyRules", self.count_only_rules),
                ("logReaderArns", self.log_reader_arns),
            ):
                check(
                    len(set(values)) == len(values),
                    key=f"edge.{key}",
                    value=", ".join(values),
                    allowed="a list that names each thing once",
                    fix="remove the repeated one",
                )
        return self
