"""Presets: what an application needs from the task and from the proxy, in one value.

A platform team adds an application by writing a function like these two; no component changes. A preset holds no
secret: ``secret_environment`` names secrets, the service puts references to them into the task definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.applications.application import ApplicationArgs
from components.applications.open_webui_data import with_shared_data
from components.common.secrets import SESSION_KEY
from components.edge.rules import OPEN_WEBUI
from components.proxy.settings import ProxyApplication

KEEP_ALIVE_SECONDS = 75
"""How long uvicorn keeps an idle connection; the proxy lets go of it earlier, so neither sees a reset."""


@dataclass(frozen=True, kw_only=True)
class TrustedHeaders:
    """The headers in which the application finds who the user is; the proxy alone sets them."""

    email: str = "x-user-email"
    name: str = "x-user-name"
    role: str = "x-user-role"
    administrator_role: str = "admin"
    member_role: str = "user"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What one person's browser asks for at most in the five minutes in which it opens the application with an empty
    cache and starts to work. The firewall's limits for one address have to hold many of these."""

    static_requests: int = 0
    """Files below ``static_paths``."""
    static_paths: tuple[str, ...] = ()
    """Prefixes of files that a browser keeps: they have a rate limit of their own and count for no session."""
    page_requests: int
    """Pages and API calls that are neither uploads nor model calls."""
    model_calls: int
    """Requests that make a model work, those that the application makes by itself for a title or tags included."""
    uploads: int = 0


@dataclass(frozen=True, kw_only=True)
class Preset:
    """An application for the task, and what the proxy and the firewall have to know about it."""

    application: ApplicationArgs
    proxy: ProxyApplication
    headers: TrustedHeaders
    arrival: Arrival


@dataclass(frozen=True, kw_only=True)
class OpenWebuiSettings:
    """What Open WebUI takes from the environment's settings."""

    origin: str
    """``https://`` and the public name."""
    model_base_urls: Sequence[str]
    """One for each model group, on the proxy's loopback listener: ``http://127.0.0.1:9080/<group>/v1``."""
    session_seconds: int
    """The edge's session; the application's own is never longer."""
    upload_mebibytes: int
    model_deadline_seconds: int
    logout_path: str = "/logout"
    """Where the proxy ends the session."""
    files_for_each_upload: int = 10
    """How many files one message may carry."""
    prompt_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Prompt templates and default model parameters of the release, as Open WebUI's variables."""
    region: str = ""
    """The region of the state: whoever signs in to database and bucket needs it. Left out without ``shared_state``."""
    database_authority: str = ""
    """The certificate that the database's must be signed by, as PEM. Left out: the one of RDS in the region."""
    shared_data: bool = False
    """Whether the service has a database, a cache and a bucket (its ``state_values`` and secrets). Without them
    what people write is lost with the task, and only one task may run."""
    database_connections: int = 30
    """How many connections a task may open to the database, 10 or more; used with ``shared_state`` only."""


OPEN_WEBUI_ARRIVAL = Arrival(
    static_requests=240,
    static_paths=OPEN_WEBUI.static,
    page_requests=120,
    model_calls=20,
    uploads=4,
)
"""A first visit to 0.12.4 reads 207 files, to 0.11.3 169 (tests/open_webui/facts); the rest is for a language, sounds
and pictures that its scripts ask for later. About 40 API calls open the page; five prompts follow, each with up to
sixteen calls around it and four model calls: the answer, title, tags and follow-ups."""


def open_webui(settings: OpenWebuiSettings) -> Preset:
    """Open WebUI behind this edge: no login, sign-up or configuration of its own, and no call to the internet."""
    headers = TrustedHeaders()
    application = ApplicationArgs(
        name="open-webui",
        port=8080,
        command=_uvicorn("open_webui.main:app", 8080),
        working_directory="/app/backend",
        environment={**dict(settings.prompt_environment), **_open_webui_environment(settings, headers)},
        secret_environment={"WEBUI_SECRET_KEY": SESSION_KEY},
        writable_directories=["/home/app", "/srv/data", "/srv/static", "/tmp"],  # noqa: S108 - the task's own volume
        seeds={"/srv/static": "/app/backend/open_webui/static"},
        health_command=_python_health_check(8080, "/health"),
        start_seconds=180,
    )
    if settings.shared_data:
        application = with_shared_data(
            application, settings.region, settings.database_authority, settings.database_connections
        )
    return Preset(
        application=application,
        proxy=ProxyApplication(
            port=8080,
            health_path="/health",
            keep_alive_seconds=KEEP_ALIVE_SECONDS,
            upload_path_prefixes=("/api/v1/files/", "/api/v1/audio/transcriptions"),
            websocket_path_prefixes=("/ws/socket.io",),
            cacheable_path_prefixes=("/_app/immutable/", "/static/"),
            session_cookie_names=("token",),
        ),
        headers=headers,
        arrival=OPEN_WEBUI_ARRIVAL,
    )


def _open_webui_environment(settings: OpenWebuiSettings, headers: TrustedHeaders) -> dict[str, str]:
    return {
        # Who the user is: the proxy's headers, nothing else.
        "WEBUI_AUTH_TRUSTED_EMAIL_HEADER": headers.email,
        "WEBUI_AUTH_TRUSTED_NAME_HEADER": headers.name,
        "WEBUI_AUTH_TRUSTED_ROLE_HEADER": headers.role,
        "WEBUI_AUTH_SIGNOUT_REDIRECT_URL": settings.origin + settings.logout_path,
        "DEFAULT_USER_ROLE": "pending",
        # Whoever may enter may use every declared model, and nobody reads other people's chats.
        "BYPASS_MODEL_ACCESS_CONTROL": "true",
        "ENABLE_ADMIN_CHAT_ACCESS": "false",
        "ENABLE_ADMIN_EXPORT": "false",
        "ENABLE_API_KEYS": "false",
        "ENABLE_LOGIN_FORM": "false",
        "ENABLE_SIGNUP": "false",
        "JWT_EXPIRES_IN": f"{settings.session_seconds}s",
        "WEBUI_AUTH_COOKIE_SECURE": "true",
        "WEBUI_SESSION_COOKIE_SECURE": "true",
        # Where it is reached. A WebSocket from any other origin is refused.
        "CORS_ALLOW_ORIGIN": settings.origin,
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "WEBUI_URL": settings.origin,
        # Where prompts go: the proxy beside it.
        "AIOHTTP_CLIENT_TIMEOUT": str(settings.model_deadline_seconds),
        "ENABLE_EVALUATION_ARENA_MODELS": "false",
        "ENABLE_OLLAMA_API": "false",
        "ENABLE_OPENAI_API": "true",
        "OPENAI_API_BASE_URLS": ";".join(settings.model_base_urls),
        # What files may be.
        "RAG_FILE_MAX_COUNT": str(settings.files_for_each_upload),
        "RAG_FILE_MAX_SIZE": str(settings.upload_mebibytes),
        # The environment rules, not a page in the application; administrators run no code in the container.
        "ENABLE_PERSISTENT_CONFIG": "false",
        "ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS": "false",
        "ENABLE_PLUGINS": "false",
        # Nothing is fetched from the internet.
        "ANONYMIZED_TELEMETRY": "false",
        "DO_NOT_TRACK": "true",
        "ENABLE_COMMUNITY_SHARING": "false",
        "ENABLE_VERSION_UPDATE_CHECK": "false",
        "ENABLE_WEB_SEARCH": "false",
        "OFFLINE_MODE": "true",
        "SCARF_NO_ANALYTICS": "true",
        # Answers stay as they are, and out of the log.
        "AUDIT_LOG_LEVEL": "NONE",
        "ENABLE_COMPRESSION_MIDDLEWARE": "false",
        "GLOBAL_LOG_LEVEL": "WARNING",
        # What it writes, on the prepared volumes.
        "DATA_DIR": "/srv/data",
        "HOME": "/home/app",
        "PYTHONDONTWRITEBYTECODE": "1",
        "STATIC_DIR": "/srv/static",
    }


def _uvicorn(application: str, port: int) -> list[str]:
    # Uvicorn's access log would hold query strings; the proxy's access log has what troubleshooting needs.
    return [
        "python3",
        "-m",
        "uvicorn",
        application,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-access-log",
        "--timeout-keep-alive",
        str(KEEP_ALIVE_SECONDS),
        "--forwarded-allow-ips",
        "127.0.0.1",
    ]


def _python_health_check(port: int, path: str) -> list[str]:
    return [
        "python3",
        "-c",
        f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=4)",
    ]


@dataclass(frozen=True, kw_only=True)
class GenericSettings:
    """What any HTTP application takes. It must listen on ``127.0.0.1`` and trust the proxy's headers."""

    name: str
    port: int = 8080
    health_path: str = "/"
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    base_url_variable: str = "OPENAI_BASE_URL"
    """The variable in which it looks for its models; it gets the first model group's base URL."""
    model_base_urls: Sequence[str] = ()
    session_key_variable: str = ""
    """The variable in which it looks for the key of its sessions. Empty: it has none."""
    session_cookie_names: Sequence[str] = ()
    writable_directories: Sequence[str] = ("/tmp",)  # noqa: S108 - the task's own volume
    upload_path_prefixes: Sequence[str] = ()
    websocket_path_prefixes: Sequence[str] = ()
    keep_alive_seconds: int = 5
    """When it closes an idle connection; too high a value makes clients see resets."""
    prepare_command: Sequence[str] = ()
    """For an image without ``python3``: a command that hands the writable directories to user 1000."""
    headers: TrustedHeaders = field(default_factory=TrustedHeaders)
    arrival: Arrival = field(default_factory=lambda: Arrival(page_requests=150, model_calls=20))
    """Omitted: a page without static files of its own, with 150 requests and 20 model calls."""


def generic(settings: GenericSettings) -> Preset:
    """Any HTTP application that trusts identity headers and speaks to an OpenAI-compatible API."""
    environment = dict(settings.environment)
    if settings.model_base_urls:
        environment[settings.base_url_variable] = settings.model_base_urls[0]
    return Preset(
        application=ApplicationArgs(
            name=settings.name,
            port=settings.port,
            command=list(settings.command),
            environment=environment,
            secret_environment={settings.session_key_variable: SESSION_KEY} if settings.session_key_variable else {},
            writable_directories=list(settings.writable_directories),
            prepare_command=list(settings.prepare_command),
        ),
        proxy=ProxyApplication(
            port=settings.port,
            health_path=settings.health_path,
            keep_alive_seconds=settings.keep_alive_seconds,
            upload_path_prefixes=tuple(settings.upload_path_prefixes),
            websocket_path_prefixes=tuple(settings.websocket_path_prefixes),
            session_cookie_names=tuple(settings.session_cookie_names),
        ),
        headers=settings.headers,
        arrival=settings.arrival,
    )
