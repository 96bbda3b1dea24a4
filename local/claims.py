"""Claims in the load balancer's format: a token in ``x-amzn-oidc-data``, here without a valid signature."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.proxy import ProxyIdentity

HEADER = "x-amzn-oidc-data"
_SIGNATURE = "A" * 86 + "=="


def encoded(value: object) -> str:
    """Return JSON as base64url with padding, as the load balancer writes it."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode()


def token_header(identity: ProxyIdentity, **changes: object) -> dict[str, Any]:
    """Return the header of a token that the configured load balancer would issue now."""
    header: dict[str, Any] = {
        "typ": "JWT",
        "kid": "3e33ad4f-6f2e-4f9c-9d0e-7a8d1c2b3a4f",
        "alg": "ES256",
        "iss": identity.issuer,
        "client": identity.client_id,
        "signer": identity.signer_arn,
        "exp": int(time.time()) + 120,
    }
    return {**header, **changes}


def token(identity: ProxyIdentity, claims: Mapping[str, Any] | bytes, **changes: object) -> str:
    """Return the value of ``x-amzn-oidc-data`` for these claims."""
    return ".".join([encoded(token_header(identity, **changes)), encoded(claims), _SIGNATURE])
