"""How RDS authenticates a login: TLS is required, the master uses a password, members of rds_iam an IAM token.

The protocol is the twin's (``local.data.listener``). A token is checked here without the twin's own verification: host,
port, user, age and signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote

from local.certificate import Certificate
from local.data.listener import InstanceListener
from local.data.postgres import PostgresServer
from local.ports import LOOPBACK
from tests.database.deployed import Deployed

KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""AWS's example key, used as the task role's credentials."""


@dataclass
class RdsLogin:
    """Who may log in, with the logins it accepted and refused: the ``Admission`` of the twin's listener."""

    server: PostgresServer
    deployed: Deployed
    """The stack that the database belongs to: it sets the master's name and the region."""
    password: str
    """The master's password."""
    port: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Accepted logins in order: the user, and ``password`` or ``token``."""
    refusals: list[str] = field(default_factory=list[str])

    def unavailable(self) -> bool:
        """Never: these tests stop no database."""
        return False

    def read_only(self, address: str) -> bool:
        """The writer is the only instance."""
        del address
        return False

    def unencrypted(self, reason: str) -> None:
        """Keep the refusal."""
        self.refusals.append(reason)

    def refused(self, user: str, database: str, secret: str) -> str:
        """Why a login is refused; it is kept."""
        del database
        method = "token" if self.server.logs_in_by_token(user) else "password"
        reason = ""
        if method == "token" and not is_valid_token(secret, user, f"localhost:{self.port}", self.deployed.region):
            reason = f'PAM authentication failed for user "{user}"'
        if method == "password" and (user, secret) != (self.deployed.master, self.password):
            reason = f'password authentication failed for user "{user}"'
        if reason:
            self.refusals.append(reason)
        else:
            self.logins.append((user, method))
        return reason


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
    server: PostgresServer, certificate: Certificate, folder: Path, deployed: Deployed, password: str
) -> Generator[RdsLogin]:
    """Authenticate logins to the server on a free port of loopback until the block ends."""
    login = RdsLogin(server, deployed, password)
    listener = InstanceListener(login, server.socket, certificate.server_context(folder), force_ssl=True)
    listening = socket.create_server((LOOPBACK, 0))
    login.port = listening.getsockname()[1]
    listener.start()
    try:
        listener.listen(listening, LOOPBACK)
        yield login
    finally:
        listener.stop()


def task_role() -> Mapping[str, str]:
    """Environment variables with the task role's credentials."""
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
