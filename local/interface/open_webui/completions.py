"""A chat completion: streamed to the client, or run in the background with events for the page, which can stop it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from . import chats, models
from .auth import User, verified
from .channel import CHANNEL, COMMANDS
from .sockets import emit

_RUNNING: dict[str, tuple[asyncio.Task[None], str]] = {}
"""Task id → the generation and whose it is."""


async def complete(request: Request) -> Response:
    """Answer a chat: in the background with ``session_id``, ``chat_id`` and ``id``, otherwise as a stream."""
    user = await verified(request)
    body: dict[str, Any] = await request.json()
    user_agent = request.headers.get("user-agent", "")
    if all(body.get(one) for one in ("session_id", "chat_id", "id")):
        task = str(uuid.uuid4())
        _RUNNING[task] = asyncio.create_task(_generate(user, body, task, user_agent)), user.id
        return JSONResponse({"status": True, "task_id": task})
    parts = models.stream(user, body, user_agent)
    beginning = await anext(parts)
    if body.get("stream"):
        return StreamingResponse(_with(beginning, parts), media_type="text/event-stream")
    text = "".join([one async for one in _texts(_with(beginning, parts))])
    message = {"role": "assistant", "content": text}
    return JSONResponse(
        {"model": body["model"], "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    )


async def _with(beginning: bytes, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield beginning
    async for part in parts:
        yield part


async def _texts(parts: AsyncGenerator[bytes]) -> AsyncGenerator[str]:
    left = b""
    async for part in parts:
        *lines, left = (left + part).split(b"\n")
        for line in lines:
            if text := models.said(line.decode().rstrip("\r")):
                yield text


async def _generate(user: User, body: dict[str, Any], task: str, user_agent: str) -> None:
    async def tell(kind: str, data: dict[str, Any]) -> None:
        event = {"chat_id": body["chat_id"], "message_id": body["id"], "data": {"type": kind, "data": data}}
        await emit("events", event, f"user:{user.id}")

    content = ""
    try:
        async for text in _texts(models.stream(user, body, user_agent)):
            content += text
            await tell("chat:completion", {"content": content, "done": False})
        await tell("chat:completion", {"content": content, "done": True})
    except asyncio.CancelledError:
        await tell("chat:tasks:cancel", {})
    except HTTPException as refused:
        await tell("chat:message:error", {"error": {"content": refused.detail}})
    finally:
        del _RUNNING[task]
        await run_in_threadpool(chats.keep, user.id, str(body["chat_id"]), str(body["id"]), content)


async def stop(request: Request) -> Response:
    """Stop a generation of the user on whichever task it runs."""
    user = await verified(request)
    await CHANNEL.publish(COMMANDS, {"action": "stop", "task_id": request.path_params["task_id"], "user_id": user.id})
    return JSONResponse({"status": True, "message": "Stop signal sent"})


async def _command(message: dict[str, Any]) -> None:
    running = _RUNNING.get(str(message["task_id"]))
    if running and running[1] == message["user_id"]:
        running[0].cancel()


CHANNEL.on(COMMANDS, _command)
