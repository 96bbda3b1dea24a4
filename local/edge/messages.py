"""HTTP/1.1 messages: heads are parsed; bodies are passed on unchanged, as soon as bytes arrive."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

PIECE = 65_536
"""The maximum number of bytes that are passed on at once."""
MOST_HEAD = 128 * 1024
"""Larger than any head that an application load balancer accepts, so that the documented limit refuses it first."""
REQUEST_LINE_BYTES = 16 * 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The pattern of a method (RFC 9110)."""
CODINGS = ("chunked", "identity")
"""The supported transfer codings; any other gets a 501, as from an application load balancer."""

Headers = tuple[tuple[str, str], ...]
T = TypeVar("T")


class Malformed(Exception):  # noqa: N818 - a request, not an error of this program
    """A message that cannot be forwarded: the status of the response, and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Head:
    """The first line and the headers of a request or response, with names as sent."""

    first: tuple[str, str, str]
    headers: Headers
    size: int
    """The head in its wire format."""

    def values(self, name: str) -> list[str]:
        """Return every value of a header; ``name`` is in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next(iter(self.values(name)), "")

    def has(self, name: str, token: str) -> bool:
        """Whether a header's comma-separated values contain a token, ignoring case."""
        return any(token == part.strip().lower() for value in self.values(name) for part in value.split(","))

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.first[0]

    @property
    def target(self) -> str:
        """The target of a request, as sent."""
        return self.first[1]

    @property
    def version(self) -> str:
        """``HTTP/1.1`` or ``HTTP/1.0``."""
        return self.first[2] if not self.first[0].startswith("HTTP/") else self.first[0]

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.first[1])

    @property
    def persistent(self) -> bool:
        """Whether the sender keeps the connection open."""
        if self.version == "HTTP/1.0":
            return self.has("connection", "keep-alive")
        return not self.has("connection", "close")


@dataclass
class Idle:
    """The idle timeout of a pair of connections: ``seconds`` without a byte in either direction."""

    seconds: float
    _last: float = field(default_factory=time.monotonic)

    def touch(self) -> None:
        """Record that a byte has passed."""
        self._last = time.monotonic()

    async def within(self, wanted: Coroutine[Any, Any, T]) -> T:
        """Return the result. Raises ``TimeoutError`` once no byte has passed for the timeout."""
        task = asyncio.ensure_future(wanted)
        try:
            while not task.done():
                left = self._last + self.seconds - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no byte for {self.seconds} s")
                await asyncio.wait([task], timeout=left)
        finally:
            if not task.done():
                task.cancel()
        self.touch()
        return task.result()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Read a head up to its final empty line; empty if the peer closes before the first byte."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise Malformed(400, "the connection was closed within a head") from error
        return b""
    except asyncio.LimitOverrunError as error:
        start = await reader.read(REQUEST_LINE_BYTES + 2)
        status = 400 if b"\r\n" in start else 414
        raise Malformed(status, "a request line or headers beyond the limits") from error
    return head


def request_head(raw: bytes) -> Head:
    """Parse a request. Raises ``Malformed`` if it is not HTTP."""
    first, headers = _parsed(raw.lstrip(b"\r\n"))
    parts = first.split(" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):  # noqa: PLR2004
        raise Malformed(400, "a request line that is not HTTP/1.1")
    head = Head((parts[0], parts[1], parts[2]), headers, len(raw))
    if len(head.values("host")) > 1 or (head.version == "HTTP/1.1" and not head.values("host")):
        raise Malformed(400, "no host header, or more than one")
    if len(set(head.values("content-length"))) > 1:
        raise Malformed(400, "different content-length headers")
    return head


def response_head(raw: bytes) -> Head:
    """Parse a response. Raises ``Malformed`` if a target's response is not HTTP."""
    first, headers = _parsed(raw)
    version, _, rest = first.partition(" ")
    status, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not re.fullmatch("[1-5][0-9]{2}", status):
        raise Malformed(502, f"a response that starts with {first[:40]!r}")
    return Head((version, status, reason), headers, len(raw))


def _parsed(raw: bytes) -> tuple[str, Headers]:
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or any(ord(char) <= ord(" ") for char in name):
            raise Malformed(400, f"an invalid header line: {line[:40]!r}")
        if any(char in value for char in "\r\n\0"):
            raise Malformed(400, f"characters of the header {name}")
        headers.append((name, value.strip(" \t")))
    return first, tuple(headers)


@dataclass
class Body:
    """A body, as pieces in the order in which they arrive, each with its framing and its content."""

    reader: asyncio.StreamReader
    length: int = 0
    chunked: bool = False
    until_close: bool = False
    idle: Idle | None = None
    complete: bool = False
    _held: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    _source: AsyncGenerator[tuple[bytes, bytes]] | None = None

    @classmethod
    def of_request(cls, head: Head, reader: asyncio.StreamReader, idle: Idle) -> Body:
        """Return the body that a request announces."""
        codings = [part.strip().lower() for value in head.values("transfer-encoding") for part in value.split(",")]
        if any(coding not in CODINGS for coding in codings):
            raise Malformed(501, f"the transfer coding {', '.join(codings)}")
        chunked = "chunked" in codings
        length = head.value("content-length")
        if length and not re.fullmatch("[0-9]+", length):
            raise Malformed(400, "a content-length that is not a number")
        return cls(reader, 0 if chunked else int(length or 0), chunked, idle=idle)

    @classmethod
    def of_response(cls, head: Head, method: str, reader: asyncio.StreamReader, idle: Idle | None) -> Body:
        """Return the body of a response."""
        if method == "HEAD" or head.status in (204, 304):
            return cls(reader, idle=idle)
        if head.has("transfer-encoding", "chunked"):
            return cls(reader, chunked=True, idle=idle)
        length = head.value("content-length")
        if not length:
            return cls(reader, until_close=True, idle=idle)
        if not length.isdigit():
            raise Malformed(502, "a content-length that is not a number")
        return cls(reader, int(length), idle=idle)

    @property
    def empty(self) -> bool:
        """Whether no byte follows."""
        return not self.length and not self.chunked and not self.until_close

    async def start(self, most: int) -> bytes:
        """Return the first bytes of the content, at most ``most`` of them; they are still forwarded."""
        carried = b""
        self._source = self._source or self._read()
        while len(carried) < most:
            try:
                piece = await anext(self._source)
            except StopAsyncIteration:
                break
            self._held.append(piece)
            carried += piece[1]
        return carried

    async def pieces(self, *, framed: bool = True) -> AsyncGenerator[bytes]:
        """Yield every piece, with or without its framing."""
        while self._held:
            yield self._held.pop(0)[0 if framed else 1]
        self._source = self._source or self._read()
        async for raw, payload in self._source:
            yield raw if framed else payload

    async def carried(self, most: int) -> bytes:
        """Return the whole content. Raises ``Malformed`` beyond ``most`` bytes."""
        found = b""
        async for _, payload in self._read():
            found += payload
            if len(found) > most:
                raise Malformed(502, f"more than {most} bytes")
        return found

    async def _next(self, wanted: Coroutine[Any, Any, T]) -> T:
        return await (self.idle.within(wanted) if self.idle is not None else wanted)

    async def _read(self) -> AsyncGenerator[tuple[bytes, bytes]]:
        if self.chunked:
            async for piece in self._chunks():
                yield piece
        elif self.until_close:
            while data := await self._next(self.reader.read(PIECE)):
                yield data, data
        else:
            async for data in self._exactly(self.length):
                yield data, data
        self.complete = True

    async def _chunks(self) -> AsyncGenerator[tuple[bytes, bytes]]:
        while True:
            line = await self._next(self.reader.readuntil(b"\r\n"))
            try:
                size = int(line.split(b";")[0].strip(), 16)
            except ValueError as error:
                raise Malformed(400, f"an invalid chunk size: {line[:20]!r}") from error
            yield line, b""
            if not size:
                break
            async for data in self._exactly(size):
                yield data, data
            yield await self._next(self.reader.readexactly(2)), b""
        while True:
            line = await self._next(self.reader.readuntil(b"\r\n"))
            yield line, b""
            if line == b"\r\n":
                return

    async def _exactly(self, size: int) -> AsyncGenerator[bytes]:
        while size:
            data = await self._next(self.reader.read(min(size, PIECE)))
            if not data:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(data)
            yield data


def written(first: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return a message in its wire format."""
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers), "", ""]).encode("latin-1") + body
