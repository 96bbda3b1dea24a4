"""The proxy's settings: names, limits, identity and upstreams, as plain frozen values.

Nothing here knows Pulumi. A value that is an ``Output`` in the program (the load balancer's ARN, a guardrail's id) is
resolved first: build the settings inside one ``apply``, or build them with placeholders and use ``dataclasses.replace``
there. Defaults are those of the settings model.
"""

from dataclasses import dataclass, field

from components.common.aws_limits import SESSION_COOKIE

KIBIBYTE = 1024


@dataclass(frozen=True, kw_only=True)
class ProxyPeople:
    """A set of people: one of the three selectors is enough. All empty: no one."""

    claim_name: str = ""
    """A claim of the identity provider's user-info answer; a string, or a list that contains the value."""
    claim_values: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    """Domains without subdomains, lower case."""
    emails: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no selector is set."""
        return not (self.claim_name and self.claim_values) and not self.email_domains and not self.emails


@dataclass(frozen=True, kw_only=True)
class ProxyIdentity:
    """Whose claims are trusted, who is admitted, who administers, and which headers the application gets."""

    signer_arn: str
    """The load balancer's ARN: the only signer whose claims are accepted."""
    client_id: str
    issuer: str
    allowed: ProxyPeople
    administrators: ProxyPeople
    contact: str
    """The contact on the page for people without access."""
    email_header: str = "x-user-email"
    """The application's trusted e-mail header; client-sent copies are removed."""
    name_header: str = "x-user-name"
    """The trusted display-name header, percent-encoded where a character is not printable ASCII."""
    role_header: str = "x-user-role"
    administrator_role: str = "admin"
    """The role header's value for administrators."""
    member_role: str = "user"
    """The role header's value for everyone else who is admitted."""

    @property
    def trusted_headers(self) -> tuple[str, ...]:
        """The headers that only the proxy sets."""
        return (self.email_header, self.name_header, self.role_header)


@dataclass(frozen=True, kw_only=True)
class ProxyLimits:
    """Sizes in bytes and times in seconds; every one is enforced by Envoy."""

    prompt_bytes: int = 2 * 1024 * 1024
    """Largest request body, except on upload paths."""
    upload_bytes: int = 50 * 1024 * 1024
    """Largest request body on an upload path."""
    header_bytes: int = 32 * 1024
    """All headers of a request; a multiple of 1024, since Envoy counts whole KiB."""
    request_headers_seconds: int = 10
    request_body_seconds: int = 120
    """From the first byte of a request to the last of its body."""
    idle_seconds: int = 120
    """How long a request, a response or a WebSocket may be idle."""
    keep_alive_seconds: int = 150
    """How long an idle connection from the load balancer is kept; longer than the load balancer keeps it."""
    stream_seconds: int = 600
    """The maximum duration of a response, streams included (a WebSocket: ``websocket_seconds``)."""
    websocket_seconds: int = 28_800
    """A WebSocket is authorized when it opens, so it ends with the session at the latest."""
    model_deadline_seconds: int = 540
    """The maximum duration of a model's answer, retries included."""
    model_idle_seconds: int = 59
    """How long one upstream may be silent before the next is tried: less than half of ``idle_seconds`` and of
    ``model_deadline_seconds``, which end the request, or the next has no time left to answer."""
    model_requests: int = 1024
    """Requests to one group of models that are under way at the same time, streams included; one more is 503 at once."""
    model_retries: int = 256
    """The budget of repeated attempts to one group that are under way at the same time. Once it is used up, the failing
    upstream's response is passed on. Envoy's default of 3 would break failover under load."""
    ejection_seconds: int = 10
    """How long a failing upstream is ejected; up to six times as long if it keeps failing."""
    maximum_connections: int = 4096
    """Connections from the load balancer that are accepted at the same time."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a size that Envoy would round."""
        if self.header_bytes < KIBIBYTE or self.header_bytes % KIBIBYTE:
            raise ValueError(f"header_bytes {self.header_bytes}: Envoy counts whole KiB, so write a multiple of 1024")


@dataclass(frozen=True, kw_only=True)
class ProxyApplication:
    """The application behind the proxy: what a preset knows."""

    port: int = 8080
    health_path: str = "/health"
    keep_alive_seconds: int = 5
    """When the application closes an idle connection (uvicorn: 5); the proxy closes its own earlier."""
    upload_path_prefixes: tuple[str, ...] = ()
    """Paths whose bodies may be as large as an upload."""
    websocket_path_prefixes: tuple[str, ...] = ()
    """The only paths on which a connection may be upgraded."""
    cacheable_path_prefixes: tuple[str, ...] = ()
    """Static, impersonal paths: answers from all others carry ``Cache-Control: no-store``."""
    session_cookie_names: tuple[str, ...] = ()
    """The application's own session cookies, cleared at logout."""


@dataclass(frozen=True, kw_only=True)
class ProxyLogout:
    """The logout."""

    path: str = "/logout"
    edge_cookie_name: str = SESSION_COOKIE
    """The load balancer's session cookie; its shards ``-0`` to ``-3`` are cleared."""
    redirect_url: str = ""
    """The identity provider's logout page. Empty: a page that says that the session here has ended."""


@dataclass(frozen=True, kw_only=True)
class ProxyUpstream:
    """A model server, reached over TLS; its certificate is verified for ``host_name``."""

    name: str
    """Unique; names the cluster in logs and statistics."""
    host_name: str
    port: int = 443
    address: str = ""
    """Where to connect; empty: resolve ``host_name``."""
    path_prefix: str = "/v1"
    """The path that replaces ``/<group>/v1`` there. Bedrock: ``/openai/v1``."""
    ca_certificate: str = ""
    """PEM of the authority that signed the server's certificate; empty: the authorities of the image."""
    signing_region: str = ""
    """Sign with SigV4 for this region as the task role; empty: do not sign."""
    signing_service: str = "bedrock"
    forward_authorization: bool = False
    """Pass on the application's ``Authorization``; a signed request never carries it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Set on every request, for example Bedrock's guardrail headers."""


@dataclass(frozen=True, kw_only=True)
class ProxyModelGroup:
    """Models under one base path ``/<name>/v1``, all served by every upstream, in order of failover."""

    name: str
    models: tuple[str, ...]
    upstreams: tuple[ProxyUpstream, ...]
    operations: tuple[str, ...] = ("/chat/completions",)
    """The operations that may be posted below the base path; everything else is answered 403."""


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """Everything that the proxy's configuration depends on."""

    host_names: tuple[str, ...]
    """The public names of the interface."""
    identity: ProxyIdentity
    limits: ProxyLimits = field(default_factory=ProxyLimits)
    application: ProxyApplication = field(default_factory=ProxyApplication)
    logout: ProxyLogout = field(default_factory=ProxyLogout)
    model_groups: tuple[ProxyModelGroup, ...] = ()
    machine_host_names: tuple[str, ...] = ()
    """Public host names of machine clients, which reach the model paths only; the edge validates their tokens."""
    listen_address: str = "0.0.0.0"  # noqa: S104 - the task's own interface; its security group admits the edge alone
    port: int = 8443
    model_port: int = 9080
    """The loopback port of the application's model base URL."""
    certificate_variable: str = "PROXY_CERTIFICATE"
    """The environment variable that holds the certificate (PEM with line breaks)."""
    private_key_variable: str = "PROXY_PRIVATE_KEY"
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    """The image's certificate authorities."""
    memory_bytes: int = 256 * 1024 * 1024
    """The container's memory. Before it is used up Envoy gives memory back, then answers 503 to new requests, then to
    those whose bodies are still arriving."""
    workers: int = 2
    """Threads that serve requests; Envoy alone would start one for each processor of the host."""
