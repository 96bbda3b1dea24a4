"""How RDS authenticates a login: TLS is required, the master uses a password, members of rds_iam an IAM token.

It handles PostgreSQL's first messages (protocol 3.0, "Message Flow" and "SSL Session Encryption" in PostgreSQL's
documentation) and forwards the rest to a server that trusts it. It checks what AWS checks in a token: host, port, user,
age and signature.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import ssl
import struct
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote

from local.certificate import Certificate
from tests.database.deployed import Deployed
from tests.database.server import Server

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""AWS's example key, used as the task role's credentials."""


@dataclass
class RdsLogin:
    """The listening server, with the logins it accepted and refused."""

    server: Server
    deployed: Deployed
    """The stack that the database belongs to: it sets the master's name and the region."""
    password: str
    """The master's password."""
    context: ssl.SSLContext
    port: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Accepted logins in order: the user, and ``password`` or ``token``."""
    refused: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it disconnects."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                await self._serve(reader, writer)
            finally:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encrypted = False
        while (first := await _first(reader))[0] in {SSL_REQUEST, GSS_REQUEST}:
            if first[0] == GSS_REQUEST:
                writer.write(b"N")
                continue
            writer.write(b"S")
            await writer.start_tls(self.context)
            encrypted = True
        start = first[1]
        named = dict(zip(*[iter(start[8:].rstrip(b"\0").split(b"\0"))] * 2, strict=False))
        user = named[b"user"].decode()
        if not encrypted:
            return self._refuse(writer, f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", no encryption')
        writer.write(b"R" + struct.pack("!ii", 8, 3))
        kind = await reader.readexactly(1)
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        secret = (await reader.readexactly(length - 4)).rstrip(b"\0").decode()
        if kind != b"p":
            return self._refuse(writer, "expected a password")
        method = "token" if await asyncio.to_thread(self._by_token, user) else "password"
        if method == "token" and not is_valid_token(secret, user, f"localhost:{self.port}", self.deployed.region):
            return self._refuse(writer, f'PAM authentication failed for user "{user}"')
        if method == "password" and (user, secret) != (self.deployed.master, self.password):
            return self._refuse(writer, f'password authentication failed for user "{user}"')
        self.logins.append((user, method))
        from_server, to_server = await asyncio.open_unix_connection(str(self.server.socket))
        to_server.write(start)
        await asyncio.gather(_relay(reader, to_server), _relay(from_server, writer))
        return None

    def _by_token(self, user: str) -> bool:
        query = "SELECT pg_has_role(rolname, 'rds_iam', 'USAGE') FROM pg_roles WHERE rolname = %s AND NOT rolsuper"
        return self.server.ask("postgres", query, user) == [(True,)]

    def _refuse(self, writer: asyncio.StreamWriter, reason: str) -> None:
        self.refused.append(reason)
        body = b"SFATAL\0VFATAL\0C28000\0M" + reason.encode() + b"\0\0"
        writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)


async def _first(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(8)
    length, code = struct.unpack("!ii", head)
    return code, head + await reader.readexactly(length - 8)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


def is_valid_token(token: str, user: str, host: str, here: str) -> bool:
    """Whether a token is for this host, user and region, still valid, and signed with the task role's key."""
    address, _, query = token.partition("/?")
    parts = dict(parse_qsl(query))
    signature = parts.pop("X-Amz-Signature", "")
    try:
        day, region, service, end = parts["X-Amz-Credential"].split("/")[1:]
        signed = datetime.strptime(parts["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        age = datetime.now(UTC) - signed
    except (KeyError, ValueError):
        return False
    if (address, parts.get("DBUser"), parts.get("Action")) != (host, user, "connect"):
        return False
    if (region, service, parts["X-Amz-Credential"].split("/")[0]) != (here, "rds-db", KEY_ID):
        return False
    if not timedelta(minutes=-5) <= age <= timedelta(seconds=int(parts.get("X-Amz-Expires", "0"))):
        return False
    canonical = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(parts.items())
    )
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{canonical}\nhost:{host}\n\nhost\n{empty}"
    scope = f"{day}/{region}/{service}/{end}"
    text = f"AWS4-HMAC-SHA256\n{parts['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, service, end, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), signature)


@contextlib.contextmanager
def rds_login(
    server: Server, certificate: Certificate, folder: Path, deployed: Deployed, password: str
) -> Generator[RdsLogin]:
    """Authenticate logins to the server until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate.write(folder))
    login = RdsLogin(server, deployed, password, context)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(login.serve, "127.0.0.1", 0))
    login.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield login
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(listening: asyncio.Server) -> None:
    listening.close()
    clients = asyncio.all_tasks() - {asyncio.current_task()}
    for task in clients:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


def task_role() -> Mapping[str, str]:
    """Environment variables with the task role's credentials."""
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
