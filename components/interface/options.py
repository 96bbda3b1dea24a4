"""Arguments of ``AIInterface`` for single concerns: time limits, paths, machine clients, the gateway, objectives, recipients."""

from typing import Self

import pulumi
from pydantic import Field, model_validator

from components.args import Args, Input
from components.common.aws_limits import (
    CLIENT_KEEP_ALIVE_SECONDS,
    DEREGISTRATION_SECONDS,
    FURTHER_CLAIMS,
    IDLE_SECONDS,
    PROMPT_RECORD_DAYS,
    STOP_SECONDS,
    ClaimFormat,
    TlsPolicy,
)
from components.edge.args import TokenClaimArgs
from components.monitoring.objectives import LEAST_PERCENT, MOST_PERCENT

USUAL_SILENCE_SECONDS = 120
RETRY_PAUSE_SECONDS = 1
"""The maximum time the proxy waits before it tries the next model server."""


class InterfaceTimeoutsArgs(Args):
    """The time budget of a request, in seconds. Load balancer, proxy, application and gateway are configured from it."""

    model_deadline_seconds: int = Field(default=540, ge=5, le=3500)
    """The maximum duration of a model's answer, from the call to the last byte. Less than ``stream_seconds`` and
    ``edge_idle_seconds``."""
    model_silence_seconds: int | None = Field(default=None, ge=1, le=1749)
    """How long one of several model servers may send nothing before the next one is asked. Two such waits must fit into
    ``model_deadline_seconds``. Omitted: 120, or just under half of a shorter deadline."""
    stream_seconds: int = Field(default=600, ge=10, le=3600)
    """The maximum duration of a response. At most ``deregistration_delay_seconds``."""
    deregistration_delay_seconds: int = Field(default=600, ge=10, le=DEREGISTRATION_SECONDS[1])
    """How long a deregistered task may take to finish its responses. An open WebSocket delays a deployment by this time."""
    edge_idle_seconds: int = Field(default=600, ge=10, le=IDLE_SECONDS[1])
    """How long a connection of the load balancer may be idle."""
    keep_alive_seconds: int = Field(default=650, ge=15, le=4100)
    """How long the proxy keeps idle connections from the load balancer. More than ``edge_idle_seconds``."""
    client_keep_alive_seconds: int = Field(
        default=3600, ge=CLIENT_KEEP_ALIVE_SECONDS[0], le=CLIENT_KEEP_ALIVE_SECONDS[1]
    )
    """How long a client may reuse a connection."""
    request_headers_seconds: int = Field(default=10, ge=1, le=60)
    """How long a client may take to send its headers. At most ``request_body_seconds``."""
    request_body_seconds: int = Field(default=120, ge=5, le=900)
    """How long a client may take to send its body, from the first byte of the request."""
    stop_seconds: int = Field(default=60, ge=5, le=STOP_SECONDS[1])
    """The time between SIGTERM and SIGKILL (Fargate: at most 120)."""

    @property
    def longest_silence_seconds(self) -> int:
        """The longest silence of which two, and the pause between them, fit into the deadline."""
        return (self.model_deadline_seconds - RETRY_PAUSE_SECONDS) // 2

    def silence_seconds(self, servers: int) -> int:
        """How long one of ``servers`` model servers may be silent. A single server has until the deadline."""
        if servers == 1:
            return self.model_deadline_seconds
        return self.model_silence_seconds or min(USUAL_SILENCE_SECONDS, self.longest_silence_seconds)

    @model_validator(mode="after")
    def _budget(self) -> Self:
        for field, value, holds, allowed, fix in (
            (
                "model_deadline_seconds",
                self.model_deadline_seconds,
                self.model_deadline_seconds < self.stream_seconds,
                f"less than stream_seconds ({self.stream_seconds}), because otherwise the proxy ends an answer before the deadline",
                "lower it, or raise stream_seconds",
            ),
            (
                "stream_seconds",
                self.stream_seconds,
                self.stream_seconds <= self.deregistration_delay_seconds,
                f"at most deregistration_delay_seconds ({self.deregistration_delay_seconds}), because otherwise a deployment cuts answers",
                "lower it, or raise deregistration_delay_seconds",
            ),
            (
                "model_silence_seconds",
                self.model_silence_seconds,
                (self.model_silence_seconds or 0) <= self.longest_silence_seconds,
                f"at most {self.longest_silence_seconds}, because otherwise the second server has no time to answer",
                "lower it, or raise model_deadline_seconds",
            ),
            (
                "edge_idle_seconds",
                self.edge_idle_seconds,
                self.model_deadline_seconds < self.edge_idle_seconds,
                f"more than model_deadline_seconds ({self.model_deadline_seconds}), because otherwise the load balancer ends an answer "
                "that is not streamed",
                "raise it, or lower model_deadline_seconds",
            ),
            (
                "keep_alive_seconds",
                self.keep_alive_seconds,
                self.edge_idle_seconds < self.keep_alive_seconds,
                f"more than edge_idle_seconds ({self.edge_idle_seconds}), because otherwise clients get a 502",
                "raise it, or lower edge_idle_seconds",
            ),
            (
                "request_headers_seconds",
                self.request_headers_seconds,
                self.request_headers_seconds <= self.request_body_seconds,
                f"at most request_body_seconds ({self.request_body_seconds}), which also begins with the first byte",
                "lower it, or raise request_body_seconds",
            ),
        ):
            if not holds:
                raise ValueError(f"{field} is {value}, and must be {allowed}: {fix}")
        return self


class InterfacePathsArgs(Args):
    """Paths in addition to the application's own. Every offered path requires a session; any other one returns 404."""

    blocked: list[str] = Field(default_factory=list[str], max_length=20)
    """Paths that return 404 although the application offers them, with ``*`` and ``?`` as wildcards. Omitted: none."""
    api: list[str] = Field(default_factory=list[str], max_length=20)
    """Paths called by scripts, which return 401 without a session. Omitted: none."""
    pages: list[str] = Field(default_factory=list[str], max_length=20)
    """Paths opened in a browser, which redirect to the login without a session. Omitted: none."""
    prompts: list[str] = Field(default_factory=list[str], max_length=20)
    """Prefixes of paths whose bodies contain text that users wrote. Omitted: none."""
    queries: list[str] = Field(default_factory=list[str], max_length=20)
    """Prefixes of paths whose query strings contain text that users wrote. Omitted: none."""


class InterfaceEdgeArgs(Args):
    """Options of the load balancer and the WAF. Every allowed value is safe."""

    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """The TLS policy for clients."""
    content_security_policy: str | None = Field(default=None, pattern=r"^[\x20-\x7e]{1,1024}$")
    """Replaces the application's Content-Security-Policy. Omitted: the application's header is kept."""
    log_reader_arns: Input[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """Roles that may read the access logs, which contain full request lines. Omitted: no principal can read them."""
    count_only_rules: list[str] = Field(default_factory=list[str])
    """Keys of WAF rules that count instead of blocking, so that a new rule can be observed first. Omitted: none."""
    paths: InterfacePathsArgs = InterfacePathsArgs()
    """Paths offered or blocked in addition to the application's own. Omitted: none."""


class InterfaceMachineClientsArgs(Args):
    """Programs that call the models with a signed token, under a separate host name."""

    host_name: str
    """The host name for programs. The application is not offered there."""
    issuer: str
    """The issuer that signs the tokens (RS256)."""
    jwks_endpoint: str = Field(pattern=r"^https://")
    """The URL from which the load balancer fetches the issuer's public keys."""
    audience: str
    """The required value of the ``aud`` claim."""
    audience_format: ClaimFormat = ClaimFormat.SINGLE_STRING
    """How the token encodes its audience. Omitted: a single string."""
    claims: list[TokenClaimArgs] = Field(default_factory=list[TokenClaimArgs], max_length=FURTHER_CLAIMS - 1)
    """Additional required claims. Omitted: only issuer, times and audience are checked."""
    certificate_arn: Input[str] | None = None
    """A certificate for ``host_name``. Omitted: it is created in the hosted zone, or ``certificate_arn`` of the interface covers
    the name."""


class InterfaceGatewayArgs(Args):
    """The service that translates Chat Completions for upstreams of kind ``gateway``."""

    image: str
    """LiteLLM's image by digest."""
    repository_arns: Input[list[str]]
    """The ECR repositories of this image and of the proxy's. The gateway's execution role can pull only from these."""
    cpu_units: int = 1024
    """A task's CPU, in units of 1/1024 vCPU. It uses one vCPU at most."""
    memory_mebibytes: int = Field(default=2048, ge=2048)
    """A task's memory. Must be a size that Fargate offers for this CPU."""
    minimum_tasks: int = Field(default=2, ge=1, le=100)
    """The minimum number of running tasks."""
    maximum_tasks: int = Field(default=4, ge=1, le=100)
    """The maximum number of tasks."""
    messages_models: list[str] = Field(default_factory=list[str])
    """Models of Anthropic that are called by the Messages API instead of Converse. Omitted: none."""


class InterfaceObjectivesArgs(Args):
    """Objectives over 30 days. An alarm fires when the failures that one allows are used up too fast."""

    availability_percent: float = Field(default=99.5, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of requests at the load balancer that are not answered with 5xx."""
    chat_success_percent: float = Field(default=99.0, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of chat completions that a model answers completely."""
    first_token_seconds: int = Field(default=10, ge=1, le=120)
    """The time within which a model's answer should begin."""
    first_token_percent: float = Field(default=95.0, ge=LEAST_PERCENT, le=MOST_PERCENT)
    """The share of answered chat completions that begin in time."""
    minimum_failures: int = Field(default=5, ge=2, le=1000)
    """Fewer failures in the window of an alarm never fire it."""
    canary_from_outside: bool = False
    """True: a monitor outside AWS requests ``/firewall-canary`` at least once in five minutes, and its silence is a page."""


class InterfacePromptRecordsArgs(Args):
    """Bedrock's model invocation logging, for the whole account and region. The guardrails pack reports it until an exception
    allows it."""

    days: int = Field(ge=1, le=PROMPT_RECORD_DAYS)
    """How long the records are kept."""
    reader_arns: Input[list[str]]
    """The roles that may read the records. Every other principal is denied."""
