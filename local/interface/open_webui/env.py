"""The variables that the application reads at import, with its defaults."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

BACKEND_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """Return a variable, or the default if it is not set."""
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    """Whether a variable is ``true``."""
    return text(name, str(default)).lower() == "true"


def number(name: str, default: int) -> int:
    """Return a whole number, or the default if the text is not one."""
    try:
        return int(text(name))
    except ValueError:
        return default


def seconds(duration: str) -> float | None:
    """Return a duration such as ``28800s`` or ``4w``; ``None`` if it has no end (``-1``, ``0``)."""
    if duration in {"-1", "0"}:
        return None
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    parts: list[tuple[str, str]] = re.findall(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|d|w)", duration)
    if not parts:
        raise ValueError("Invalid duration string")
    return sum(float(amount) * units[unit] for amount, unit in parts)


LOG_LEVEL = text("GLOBAL_LOG_LEVEL", "INFO").upper()
logging.basicConfig(stream=sys.stdout, level=LOG_LEVEL, force=True)

DATA_DIR = Path(text("DATA_DIR", str(BACKEND_DIR / "data"))).resolve()
STATIC_DIR = Path(text("STATIC_DIR", str(BACKEND_DIR / "open_webui" / "static"))).resolve()


def database_url() -> str:
    """Return ``DATABASE_URL``, or a URL from its parts if all are set, or an SQLite file in ``DATA_DIR``."""
    kind, user, password, host, port, name = (
        text(f"DATABASE_{one}") for one in ("TYPE", "USER", "PASSWORD", "HOST", "PORT", "NAME")
    )
    if kind and user and host and port and name:
        credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        return f"{kind}://{credentials}@{host}:{port}/{name}"
    return text("DATABASE_URL") or f"sqlite:///{DATA_DIR}/webui.db"


DATABASE_URL = database_url().replace("postgres://", "postgresql://")
DATABASE_ENABLE_IAM_TOKEN_AUTH = flag("DATABASE_ENABLE_IAM_TOKEN_AUTH")
ENABLE_DB_MIGRATIONS = flag("ENABLE_DB_MIGRATIONS", default=True)

WEBUI_SECRET_KEY = text("WEBUI_SECRET_KEY", text("WEBUI_JWT_SECRET_KEY", "t0p-s3cr3t"))
if not WEBUI_SECRET_KEY:
    raise ValueError("Required environment variable not found. Terminating now. (WEBUI_SECRET_KEY)")

JWT_SECONDS = seconds(text("JWT_EXPIRES_IN", "4w"))
TRUSTED_EMAIL_HEADER = text("WEBUI_AUTH_TRUSTED_EMAIL_HEADER")
TRUSTED_NAME_HEADER = text("WEBUI_AUTH_TRUSTED_NAME_HEADER")
TRUSTED_ROLE_HEADER = text("WEBUI_AUTH_TRUSTED_ROLE_HEADER")
DEFAULT_USER_ROLE = text("DEFAULT_USER_ROLE", "pending")
SIGNOUT_REDIRECT_URL = text("WEBUI_AUTH_SIGNOUT_REDIRECT_URL")
SESSION_COOKIE_SECURE = flag("WEBUI_SESSION_COOKIE_SECURE")
COOKIE_SECURE = flag("WEBUI_AUTH_COOKIE_SECURE", default=SESSION_COOKIE_SECURE)
COOKIE_SAME_SITE = text("WEBUI_AUTH_COOKIE_SAME_SITE", text("WEBUI_SESSION_COOKIE_SAME_SITE", "lax"))
CORS_ALLOW_ORIGIN = [one for one in text("CORS_ALLOW_ORIGIN", "*").split(";") if one]
ENABLE_ADMIN_CHAT_ACCESS = flag("ENABLE_ADMIN_CHAT_ACCESS", default=True)

ENABLE_OPENAI_API = flag("ENABLE_OPENAI_API", default=True)
OPENAI_API_BASE_URLS = [
    one.rstrip("/") for one in text("OPENAI_API_BASE_URLS", "https://api.openai.com/v1").split(";") if one
]
CLIENT_TIMEOUT = float(number("AIOHTTP_CLIENT_TIMEOUT", 300))
MODEL_LIST_TIMEOUT = float(number("AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST", 10))
BYPASS_MODEL_ACCESS_CONTROL = flag("BYPASS_MODEL_ACCESS_CONTROL")


def json_object(name: str) -> dict[str, Any]:
    """Return the object in a variable; empty if it is not JSON, as in the application."""
    try:
        return dict(json.loads(text(name, "{}")))
    except ValueError:
        return {}


MODEL_PARAMETERS = json_object("DEFAULT_MODEL_PARAMS")
MODEL_CAPABILITIES: dict[str, Any] = json_object("DEFAULT_MODEL_METADATA").get("capabilities") or {}
OPENAI_API_CONFIGS = json_object("OPENAI_API_CONFIGS")

STORAGE_PROVIDER = text("STORAGE_PROVIDER", "local")
S3_BUCKET_NAME = text("S3_BUCKET_NAME")
S3_REGION_NAME = text("S3_REGION_NAME")
S3_KEY_PREFIX = text("S3_KEY_PREFIX")
S3_ENDPOINT_URL = text("S3_ENDPOINT_URL")

VECTOR_DB = text("VECTOR_DB", "chroma")
PGVECTOR_DB_URL = text("PGVECTOR_DB_URL", DATABASE_URL)
if VECTOR_DB == "pgvector" and not PGVECTOR_DB_URL.startswith("postgres"):
    raise ValueError(
        "Pgvector requires setting PGVECTOR_DB_URL or using Postgres with vector extension as the primary database."
    )
PGVECTOR_CREATE_EXTENSION = flag("PGVECTOR_CREATE_EXTENSION", default=True)
VECTOR_LENGTH = number("PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH", 1536)
RAG_ALLOWED_FILE_EXTENSIONS = [one.strip() for one in text("RAG_ALLOWED_FILE_EXTENSIONS").split(",") if one.strip()]
RAG_FILE_MAX_SIZE = number("RAG_FILE_MAX_SIZE", 0)
RAG_FILE_MAX_COUNT = number("RAG_FILE_MAX_COUNT", 0)
RAG_EMBEDDING_ENGINE = text("RAG_EMBEDDING_ENGINE")
RAG_EMBEDDING_MODEL = text("RAG_EMBEDDING_MODEL")
RAG_OPENAI_API_BASE_URL = text("RAG_OPENAI_API_BASE_URL", "https://api.openai.com/v1").rstrip("/")
RAG_OPENAI_API_KEY = text("RAG_OPENAI_API_KEY")
RAG_TOP_K = number("RAG_TOP_K", 3)
CHUNK_SIZE, CHUNK_OVERLAP = number("CHUNK_SIZE", 1000), number("CHUNK_OVERLAP", 100)

REDIS_URL = text("REDIS_URL")
WEBSOCKET_MANAGER = text("WEBSOCKET_MANAGER")
WEBSOCKET_REDIS_URL = text("WEBSOCKET_REDIS_URL", REDIS_URL)
REDIS_KEY_PREFIX = text("REDIS_KEY_PREFIX", "open-webui")
REDIS_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": float(text("REDIS_SOCKET_CONNECT_TIMEOUT") or 0) or None,
    "socket_keepalive": flag("REDIS_SOCKET_KEEPALIVE"),
    "health_check_interval": number("REDIS_HEALTH_CHECK_INTERVAL", 0),
}
