"""The proxy's settings as arguments of a component, for callers in any language: who may use the interface, and the limits."""

from pydantic import Field, model_validator

from components.applications.preset import TrustedHeaders
from components.args import Args, Input
from components.proxy.settings import CLAIM_FORMATS, ProxyIdentity, ProxyLimits, ProxyPeople


class PeopleArgs(Args):
    """A set of people: one matching selector is enough. All omitted: no one."""

    claim_name: str = ""
    """A claim of the identity provider's user-info response: a text, or a list that contains the value. Empty: no claim."""
    claim_values: list[str] = Field(default_factory=list[str])
    """The accepted values of the claim."""
    claim_format: str = ""
    """How the claim holds several values: ``json-text``, ``comma-separated``, ``space-separated`` or ``bracketed``. Empty: a text
    is one value, and a list holds several."""
    email_domains: list[str] = Field(default_factory=list[str])
    """Domains of e-mail addresses, without subdomains, in lower case."""
    emails: list[str] = Field(default_factory=list[str])
    """E-mail addresses, in lower case."""

    @model_validator(mode="after")
    def _is_complete(self) -> "PeopleArgs":
        if self.claim_format not in CLAIM_FORMATS:
            raise ValueError(
                f"claim_format is {self.claim_format!r}: use one of {', '.join(CLAIM_FORMATS[1:])}, or none"
            )
        if bool(self.claim_name) != bool(self.claim_values):
            raise ValueError("claim_name and claim_values belong together: set both, or neither")
        return self

    def people(self, *, everyone: bool = False) -> ProxyPeople:
        """The same as the proxy's settings. ``everyone``: also everyone with a session."""
        return ProxyPeople(
            claim_name=self.claim_name,
            claim_values=tuple(self.claim_values),
            claim_format=self.claim_format,
            email_domains=tuple(self.email_domains),
            emails=tuple(self.emails),
            everyone_the_provider_assigns=everyone,
        )


class AccessArgs(Args):
    """Who may use the interface, after the login."""

    issuer: str
    """The identity provider's issuer URL, as the edge's ``oidc``."""
    client_id: Input[str]
    """The OIDC client's id, as the edge's ``oidc``."""
    allowed: PeopleArgs = PeopleArgs()
    """The people who may use the interface. Omitted: no one, unless ``everyone_the_provider_assigns``."""
    everyone_the_provider_assigns: bool = False
    """True: everyone with a session, because the identity provider lets only assigned users log in. The proxy cannot check that.
    """
    administrators: PeopleArgs = PeopleArgs()
    """The people whom the application treats as administrators. Omitted: no one."""
    blocked: PeopleArgs = PeopleArgs()
    """People who are refused although they are allowed. Omitted: no one."""
    blocked_users: list[str] = Field(default_factory=list[str])
    """The same, by the id that the access log has as ``user``."""
    contact: str
    """The contact on the page for people without access."""
    required_claim_name: str = ""
    """A claim that everyone must have, whichever rule admits them, such as Google's ``hd``. Empty: none."""
    required_claim_values: list[str] = Field(default_factory=list[str])
    """Its accepted values; one of them is enough. Omitted: no claim is required."""
    email_verified_required: bool = False
    """True: a response without ``email_verified`` is refused like one with ``false``. For providers that always send it."""

    @model_validator(mode="after")
    def _admits_someone(self) -> "AccessArgs":
        if self.allowed.people(everyone=self.everyone_the_provider_assigns).empty:
            raise ValueError(
                "allowed admits no one, so every user would get a 403: set a claim, emailDomains or emails in it, or "
                "everyone_the_provider_assigns"
            )
        if bool(self.required_claim_name) != bool(self.required_claim_values):
            raise ValueError("required_claim_name and required_claim_values belong together: set both, or neither")
        return self

    def identity(self, *, signer_arn: str, client_id: str, headers: TrustedHeaders) -> ProxyIdentity:
        """The same as the proxy's settings. ``headers``: the names that the application expects."""
        return ProxyIdentity(
            signer_arn=signer_arn,
            client_id=client_id,
            issuer=self.issuer,
            allowed=self.allowed.people(everyone=self.everyone_the_provider_assigns),
            administrators=self.administrators.people(),
            blocked=self.blocked.people(),
            blocked_users=tuple(self.blocked_users),
            contact=self.contact,
            required_claim_name=self.required_claim_name,
            required_claim_values=tuple(self.required_claim_values),
            email_verified_required=self.email_verified_required,
            email_header=headers.email,
            name_header=headers.name,
            role_header=headers.role,
            administrator_role=headers.administrator_role,
            member_role=headers.member_role,
        )


class ProxyLimitsArgs(Args):
    """Sizes in bytes and times in seconds, which the proxy enforces. They must not be below those of the edge."""

    prompt_bytes: int = Field(default=ProxyLimits.prompt_bytes, ge=1)
    """The maximum request body, except on upload paths."""
    upload_bytes: int = Field(default=ProxyLimits.upload_bytes, ge=1024 * 1024)
    """The maximum request body on an upload path."""
    header_bytes: int = Field(default=ProxyLimits.header_bytes, ge=1024, multiple_of=1024)
    """The maximum size of all request headers, in whole KiB."""
    request_headers_seconds: int = Field(default=ProxyLimits.request_headers_seconds, ge=1)
    """How long a client may take to send its headers."""
    request_body_seconds: int = Field(default=ProxyLimits.request_body_seconds, ge=1)
    """The maximum time from the first byte of a request to the last byte of its body."""
    idle_seconds: int = Field(default=ProxyLimits.idle_seconds, ge=1)
    """How long a request, a response or a WebSocket may be idle. As the edge's ``idle_timeout_seconds``."""
    keep_alive_seconds: int = Field(default=ProxyLimits.keep_alive_seconds, ge=1)
    """How long an idle connection from the load balancer is kept. Must be longer than the load balancer's idle timeout."""
    stream_seconds: int = Field(default=ProxyLimits.stream_seconds, ge=1)
    """The maximum duration of a response or a stream."""
    model_deadline_seconds: int = Field(default=ProxyLimits.model_deadline_seconds, ge=1)
    """The maximum duration of a model's answer, including retries."""
    model_idle_seconds: int = Field(default=ProxyLimits.model_idle_seconds, ge=1)
    """How long one of several upstreams may be silent before the next is tried."""

    @model_validator(mode="after")
    def _times_are_in_order(self) -> "ProxyLimitsArgs":
        if self.keep_alive_seconds <= self.idle_seconds:
            raise ValueError(
                f"keep_alive_seconds is {self.keep_alive_seconds}, not above idle_seconds ({self.idle_seconds}), so the load "
                "balancer could use a connection that the proxy has closed: raise it"
            )
        if 2 * self.model_idle_seconds >= self.model_deadline_seconds:
            raise ValueError(
                f"model_idle_seconds is {self.model_idle_seconds}, half of model_deadline_seconds ({self.model_deadline_seconds}) "
                "or more, so a second upstream has no time left to answer: lower it"
            )
        return self

    def limits(self, websocket_seconds: int) -> ProxyLimits:
        """The same as the proxy's settings. A WebSocket may stay open for as long as a session."""
        return ProxyLimits(**self.model_dump(), websocket_seconds=websocket_seconds)
