"""Limits on the size, time and rate of requests: declared once, enforced at every layer that can enforce them."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import permutations
from typing import Self

from pydantic import Field, field_validator, model_validator

from components.common.aws_limits import (
    CLIENT_KEEP_ALIVE_SECONDS,
    DEREGISTRATION_SECONDS,
    IDLE_SECONDS,
    MOST_OFFICE_BLOCKS,
    RATE,
    STOP_SECONDS,
)
from settings.errors import check, collected
from settings.values import OfficeBlock, Section, Whole

KIBIBYTE = 1024
USUAL_MODEL_SILENCE_SECONDS = 120
"""How long one of several model servers may be silent, unless the settings say otherwise or the deadline is too short."""
RETRY_PAUSE_SECONDS = 1
"""The maximum time the proxy waits before it tries the next model server
(``components.proxy.configuration.outbound``)."""


class Timeouts(Section):
    """The time budget of a request, in seconds. The values are checked against each other."""

    model_deadline_seconds: Whole = Field(default=540, ge=5, le=3500)
    """The maximum duration of a model's answer, from the call to the last byte. A model that only one server offers may be
    silent until then, as it is before a response that is not streamed."""
    model_silence_seconds: Whole | None = Field(default=None, ge=1, le=1749)
    """How long one of several model servers may send nothing before the proxy asks the next one, which then gets the same time.
    A response that is not streamed is silent until it is complete. Two such waits must fit into ``modelDeadlineSeconds``.
    Omitted: 120, or just under half of a shorter deadline. It does not apply to a model that one server offers: nothing is
    repeated after silence there."""
    stream_seconds: Whole = Field(default=600, ge=10, le=3600)
    """The maximum duration of a response through the proxy, including streams."""
    deregistration_delay_seconds: Whole = Field(default=600, ge=10, le=DEREGISTRATION_SECONDS[1])
    """How long a deregistered task may take to finish its responses (AWS: 0 to 3600). An open WebSocket delays a
    deployment by this time."""
    edge_idle_seconds: Whole = Field(default=600, ge=10, le=IDLE_SECONDS[1])
    """ALB ``idle_timeout`` (AWS: 1 to 4000): how long a connection may be idle. It must exceed ``modelDeadlineSeconds``,
    because a response that is not streamed is silent until it is complete."""
    keep_alive_seconds: Whole = Field(default=650, ge=15, le=4100)
    """How long the proxy keeps idle connections from the load balancer open. It must exceed ``edgeIdleSeconds``;
    otherwise clients get a 502."""
    client_keep_alive_seconds: Whole = Field(
        default=3600, ge=CLIENT_KEEP_ALIVE_SECONDS[0], le=CLIENT_KEEP_ALIVE_SECONDS[1]
    )
    """ALB ``client_keep_alive``: how long a client may keep a connection open (AWS: 60 to 604800)."""
    request_headers_seconds: Whole = Field(default=10, ge=1, le=60)
    """How long a client may take to send its headers."""
    request_body_seconds: Whole = Field(default=120, ge=5, le=900)
    """How long a client may take to send its body."""
    stop_seconds: Whole = Field(default=60, ge=5, le=STOP_SECONDS[1])
    """Time between SIGTERM and SIGKILL (Fargate: at most 120). It is not compared with the other timeouts."""

    def silence_seconds(self, servers: int) -> int:
        """How long one of ``servers`` model servers may be silent before the next one is asked.

        Two such waits and the pause between them fit into ``model_deadline_seconds``. A third server is asked only if one of
        the first two failed sooner, or was ejected because of repeated failures. A single server has until the deadline.
        """
        if servers == 1:
            return self.model_deadline_seconds
        return self.model_silence_seconds or min(USUAL_MODEL_SILENCE_SECONDS, self._longest_silence)

    @property
    def _longest_silence(self) -> int:
        return (self.model_deadline_seconds - RETRY_PAUSE_SECONDS) // 2

    @model_validator(mode="after")
    def _budget(self) -> Self:
        model, stream, leaving = self.model_deadline_seconds, self.stream_seconds, self.deregistration_delay_seconds
        with collected():
            check(
                model < stream,
                key="limits.timeouts.modelDeadlineSeconds",
                value=str(model),
                allowed=f"less than streamSeconds ({stream}); otherwise the proxy ends a response before the model's deadline",
                fix=f"set it to {stream - 1} or less, or raise streamSeconds",
            )
            check(
                stream <= leaving,
                key="limits.timeouts.streamSeconds",
                value=str(stream),
                allowed=f"at most deregistrationDelaySeconds ({leaving}); otherwise a deployment interrupts responses",
                fix=f"set it to {leaving} or less, or raise deregistrationDelaySeconds",
            )
            check(
                (self.model_silence_seconds or 0) <= self._longest_silence,
                key="limits.timeouts.modelSilenceSeconds",
                value=str(self.model_silence_seconds),
                allowed=f"at most {self._longest_silence}: two waits and {RETRY_PAUSE_SECONDS} s between them fit into "
                f"modelDeadlineSeconds ({model}); otherwise the second server has no time to respond",
                fix=f"set it to {self._longest_silence} or less, or raise modelDeadlineSeconds",
            )
            check(
                model < self.edge_idle_seconds,
                key="limits.timeouts.edgeIdleSeconds",
                value=str(self.edge_idle_seconds),
                allowed=f"more than modelDeadlineSeconds ({model}); otherwise the load balancer ends a response that is not "
                "streamed before the model's deadline",
                fix=f"set it to {model + 60} or more, or lower modelDeadlineSeconds",
            )
            check(
                self.edge_idle_seconds < self.keep_alive_seconds,
                key="limits.timeouts.keepAliveSeconds",
                value=str(self.keep_alive_seconds),
                allowed=f"more than edgeIdleSeconds ({self.edge_idle_seconds}); otherwise clients get a 502 when the target closes the connection first",
                fix=f"set it to {self.edge_idle_seconds + 30} or more, or lower edgeIdleSeconds",
            )
            check(
                self.request_headers_seconds <= self.request_body_seconds,
                key="limits.timeouts.requestHeadersSeconds",
                value=str(self.request_headers_seconds),
                allowed=f"at most requestBodySeconds ({self.request_body_seconds}), which is also measured from the first byte",
                fix=f"set it to {self.request_body_seconds} or less, or raise requestBodySeconds",
            )
        return self


class OfficeNetworks(Section):
    """Networks whose users share few public addresses, such as an office or a VPN. Each user is counted by session there; the
    limits for one address follow from ``peopleBehindOneAddress``."""

    cidr_blocks: tuple[OfficeBlock, ...] = Field(min_length=1, max_length=MOST_OFFICE_BLOCKS)
    """The networks' public addresses, as the load balancer sees them."""
    people_behind_one_address: Whole = Field(ge=1, le=100_000)
    """The number of people who must be able to open the application and chat from one of these addresses within the same
    five minutes."""

    @field_validator("cidr_blocks")
    @classmethod
    def _are_distinct(cls, value: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        with collected():
            for one, other in permutations(value, 2):
                check(
                    not one.subnet_of(other),
                    key="limits.rates.officeNetworks.cidrBlocks",
                    value=str(one),
                    allowed=f"blocks that do not overlap: {other} already includes it",
                    fix=f"remove {one}",
                )
        return value


class RateLimits(Section):
    """Requests allowed in five minutes, for each session and for each client address; requests above the limit get a
    429. AWS: 10 or more.

    A session is one person. One address can be an office behind a NAT gateway, so the limits for an address must allow
    ``peopleBehindOneAddress`` people to open the application at the same time. They also apply to requests without a
    session or with a forged one.
    """

    pages_per_five_minutes: Whole = Field(default=3000, ge=RATE[0], le=2_000_000)
    """For each session: pages and API calls other than uploads and model calls. Static files are not counted."""
    uploads_per_five_minutes: Whole = Field(default=100, ge=RATE[0], le=2_000_000)
    """For each session: uploads."""
    model_calls_per_five_minutes: Whole = Field(default=300, ge=RATE[0], le=2_000_000)
    """For each session: model calls."""
    people_behind_one_address: Whole = Field(default=200, ge=1, le=100_000)
    """The number of people who must be able to open the application and chat from one address within the same five
    minutes."""
    address_pages_per_five_minutes: Whole = Field(default=30_000, ge=RATE[0], le=2_000_000)
    """For each client address: pages and API calls other than uploads and model calls."""
    address_uploads_per_five_minutes: Whole = Field(default=1_000, ge=RATE[0], le=2_000_000)
    """For each client address: uploads."""
    address_model_calls_per_five_minutes: Whole = Field(default=6_000, ge=RATE[0], le=2_000_000)
    """For each client address: model calls."""
    address_static_per_five_minutes: Whole = Field(default=60_000, ge=RATE[0], le=100_000_000)
    """For each client address: static files. A first visit loads more than a hundred of them."""
    office_networks: OfficeNetworks | None = None
    """Networks from which more people share an address. Omitted: none."""

    @model_validator(mode="after")
    def _an_address_holds_a_session(self) -> Self:
        with collected():
            for kind in ("pages", "uploads", "model_calls"):
                session = getattr(self, f"{kind}_per_five_minutes")
                address = getattr(self, f"address_{kind}_per_five_minutes")
                name = "".join(part.capitalize() for part in kind.split("_"))
                check(
                    session <= address,
                    key=f"limits.rates.address{name}PerFiveMinutes",
                    value=str(address),
                    allowed=f"at least {session}, the limit of a single session",
                    fix=f"set it to {session} or more, or lower the session's limit",
                )
            if self.office_networks is not None:
                people = self.people_behind_one_address
                check(
                    self.office_networks.people_behind_one_address >= people,
                    key="limits.rates.officeNetworks.peopleBehindOneAddress",
                    value=str(self.office_networks.people_behind_one_address),
                    allowed=f"at least {people}, the number of people behind any other address "
                    "(limits.rates.peopleBehindOneAddress)",
                    fix=f"set it to {people} or more, or omit officeNetworks",
                )
        return self


class Limits(Section):
    """Payload, header, time and rate limits, enforced by the WAF, the load balancer, the proxy and the application."""

    prompt_mebibytes: Whole = Field(default=2, ge=1, le=16)
    """The maximum request body of a prompt or any other API call, in MiB."""
    upload_mebibytes: Whole = Field(default=50, ge=1, le=512)
    """The maximum upload in MiB, measured as the size of the request body. The proxy streams the body; the application
    stores it."""
    cookie_bytes: Whole = Field(default=16_384, ge=4_096, le=65_536)
    """The total size of a request's cookies. The ALB splits its session cookie into parts of 4 KB, for at most 11 KB of
    claims and tokens."""
    header_bytes: Whole = Field(default=32_768, ge=8_192, le=65_536)
    """The total size of the request headers (ALB: 64 KB). A multiple of 1024, because the proxy's limit is in whole
    KiB."""
    query_bytes: Whole = Field(default=4_096, ge=512, le=8_192)
    """The maximum size of the query string. OIDC callbacks pass the code and the state in it."""
    uri_bytes: Whole = Field(default=2_048, ge=256, le=8_192)
    """The maximum size of the URL's path."""
    rates: RateLimits = RateLimits()
    timeouts: Timeouts = Timeouts()

    @model_validator(mode="after")
    def _sizes_fit_into_one_another(self) -> Self:
        with collected():
            check(
                self.prompt_mebibytes <= self.upload_mebibytes,
                key="limits.promptMebibytes",
                value=str(self.prompt_mebibytes),
                allowed=f"at most limits.uploadMebibytes ({self.upload_mebibytes})",
                fix="lower promptMebibytes or raise uploadMebibytes",
            )
            check(
                self.header_bytes % KIBIBYTE == 0,
                key="limits.headerBytes",
                value=str(self.header_bytes),
                allowed=f"a multiple of {KIBIBYTE}: the proxy's header limit is in whole KiB",
                fix=f"set it to {-(-self.header_bytes // KIBIBYTE) * KIBIBYTE}",
            )
            check(
                self.cookie_bytes <= self.header_bytes,
                key="limits.cookieBytes",
                value=str(self.cookie_bytes),
                allowed=f"at most limits.headerBytes ({self.header_bytes}): cookies are headers",
                fix="lower cookieBytes or raise headerBytes",
            )
        return self
