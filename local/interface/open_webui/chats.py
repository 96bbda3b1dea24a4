"""Chats in the database."""

from __future__ import annotations

import time
import uuid
from typing import Any

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .auth import User, verified
from .database import first, rows
from .tables import CHAT

PAGE = 60


def keep(user_id: str, chat_id: str, message_id: str, content: str) -> None:
    """Write an answer to its chat."""
    found = first(_own(user_id, chat_id))
    if found:
        chat = dict(found["chat"])
        messages = chat.setdefault("history", {}).setdefault("messages", {})
        messages[message_id] = {**messages.get(message_id, {}), "role": "assistant", "content": content}
        statement = sa.update(CHAT).where(CHAT.c.id == chat_id)
        rows(statement.values(chat=chat, updated_at=int(time.time())))


def _own(user_id: str, chat_id: str) -> sa.Select[Any]:
    return sa.select(CHAT).where(CHAT.c.id == chat_id, CHAT.c.user_id == user_id)


async def new(request: Request) -> Response:
    """Create a chat."""
    user = await verified(request)
    chat = (await request.json())["chat"]
    now = int(time.time())
    made = {
        "id": str(uuid.uuid4()),
        "user_id": user.id,
        "title": str(chat.get("title") or "New Chat"),
        "chat": chat,
        "created_at": now,
        "updated_at": now,
    }
    await run_in_threadpool(rows, sa.insert(CHAT).values(made))
    return JSONResponse(made)


async def listed(request: Request) -> Response:
    """Return a page of the user's chats, newest first."""
    user = await verified(request)
    page = max(1, int(request.query_params.get("page", "1")))
    statement = sa.select(CHAT.c.id, CHAT.c.title, CHAT.c.created_at, CHAT.c.updated_at).where(
        CHAT.c.user_id == user.id
    )
    ordered = statement.order_by(CHAT.c.updated_at.desc(), CHAT.c.id).limit(PAGE).offset((page - 1) * PAGE)
    return JSONResponse(await run_in_threadpool(rows, ordered))


async def one(request: Request) -> Response:
    """Read, change or delete a chat."""
    user = await verified(request)
    chat_id = str(request.path_params["id"])
    found = await run_in_threadpool(first, _own(user.id, chat_id))
    if found is None:
        raise HTTPException(401, "We could not find what you're looking for :/")
    if request.method == "DELETE":
        await run_in_threadpool(rows, sa.delete(CHAT).where(CHAT.c.id == chat_id))
        return JSONResponse(content=True)
    if request.method == "POST":
        found = await _changed(request, user, found)
    return JSONResponse({key: found[key] for key in ("id", "user_id", "title", "chat", "created_at", "updated_at")})


async def _changed(request: Request, user: User, found: dict[str, Any]) -> dict[str, Any]:
    chat = {**found["chat"], **(await request.json())["chat"]}
    values = {"chat": chat, "title": str(chat.get("title") or "New Chat"), "updated_at": int(time.time())}
    await run_in_threadpool(
        rows, sa.update(CHAT).where(CHAT.c.id == found["id"], CHAT.c.user_id == user.id).values(values)
    )
    return {**found, **values}
