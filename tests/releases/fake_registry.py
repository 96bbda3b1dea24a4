"""A registry on loopback: tags with manifests, anonymous tokens, and faults of a registry."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INDEX = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []})
DIGEST = f"sha256:{hashlib.sha256(INDEX.encode()).hexdigest()}"


@dataclass
class Registry:
    """What it holds and what it was asked."""

    host: str
    manifests: Mapping[str, str]
    """``<repository>:<tag>`` to the manifest."""
    token: str = ""
    """Empty: no login is needed."""
    said: str = ""
    """Another digest in the header than the manifest's."""
    status: int = 0
    redirect: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Path and Accept header."""


@contextlib.contextmanager
def registry(manifests: Mapping[str, str], **connectivity: object) -> Generator[Registry]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.asked.append((self.path, self.headers.get("Accept", "")))
            if self.path.startswith("/token"):
                self._answer(200, json.dumps({"token": it.token}))
            elif it.redirect:
                self._answer(307, "", Location=it.redirect)
            elif it.token and self.headers.get("Authorization") != f"Bearer {it.token}":
                realm = f'Bearer realm="http://{it.host}/token",service="it",scope="repository:proxy:pull"'
                self._answer(401, "", **{"WWW-Authenticate": realm})
            elif it.status:
                self._answer(it.status, "")
            else:
                repository, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
                manifest = it.manifests.get(f"{repository}:{tag}")
                if manifest is None:
                    self._answer(404, "")
                else:
                    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
                    self._answer(200, manifest, **{"Docker-Content-Digest": it.said or digest})

        def _answer(self, status: int, body: str, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it = Registry(f"127.0.0.1:{server.server_port}", manifests, **connectivity)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
