"""The proxy's settings: names, limits, identity and upstreams, as plain frozen values.

This module does not depend on Pulumi. A value that is an ``Output`` in the program (the load balancer's ARN, a
guardrail's id) must be resolved first: build the settings inside one ``apply``, or build them with placeholders and use
``dataclasses.replace`` inside it. Defaults are those of the settings model.
"""

from dataclasses import dataclass, field

from components.common.aws_limits import SESSION_COOKIE

KIBIBYTE = 1024
_HTTPS_PORT = 443


CLAIM_FORMATS = ("", "json-text", "comma-separated", "space-separated", "bracketed")
"""How a claim may hold several values; the first: a text is one value, and a JSON list holds several. ``bracketed`` is Amazon
Cognito's text for a SAML attribute, ``[a, b]`` with form-encoded values."""


@dataclass(frozen=True, kw_only=True)
class ProxyPeople:
    """A set of people: one matching selector is enough. All empty: no one."""

    claim_name: str = ""
    """A claim of the identity provider's user-info response: a string, or a list that contains the value."""
    claim_values: tuple[str, ...] = ()
    claim_format: str = ""
    """One of ``CLAIM_FORMATS``: how the claim holds several values."""
    email_domains: tuple[str, ...] = ()
    """Domains without subdomains, lower case."""
    emails: tuple[str, ...] = ()
    everyone_the_provider_assigns: bool = False
    """Everyone with a session, because the identity provider lets only assigned users log in. The proxy cannot check that."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a format that the proxy does not read."""
        if self.claim_format not in CLAIM_FORMATS:
            raise ValueError(
                f"claim_format is {self.claim_format!r}: use one of {', '.join(CLAIM_FORMATS[1:])}, or none"
            )

    @property
    def empty(self) -> bool:
        """Whether no selector is set."""
        by_claim = self.claim_name and self.claim_values
        return not (by_claim or self.email_domains or self.emails or self.everyone_the_provider_assigns)


@dataclass(frozen=True, kw_only=True)
class ProxyIdentity:
    """The trusted signer of claims, the allowed users, the administrators, and the headers for the application."""

    signer_arn: str
    """The load balancer's ARN, the only signer whose claims are accepted."""
    client_id: str
    issuer: str
    allowed: ProxyPeople
    administrators: ProxyPeople
    blocked: ProxyPeople = field(default_factory=ProxyPeople)
    """People who are refused although they are allowed. Empty: no one."""
    blocked_users: tuple[str, ...] = ()
    """The same, by the id that the access log has as ``user``."""
    contact: str
    """The contact on the page for people without access."""
    required_claim_name: str = ""
    """A claim that everyone must have, whichever rule admits them. Empty: none."""
    required_claim_values: tuple[str, ...] = ()
    """Its accepted values; one of them is enough."""
    email_verified_required: bool = False
    """Whether a response without ``email_verified`` is refused like one with ``false``. For providers that always send it."""
    email_header: str = "x-user-email"
    """The application's trusted e-mail header; client-sent copies are removed."""
    name_header: str = "x-user-name"
    """The trusted display-name header. Characters other than printable ASCII are percent-encoded."""
    role_header: str = "x-user-role"
    administrator_role: str = "admin"
    """The role header's value for administrators."""
    member_role: str = "user"
    """The role header's value for all other allowed users."""

    @property
    def trusted_headers(self) -> tuple[str, ...]:
        """The headers that only the proxy sets."""
        return (self.email_header, self.name_header, self.role_header)


@dataclass(frozen=True, kw_only=True)
class ProxyLimits:
    """Sizes in bytes and times in seconds, all enforced by Envoy."""

    prompt_bytes: int = 2 * 1024 * 1024
    """The maximum request body, except on upload paths."""
    upload_bytes: int = 50 * 1024 * 1024
    """The maximum request body on an upload path."""
    header_bytes: int = 32 * 1024
    """The maximum size of all request headers. Must be a multiple of 1024, because Envoy's limit is in whole KiB."""
    request_headers_seconds: int = 10
    request_body_seconds: int = 120
    """The maximum time from the first byte of a request to the last byte of its body."""
    idle_seconds: int = 600
    """How long a request, a response or a WebSocket may be idle."""
    keep_alive_seconds: int = 650
    """How long an idle connection from the load balancer is kept. Must be longer than the load balancer's idle
    timeout."""
    stream_seconds: int = 600
    """The maximum duration of a response, streams included (a WebSocket: ``websocket_seconds``)."""
    websocket_seconds: int = 28_800
    """A WebSocket is authorized when it opens, so it ends with the session at the latest."""
    model_deadline_seconds: int = 540
    """The maximum duration of a model's answer, including retries."""
    model_idle_seconds: int = 120
    """How long one of several upstreams may be silent before the next is tried. Must be less than half of
    ``model_deadline_seconds``, which ends the request; otherwise the next upstream has no time left to respond. The only
    upstream of a group may be silent until the deadline."""
    tool_seconds: int = 60
    """The maximum duration of a search or a call of a tool."""
    model_requests: int = 1024
    """The maximum number of concurrent requests to one model group, including streams. A request above the limit gets a
    503 immediately."""
    model_retries: int = 256
    """The maximum number of concurrent retries to one group. When it is reached, the failing upstream's response is
    returned. Envoy's default of 3 would prevent failover under load."""
    ejection_seconds: int = 10
    """How long a failing upstream is ejected; up to six times as long if it keeps failing."""
    maximum_connections: int = 4096
    """The maximum number of concurrent connections from the load balancer."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a size that Envoy would round."""
        if self.header_bytes < KIBIBYTE or self.header_bytes % KIBIBYTE:
            raise ValueError(
                f"header_bytes {self.header_bytes}: Envoy's limit is in whole KiB, so use a multiple of 1024"
            )


@dataclass(frozen=True, kw_only=True)
class ProxyApplication:
    """The application behind the proxy, as its preset describes it."""

    port: int = 8080
    health_path: str = "/health"
    keep_alive_seconds: int = 5
    """The time after which the application closes an idle connection (uvicorn: 5). The proxy closes its connections
    earlier."""
    upload_path_prefixes: tuple[str, ...] = ()
    """Paths whose bodies may be as large as an upload."""
    websocket_path_prefixes: tuple[str, ...] = ()
    """The only paths that accept a protocol upgrade (WebSocket)."""
    cacheable_path_prefixes: tuple[str, ...] = ()
    """Static paths, the same for every user. Responses for all other paths have ``Cache-Control: no-store``."""
    session_cookie_names: tuple[str, ...] = ()
    """The application's own session cookies, cleared at logout."""
    user_headers: tuple[str, ...] = ()
    """The headers with which the application sends user and chat to a tool server, removed from its calls."""
    caller_header: str = ""
    """A request header that the application copies to the header ``CALLER`` of its model calls. The proxy sets it to user id and
    request id; the browser's value is lost. Empty: model calls are logged without user, under another request id."""


@dataclass(frozen=True, kw_only=True)
class ProxyLogout:
    """The logout."""

    path: str = "/logout"
    edge_cookie_name: str = SESSION_COOKIE
    """The load balancer's session cookie; its parts ``-0`` to ``-3`` are cleared at logout."""
    redirect_url: str = ""
    """The identity provider's logout page. Empty: a page states that the session here has ended."""


@dataclass(frozen=True, kw_only=True)
class ProxyUpstream:
    """A model server, reached over TLS; its certificate is verified for ``host_name``."""

    name: str
    """Unique; the cluster's name in logs and statistics."""
    host_name: str
    port: int = 443
    address: str = ""
    """The address to connect to. Empty: ``host_name`` is resolved."""
    path_prefix: str = "/v1"
    """The path that replaces ``/<group>/v1`` in requests to this upstream. Bedrock: ``/openai/v1``."""
    ca_certificate: str = ""
    """The PEM certificate of the CA that signed the server's certificate. Empty: the image's CA certificates."""
    client_certificate_variable: str = ""
    """The environment variable with the certificate that the proxy shows to the server; empty: it shows none."""
    client_private_key_variable: str = ""
    signing_region: str = ""
    """Sign with SigV4 for this region as the task role; empty: do not sign."""
    signing_service: str = "bedrock"
    """The service name in the signature."""
    forward_authorization: bool = False
    """Forward the application's ``Authorization`` header. A signed request never contains it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Set on every request, for example Bedrock's guardrail headers."""
    through_egress: bool = False
    """Reached through a tunnel of the egress proxy, because the server is on the internet. ``address`` is not used."""
    api_key_variable: str = ""
    """The environment variable with the API key that requests to this upstream have as ``Authorization: Bearer …``; empty:
    none. Not with ``signing_region``, which sets the same header."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for two values of the same header."""
        if self.api_key_variable and (self.signing_region or self.forward_authorization):
            raise ValueError(
                f"upstream {self.name}: api_key_variable sets Authorization, and so does a signature or the application: "
                "use one of them"
            )

    @property
    def authority(self) -> str:
        """The request's Host header, which includes the port unless it is the HTTPS default (RFC 9110, 4.2.2 and 7.2)."""
        return self.host_name if self.port == _HTTPS_PORT else f"{self.host_name}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class ProxyTool:
    """A private search or tool server that the application calls."""

    path: str
    """The only path of the loopback listener that leads to it."""
    methods: tuple[str, ...]
    upstream: ProxyUpstream
    """The server. Its ``path_prefix`` is the whole path there."""


@dataclass(frozen=True, kw_only=True)
class ProxyEgress:
    """The egress proxy, which opens tunnels to model servers on the internet."""

    host_name: str
    """The name in its certificate."""
    port: int
    ca_certificate: str
    """The PEM certificate of the CA that signed its certificate."""
    client_certificate_variable: str
    """The environment variable with the certificate that this proxy shows to it."""
    client_private_key_variable: str
    address: str = ""
    """The address to connect to. Empty: ``host_name`` is resolved."""


@dataclass(frozen=True, kw_only=True)
class ProxyModelGroup:
    """Models under one base path ``/<name>/v1``, all served by every upstream, in order of failover."""

    name: str
    models: tuple[str, ...]
    upstreams: tuple[ProxyUpstream, ...]
    operations: tuple[str, ...] = ("/chat/completions",)
    """The operations that accept POST below the base path. All other requests get a 403."""


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """All inputs of the proxy's configuration."""

    host_names: tuple[str, ...]
    """The public names of the interface."""
    identity: ProxyIdentity
    environment: str = ""
    """The dimension of the metrics that are counted in the access log."""
    limits: ProxyLimits = field(default_factory=ProxyLimits)
    application: ProxyApplication = field(default_factory=ProxyApplication)
    logout: ProxyLogout = field(default_factory=ProxyLogout)
    model_groups: tuple[ProxyModelGroup, ...] = ()
    tools: tuple[ProxyTool, ...] = ()
    """The search server and the tool servers. Machine clients do not reach them."""
    egress: ProxyEgress | None = None
    """Required with an upstream that is ``through_egress``."""
    machine_host_names: tuple[str, ...] = ()
    """Public host names of machine clients, which can reach only the model paths. The edge validates their tokens."""
    listen_address: str = "0.0.0.0"  # noqa: S104 - the task's own interface; its security group allows only the edge
    port: int = 8443
    model_port: int = 9080
    """The loopback port of the application's model base URL."""
    certificate_variable: str = "PROXY_CERTIFICATE"
    """The environment variable with the certificate (PEM with line breaks)."""
    private_key_variable: str = "PROXY_PRIVATE_KEY"
    user_key_variable: str = "PROXY_USER_KEY"
    """The environment variable with the key of the user ids in the log: 64 characters. Envoy does not start without it."""
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    """The image's certificate authorities."""
    memory_bytes: int = 256 * 1024 * 1024
    """The container's memory. As it runs low, Envoy first releases memory, then returns 503 for new requests, then for
    requests whose bodies are still arriving."""
    workers: int = 2
    """The number of worker threads. By default, Envoy starts one for each processor of the host."""
