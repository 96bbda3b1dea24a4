"""The login session that an application load balancer stores in the client's cookies, encrypted with a key of this
process."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

COOKIE_BYTES = 4096
"""The limit of most browsers for a cookie's name and value; a larger session is split (ELB user guide,
authentication)."""
SESSION_BYTES = 11 * 1024
"""The maximum size of claims and access token; more get a 500 (ELB user guide, authentication flow)."""
MOST_SHARDS = 6
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Vault:
    """Encrypts data that the load balancer sends to a client and must get back unchanged."""

    _cipher: AESGCM = field(default_factory=lambda: AESGCM(AESGCM.generate_key(256)), repr=False)

    def seal(self, content: Mapping[str, Any]) -> str:
        """Encrypt, and encode as base64url without padding."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(content).encode(), None)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: str) -> dict[str, Any] | None:
        """Decrypt; ``None`` if this process did not encrypt the data."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None))
        except (InvalidTag, ValueError):
            return None


@dataclass(frozen=True)
class Session:
    """A logged-in user, for one issuer and one client; times are in seconds since the epoch."""

    issuer: str
    client: str
    claims: Mapping[str, Any]
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires: float
    started: float

    @property
    def size(self) -> int:
        """The size of claims and access token in bytes."""
        return len(json.dumps(self.claims)) + len(self.access_token)


def cookies(name: str, sealed: str, expires: float) -> list[str]:
    """Return the values of ``set-cookie`` for a session, one for each part."""
    most = COOKIE_BYTES - len(name) - len("-0=")
    shards = [sealed[start : start + most] for start in range(0, len(sealed), most)]
    attributes = f"Expires={formatdate(expires, usegmt=True)}; Path=/; Secure; HttpOnly"
    return [f"{name}-{index}={shard}; {attributes}" for index, shard in enumerate(shards)]


def joined(name: str, sent: Iterable[tuple[str, str]]) -> str:
    """Return the encrypted session from a client's cookies; empty if the first part is missing."""
    known = dict(sent)
    found = ""
    for index in range(MOST_SHARDS):
        shard = known.get(f"{name}-{index}")
        if not shard:
            break
        found += shard
    return found


def to_content(session: Session) -> dict[str, Any]:
    """Return the content to encrypt."""
    return {
        "i": session.issuer,
        "c": session.client,
        "u": dict(session.claims),
        "a": session.access_token,
        "r": session.refresh_token,
        "e": session.access_expires,
        "t": session.started,
    }


def from_content(content: Mapping[str, Any]) -> Session | None:
    """Read a session; ``None`` if the content is not a session."""
    try:
        return Session(
            str(content["i"]), str(content["c"]), content["u"], str(content["a"]), str(content["r"]),
            float(content["e"]), float(content["t"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
