"""Arguments of ``Firewall``: limits, paths, headers, cookies, and rules in count mode."""

from typing import Self

import pulumi
from pydantic import Field, model_validator

from components.applications.catalogue import default_preset
from components.args import Args
from components.common.aws_limits import MOST_OFFICE_BLOCKS, RATE, SESSION_COOKIE
from components.waf.rules import Application, Limits, firewall_rules
from components.waf.table import CAPACITY_IN_BASE_PRICE, HIGHEST_CAPACITY, Rule, check_table, observe


class FirewallLimitsArgs(Args):
    """Sizes in bytes, and rates. The response to a refused request states the limit."""

    prompt_bytes: int = Field(default=2 * 1024 * 1024, ge=1)
    """The maximum declared body, except on upload paths."""
    upload_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    """The maximum declared body on upload paths."""
    cookie_bytes: int = Field(default=16_384, ge=4096)
    """The maximum size of a request's cookies in total."""
    header_bytes: int = Field(default=32_768, ge=1024)
    """The maximum size of all headers, which the proxy enforces. The WAF limits each individual header."""
    query_bytes: int = Field(default=4096, ge=512)
    """The maximum query string. The login callback may always have 8,192 bytes."""
    uri_bytes: int = Field(default=2048, ge=256)
    """The path."""
    pages_per_five_minutes: int = Field(default=3000, ge=RATE[0], le=RATE[1])
    """For each session: requests other than uploads, model calls and static files."""
    uploads_per_five_minutes: int = Field(default=100, ge=RATE[0], le=RATE[1])
    """For each session: uploads."""
    model_calls_per_five_minutes: int = Field(default=300, ge=RATE[0], le=RATE[1])
    """For each session: model calls."""
    address_pages_per_five_minutes: int = Field(default=30_000, ge=RATE[0], le=RATE[1])
    """For each client address, which can be a whole office: requests other than uploads, model calls and static files.
    """
    address_uploads_per_five_minutes: int = Field(default=1000, ge=RATE[0], le=RATE[1])
    """For each client address: uploads."""
    address_model_calls_per_five_minutes: int = Field(default=6000, ge=RATE[0], le=RATE[1])
    """For each client address: model calls."""
    address_static_per_five_minutes: int = Field(default=60_000, ge=RATE[0], le=RATE[1])
    """For each client address: static files."""
    office_uploads_per_five_minutes: int = Field(default=8_000, ge=RATE[0], le=RATE[1])
    """For each address of ``office_cidr_blocks``: uploads."""
    office_model_calls_per_five_minutes: int = Field(default=40_000, ge=RATE[0], le=RATE[1])
    """For each address of ``office_cidr_blocks``: model calls."""
    office_requests_per_five_minutes: int = Field(default=720_000, ge=RATE[0], le=RATE[1])
    """For each address of ``office_cidr_blocks``: all other requests, with static files."""


class FirewallArgs(Args):
    """Arguments of ``Firewall``."""

    load_balancer_arn: pulumi.Output[str]
    """The load balancer that the web ACL protects."""
    account_id: str
    """The account whose WAF may write to the log."""
    region: str
    """The region whose WAF may write to the log."""
    limits: FirewallLimitsArgs = Field(default_factory=FirewallLimitsArgs)
    """Sizes and rates. Omitted: the defaults of each."""
    upload_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.uploads))
    """Prefixes of paths that accept files. Omitted: Open WebUI's."""
    model_call_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.model_calls))
    """Prefixes of paths that call a model. Omitted: Open WebUI's."""
    prompt_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.prompts))
    """Prefixes of other paths whose bodies contain text that users wrote. Omitted: Open WebUI's."""
    fixed_body_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.fixed_bodies))
    """Prefixes below these for paths whose bodies never contain such text. Omitted: Open WebUI's."""
    query_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.queries))
    """Prefixes of paths whose queries contain text that users wrote; ``/`` is the start page alone. Omitted: Open WebUI's.
    Empty: there are none, and every managed rule about queries blocks."""
    static_paths: list[str] = Field(default_factory=lambda: list(default_preset().paths.static))
    """Prefixes of static files, which have a separate rate limit. Omitted: Open WebUI's. Empty: there are none."""
    office_cidr_blocks: list[str] = Field(default_factory=list[str], max_length=MOST_OFFICE_BLOCKS)
    """Networks whose users share few addresses. Their addresses have the limits of ``office_*`` in place of those for any
    other address; sessions are counted as everywhere. Omitted: none."""
    methods: list[str] = Field(default_factory=lambda: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    """The allowed methods."""
    trusted_headers: list[str] = Field(
        default_factory=lambda: ["x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity"]
    )
    """Headers that only the edge and the proxy may set. A request with one of them is refused."""
    session_cookie_name: str = SESSION_COOKIE
    """The load balancer's session cookie, without the suffix of its parts."""
    protected_cookies: list[str] = Field(default_factory=lambda: list(default_preset().session_cookie_names))
    """Additional cookies that are redacted in logs. Omitted: Open WebUI's."""
    count_only_rules: list[str] = Field(default_factory=list[str])
    """Keys of rules that count instead of blocking, so that a new rule can be observed first. Omitted: none."""
    capacity_limit: int = Field(default=CAPACITY_IN_BASE_PRICE, ge=1, le=HIGHEST_CAPACITY)
    """The maximum capacity units of the rules. Omitted: the number included in the base price."""
    log_retention_days: int
    """How long the log is kept, in days. Must be a value that CloudWatch Logs accepts."""
    log_key_arn: pulumi.Output[str] | None = None
    """The KMS key of the log group. Omitted: CloudWatch Logs encrypts it with an AWS-owned key."""
    tags: dict[str, str]
    """Tags of every resource."""

    def rules(self, office_networks: pulumi.Input[str] = "") -> tuple[Rule, ...]:
        """The table of rules for these arguments. ``office_networks``: the ARN of the IP set of ``office_cidr_blocks``."""
        return observe(
            firewall_rules(
                Limits(
                    prompt_bytes=self.limits.prompt_bytes,
                    upload_bytes=self.limits.upload_bytes,
                    cookie_bytes=self.limits.cookie_bytes,
                    header_bytes=self.limits.header_bytes,
                    query_bytes=self.limits.query_bytes,
                    uri_bytes=self.limits.uri_bytes,
                    pages_per_window=self.limits.pages_per_five_minutes,
                    uploads_per_window=self.limits.uploads_per_five_minutes,
                    model_calls_per_window=self.limits.model_calls_per_five_minutes,
                    address_pages_per_window=self.limits.address_pages_per_five_minutes,
                    address_uploads_per_window=self.limits.address_uploads_per_five_minutes,
                    address_model_calls_per_window=self.limits.address_model_calls_per_five_minutes,
                    address_static_per_window=self.limits.address_static_per_five_minutes,
                    office_uploads_per_window=self.limits.office_uploads_per_five_minutes,
                    office_model_calls_per_window=self.limits.office_model_calls_per_five_minutes,
                    office_requests_per_window=self.limits.office_requests_per_five_minutes,
                ),
                Application(
                    upload_paths=tuple(self.upload_paths),
                    model_call_paths=tuple(self.model_call_paths),
                    prompt_paths=tuple(self.prompt_paths),
                    fixed_body_paths=tuple(self.fixed_body_paths),
                    query_paths=tuple(self.query_paths),
                    static_paths=tuple(self.static_paths),
                    methods=tuple(self.methods),
                    trusted_headers=tuple(self.trusted_headers),
                    session_cookie=self.session_cookie_name,
                    office_networks=office_networks if self.office_cidr_blocks else None,
                ),
            ),
            self.count_only_rules,
        )

    @model_validator(mode="after")
    def _aws_takes_the_table(self) -> Self:
        check_table(self.rules(), self.capacity_limit)
        return self
