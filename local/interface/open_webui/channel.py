"""Messages between tasks: events for browsers that are connected to another task, and generations to stop."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

from . import env

EVENTS, COMMANDS = "socketio", f"{env.REDIS_KEY_PREFIX}:tasks:commands"
RETRY_SECONDS = 1.0
Handler = Callable[[dict[str, Any]], Awaitable[None]]
_log = logging.getLogger(__name__)


class Channel:
    """Sends messages to every task, including this one."""

    def __init__(self) -> None:
        """Use Redis if the environment configures it; its URL must be valid."""
        self._handlers: dict[str, Handler] = {}
        self._client: Any = None
        if env.WEBSOCKET_MANAGER == "redis":
            self._client = redis.Redis.from_url(env.WEBSOCKET_REDIS_URL, **env.REDIS_OPTIONS)  # pyright: ignore[reportUnknownMemberType]
        self._listener: asyncio.Task[None] | None = None

    def on(self, name: str, handler: Handler) -> None:
        """Subscribe to a channel's messages."""
        self._handlers[name] = handler

    async def publish(self, name: str, message: dict[str, Any]) -> None:
        """Send a message to every task; without Redis, or while it is unavailable, to this one only."""
        if self._client is not None:
            try:
                await self._client.publish(name, json.dumps(message))
            except (RedisError, OSError) as problem:
                _log.error("Cannot publish to redis: %s", problem)
            else:
                return
        await self._handlers[name](message)

    async def __aenter__(self) -> Channel:
        """Start listening."""
        if self._client is not None:
            self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._listener:
            self._listener.cancel()
            await self._client.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as subscribed:
                    await subscribed.subscribe(*self._handlers)
                    async for message in subscribed.listen():
                        if message["type"] == "message":
                            await self._handlers[message["channel"].decode()](json.loads(message["data"]))
            except (RedisError, OSError) as problem:
                _log.error("Cannot receive from redis, retrying in %s secs: %s", RETRY_SECONDS, problem)
                await asyncio.sleep(RETRY_SECONDS)


CHANNEL = Channel()
