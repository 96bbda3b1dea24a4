"""The kinds of model servers, and what is required of each upstream of a group.

The checks name the key of the upstream, so they run where its position is known: in ``settings.models``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from components.common.aws_limits import GLOBAL_PROFILES, PROFILE_SOURCES, foundation_model, profile_area
from settings.errors import check
from settings.values import AwsRegion, EndpointServiceName, HostName, SecretReference, Section, SecurityGroupId, Whole

_NOT_PUBLIC = frozenset(
    {"corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost", "private", "test"}
)
"""Top-level names that are not in the public DNS, such as those that RFC 6761 and ICANN's board (``internal``, 2024) reserve:
no public certificate authority signs a certificate for a name below one."""


class BedrockUpstream(Section):
    """Amazon Bedrock's OpenAI-compatible Chat Completions API in the stack's region, called through an interface
    endpoint."""

    kind: Literal["bedrock"]
    """``bedrock`` for this kind of upstream."""
    region: AwsRegion
    """The stack's region. Use cross-region inference profiles for capacity in other regions."""
    destination_regions: tuple[AwsRegion, ...] = ()
    """The regions to which Bedrock may send a prompt to the group's inference profiles, such as ``eu.<model>``: all that
    Bedrock's page of the model lists for this source region. The task gets permission for the model in each. Omitted for
    ``global.<model>``, which may use any commercial region, and for models without a profile."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group."""
        return f"bedrock in {self.region}"


class MantleUpstream(Section):
    """Amazon Bedrock's second endpoint, ``bedrock-mantle``, in the stack's region, by its Chat Completions API, called through an
    interface endpoint. **No guardrail applies there**: the guardrails pack reports it until an exception allows it."""

    kind: Literal["bedrockMantle"]
    """``bedrockMantle`` for this kind of upstream."""
    region: AwsRegion
    """The stack's region. The endpoint exists in some regions only, and has no cross-region inference profiles."""
    path_prefix: Literal["/v1", "/openai/v1"] = "/v1"
    """The path below which the endpoint serves the group's models: AWS's page of each model has it. Requests with the
    wrong one fail, so models with different paths need separate groups."""
    signing_service: Literal["bedrock", "bedrock-mantle"] = "bedrock-mantle"
    """The service name in the signatures (SigV4). AWS does not document it. ``bedrock-mantle`` is the one that the endpoint names
    in its error for another name; callers report that it accepts ``bedrock`` too
    (https://github.com/BerriAI/litellm/pull/31476)."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group."""
        return f"bedrock-mantle in {self.region}"


class PrivateServer(Section):
    """A server in this VPC, in a peered one or behind AWS PrivateLink, reached over TLS."""

    host_name: HostName
    """The server's DNS name; its certificate must be valid for it."""
    port: Whole = Field(default=443, ge=1, le=65_535)
    """The server's TCP port. Outside this stack's private subnets, for example in a peered VPC, only 443 is reachable: the
    private network ACL allows other ports to those subnets only."""
    security_group_id: SecurityGroupId | None = None
    """The server's security group, in this VPC or a peered one. The tasks' egress rule allows this group and port only.
    Exactly one of ``securityGroupId`` and ``endpointService`` is required."""
    endpoint_service: EndpointServiceName | None = None
    """The endpoint service (AWS PrivateLink) behind which the server runs in another VPC, in the stack's region. An interface
    endpoint with a separate security group is created for it. ``hostName`` need not resolve: the proxy connects to the
    endpoint, and expects a certificate for ``hostName``."""
    ca_certificate: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?)+$"
            ),
            Field(
                description="only one or more certificates in PEM format",
                json_schema_extra={"secret": True, "fix": "paste the CA's certificate below the key, after a |"},
            ),
        ]
        | None
    ) = None
    """The PEM certificate of the CA that signed the server's certificate (public, not a secret). Omitted: a public CA signed
    it, and the proxy trusts the certificate authorities of its image."""
    api_key_secret: SecretReference | None = None
    """The name or the ARN of an existing secret in Secrets Manager whose value is the server's API key. The proxy sends it as
    ``Authorization: Bearer …`` to this server only. Omitted: requests have no key."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group: one host may have several model servers on different ports."""
        return f"{self.host_name}:{self.port}"


class PrivateUpstream(PrivateServer):
    """An OpenAI-compatible server (for example vLLM) in this VPC, in a peered one or behind AWS PrivateLink, reached over
    TLS."""

    kind: Literal["private"]
    """``private`` for this kind of upstream."""


class GatewayUpstream(Section):
    """Amazon Bedrock's Converse and Messages APIs in the stack's region, for models without Chat Completions, such as
    Claude and Nova: a private service of this stack, LiteLLM, translates. Declaring one creates the service."""

    kind: Literal["gateway"]
    """``gateway`` for this kind of upstream."""
    region: AwsRegion
    """The stack's region. Use cross-region inference profiles for capacity in other regions."""
    destination_regions: tuple[AwsRegion, ...] = ()
    """As for a ``bedrock`` upstream: the regions to which Bedrock may send a prompt to the group's inference profiles."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group."""
        return f"gateway to bedrock in {self.region}"


class ExternalUpstream(Section):
    """A model provider on the internet with an OpenAI-compatible API. **Prompts leave AWS.** Declaring one creates the egress
    proxy, the only way from the VPC to the internet, in separate subnets with NAT gateways."""

    kind: Literal["external"]
    """``external`` for this kind of upstream."""
    host_name: HostName
    """The host of the provider's API. Only it can be reached, on port 443 only, and its certificate must be one of a public CA
    for this name."""
    path_prefix: Annotated[
        str,
        StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]{1,64}){1,8}$"),
        Field(
            description="a path without its last slash, for example /v1 or /api/v1",
            json_schema_extra={"fix": "write the part of the provider's URL between host and /chat/completions"},
        ),
    ] = "/v1"
    """The path below which the provider serves ``/chat/completions``."""
    api_key_secret: SecretReference
    """The name or the ARN of an existing secret in Secrets Manager whose value is the provider's API key. The proxy sends it as
    ``Authorization: Bearer …`` to this upstream only."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group."""
        return f"{self.host_name}:{self.port}"

    @property
    def port(self) -> int:
        """The TCP port of every provider."""
        return 443


Upstream = Annotated[
    BedrockUpstream | MantleUpstream | ExternalUpstream | GatewayUpstream | PrivateUpstream, Field(discriminator="kind")
]


def model_region(upstream: Upstream) -> str | None:
    """The region whose Bedrock the upstream calls, by any endpoint; ``None`` for an upstream that does not call Bedrock."""
    match upstream:
        case BedrockUpstream() | GatewayUpstream() | MantleUpstream():
            return upstream.region
        case PrivateUpstream() | ExternalUpstream():
            return None
        case _:
            assert_never(upstream)


def bedrock_region(upstream: Upstream) -> str | None:
    """The region whose ``bedrock-runtime`` the upstream calls, with the guardrail; ``None`` for any other upstream."""
    match upstream:
        case BedrockUpstream() | GatewayUpstream():
            return upstream.region
        case MantleUpstream() | PrivateUpstream() | ExternalUpstream():
            return None
        case _:
            assert_never(upstream)


def server_of(upstream: Upstream) -> PrivateUpstream | ExternalUpstream | None:
    """The upstream itself if it names a server, with a host name and perhaps an API key; ``None`` for one inside AWS."""
    match upstream:
        case PrivateUpstream() | ExternalUpstream():
            return upstream
        case BedrockUpstream() | GatewayUpstream() | MantleUpstream():
            return None
        case _:
            assert_never(upstream)


def internet_host(upstream: Upstream) -> str | None:
    """The upstream's host if it is on the internet, where only the egress proxy can connect; ``None`` for any other."""
    match upstream:
        case ExternalUpstream():
            return upstream.host_name
        case BedrockUpstream() | GatewayUpstream() | MantleUpstream() | PrivateUpstream():
            return None
        case _:
            assert_never(upstream)


def calls_gateway(upstream: Upstream) -> bool:
    """Whether the upstream's requests go through the stack's gateway, which exists only if one does."""
    match upstream:
        case GatewayUpstream():
            return True
        case BedrockUpstream() | MantleUpstream() | PrivateUpstream() | ExternalUpstream():
            return False
        case _:
            assert_never(upstream)


def behind_profile(model: str) -> str | None:
    """The model behind a cross-region inference profile; ``None`` for the id of a model."""
    return None if profile_area(model) is None else foundation_model(model)


def check_profiles(models: tuple[str, ...], upstream: BedrockUpstream | GatewayUpstream, key: str, place: int) -> None:
    """Check the cross-region inference profiles of the group at ``key`` against its upstream at ``place``."""
    areas = {model: area for model in models if (area := profile_area(model)) is not None}
    for model, area in areas.items():
        check(
            upstream.region.startswith(PROFILE_SOURCES[area]),
            key=f"{key}.models",
            value=model,
            allowed=f"profiles that can be called from {upstream.region}: those that begin with {area}. exist in regions "
            f"that begin with {', '.join(PROFILE_SOURCES[area])}",
            fix=f"use the profile of the area of {upstream.region}, or {GLOBAL_PROFILES}.{foundation_model(model)}; Bedrock's "
            "page of the model lists its profiles",
        )
    listed, needed = upstream.destination_regions, sorted(m for m, area in areas.items() if area != GLOBAL_PROFILES)
    check(
        len(set(listed)) == len(listed) and bool(listed) == bool(needed),
        key=f"{key}.upstreams[{place}].destinationRegions",
        value=", ".join(listed) or "(not set)",
        allowed=f"each region to which {', '.join(needed)} may send a prompt, once: a call that Bedrock routes to a region "
        "without permission fails"
        if needed
        else "nothing: the group offers no inference profile but global ones, which need no list",
        fix="list the destination regions that Bedrock's page of the model gives for this source region"
        if needed
        else "remove it",
    )


_VERSION = re.compile(r"(-v?\d+)?:\d+$")
"""Ends the ids of models at ``bedrock-runtime``, such as ``-1:0`` and ``-v1:0``."""


def check_mantle_ids(models: tuple[str, ...], key: str) -> None:
    """Check that each model of the group at ``key`` is named as ``bedrock-mantle`` names it."""
    for model in models:
        own = _VERSION.sub("", foundation_model(model))
        check(
            own == model,
            key=f"{key}.models",
            value=model,
            allowed="ids without the prefix of an inference profile and without a version: bedrock-mantle knows no others",
            fix=f"write {own}, or use an upstream of kind bedrock or gateway",
        )


def check_private(upstream: PrivateServer, key: str) -> None:
    """Check that the private server at ``key`` states one way to the server and a CA that can have signed for its name."""
    ways = [upstream.security_group_id, upstream.endpoint_service]
    check(
        ways.count(None) == 1,
        key=f"{key}.securityGroupId",
        value=None if upstream.security_group_id is None else "securityGroupId and endpointService",
        allowed="exactly one of securityGroupId (a server in this VPC or a peered one) and endpointService (a server in another "
        "VPC, behind AWS PrivateLink)",
        fix=f"set {key}.securityGroupId or {key}.endpointService"
        if upstream.security_group_id is None
        else "remove one of the two",
    )
    top_level = upstream.host_name.rpartition(".")[2]
    check(
        upstream.ca_certificate is not None or top_level not in _NOT_PUBLIC,
        key=f"{key}.caCertificate",
        allowed=f"the certificate of the CA that signed the one of {upstream.host_name}: no public CA signs a name in "
        f".{top_level}, so the certificate authorities of the proxy's image cannot verify it",
        fix="paste your CA's certificate below the key, after a |",
    )


_OF_AWS = ("amazonaws.com", "amazonaws.com.cn", "api.aws")


def check_external(upstream: ExternalUpstream, key: str) -> None:
    """Check that the provider at ``key`` is on the internet, and not AWS."""
    top_level = upstream.host_name.rpartition(".")[2]
    check(
        top_level not in _NOT_PUBLIC,
        key=f"{key}.hostName",
        value=upstream.host_name,
        allowed="a public host name of a provider, such as api.example.com",
        fix="write the host of the provider's API; a server in your network is an upstream of kind private",
    )
    check(
        not any(upstream.host_name == domain or upstream.host_name.endswith(f".{domain}") for domain in _OF_AWS),
        key=f"{key}.hostName",
        value=upstream.host_name,
        allowed="a host that is not AWS's: Bedrock is reached through its VPC endpoints, without a key",
        fix="use an upstream of kind bedrock, bedrockMantle or gateway",
    )
