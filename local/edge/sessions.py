"""The login session that an application load balancer keeps in the client's cookies, encrypted by a key of this process."""

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
"""Most browsers limit a cookie's name and value to this: a larger session is sharded (ELB user guide, authentication)."""
SESSION_BYTES = 11 * 1024
"""Claims and access token beyond this are refused with 500 (ELB user guide, authentication flow)."""
MOST_SHARDS = 6
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Vault:
    """Seals what the load balancer gives to a client and wants back unchanged."""

    _cipher: AESGCM = field(default_factory=lambda: AESGCM(AESGCM.generate_key(256)), repr=False)

    def seal(self, content: Mapping[str, Any]) -> str:
        """Base64url text without padding."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(content).encode(), None)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: str) -> dict[str, Any] | None:
        """The content; nothing where this process did not seal it."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None))
        except (InvalidTag, ValueError):
            return None


@dataclass(frozen=True)
class Session:
    """Someone who has logged in, at one issuer as one client; times in seconds since the epoch."""

    issuer: str
    client: str
    claims: Mapping[str, Any]
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires: float
    started: float

    @property
    def size(self) -> int:
        """Bytes of claims and access token."""
        return len(json.dumps(self.claims)) + len(self.access_token)


def cookies(name: str, sealed: str, expires: float) -> list[str]:
    """The values of ``set-cookie`` for a session, shard by shard."""
    most = COOKIE_BYTES - len(name) - len("-0=")
    shards = [sealed[start : start + most] for start in range(0, len(sealed), most)]
    attributes = f"Expires={formatdate(expires, usegmt=True)}; Path=/; Secure; HttpOnly"
    return [f"{name}-{index}={shard}; {attributes}" for index, shard in enumerate(shards)]


def joined(name: str, sent: Iterable[tuple[str, str]]) -> str:
    """The sealed session of the cookies that a client sends; empty without the first shard."""
    known = dict(sent)
    found = ""
    for index in range(MOST_SHARDS):
        shard = known.get(f"{name}-{index}")
        if not shard:
            break
        found += shard
    return found


def to_content(session: Session) -> dict[str, Any]:
    """What is sealed."""
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
    """A session; nothing where the content is something else."""
    try:
        return Session(
            str(content["i"]), str(content["c"]), content["u"], str(content["a"]), str(content["r"]),
            float(content["e"]), float(content["t"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
