"""Access control of a database on RDS: TLS is required; the master logs in with a password, and roles with rds_iam with
an IAM token.

It handles PostgreSQL's first messages itself (protocol 3.0, "Message Flow" and "SSL Session Encryption" in PostgreSQL's
documentation) and forwards the rest to a server that trusts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
BUFFER = 65536


class Admission(Protocol):
    """The access decisions of the cluster."""

    def unavailable(self) -> bool:
        """Whether connections are refused at the moment."""
        ...

    def unencrypted(self, reason: str) -> None:
        """Record that a connection without TLS was refused; ``reason`` is the client's error."""
        ...

    def refused(self, user: str, database: str, secret: str) -> str:
        """Return the reason why a login is refused; empty if it is accepted."""
        ...

    def read_only(self, address: str) -> bool:
        """Whether the instance with this address is read-only."""
        ...


@dataclass
class InstanceListener:
    """The sockets of all instances, served by an event loop in a separate thread."""

    gate: Admission
    behind: Path
    context: ssl.SSLContext
    force_ssl: bool
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _servers: list[asyncio.Server] = field(default_factory=list[asyncio.Server])
    _clients: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def start(self) -> None:
        """Run the loop."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="database", daemon=True)
        self._thread.start()

    def listen(self, listening: socket.socket, address: str) -> None:
        """Serve an instance's socket."""

        async def open_() -> None:
            def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = self._loop.create_task(self._serve(reader, writer, address))
                self._clients.add(task)
                task.add_done_callback(self._clients.discard)

            self._servers.append(await asyncio.start_server(serve, sock=listening))

        asyncio.run_coroutine_threadsafe(open_(), self._loop).result(10)

    def cut(self) -> None:
        """Close every connection."""

        async def cancel() -> None:
            clients = list(self._clients)
            for one in clients:
                one.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result(10)

    def close(self) -> None:
        """Close the sockets and the connections."""

        async def close() -> None:
            for one in self._servers:
                one.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self.cut()
        self._servers.clear()

    def stop(self) -> None:
        """Close everything and stop the loop."""
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                if self.gate.unavailable():
                    writer.transport.abort()
                    return
                await self._session(reader, writer, address)
            finally:
                writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        encrypted = False
        while (first := await _first(reader))[0] in {SSL_REQUEST, GSS_REQUEST}:
            if first[0] == GSS_REQUEST:
                writer.write(b"N")
                continue
            writer.write(b"S")
            await writer.start_tls(self.context)
            encrypted = True
        if first[0] == CANCEL_REQUEST:
            _, forward = await asyncio.open_unix_connection(str(self.behind))
            forward.write(first[1])
            forward.close()
            return
        named = dict(zip(*[iter(first[1][8:].rstrip(b"\0").split(b"\0"))] * 2, strict=False))
        user, database = named[b"user"].decode(), named.get(b"database", named[b"user"]).decode()
        if self.force_ssl and not encrypted:
            peer = writer.get_extra_info("peername")[0]
            reason = f'no pg_hba.conf entry for host "{peer}", user "{user}", database "{database}", no encryption'
            self.gate.unencrypted(reason)
            _refuse(writer, reason)
            return
        writer.write(b"R" + struct.pack("!ii", 8, 3))
        kind = await reader.readexactly(1)
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        secret = (await reader.readexactly(length - 4)).rstrip(b"\0").decode()
        reason = (
            await asyncio.to_thread(self.gate.refused, user, database, secret)
            if kind == b"p"
            else "expected a password"
        )
        if reason:
            _refuse(writer, reason)
            return
        behind, forward = await asyncio.open_unix_connection(str(self.behind))
        forward.write(_started(named, read_only=self.gate.read_only(address)))
        try:
            await asyncio.gather(_relay(reader, forward), _relay(behind, writer))
        finally:
            forward.close()


def _started(named: dict[bytes, bytes], *, read_only: bool) -> bytes:
    """The start message as the server gets it; an Aurora reader takes no writes."""
    if read_only:
        named[b"options"] = named.get(b"options", b"") + b" -c default_transaction_read_only=on"
    body = struct.pack("!i", 196608) + b"".join(key + b"\0" + value + b"\0" for key, value in named.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def _refuse(writer: asyncio.StreamWriter, reason: str) -> None:
    body = b"SFATAL\0VFATAL\0C28000\0M" + reason.encode() + b"\0\0"
    writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)


async def _first(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(8)
    length, code = struct.unpack("!ii", head)
    return code, head + await reader.readexactly(length - 8)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        try:
            while data := await reader.read(BUFFER):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


Log = Callable[[str, str, str], None]
"""Log group, log stream and line."""
