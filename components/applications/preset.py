"""A preset: the description of one application for the edge, the WAF, the proxy, the task and the checks.

An application is one module in ``components/applications/presets/``: ``application: open-webui`` in a stack file
selects ``open_webui.py``, which assigns its preset to ``PRESET``. No other file refers to an application. A preset
contains no secret: ``secret_environment`` of the container lists the names of secrets, and the service adds references
to them to the task definition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from components.applications.application import ApplicationArgs
from components.edge.rules import LOGIN_CALLBACK, check_paths, offers
from components.proxy.settings import ProxyApplication, ProxyLogout


@dataclass(frozen=True, kw_only=True)
class TrustedHeaders:
    """The headers from which the application reads the user's identity. Only the proxy sets them."""

    email: str = "x-user-email"
    name: str = "x-user-name"
    role: str = "x-user-role"
    administrator_role: str = "admin"
    member_role: str = "user"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """The application's paths by purpose. The load balancer returns 404 for every path that neither ``api`` nor
    ``pages`` offers. In ``blocked``, ``api`` and ``pages``, ``*`` and ``?`` are wildcards; all others are prefixes."""

    blocked: tuple[str, ...] = ()
    """Paths that return 404 even if ``api`` or ``pages`` would offer them: health, metrics, documentation, unused back
    ends."""
    api: tuple[str, ...] = ()
    """Paths called by scripts: API, WebSockets, static files. Requests without a session get a 401."""
    pages: tuple[str, ...]
    """Paths opened in a browser. Requests without a session are redirected to the login. They must include the login
    callback of the load balancer (``/oauth2/idpresponse``) and the logout path of the proxy (``/logout``)."""
    uploads: tuple[str, ...] = ()
    """Prefixes of paths that accept files. Request bodies may be as large as an upload."""
    model_calls: tuple[str, ...] = ()
    """Prefixes of paths whose requests call a model. Their bodies contain prompts."""
    prompts: tuple[str, ...] = ()
    """Prefixes of other paths whose bodies contain text that users wrote."""
    fixed_bodies: tuple[str, ...] = ()
    """Prefixes below these for paths whose bodies never contain such text."""
    queries: tuple[str, ...] = ()
    """Prefixes of paths whose query strings contain text that users wrote, such as the words of a search. ``/`` is the start
    page alone. On all other paths managed WAF rules block a query that resembles an attack."""
    websockets: tuple[str, ...] = ()
    """Prefixes of the only paths that accept a protocol upgrade (WebSocket)."""
    static: tuple[str, ...] = ()
    """Prefixes of static files, which are the same for every user. They have a separate rate limit."""
    cacheable: tuple[str, ...] = ()
    """Prefixes of files that browsers may cache. Responses for all other paths have ``Cache-Control: no-store``."""

    def __post_init__(self) -> None:
        """Refuse paths that a load balancer rule does not accept, or that make the application unusable."""
        for where, paths in (("blocked", self.blocked), ("api", self.api), ("pages", self.pages)):
            check_paths(paths, where)
        for needed, what in ((LOGIN_CALLBACK, "the login callback"), (ProxyLogout.path, "the logout path")):
            if not self.opens(needed):
                raise ValueError(f"pages does not offer {needed}, {what}: add it, and remove it from blocked and api")
        if not (self.uploads or self.model_calls or self.prompts):
            raise ValueError(
                "uploads, model_calls and prompts are empty: list the paths whose bodies contain text that users wrote; otherwise managed WAF "
                "rules block ordinary prompts"
            )
        for where in (
            "uploads",
            "model_calls",
            "prompts",
            "fixed_bodies",
            "queries",
            "websockets",
            "static",
            "cacheable",
        ):
            for prefix in getattr(self, where):
                if not prefix.startswith("/") or "*" in prefix or "?" in prefix:
                    raise ValueError(f"{where} has {prefix!r}: write a prefix that starts with /, without wildcards")

    def opens(self, path: str) -> bool:
        """Whether a browser that is not logged in is redirected to the login on this path."""
        return any(offers(pattern, path) for pattern in self.pages) and not any(
            offers(pattern, path) for pattern in (*self.blocked, *self.api)
        )


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The maximum number of requests that one user's browser sends in the five minutes in which it opens the
    application with an empty cache and sends the first prompts. The WAF's limits for one address must allow many of
    these."""

    static_requests: int = 0
    """Files below ``Paths.static``."""
    page_requests: int
    """Pages and API calls other than uploads and model calls."""
    model_calls: int
    """Model calls, including those that the application makes by itself, for example for a title or for tags."""
    uploads: int = 0


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """The model with which the application embeds documents and questions about them."""

    base_url: str
    """Its group's base URL on the proxy's loopback listener, which has ``POST /embeddings``."""
    model: str
    """The model's id."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The search server that the application uses."""

    kind: str
    """``searxng`` or ``external``."""
    url: str
    """Its URL on the proxy's loopback listener."""


@dataclass(frozen=True, kw_only=True)
class ToolServer:
    """A tool server that the application offers to every user, by the Model Context Protocol."""

    name: str
    url: str
    """Its URL on the proxy's loopback listener."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The values that a preset receives from the environment's settings and the release."""

    origin: str
    """``https://`` and the public host name."""
    model_base_urls: Sequence[str]
    """One for each model group that serves chats, on the proxy's loopback listener:
    ``http://127.0.0.1:9080/<group>/v1``."""
    embeddings: Embeddings | None = None
    """The declared embedding model. Omitted: the application uses its own, if it has one."""
    version: str = ""
    """The publisher's version of the application's image, as in the release. Omitted: unknown."""
    search: Search | None = None
    """The declared search server. Omitted: no web search."""
    tool_servers: Sequence[ToolServer] = ()
    """The declared tool servers."""
    session_seconds: int
    """How long a login at the edge is valid. The application's own session must not last longer."""
    upload_mebibytes: int
    """The largest upload, in MiB."""
    model_deadline_seconds: int
    """The maximum duration of a model's answer."""
    logout_path: str = ProxyLogout.path
    """The path on which the proxy ends the session."""
    prompt_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Prompt templates and default model parameters of the release, as environment variables."""
    region: str = ""
    """The region of database and bucket. Required with ``shared_data``."""
    database_authority: str = ""
    """The PEM certificate of the CA that signed the database's certificate. Omitted: the RDS CA in ``region``."""
    shared_data: bool = False
    """Whether the service has a database, a cache and a bucket (its ``data_values`` and secrets). Without them, all
    data is lost when the task stops, and only one task may run."""
    database_connections: int = 30
    """The maximum number of database connections of one task. Used with ``shared_data`` only."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One application, for the edge, the WAF, the proxy, the task and the checks."""

    name: str
    """The value of ``application`` in the stack file, and the module's name with hyphens: ``open-webui``."""
    port: int = 8080
    """The loopback port on which it listens."""
    health_path: str = "/health"
    """A path that returns 200 to a GET without a session while the application can serve requests. The load balancer's
    health check requests it through the proxy; it must not be offered to users."""
    keep_alive_seconds: int = 5
    """The time after which the application closes an idle connection. A value above the real one causes connection
    resets."""
    processes: int | None = None
    """The number of processes that serve requests, if each uses one vCPU at most, as Python and Node.js do. ``None``: the
    application uses all of the task's CPU."""
    paths: Paths
    """Its paths."""
    session_cookie_names: tuple[str, ...] = ()
    """The application's session cookies, which are redacted in the WAF log and expired at logout."""
    headers: TrustedHeaders = field(default_factory=TrustedHeaders)
    """The headers from which the application reads the user's identity."""
    user_headers: tuple[str, ...] = ()
    """The headers with which the application sends user and chat to a tool server. The proxy removes them."""
    caller_header: str = ""
    """A request header whose value the application copies to the header ``CALLER`` of its model calls (``components.proxy``). The
    proxy sets it to user id and request id. Omitted: the log cannot say whose call of a model it was."""
    arrival: Arrival
    """The requests of a first visit."""
    least_database_connections: int = 1
    """The minimum number of database connections that one task needs."""
    connection_pools: Mapping[str, int] = field(default_factory=dict[str, int])
    """The application's SQLAlchemy pools: prefix of the variables that size them (``<prefix>_SIZE``,
    ``<prefix>_MAX_OVERFLOW``) → the number of pools with this size. ``preflight conform`` compares their sum with the
    database's connection limit."""
    container: Callable[[Deployment], ApplicationArgs]
    """Returns the container: command, environment, directories. The preset's name and port are added to it."""

    def __post_init__(self) -> None:
        """Refuse a health path that users could request."""
        if not self.health_path.startswith("/"):
            raise ValueError(f"health_path is {self.health_path!r}: write a path that starts with /")
        offered = [p for p in (*self.paths.api, *self.paths.pages) if offers(p, self.health_path)]
        if offered and not any(offers(pattern, self.health_path) for pattern in self.paths.blocked):
            raise ValueError(
                f"health_path {self.health_path} is offered to users by {offered[0]}: add it to paths.blocked, because the load "
                "balancer's health checks do not pass the listener rules"
            )

    def application(self, deployment: Deployment) -> ApplicationArgs:
        """The container for one environment."""
        return self.container(deployment).model_copy(
            update={"name": self.name, "port": self.port, "processes": self.processes}
        )

    @property
    def proxy(self) -> ProxyApplication:
        """The application as the proxy's settings describe it."""
        return ProxyApplication(
            port=self.port,
            health_path=self.health_path,
            keep_alive_seconds=self.keep_alive_seconds,
            upload_path_prefixes=self.paths.uploads,
            websocket_path_prefixes=self.paths.websockets,
            cacheable_path_prefixes=self.paths.cacheable,
            session_cookie_names=self.session_cookie_names,
            user_headers=self.user_headers,
            caller_header=self.caller_header,
        )
