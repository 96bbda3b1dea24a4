"""The region's endpoint for the public keys of load balancers, under AWS's name.

No task of a stack can reach it, so a task that verifies signatures with it fails, as it would on AWS without a route
there.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from local.authority import Authority
from local.edge.claims import Signer
from local.wiring import Node, Wiring
from local.wsgi import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HTTPS = 443


class PublicKeys:
    """Serves a load balancer's public key while the ``with`` block runs."""

    def __init__(self, signer: Signer, region: str, wiring: Wiring, node: Node, *, authority: Authority) -> None:
        self.host = f"public-keys.auth.elb.{region}.amazonaws.com"
        self.node = node
        self._signer = signer
        self._wiring = wiring
        self._authority = authority
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            context = self._authority.issue(self.host).server_context(Path(folder))
        listening = self._wiring.listen(self.node.host, self.node.address, HTTPS)
        self._stack.enter_context(serving(self._answer, listening, context))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        known = environ["PATH_INFO"] == f"/{self._signer.kid}"
        body = self._signer.public_key.encode() if known else b""
        start("200 OK" if known else "403 Forbidden", [("content-length", str(len(body)))])
        return [body]
