"""Arguments of ``Edge``: host names, identity provider, paths, time limits and logs."""

from ipaddress import IPv4Network
from itertools import permutations
from typing import Self

import pulumi
from pydantic import Field, model_validator

from components.applications.catalogue import default_preset
from components.args import Args, Input
from components.common.aws_limits import (
    ACCESS_LOG_DAYS,
    CHECKED_CLAIMS,
    CLAIM_VALUES,
    CLIENT_BLOCKS,
    CLIENT_KEEP_ALIVE_SECONDS,
    DEREGISTRATION_SECONDS,
    FURTHER_CLAIMS,
    IDLE_SECONDS,
    SESSION_COOKIE,
    SESSION_SECONDS,
    ClaimFormat,
    TlsPolicy,
)
from components.edge.rules import LOGIN_CALLBACK, edge_rules, offers
from components.network.addresses import WORLD


class OidcArgs(Args):
    """The OIDC client of the login. Every endpoint is a full https URL that resolves publicly."""

    issuer: str
    """The identity provider's issuer URL."""
    authorization_endpoint: str
    """The endpoint to which browsers are redirected to log in."""
    token_endpoint: str
    """The token endpoint, called by the load balancer."""
    user_info_endpoint: str
    """The user-info endpoint, called by the load balancer. Its response contains the claims."""
    client_id: Input[str]
    """The OIDC client's id."""
    client_secret: pulumi.Output[str]
    """The OIDC client's secret, which is a Pulumi secret in state, plan and outputs."""
    scopes: list[str] = Field(default_factory=lambda: ["openid", "email", "profile"])
    """The requested scopes. Omitted: openid, email and profile."""
    session_cookie_name: str = SESSION_COOKIE
    """The session cookie's name; AWS appends the number of the cookie's part."""
    session_timeout_seconds: int = Field(default=28_800, ge=SESSION_SECONDS[0], le=SESSION_SECONDS[1])
    """How long a login is valid. Omitted: eight hours."""
    extra_parameters: dict[str, str] = Field(default_factory=dict[str, str], max_length=10)
    """Additional parameters of the authorization request. Omitted: none."""

    @model_validator(mode="after")
    def _is_openid_by_tls(self) -> Self:
        for field in ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint"):
            if not getattr(self, field).startswith("https://"):
                raise ValueError(f"{field} is {getattr(self, field)!r}: it must be a full https URL")
        if "openid" not in self.scopes:
            raise ValueError(f"scopes are {' '.join(self.scopes)}: add openid, which is required")
        return self


class TokenClaimArgs(Args):
    """A claim that a machine client's token must have."""

    name: str
    """The claim's name. exp, iss, nbf and iat are refused here, because the load balancer always checks them."""
    values: list[str] = Field(min_length=1, max_length=CLAIM_VALUES)
    """The accepted values; one of them is enough."""
    format: ClaimFormat | None = None
    """How the token encodes the claim. Omitted: a single string for one value, an array for several values."""

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        if self.name in CHECKED_CLAIMS:
            raise ValueError(f"claim {self.name} is always checked by the load balancer: remove it")
        return self


class MachineClientsArgs(Args):
    """Programs that call models with a signed token, under a separate host name."""

    host_name: str
    """The host name. The application is not offered there."""
    issuer: str
    """The issuer that signs the tokens (RS256)."""
    jwks_endpoint: str
    """The URL from which the load balancer fetches the issuer's public keys."""
    audience: str
    """The required value of the ``aud`` claim. The ALB checks the audience only if a rule requires it."""
    audience_format: ClaimFormat = ClaimFormat.SINGLE_STRING
    """How the token encodes its audience. Omitted: a single string."""
    claims: list[TokenClaimArgs] = Field(default_factory=list[TokenClaimArgs], max_length=FURTHER_CLAIMS - 1)
    """Additional required claims. Omitted: only issuer, times and audience are checked."""
    model_paths: list[str] = Field(min_length=1)
    """The only path patterns that are offered there."""
    certificate_arn: Input[str] | None = None
    """A certificate for ``host_name``. Omitted: it is created in the hosted zone, or the edge's certificate covers the
    name."""


class PathsArgs(Args):
    """The offered paths, and the response for each without a session. Omitted: the paths of Open WebUI."""

    blocked: list[str] = Field(default_factory=lambda: list(default_preset().paths.blocked))
    """Paths that return 404, even if the other lists offer them. Omitted: Open WebUI's."""
    api: list[str] = Field(default_factory=lambda: list(default_preset().paths.api))
    """Paths that return 401 without a session: API, scripts, WebSocket, assets. Omitted: Open WebUI's."""
    pages: list[str] = Field(default_factory=lambda: list(default_preset().paths.pages))
    """Paths that redirect to the login without a session. They must include ``/oauth2/idpresponse``.
    Omitted: Open WebUI's."""


class EdgeArgs(Args):
    """Arguments of ``Edge``."""

    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    public_subnet_ids: pulumi.Output[list[str]]
    """The public subnets, in at least two zones."""
    target_security_group_id: pulumi.Output[str]
    """The tasks' security group. It and the identity provider are the only destinations of the edge."""
    target_port: int = 8443
    """The port on which tasks terminate TLS."""
    health_check_path: str = Field(default_factory=lambda: default_preset().health_path)
    """The path that health checks request from each task over HTTPS, with the task's address as host."""
    account_id: str
    """The account whose load balancers may write to the log bucket."""
    region: str
    """The region whose load balancers may write to the log bucket."""
    host_names: list[str] = Field(min_length=1, max_length=4)
    """The public host names, the primary one first. Requests for any other host name get a 404."""
    hosted_zone_id: Input[str] | None = None
    """A public hosted zone, in which validation and alias records are created. Omitted: ``certificate_arn`` is required."""
    certificate_arn: Input[str] | None = None
    """An ACM certificate in this region, if no zone is given; you then create the DNS records. Omitted: ``hosted_zone_id`` is
    required."""
    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """The TLS policy for clients."""
    oidc: OidcArgs
    """The login."""
    machine_clients: MachineClientsArgs | None = None
    """Machine clients. Omitted: no machine client has access."""
    paths: PathsArgs = Field(default_factory=PathsArgs)
    """The offered paths. Omitted: Open WebUI's."""
    client_cidr_blocks: list[str] = Field(default_factory=lambda: [WORLD], min_length=1, max_length=CLIENT_BLOCKS)
    """The client networks that may connect. No block may contain another. Omitted: any address."""
    idle_timeout_seconds: int = Field(default=600, ge=IDLE_SECONDS[0], le=IDLE_SECONDS[1])
    """How long a connection may be idle, towards clients and targets. It must exceed a model's longest pause."""
    client_keep_alive_seconds: int = Field(
        default=3600, ge=CLIENT_KEEP_ALIVE_SECONDS[0], le=CLIENT_KEEP_ALIVE_SECONDS[1]
    )
    """How long a client may reuse a connection."""
    deregistration_delay_seconds: int = Field(default=600, ge=DEREGISTRATION_SECONDS[0], le=DEREGISTRATION_SECONDS[1])
    """How long a deregistered task may take to finish its responses. An open WebSocket delays a deployment by this
    time."""
    content_security_policy: str | None = None
    """Replaces the application's Content-Security-Policy. Omitted: the application's header is kept, because a stricter
    one can break pages."""
    access_log_retention_days: int = Field(default=30, ge=1, le=ACCESS_LOG_DAYS)
    """How long access logs are kept, at most 30 days: they contain full request lines with query strings."""
    log_reader_arns: Input[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """Roles that may read the logs; ``*`` and ``?`` are wildcards. Omitted: no principal can read them."""
    allow_deletion: bool = False
    """True: the load balancer and its logs may be deleted. Omitted: deletion is refused."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.hosted_zone_id is None) == (self.certificate_arn is None):
            raise ValueError(
                "set exactly one of hosted_zone_id (certificates and records are created) and certificate_arn (you provide both)"
            )
        if LOGIN_CALLBACK not in self.paths.pages:
            raise ValueError(f"paths.pages does not contain {LOGIN_CALLBACK}, so no login could complete: add it")
        if blocking := [path for path in self.paths.blocked if offers(path, LOGIN_CALLBACK)]:
            raise ValueError(
                f"paths.blocked contains {blocking[0]!r}, which blocks {LOGIN_CALLBACK}, so no login could complete: remove it"
            )
        if not self.health_check_path.startswith("/"):
            raise ValueError(f"health_check_path is {self.health_check_path!r}: a path must start with /")
        for one, other in permutations([IPv4Network(block) for block in self.client_cidr_blocks], 2):
            if one.subnet_of(other):
                raise ValueError(f"client_cidr_blocks contains {one}, which is part of {other}: remove one of the two")
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
