"""The load balancer's own requests to the identity provider, over verified TLS."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.edge.messages import Body, Malformed, read_head, response_head, written
from local.edge.surroundings import BalancerNode, EdgeSurroundings

MOST_BYTES = 1 << 20
HTTPS = 443


class Unreachable(Exception):  # noqa: N818 - a state of the network
    """The other side did not respond; ``timed_out`` distinguishes a timeout from a failed connection."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


@dataclass(frozen=True)
class Call:
    """A request to send."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Reply:
    """The received response."""

    status: int
    body: bytes = field(repr=False)


async def fetch(around: EdgeSurroundings, place: BalancerNode, call: Call) -> Reply:
    """Send one request and return its response. Raises ``Unreachable`` if there is none."""
    try:
        return await asyncio.wait_for(_fetch(around, place, call), around.provider_seconds)
    except TimeoutError as error:
        raise Unreachable(f"{call.url} did not answer within {around.provider_seconds} s", timed_out=True) from error
    except LookupError as error:
        raise Unreachable(f"the name of {call.url} does not resolve") from error
    except (OSError, Malformed, asyncio.IncompleteReadError) as error:
        raise Unreachable(f"{call.url}: {error}") from error


async def _fetch(around: EdgeSurroundings, place: BalancerNode, call: Call) -> Reply:
    parts = urlsplit(call.url)
    host, port = parts.hostname or "", parts.port or HTTPS
    address = next(iter(around.names(host)))
    reader, writer = await around.connect(place, address, port, around.trusted, host)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        lines = [("Host", parts.netloc), ("Connection", "close"), ("Accept", "application/json"), *call.headers]
        if call.body:
            lines.append(("Content-Length", str(len(call.body))))
        writer.write(written(f"{call.method} {target} HTTP/1.1", lines, call.body))
        await writer.drain()
        raw = await read_head(reader)
        if not raw:
            raise ConnectionError("the connection was closed without an answer")
        head = response_head(raw)
        answer = Body.of_response(head, call.method, reader, None)
        return Reply(head.status, await answer.carried(MOST_BYTES))
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)
