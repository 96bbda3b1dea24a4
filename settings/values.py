"""Value types of the settings, each with a text that describes the allowed values."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints
from pydantic.alias_generators import to_camel

from components.common.aws_limits import VPC_PREFIX_LENGTHS, ZONE_LETTERS
from settings.errors import looks_like_secret

_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


class Section(BaseModel):
    """A frozen section of the settings. Its keys are camelCase in YAML; unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


Whole = Annotated[int, Strict()]
"""A whole number written as a number: ``true`` and ``"5"`` are refused."""

HostName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253),
    Field(description="a lower-case DNS name without scheme, port or path, for example chat.example.com"),
]
HttpsUrl = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?(/[^\s?#]*)?$", max_length=2048
    ),
    Field(description="a full https URL without query or fragment, for example https://login.example.com/authorize"),
]
OnCallUrl = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?(/[^\s?#]*)?$", max_length=512
    ),
    Field(
        description="a full https URL of at most 512 characters, without query or fragment, for example "
        "https://oncall.example.com/teams/ai-platform"
    ),
]
RunbookUrl = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?(/[^\s?#]*)?$", max_length=512
    ),
    Field(
        description="a full https URL of at most 512 characters, without query or fragment, for example "
        "https://github.com/example/ai-interface/blob/main/docs/runbook.md"
    ),
]
LogoutUrl = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?"
        r"(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
        r"(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$",
        max_length=2048,
    ),
    Field(
        description="a full https URL in URL characters (others as %XX), without user or fragment; its query is public, "
        "for example https://login.example.com/logout?client_id=chat"
    ),
]
"""A page to which browsers are redirected, including the query. It is sent in a response header, so it is public (RFC
3986)."""
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}$", max_length=254),
    Field(description="an e-mail address, for example ai-platform@example.com"),
]
Person = Annotated[
    str,
    StringConstraints(pattern=r"^@[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9._-]{1,100})?$"),
    Field(
        description="a GitHub user or team in quotes, for example '@example/ai-platform'",
        json_schema_extra={"fix": "write it with the leading @ and in quotes: YAML reserves an unquoted @"},
    ),
]
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$"),
    Field(description="2 to 32 lower-case letters, digits and hyphens, starting with a letter"),
]


def _is_a_name(value: str) -> str:
    if looks_like_secret(value) or _UUID.match(value):
        raise ValueError("a value, not a name")
    return value


SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$"),
    AfterValidator(_is_a_name),
    Field(
        description="the name of a secret in Secrets Manager, never its value, for example ai-interface/staging/oidc",
        json_schema_extra={
            "secret": True,
            "fix": "put the value into the secret that bootstrap created and write only the secret's name here; "
            "if this was the value, it is exposed: have the identity provider issue a new one",
        },
    ),
]
_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}"


def _is_a_name_or_arn(value: str) -> str:
    return value if value.startswith("arn:") else _is_a_name(value)


SecretReference = Annotated[
    str,
    StringConstraints(pattern=rf"^({_ARN}|[A-Za-z0-9/_+=.@-]{{1,512}})$"),
    AfterValidator(_is_a_name_or_arn),
    Field(
        description="the name or the full ARN of a secret in Secrets Manager, never its value, for example "
        "ai-interface/staging/model-key-llm",
        json_schema_extra={
            "secret": True,
            "fix": "put the value into a secret and write only the secret's name or ARN here (the ARN if the name has the form "
            "of a key); if this was the value, it is exposed: issue a new one",
        },
    ),
]
EndpointServiceName = Annotated[
    str,
    StringConstraints(pattern=r"^com\.amazonaws\.vpce\.[a-z]{2}(-[a-z]+)+-\d\.vpce-svc-([0-9a-f]{8}|[0-9a-f]{17})$"),
    Field(
        description="the name of an endpoint service, com.amazonaws.vpce.<region>.vpce-svc-<id>, for example "
        "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0",
        json_schema_extra={"fix": "copy the service name that the server's owner sees in the VPC console"},
    ),
]
ReleaseVersion = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$"),
    Field(
        description="the version of a manifest in releases/ (year.month.number), for example 2026.11.1",
        json_schema_extra={
            "fix": "write the version of a manifest; image tags and digests do not belong here: the manifest pins each image by digest"
        },
    ),
]
AwsRegion = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"),
    Field(description="an AWS region, for example eu-west-1"),
]
AvailabilityZone = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[" + ZONE_LETTERS + "]$"),
    Field(description="the name of an availability zone, with a letter from a to f, for example eu-west-1a"),
]


_ID = r"^{}-([0-9a-f]{{8}}|[0-9a-f]{{17}})$"


def _id(kind: str) -> object:
    return Field(
        description=f"an id: {kind}- and 17 hexadecimal digits (8 for old resources), for example {kind}-0123456789abcdef0",
        json_schema_extra={"fix": "copy the id from the VPC console, or from the stack that creates it"},
    )


VpcId = Annotated[str, StringConstraints(pattern=_ID.format("vpc")), _id("vpc")]
SubnetId = Annotated[str, StringConstraints(pattern=_ID.format("subnet")), _id("subnet")]
RouteTableId = Annotated[str, StringConstraints(pattern=_ID.format("rtb")), _id("rtb")]
SecurityGroupId = Annotated[str, StringConstraints(pattern=_ID.format("sg")), _id("sg")]

_RFC1918 = tuple(ipaddress.IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_LARGEST, _SMALLEST = VPC_PREFIX_LENGTHS


def _private_block(value: object) -> ipaddress.IPv4Network:
    block = value if isinstance(value, ipaddress.IPv4Network) else ipaddress.IPv4Network(str(value))
    if not (any(block.subnet_of(n) for n in _RFC1918) and _LARGEST <= block.prefixlen <= _SMALLEST):
        raise ValueError("not a private block of the right size")
    return block


def _public_block(value: object) -> ipaddress.IPv4Network:
    block = value if isinstance(value, ipaddress.IPv4Network) else ipaddress.IPv4Network(str(value))
    if block.prefixlen < WIDEST_OFFICE or any(block.overlaps(private) for private in _RFC1918):
        raise ValueError("not a public network")
    return block


WIDEST_OFFICE = 8
"""A wider network would be much of the internet."""
OfficeBlock = Annotated[
    ipaddress.IPv4Network,
    BeforeValidator(_public_block),
    Field(
        description=f"a public IPv4 network of /{WIDEST_OFFICE} to /32 without host bits, for example 198.51.100.0/28",
        json_schema_extra={"fix": "write the public addresses from which the office's requests arrive"},
    ),
]
PrivateBlock = Annotated[
    ipaddress.IPv4Network,
    BeforeValidator(_private_block),
    Field(
        description="a network of /16 to /20 inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, without host bits",
        json_schema_extra={
            "fix": "choose a block that does not overlap with a peered network, for example 10.20.0.0/16"
        },
    ),
]
