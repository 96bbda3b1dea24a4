"""The application: its routes, and its start-up steps."""

from __future__ import annotations

import contextlib
import html
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from . import auth, chats, completions, env, files, models, sockets
from .channel import CHANNEL
from .database import rows
from .tables import CONFIG

if env.ENABLE_DB_MIGRATIONS:
    from alembic import command
    from alembic.config import Config

    configuration = Config(str(Path(__file__).with_name("alembic.ini")))
    configuration.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    command.upgrade(configuration, "head")

# The application reads its stored settings when it is imported: without the tables it does not start.
SAVED = rows(sa.select(CONFIG.c.data).order_by(CONFIG.c.id.desc()).limit(1))

# It also puts its own files where pages find them, which has to be writable.
(env.STATIC_DIR / "user-import.css").write_text("", encoding="utf-8")

PAGE = Path(__file__).with_name("page.html").read_text("utf-8")


async def health(request: Request) -> Response:
    """Return 200 while the process responds."""
    del request
    return JSONResponse({"status": True})


async def health_of_the_database(request: Request) -> Response:
    """Return 200 while the database responds too."""
    del request
    await run_in_threadpool(rows, sa.text("SELECT 1"))
    return JSONResponse({"status": True})


async def configuration_of_the_page(request: Request) -> Response:
    """Return the configuration that the page reads."""
    features = {
        "auth": True,
        "auth_trusted_header": bool(env.TRUSTED_EMAIL_HEADER),
        "enable_signup": env.flag("ENABLE_SIGNUP", default=True),
        "enable_login_form": env.flag("ENABLE_LOGIN_FORM", default=True),
        "enable_websocket": True,
        "enable_web_search": env.flag("ENABLE_WEB_SEARCH"),
    }
    limits = {"file": {"max_size": env.RAG_FILE_MAX_SIZE or None, "max_count": env.RAG_FILE_MAX_COUNT or None}}
    with contextlib.suppress(HTTPException):
        features |= {"role": (await auth.current(request)).role}
    return JSONResponse({"status": True, "name": "Open WebUI", "features": features, **limits})


async def page(request: Request) -> Response:
    """Return the page for every other path."""
    del request
    return HTMLResponse(PAGE.replace("{origin}", html.escape(env.text("WEBUI_URL", "http://localhost:3000"))))


async def refused(request: Request, problem: Exception) -> Response:
    """Return an error in the application's format."""
    del request
    status, detail = (problem.status_code, problem.detail) if isinstance(problem, HTTPException) else (500, "")
    return JSONResponse({"detail": detail}, status_code=status)


@contextlib.asynccontextmanager
async def running(_: Starlette) -> AsyncGenerator[None]:
    """Run the application between its start and its shutdown."""
    async with CHANNEL:
        yield


logging.getLogger("httpx").setLevel(logging.WARNING)
app = Starlette(
    routes=[
        Route("/health", health),
        Route("/health/db", health_of_the_database),
        Route("/api/config", configuration_of_the_page),
        Route("/api/models", models.listed),
        Route("/api/chat/completions", completions.complete, methods=["POST"]),
        Route("/api/tasks/stop/{task_id}", completions.stop, methods=["POST"]),
        Route("/api/v1/auths/", auth.session),
        Route("/api/v1/auths/signin", auth.sign_in, methods=["POST"]),
        Route("/api/v1/auths/signout", auth.sign_out, methods=["POST"]),
        Route("/api/v1/chats/new", chats.new, methods=["POST"]),
        Route("/api/v1/chats/", chats.listed),
        Route("/api/v1/chats/{id}", chats.one, methods=["GET", "POST", "DELETE"]),
        Route("/api/v1/files/", files.upload, methods=["POST"]),
        Route("/api/v1/files/{id}", files.one, methods=["GET", "DELETE"]),
        Route("/api/v1/files/{id}/content", files.one),
        WebSocketRoute("/ws/socket.io/", sockets.connect),
        Route("/ws/socket.io/", sockets.polling, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=env.STATIC_DIR)),
        Mount("/api", Route("/{rest:path}", lambda request: JSONResponse({"detail": "Not Found"}, 404))),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        Route("/{path:path}", page),
    ],
    exception_handlers={HTTPException: refused},
    lifespan=running,
)
