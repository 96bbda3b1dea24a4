"""The headers in which an application load balancer passes a user's claims to a target, and the key that signs them."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from local.edge.sessions import Session

CLAIMS = "x-amzn-oidc-data"
ACCESS_TOKEN = "x-amzn-oidc-accesstoken"  # noqa: S105 - the header's name
IDENTITY = "x-amzn-oidc-identity"
ADDED = (CLAIMS, ACCESS_TOKEN, IDENTITY)
VALID_SECONDS = 120
_NUMBER_BYTES = 32


@dataclass(frozen=True)
class Signer:
    """Signs with ES256 as the load balancer with this ARN."""

    balancer: str
    kid: str = field(default_factory=lambda: str(uuid.uuid4()))
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    @property
    def public_key(self) -> str:
        """The public key as PEM, as the region's public key endpoint returns it."""
        return (
            self._key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def headers(self, session: Session, now: float) -> list[tuple[str, str]]:
        """Return the three headers of a session. The parts of the token are padded, as AWS documents."""
        header = {
            "typ": "JWT",
            "kid": self.kid,
            "alg": "ES256",
            "iss": session.issuer,
            "client": session.client,
            "signer": self.balancer,
            "exp": int(now) + VALID_SECONDS,
        }
        return [
            (ACCESS_TOKEN, session.access_token),
            (IDENTITY, str(session.claims.get("sub", "")).encode().decode("latin-1")),
            (CLAIMS, self._token(header, session.claims)),
        ]

    def _token(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        text = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(dict(claims)).encode())}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encoded(r.to_bytes(_NUMBER_BYTES) + s.to_bytes(_NUMBER_BYTES))}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()
