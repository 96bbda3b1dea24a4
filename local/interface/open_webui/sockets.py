"""The WebSocket at ``/ws/socket.io``: Engine.IO 4 and Socket.IO 5, as far as the pages use them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import env
from .auth import user_of
from .channel import CHANNEL, EVENTS

PING_SECONDS, PONG_SECONDS, MOST_BYTES = 25.0, 20.0, 1_000_000


@dataclass
class Client:
    """A browser that is connected to this task."""

    socket: WebSocket
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    topics: set[str] = field(default_factory=set[str])


CLIENTS: dict[str, Client] = {}


async def emit(event: str, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON
    """Send an event to every client that subscribes to a topic, on every task."""
    await CHANNEL.publish(EVENTS, {"method": "emit", "event": event, "data": data, "topic": topic})


async def deliver(message: dict[str, Any]) -> None:
    """Forward an event to the browsers of this task that subscribe to its topic."""
    text = "42" + json.dumps([message["event"], message["data"]])
    for client in [one for one in CLIENTS.values() if message["topic"] in {*one.topics, one.id}]:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await client.socket.send_text(text)


CHANNEL.on(EVENTS, deliver)


async def polling(request: Request) -> Response:
    """Refuse every transport except WebSocket."""
    del request
    return JSONResponse({"code": 0, "message": "Transport unknown"}, status_code=400)


async def connect(socket: WebSocket) -> None:
    """Serve one browser from its handshake until it disconnects."""
    origin = socket.headers.get("origin")
    if origin and "*" not in env.CORS_ALLOW_ORIGIN and origin not in env.CORS_ALLOW_ORIGIN:
        await socket.send_denial_response(JSONResponse("Not an accepted origin.", status_code=400))
        return
    await socket.accept()
    client = Client(socket)
    handshake: dict[str, Any] = {
        "sid": client.id,
        "upgrades": [],
        "pingTimeout": int(PONG_SECONDS * 1000),
        "pingInterval": int(PING_SECONDS * 1000),
        "maxPayload": MOST_BYTES,
    }
    CLIENTS[client.id] = client
    pinging = asyncio.create_task(_ping(socket))
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text("0" + json.dumps(handshake))
        while True:
            await _packet(client, await socket.receive_text())
    pinging.cancel()
    del CLIENTS[client.id]


async def _ping(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await asyncio.sleep(PING_SECONDS)
            await socket.send_text("2")


async def _packet(client: Client, text: str) -> None:
    if text == "1":
        raise WebSocketDisconnect
    if text.startswith("40"):
        await _join(client, json.loads(text[2:] or "{}"))
        await client.socket.send_text("40" + json.dumps({"sid": client.id}))
    elif text.startswith("42"):
        number, _, rest = text[2:].partition("[")
        name, *data = json.loads(f"[{rest}")
        answer = await _event(client, name, data[0] if data else {})
        if number:
            await client.socket.send_text(f"43{number}" + json.dumps([answer]))


async def _join(client: Client, auth: dict[str, Any]) -> dict[str, str] | None:
    user = await run_in_threadpool(user_of, str(auth.get("token", "")))
    if user is None:
        return None
    client.topics.add(f"user:{user.id}")
    return {"id": user.id, "name": user.name}


async def _event(client: Client, name: str, data: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if name == "user-join":
        return await _join(client, data.get("auth") or {})
    if name == "chat-events":
        # A browser's other windows hear what one of them does.
        for topic in client.topics:
            await emit("events", data, topic)
    return None
