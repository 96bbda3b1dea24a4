"""Open WebUI behind this edge: without its own login, sign-up and configuration, and without calls to the internet."""

import json
import re
from pathlib import Path

from components.applications.application import ApplicationArgs
from components.applications.documents import allowed_extensions, language_files
from components.applications.open_webui_data import FILES, LEAST_CONNECTIONS, POOLS, with_shared_data
from components.applications.preset import Arrival, Deployment, Paths, Preset, ToolServer, TrustedHeaders
from components.common.secrets import SESSION_KEY
from components.edge.rules import LOGIN_CALLBACK
from components.prepare import packed_module
from components.proxy.common import CALLER

NAME = "open-webui"
PORT = 8080
HEALTH_PATH = "/health"
KEEP_ALIVE_SECONDS = 75
"""How long uvicorn keeps an idle connection open. The proxy closes it earlier, so that no connection is reset."""
PROCESSES = 1
"""Uvicorn starts one worker without ``--workers``."""
FILES_FOR_EACH_MESSAGE = 10
"""The maximum number of files in one message."""

PRIVATE_LOG = Path(__file__).parents[1] / "private_log.py"
"""The module that keeps users' data out of the log. It starts the application."""

HEADERS = TrustedHeaders()

PATHS = Paths(
    blocked=(
        "/health*",
        "/ready*",
        "/metrics*",
        "/docs*",
        "/redoc*",
        "/openapi.json",
        "/ollama*",
        "/oauth/*",
        "/api/v1/scim/*",
        "/api/v1/utils/db/*",
    ),
    api=(
        "/api/*",
        "/openai/*",
        "/ws/*",
        "/static/*",
        "/_app/*",
        "/assets/*",
        "/cache/*",
        "/audio/*",
        "/pyodide/*",
        "/wasm/*",
        "/sql.js/*",
        "/favicon.png",
        "/user.png",
        "/image-placeholder.png",
        "/marker-*.png",
        "/manifest.json",
        "/opensearch.xml",
        "/robots.txt",
    ),
    pages=(
        "/",
        LOGIN_CALLBACK,
        "/auth*",
        "/logout*",
        "/home*",
        "/c/*",
        "/s/*",
        "/admin*",
        "/workspace*",
        "/notes*",
        "/channels/*",
        "/folders/*",
        "/playground*",
        "/automations*",
        "/calendar*",
        "/watch*",
        "/error*",
    ),
    uploads=("/api/v1/files/", "/api/v1/audio/transcriptions", "/api/v1/skills/import"),
    # The start page takes a first prompt as ?q=.
    queries=(
        "/",
        "/api/v1/automations/list",
        "/api/v1/calendars/events/search",
        "/api/v1/channels/",
        "/api/v1/chats/",
        "/api/v1/evaluations/",
        "/api/v1/files/search",
        "/api/v1/knowledge/",
        "/api/v1/models/",
        "/api/v1/notes/",
        "/api/v1/prompts/",
        "/api/v1/skills/",
        "/api/v1/tools/",
        "/api/v1/users/",
    ),
    websockets=("/ws/socket.io",),
    model_calls=(
        "/api/chat/completions",
        "/api/v1/chat/completions",
        "/api/embeddings",
        "/api/v1/embeddings",
        "/api/message",
        "/api/v1/messages",
        "/api/v1/audio/speech",
        "/api/v1/images/",
        "/api/v1/tasks/",
        "/openai/",
    ),
    # Nearly every API request body contains text that a user wrote: a name, a description, an address, a template.
    prompts=("/api/", "/ws/"),
    # Users log in at the edge; the application's own login gets an empty address and an empty password.
    fixed_bodies=("/api/v1/auths/ldap", "/api/v1/auths/signin", "/api/v1/auths/signup"),
    static=("/_app/", "/assets/", "/audio/", "/pyodide/", "/sql.js/", "/static/", "/wasm/"),
    cacheable=("/_app/immutable/", "/static/"),
)
"""The paths that a browser requests, compared with the routes of 0.11.4 and 0.12.4. Open WebUI's own OAuth, SCIM and database
download are not offered, because users log in at the edge."""

ARRIVAL = Arrival(static_requests=240, page_requests=120, model_calls=20, uploads=4)
"""A first visit to 0.12.4 reads 208 files, to 0.11.4 178 (tests/open_webui/facts); the rest are files for a language,
sounds and pictures that its scripts request later. About 40 API calls open the page; five prompts follow, each with up
to sixteen calls around it and four model calls: the answer, title, tags and follow-ups."""


def _container(deployment: Deployment) -> ApplicationArgs:
    application = ApplicationArgs(
        name=NAME,
        command=_uvicorn("open_webui.main:app"),
        working_directory="/app/backend",
        environment={
            **dict(deployment.prompt_environment),
            **_environment(deployment),
            **_embeddings(deployment),
            **_model_calls(deployment),
            **_tools(deployment),
        },
        secret_environment={"WEBUI_SECRET_KEY": SESSION_KEY},
        writable_directories=["/home/app", "/srv/data", "/srv/static", "/tmp"],  # noqa: S108 - the task's own volume
        files={**language_files(FILES), f"{FILES}/private_log.py": packed_module(PRIVATE_LOG.read_text("utf-8"))},
        seeds={"/srv/static": "/app/backend/open_webui/static"},
        health_command=_health_check(),
        start_seconds=180,
    )
    if deployment.shared_data:
        application = with_shared_data(
            application, deployment.region, deployment.database_authority, deployment.database_connections
        )
    return application


def _environment(deployment: Deployment) -> dict[str, str]:
    return {
        # The user's identity comes only from the proxy's headers.
        "WEBUI_AUTH_TRUSTED_EMAIL_HEADER": HEADERS.email,
        "WEBUI_AUTH_TRUSTED_NAME_HEADER": HEADERS.name,
        "WEBUI_AUTH_TRUSTED_ROLE_HEADER": HEADERS.role,
        "WEBUI_AUTH_SIGNOUT_REDIRECT_URL": deployment.origin + deployment.logout_path,
        # Everyone whom the proxy admits is a user. With "pending", a sign-in without the role header would end at "Account
        # Activation Pending".
        "DEFAULT_USER_ROLE": "user",
        # Every user may use every declared model, and administrators cannot read other users' chats.
        "BYPASS_MODEL_ACCESS_CONTROL": "true",
        "ENABLE_ADMIN_CHAT_ACCESS": "false",
        "ENABLE_ADMIN_EXPORT": "false",
        "ENABLE_API_KEYS": "false",
        "ENABLE_LOGIN_FORM": "false",
        "ENABLE_SIGNUP": "false",
        "JWT_EXPIRES_IN": f"{deployment.session_seconds}s",
        "WEBUI_AUTH_COOKIE_SECURE": "true",
        "WEBUI_SESSION_COOKIE_SECURE": "true",
        # The public address. A WebSocket from any other origin is refused.
        "CORS_ALLOW_ORIGIN": deployment.origin,
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "WEBUI_URL": deployment.origin,
        # Prompts are sent to the proxy in the same task.
        "AIOHTTP_CLIENT_TIMEOUT": str(deployment.model_deadline_seconds),
        "ENABLE_EVALUATION_ARENA_MODELS": "false",
        "ENABLE_OLLAMA_API": "false",
        "ENABLE_OPENAI_API": "true",
        "OPENAI_API_BASE_URLS": ";".join(deployment.model_base_urls),
        # Files: the formats that can be read without internet, and limits.
        "RAG_ALLOWED_FILE_EXTENSIONS": allowed_extensions(),
        "RAG_FILE_MAX_COUNT": str(FILES_FOR_EACH_MESSAGE),
        "RAG_FILE_MAX_SIZE": str(deployment.upload_mebibytes),
        # The environment is the only configuration: settings cannot be changed in the application, and administrators
        # cannot run code in the container.
        "ENABLE_PERSISTENT_CONFIG": "false",
        "ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS": "false",
        "ENABLE_PLUGINS": "false",
        # No requests to the internet.
        "ANONYMIZED_TELEMETRY": "false",
        "DO_NOT_TRACK": "true",
        "ENABLE_COMMUNITY_SHARING": "false",
        "ENABLE_VERSION_UPDATE_CHECK": "false",
        "ENABLE_WEB_SEARCH": "false",
        "OFFLINE_MODE": "true",
        "SCARF_NO_ANALYTICS": "true",
        # Answers are not modified and not logged. private_log keeps users' data out of what is logged; loguru's diagnose would
        # add the values of variables.
        "AUDIT_LOG_LEVEL": "NONE",
        "ENABLE_COMPRESSION_MIDDLEWARE": "false",
        "GLOBAL_LOG_LEVEL": "WARNING",
        "LOGURU_DIAGNOSE": "false",
        # Writable paths, on the prepared volumes.
        "DATA_DIR": "/srv/data",
        "HOME": "/home/app",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": FILES,
        "STATIC_DIR": "/srv/static",
    }


def _embeddings(deployment: Deployment) -> dict[str, str]:
    """Embeddings from the declared model in place of the one in the image. There is no key: the proxy removes it."""
    if deployment.embeddings is None:
        return {}
    return {
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": deployment.embeddings.model,
        "RAG_OPENAI_API_BASE_URL": deployment.embeddings.base_url,
    }


USER_HEADERS = tuple(
    f"X-OpenWebUI-{name}"
    for name in ("Auth-Type", "Chat-Id", "Message-Id", "User-Email", "User-Id", "User-Jwt", "User-Name", "User-Role")
)
"""The headers about user and chat of 0.11.4 and 0.12.4. ``Chat-Id`` goes to a search server without any setting."""


CALLER_HEADER = "user-agent"
"""The only header of a request that 0.11.4 and 0.12.4 can copy to a model call (``open_webui/utils/headers.py``), and for nothing
else: the audit log, which also reads it, is off. Calls without a request of a user have none: embeddings and automations."""


def _model_calls(deployment: Deployment) -> dict[str, str]:
    """Each model call has the ids of request and user, and asks for the number of tokens, which a stream has only then."""
    headers: dict[str, object] = {"headers": {CALLER: "{{USER_AGENT}}"}}
    return {
        "OPENAI_API_CONFIGS": _compact({str(number): headers for number in range(len(deployment.model_base_urls))}),
        "DEFAULT_MODEL_METADATA": _compact({"capabilities": {"usage": True}}),
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tools(deployment: Deployment) -> dict[str, str]:
    """The declared search and tool servers. There is no key: the proxy removes it."""
    found: dict[str, str] = {}
    if (search := deployment.search) is not None:
        address = {"searxng": "SEARXNG_QUERY_URL", "external": "EXTERNAL_WEB_SEARCH_URL"}[search.kind]
        found |= {
            "ENABLE_WEB_SEARCH": "true",
            "WEB_SEARCH_ENGINE": search.kind,
            address: search.url,
            # There is no way to the pages that a search finds: the answer is made from the excerpts in the results.
            "BYPASS_WEB_SEARCH_WEB_LOADER": "true",
        }
    if deployment.tool_servers:
        found["TOOL_SERVER_CONNECTIONS"] = json.dumps([_connection(one) for one in deployment.tool_servers])
        if _has_a_switch_for_each(deployment.version):
            # ENABLE_PLUGINS=false would turn tool servers off too. In earlier versions true would let administrators run code in
            # the container, and MCP servers do not need it.
            found |= {"ENABLE_PLUGINS": "true", "ENABLE_FUNCTIONS": "false", "ENABLE_TOOLS": "false"}
    return found


def _has_a_switch_for_each(version: str) -> bool:
    """Whether functions, tools and tool servers have separate switches: read in the source of 0.12.4, absent in 0.11.4. A version
    that was not read is taken for one without."""
    numbers = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _SWITCHES_SINCE


_SWITCHES_SINCE = (0, 12, 4)


def _connection(server: ToolServer) -> dict[str, object]:
    """One entry of ``TOOL_SERVER_CONNECTIONS``. Without a grant, only administrators see the server."""
    everyone = {"principal_type": "user", "principal_id": "*", "permission": "read"}
    return {
        "type": "mcp",
        "url": server.url,
        "path": "",
        "auth_type": "none",
        "key": "",
        "config": {"enable": True, "access_grants": [everyone]},
        "info": {"id": server.name, "name": server.name, "description": ""},
    }


def _uvicorn(application: str) -> list[str]:
    # Uvicorn's access log would contain query strings; the proxy's access log has the information needed for
    # troubleshooting.
    return [
        "python3",
        "-m",
        "private_log",
        "uvicorn",
        application,
        "--host",
        "127.0.0.1",
        "--port",
        str(PORT),
        "--no-access-log",
        "--timeout-keep-alive",
        str(KEEP_ALIVE_SECONDS),
        "--forwarded-allow-ips",
        "127.0.0.1",
    ]


def _health_check() -> list[str]:
    return [
        "python3",
        "-c",
        f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}{HEALTH_PATH}', timeout=4)",
    ]


PRESET = Preset(
    name=NAME,
    port=PORT,
    health_path=HEALTH_PATH,
    keep_alive_seconds=KEEP_ALIVE_SECONDS,
    processes=PROCESSES,
    paths=PATHS,
    session_cookie_names=("token",),
    headers=HEADERS,
    user_headers=USER_HEADERS,
    caller_header=CALLER_HEADER,
    arrival=ARRIVAL,
    least_database_connections=LEAST_CONNECTIONS,
    connection_pools=POOLS,
    container=_container,
)
