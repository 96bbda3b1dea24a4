"""What an edge is told: names, identity provider, paths, time limits and logs."""

from enum import StrEnum
from ipaddress import IPv4Network
from itertools import permutations
from typing import Self

import pulumi
from pydantic import Field, model_validator

from components.applications.catalogue import default_preset
from components.args import Args
from components.edge.rules import LOGIN_CALLBACK, edge_rules, offers
from components.network.addresses import WORLD

LONGEST_ACCESS_LOG_RETENTION_DAYS = 30

MOST_CLIENT_BLOCKS = 29
"""Each needs two rules (80 and 443) of the 60 that a security group takes (VPC quota), beside that on path MTU discovery."""


class TlsPolicy(StrEnum):
    """Which TLS clients must speak; both agree on keys in a way that holds against quantum computers where they can."""

    TLS_1_2_RESTRICTED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    """TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only."""
    TLS_1_3_ONLY = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    """TLS 1.3 only: shuts out clients from before about 2019."""


class OidcArgs(Args):
    """The OIDC client with which people log in. Every endpoint is a full https URL and publicly resolvable."""

    issuer: str
    """The identity provider's issuer."""
    authorization_endpoint: str
    """Where browsers are sent to log in."""
    token_endpoint: str
    """Called by the load balancer itself."""
    user_info_endpoint: str
    """Called by the load balancer itself; its answer becomes the claims."""
    client_id: str
    """The OIDC client's id."""
    client_secret: pulumi.Output[str]
    """The OIDC client's secret; kept secret in state, plan and outputs."""
    scopes: list[str] = Field(default_factory=lambda: ["openid", "email", "profile"])
    """Scopes asked for. Omitted: openid, email and profile."""
    session_cookie_name: str = "AWSELBAuthSessionCookie"
    """The session cookie's name; AWS appends the shard's number."""
    session_timeout_seconds: int = Field(default=28_800, ge=1, le=604_800)
    """How long a login lasts. Omitted: eight hours."""
    extra_parameters: dict[str, str] = Field(default_factory=dict[str, str], max_length=10)
    """Further parameters of the authorization request. Omitted: none."""

    @model_validator(mode="after")
    def _is_openid_by_tls(self) -> Self:
        for field in ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint"):
            if not getattr(self, field).startswith("https://"):
                raise ValueError(f"{field} is {getattr(self, field)!r}: a full https URL is needed")
        if "openid" not in self.scopes:
            raise ValueError(f"scopes are {' '.join(self.scopes)}: openid is needed; add it")
        return self


class ClaimFormat(StrEnum):
    """How a claim is written in the token."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


ALWAYS_CHECKED_CLAIMS = frozenset({"exp", "iss", "nbf", "iat"})


class TokenClaimArgs(Args):
    """A claim that a machine client's token must hold."""

    name: str
    """The claim's name. The load balancer always checks exp, iss, nbf and iat and refuses them here."""
    values: list[str] = Field(min_length=1, max_length=10)
    """What it must hold."""
    format: ClaimFormat | None = None
    """How the token writes it. Omitted: one string for one value, a list for several."""

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        if self.name in ALWAYS_CHECKED_CLAIMS:
            raise ValueError(f"claim {self.name} is checked by the load balancer in any case: remove it")
        return self


class MachineClientsArgs(Args):
    """Programs that call models with a signed token, under a host name of their own."""

    host_name: str
    """The host name; no page or API of the application answers there."""
    issuer: str
    """Who signs the tokens (RS256)."""
    jwks_endpoint: str
    """The issuer's public keys, fetched by the load balancer."""
    audience: str
    """Required as the claim ``aud``: the load balancer has no audience check of its own."""
    audience_format: ClaimFormat = ClaimFormat.SINGLE_STRING
    """How the token writes its audience. Omitted: one string."""
    claims: list[TokenClaimArgs] = Field(default_factory=list[TokenClaimArgs], max_length=9)
    """Further required claims. Omitted: issuer, times and audience only."""
    model_paths: list[str] = Field(min_length=1)
    """Path patterns of the models, and nothing else."""
    certificate_arn: str | None = None
    """A certificate for ``host_name``. Omitted: made in the hosted zone, or the edge's own certificate covers it."""


class PathsArgs(Args):
    """Which paths are offered, in which lane. Omitted ones: Open WebUI's."""

    blocked: list[str] = Field(default_factory=lambda: list(default_preset().paths.blocked))
    """Answered 404 before anything else."""
    api: list[str] = Field(default_factory=lambda: list(default_preset().paths.api))
    """Answered 401 without a session: API, scripts, WebSocket, assets."""
    pages: list[str] = Field(default_factory=lambda: list(default_preset().paths.pages))
    """Redirected to log in without a session. ``/oauth2/idpresponse`` belongs here."""


class EdgeArgs(Args):
    """What an edge is made of."""

    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    public_subnet_ids: pulumi.Output[list[str]]
    """The public subnets, in two zones or more."""
    target_security_group_id: pulumi.Output[str]
    """The tasks' security group; the only place, besides the identity provider, that the edge talks to."""
    target_port: int = 8443
    """The port on which tasks end TLS."""
    health_check_path: str = Field(default_factory=lambda: default_preset().health_path)
    """Asked of each task over HTTPS, with the task's address as host."""
    account_id: str
    """The account whose load balancers may write to the log bucket."""
    region: str
    """The region whose load balancers may write to the log bucket."""
    host_names: list[str] = Field(min_length=1, max_length=4)
    """The names that people use, the first one first. Any other name is answered 404."""
    hosted_zone_id: str | None = None
    """A public hosted zone: certificates are validated and alias records made in it."""
    certificate_arn: str | None = None
    """A certificate of ACM in this region; needed exactly where no zone is given. DNS records are then yours to make."""
    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """Which TLS clients must speak."""
    oidc: OidcArgs
    """How people log in."""
    machine_clients: MachineClientsArgs | None = None
    """Omitted: no machine client gets in."""
    paths: PathsArgs = Field(default_factory=PathsArgs)
    """Which paths are offered."""
    client_cidr_blocks: list[str] = Field(default_factory=lambda: [WORLD], min_length=1, max_length=MOST_CLIENT_BLOCKS)
    """Where clients may come from; no block inside another. Omitted: anywhere."""
    idle_timeout_seconds: int = Field(default=120, ge=1, le=4000)
    """The longest silence on a connection, towards clients and targets: longer than a model's longest pause."""
    client_keep_alive_seconds: int = Field(default=3600, ge=60, le=604_800)
    """How long a client's connection may be reused."""
    deregistration_delay_seconds: int = Field(default=600, ge=0, le=3600)
    """How long a leaving task may finish its answers. An open WebSocket holds a deployment for all of it."""
    content_security_policy: str | None = None
    """Replaces the application's own. Omitted: the application's own stays, since a strict one can break rendering."""
    access_log_retention_days: int = Field(default=30, ge=1, le=LONGEST_ACCESS_LOG_RETENTION_DAYS)
    """Access logs hold whole request lines, query strings included: at most 30 days."""
    log_reader_arns: list[str] = Field(default_factory=list[str])
    """Roles that may read the logs (``*`` and ``?`` allowed). Omitted: nobody may, until somebody is named."""
    allow_deletion: bool = False
    """True: the load balancer can be deleted, its logs and every connection with it. Omitted: deletion is refused."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.hosted_zone_id is None) == (self.certificate_arn is None):
            raise ValueError(
                "exactly one of hosted_zone_id (certificates and records are made) and certificate_arn (both are yours) is needed"
            )
        if LOGIN_CALLBACK not in self.paths.pages:
            raise ValueError(f"paths.pages lacks {LOGIN_CALLBACK}, without which nobody can finish logging in: add it")
        if blocking := [path for path in self.paths.blocked if offers(path, LOGIN_CALLBACK)]:
            raise ValueError(f"paths.blocked has {blocking[0]!r}, which blocks {LOGIN_CALLBACK}: nobody could log in")
        if not self.health_check_path.startswith("/"):
            raise ValueError(f"health_check_path is {self.health_check_path!r}: a path starts with /")
        for one, other in permutations([IPv4Network(block) for block in self.client_cidr_blocks], 2):
            if one.subnet_of(other):
                raise ValueError(f"client_cidr_blocks has {one}, which {other} admits already: remove one of the two")
        machine = self.machine_clients
        edge_rules(
            self.host_names,
            blocked=self.paths.blocked,
            api=self.paths.api,
            pages=self.paths.pages,
            machine_host=machine.host_name if machine else None,
            machine_paths=machine.model_paths if machine else (),
        )
        return self
