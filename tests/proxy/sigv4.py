"""Signature Version 4, computed from a received request as AWS does (IAM user guide, "Create a signed request")."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.server import Received

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def verified(request: Received, secret: str) -> dict[str, str]:
    """Recompute the signature over the request as it arrived; return what it is for, fail where it differs."""
    match = _AUTHORIZATION.fullmatch(request.value("authorization") or "")
    assert match, request.value("authorization")
    found = match.groupdict()
    path, _, query = request.target.partition("?")
    names = found["headers"].split(";")
    body = hashlib.sha256(request.body).hexdigest()
    lines = [
        request.method,
        path,
        query,
        *(f"{name}:{request.value(name)}" for name in names),
        "",
        found["headers"],
        body,
    ]
    scope = f"{found['date']}/{found['region']}/{found['service']}/aws4_request"
    canonical = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.value("x-amz-date") or "", scope, canonical])
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert key.hex() == found["signature"]
    return {**found, "host": request.value("host") or ""}
