"""Tokens with which a role logs in to RDS: a request for ``rds-db:connect``, signed in advance (Signature Version 4).

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

SERVICE = "rds-db"
MOST_SECONDS = 900
"""How long a token is valid."""
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Credential:
    """The secret half of an access key, and whose it is."""

    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    """Empty for a key that does not expire."""
    principal: str
    """The role's ARN."""


Keys = Callable[[str], Credential | None]
"""Access key id → its credential, ``None`` for one that AWS does not know or that has expired."""
Authorize = Callable[[str, str, str], str]
"""Principal, action and resource → why it is refused, empty where it is allowed."""


@dataclass(frozen=True)
class Login:
    """What a valid token must be for."""

    user: str
    port: int
    region: str
    hosts: Collection[str]
    """The names of the cluster and its instances."""


def refused(token: str, login: Login, keys: Keys) -> tuple[str, Credential | None]:
    """Why a token is not valid, empty where it is, and the credential that signed it."""
    address, _, query = token.partition("/?")
    parts = dict(parse_qsl(query))
    signature = parts.pop("X-Amz-Signature", "")
    host, _, port = address.partition(":")
    if not signature or "X-Amz-Credential" not in parts:
        return "the password is no token: it is not signed", None
    if host not in login.hosts or port != str(login.port):
        known = ", ".join(sorted(login.hosts))
        return f"the token is for {address}, and this is port {login.port} of {known}", None
    if parts.get("Action") != "connect" or parts.get("DBUser") != login.user:
        return f"the token is for the user {parts.get('DBUser')}, not {login.user}", None
    try:
        key_id, day, region, service, end = parts["X-Amz-Credential"].split("/")
        signed = datetime.strptime(parts["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = min(int(parts["X-Amz-Expires"]), MOST_SECONDS)
    except (KeyError, ValueError):
        return "the token is not a signed request", None
    if (region, service, end) != (login.region, SERVICE, "aws4_request"):
        return f"the token is signed for {service} in {region}, not {SERVICE} in {login.region}", None
    if not -CLOCK_SKEW <= datetime.now(UTC) - signed <= timedelta(seconds=lifetime):
        return f"the token has expired: it was made at {signed:%H:%M:%S} UTC for {lifetime} s", None
    credential = keys(key_id)
    if credential is None:
        return f"AWS does not know the access key {key_id}, or it has expired", None
    if parts.get("X-Amz-Security-Token", "") != credential.session_token:
        return f"the session token is not that of the access key {key_id}", None
    if not hmac.compare_digest(_signature(parts, address, (day, region, service, end), credential), signature):
        return "the signature does not match", None
    return "", credential


def _signature(parts: dict[str, str], host: str, scope: tuple[str, ...], credential: Credential) -> str:
    canonical = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(parts.items())
    )
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{canonical}\nhost:{host}\n\nhost\n{empty}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{parts['X-Amz-Date']}\n{'/'.join(scope)}\n{digest}"
    key = f"AWS4{credential.secret_key}".encode()
    for part in (*scope, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
