"""What one environment is: every setting of the stack, typed, validated and frozen.

This module is the only reader of ``pulumi.Config``. Defaults of nested keys live here; ``Pulumi.yaml``
describes the top-level keys and gives their types. A value that is wrong is reported by
:class:`SettingsError`, which holds *all* problems, each with the key as it is written in the stack file,
the value, what is allowed and the fix (see ``errors.py``). Values of secret keys are never echoed.

Units are in the names: ``...Seconds``, ``...Bytes``, ``...Mebibytes``, ``...Days``, ``...PerFiveMinutes``.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

from settings.errors import check

NAMESPACE = "ai-interface"
"""The project's configuration namespace: keys read ``ai-interface:<key>``."""

HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"),
    Field(description="a lower-case DNS name, for example chat.example.com"),
]
HttpsUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https://[a-z0-9.-]+(:\d{1,5})?(/[^\s?#]*)?$", max_length=2048),
    Field(description="a full https URL without query or fragment"),
]
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}$", max_length=254),
    Field(description="an e-mail address"),
]
Person = Annotated[
    str,
    StringConstraints(pattern=r"^@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?$"),
    Field(description="a GitHub user or team, for example @example/ai-platform"),
]
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$"),
    Field(description="2 to 32 lower-case letters, digits and hyphens, starting with a letter"),
]
SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$"),
    Field(description="the name of a secret in Secrets Manager, never its value"),
]
ReleaseVersion = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$"),
    Field(description="year.month.number of a manifest in releases/, for example 2026.11.1"),
]
AwsId = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[0-9a-f]{8,17}$"), Field(description="an AWS resource id")]

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch Logs accepts as ``retentionInDays`` (API reference of PutRetentionPolicy)."""


class Section(BaseModel):
    """A frozen part of the settings; YAML writes its keys in camelCase, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)


class Owner(Section):
    """Who answers for the environment. Names are GitHub users or teams: they also generate CODEOWNERS."""

    team: Slug
    """The accountable team; the ``owner`` tag of every resource."""
    contact: Email
    """Where alarms and expiry notices go (an SNS e-mail subscription)."""
    on_call: HttpsUrl
    """The page from which the on-call engineer is reached and the runbook is found."""
    release_managers: tuple[Person, ...] = Field(min_length=1)
    prompt_reviewers: tuple[Person, ...] = Field(min_length=1)
    model_reviewers: tuple[Person, ...] = Field(min_length=1)
    environment_approvers: tuple[Person, ...] = Field(min_length=1)


class Domain(Section):
    """Under which names users reach the interface."""

    host_name: HostName
    """The public name; the application's origin is ``https://<hostName>``."""
    hosted_zone_id: Annotated[str, StringConstraints(pattern=r"^Z[A-Z0-9]{5,31}$")] | None = None
    """A public Route 53 zone: the certificate is validated and the alias records are made in it."""
    certificate_arn: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$")] | None = None
    """An existing ACM certificate of the same region; needed where no zone is given."""

    @model_validator(mode="after")
    def _one_source_of_the_certificate(self) -> Self:
        check(
            (self.hosted_zone_id is None) != (self.certificate_arn is None),
            key="domain",
            allowed="exactly one of hostedZoneId (certificate and DNS records are made for you) and certificateArn (you bring both)",
            fix="set domain.hostedZoneId, or set domain.certificateArn and create the DNS record yourself",
        )
        return self


class ExistingNetwork(Section):
    """A VPC of yours to build in. Guarantees that cannot be seen from its ids are reported as not proven."""

    vpc_id: AwsId
    public_subnet_ids: tuple[AwsId, ...] = Field(min_length=2)
    private_subnet_ids: tuple[AwsId, ...] = Field(min_length=2)
    private_route_table_ids: tuple[AwsId, ...] = Field(min_length=1)


def _private_network(value: object) -> object:
    return ipaddress.IPv4Network(value) if isinstance(value, str) else value


class Network(Section):
    """The private network's addresses and zones. Changing ``cidrBlock`` or removing a zone replaces subnets."""

    cidr_block: Annotated[ipaddress.IPv4Network, BeforeValidator(_private_network)]
    """An RFC 1918 block of /16 to /20; each zone gets a public /26 and a private share of the rest."""
    availability_zones: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")], ...] = Field(min_length=2, max_length=3)
    """Two or three zones by name. Written out, not looked up: a look-up's order can change and would replace subnets."""
    existing: ExistingNetwork | None = None
    """Build in a VPC that exists instead of creating one (then ``cidrBlock`` is that VPC's block)."""

    @field_validator("cidr_block")
    @classmethod
    def _is_private(cls, value: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
        rfc1918 = [ipaddress.IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
        check(
            any(value.subnet_of(n) for n in rfc1918) and 16 <= value.prefixlen <= 20,
            key="network.cidrBlock",
            value=str(value),
            allowed="a network of /16 to /20 inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            fix="choose a block that no peered network uses, for example 10.20.0.0/16",
        )
        return value

    @field_validator("availability_zones")
    @classmethod
    def _are_distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check(len(set(value)) == len(value), key="network.availabilityZones", value=", ".join(value), allowed="distinct zones", fix="name each zone once")
        return value


class Claim(Section):
    """A claim of the identity provider's user-info answer and the values that count."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_:./-]{0,127}$")]
    values: tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...] = Field(min_length=1)


class People(Section):
    """Who is meant: members by claim, by e-mail domain or by address. At least one must be given."""

    claim: Claim | None = None
    """Everyone whose claim holds one of the values (a string claim, or a list that contains it)."""
    email_domains: tuple[HostName, ...] = ()
    """Everyone with an address in one of these domains. Subdomains are not included."""
    emails: tuple[Email, ...] = ()

    @property
    def nobody(self) -> bool:
        return self.claim is None and not self.email_domains and not self.emails


class MachineClients(Section):
    """Programs that call the model path with a signed token, under a host name of their own."""

    host_name: HostName
    issuer: HttpsUrl
    jwks_endpoint: HttpsUrl
    audience: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Checked as the ``aud`` claim: the ALB itself has no audience check."""
    claims: tuple[Claim, ...] = Field(default=(), max_length=9)


class Identity(Section):
    """The OIDC client at the edge, who may enter, and who administers."""

    issuer: HttpsUrl
    authorization_endpoint: HttpsUrl
    token_endpoint: HttpsUrl
    user_info_endpoint: HttpsUrl
    end_session_endpoint: HttpsUrl | None = None
    """The identity provider's logout page; without it logout ends the edge's and the application's session only."""
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")]
    client_secret_name: SecretName
    """The Secrets Manager secret that holds the client secret (made by ``bootstrap``)."""
    scopes: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$")], ...] = ("openid", "email", "profile")
    session_cookie_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "AWSELBAuthSessionCookie"
    session_timeout_seconds: int = Field(default=28_800, ge=300, le=604_800)
    """How long a login lasts at the edge; the application's own session is never longer. AWS: 1 to 604800."""
    allowed: People
    """Who may enter. Authentication is not authorization: without this, everyone the provider knows would."""
    administrators: People
    """Who administers the application; they must be allowed in too (the proxy checks ``allowed`` first)."""
    machine_clients: MachineClients | None = None
    """Omitted: no machine client gets in."""

    @field_validator("allowed", "administrators")
    @classmethod
    def _somebody(cls, value: People, info: Any) -> People:
        check(
            not value.nobody,
            key=f"identity.{to_camel(info.field_name)}",
            value="nobody",
            allowed="at least one of claim (name and values), emailDomains, emails",
            fix=f"say who is meant, for example {to_camel(info.field_name)}: {{emailDomains: [example.com]}}",
        )
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check(
            {"openid", "email"} <= set(value),
            key="identity.scopes",
            value=" ".join(value),
            allowed="a list that has openid and email",
            fix="add the missing scope: the trusted e-mail header comes from the email claim",
        )
        return value


class Timeouts(Section):
    """One time budget for a request, in seconds; the ordering is checked as a whole."""

    model_deadline_seconds: int = Field(default=540, ge=5, le=3500)
    """The longest answer of a model, first byte to last."""
    stream_seconds: int = Field(default=600, ge=10, le=3600)
    """The longest response the proxy carries, streams included."""
    deregistration_delay_seconds: int = Field(default=600, ge=10, le=3600)
    """How long a leaving task finishes its responses (AWS: 0 to 3600). An open WebSocket holds a deploy this long."""
    edge_idle_seconds: int = Field(default=120, ge=10, le=4000)
    """ALB ``idle_timeout`` (AWS: 1 to 4000): longest silence on a connection, so longer than a model's longest pause."""
    keep_alive_seconds: int = Field(default=150, ge=15, le=4100)
    """Idle connections of proxy and application live longer than the ALB's, or clients see 502."""
    client_keep_alive_seconds: int = Field(default=3600, ge=60, le=604_800)
    """ALB ``client_keep_alive`` (AWS: 60 to 604800)."""
    request_headers_seconds: int = Field(default=10, ge=1, le=60)
    """How long a client may take to send its headers."""
    request_body_seconds: int = Field(default=120, ge=5, le=900)
    """How long a client may take to send its body."""
    stop_seconds: int = Field(default=60, ge=5, le=120)
    """Between SIGTERM and SIGKILL (Fargate: at most 120); not part of the ordering."""

    @model_validator(mode="after")
    def _budget(self) -> Self:
        order = f"modelDeadlineSeconds ({self.model_deadline_seconds}) < streamSeconds ({self.stream_seconds}) <= deregistrationDelaySeconds ({self.deregistration_delay_seconds})"
        check(
            self.model_deadline_seconds < self.stream_seconds <= self.deregistration_delay_seconds,
            key="limits.timeouts",
            value=order,
            allowed="modelDeadlineSeconds < streamSeconds <= deregistrationDelaySeconds, so that neither the proxy nor a deploy cuts an answer",
            fix="raise the later ones or lower the earlier ones",
        )
        check(
            self.edge_idle_seconds < self.keep_alive_seconds,
            key="limits.timeouts.keepAliveSeconds",
            value=str(self.keep_alive_seconds),
            allowed=f"more than edgeIdleSeconds ({self.edge_idle_seconds}), or clients see 502 when the target closes first",
            fix=f"set it to {self.edge_idle_seconds + 30} or more",
        )
        return self


class RateLimits(Section):
    """Requests in five minutes for one client address (and for one session) before it is answered 429. AWS: at least 10."""

    pages_per_five_minutes: int = Field(default=3000, ge=10, le=2_000_000)
    uploads_per_five_minutes: int = Field(default=100, ge=10, le=2_000_000)
    model_calls_per_five_minutes: int = Field(default=300, ge=10, le=2_000_000)


class Limits(Section):
    """Payload, header, time and rate limits: written once here, enforced at firewall, edge, proxy and application."""

    prompt_mebibytes: int = Field(default=2, ge=1, le=16)
    """Largest body of a prompt or any other API call."""
    upload_mebibytes: int = Field(default=50, ge=1, le=512)
    """Largest uploaded file, as the body's size. The proxy does not buffer it; the application stores it."""
    cookie_bytes: int = Field(default=16_384, ge=4_096, le=65_536)
    """All cookies of a request. ALB session cookies come in shards of 4 KB, at most 11 KB of claims and token."""
    header_bytes: int = Field(default=32_768, ge=8_192, le=65_536)
    """All request headers (ALB: 64 KB)."""
    query_bytes: int = Field(default=4_096, ge=512, le=8_192)
    """The query string; OIDC callbacks carry code and state in it."""
    uri_bytes: int = Field(default=2_048, ge=256, le=8_192)
    """The path."""
    rates: RateLimits = RateLimits()
    timeouts: Timeouts = Timeouts()

    @model_validator(mode="after")
    def _prompt_is_not_larger_than_upload(self) -> Self:
        check(
            self.prompt_mebibytes <= self.upload_mebibytes,
            key="limits.promptMebibytes",
            value=str(self.prompt_mebibytes),
            allowed=f"at most limits.uploadMebibytes ({self.upload_mebibytes})",
            fix="lower promptMebibytes or raise uploadMebibytes",
        )
        return self


FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
"""Task memory in MiB that Fargate accepts for each number of CPU units (ECS developer guide, task size)."""


class Architecture(StrEnum):
    X86_64 = "X86_64"
    ARM64 = "ARM64"


class Capacity(Section):
    """How large the service is. One task until state is shared: a second one would not see the first one's files."""

    cpu_units: int = Field(default=1024)
    memory_mebibytes: int = Field(default=4096)
    ephemeral_gibibytes: int = Field(default=30, ge=21, le=200)
    architecture: Architecture = Architecture.X86_64
    minimum_tasks: int = Field(default=1, ge=1, le=1)
    maximum_tasks: int = Field(default=1, ge=1, le=1)

    @model_validator(mode="after")
    def _fits_fargate(self) -> Self:
        check(
            self.cpu_units in FARGATE_MEMORY,
            key="capacity.cpuUnits",
            value=str(self.cpu_units),
            allowed=", ".join(map(str, FARGATE_MEMORY)),
            fix="choose one of the sizes that Fargate offers",
        )
        allowed = FARGATE_MEMORY[self.cpu_units]
        check(
            self.memory_mebibytes in allowed,
            key="capacity.memoryMebibytes",
            value=str(self.memory_mebibytes),
            allowed=f"for {self.cpu_units} CPU units {allowed[0]} to {allowed[-1]} in Fargate's steps: {', '.join(map(str, allowed))}",
            fix=f"set it to {min(allowed, key=lambda m: abs(m - self.memory_mebibytes))}",
        )
        return self


class BedrockUpstream(Section):
    """Amazon Bedrock's OpenAI-compatible Chat Completions API in one region, reached by interface endpoint."""

    kind: Literal["bedrock"]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class PrivateUpstream(Section):
    """An OpenAI-compatible server (for example vLLM) in this VPC or a peered one, spoken to by TLS."""

    kind: Literal["private"]
    host_name: HostName
    port: int = Field(default=443, ge=1, le=65_535)
    security_group_id: AwsId
    """The server's security group; the task's egress is to this group and port only."""
    ca_certificate: Annotated[str, StringConstraints(pattern=r"^-----BEGIN CERTIFICATE-----\n")]
    """PEM of the authority that signed the server's certificate (public, not a secret)."""


Upstream = Annotated[BedrockUpstream | PrivateUpstream, Field(discriminator="kind")]


class ModelGroup(Section):
    """Models that the interface offers under one base path, and who serves them, in order of failover."""

    name: Slug
    """The base path: ``/<name>/v1`` on the proxy's outbound listener."""
    models: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")], ...] = Field(min_length=1)
    """Model ids. Every upstream of the group serves all of them, since bodies are not rewritten."""
    upstreams: tuple[Upstream, ...] = Field(min_length=1)


class Models(Section):
    """Where prompts may go: nothing that is not declared here is reachable."""

    groups: tuple[ModelGroup, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _group_names_are_distinct(self) -> Self:
        names = [g.name for g in self.groups]
        check(len(set(names)) == len(names), key="models.groups", value=", ".join(names), allowed="distinct names", fix="rename one of the groups")
        return self


class Retention(Section):
    """How long logs are kept, in days."""

    application_log_days: int = 90
    flow_log_days: int = 90
    firewall_log_days: int = 90
    edge_access_log_days: int = Field(default=30, ge=1, le=30)
    """ALB access logs hold whole request lines, query strings included: at most 30 days."""

    @field_validator("application_log_days", "flow_log_days", "firewall_log_days")
    @classmethod
    def _accepted_by_cloudwatch(cls, value: int, info: Any) -> int:
        check(
            value in LOG_RETENTION_DAYS,
            key=f"retention.{to_camel(info.field_name)}",
            value=str(value),
            allowed="what CloudWatch Logs accepts: " + ", ".join(map(str, LOG_RETENTION_DAYS)),
            fix=f"set it to {min(LOG_RETENTION_DAYS, key=lambda d: abs(d - value))}",
        )
        return value
