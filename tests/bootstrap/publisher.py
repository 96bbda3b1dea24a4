"""A publisher's registry on loopback: images for two processors, anonymous tokens, a storage to which downloads of blobs are
redirected, and faults of each."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
TOKEN = "anonymous-t0k3n"
SIGNATURE = "s1gn4ture-of-the-storage"
PLATFORMS = ("amd64", "arm64")
NO_HEADERS: Mapping[str, str] = {}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Picture:
    """One image: its index, the manifests below it, and their blobs."""

    digest: str
    manifests: dict[str, tuple[str, bytes]]
    """Digest → media type and bytes; the last one is the index."""
    blobs: dict[str, bytes]

    @property
    def layers(self) -> list[str]:
        """The blobs, largest first."""
        return sorted(self.blobs, key=lambda digest: len(self.blobs[digest]), reverse=True)


def picture(name: str, largest: int = 3000) -> Picture:
    """An image for two processors with a layer in common, and the attestation of one. ``largest``: bytes of a layer."""
    generator = random.Random(name)  # noqa: S311 - content of a layer
    common = generator.randbytes(2000)
    blobs: dict[str, bytes] = {}
    manifests: dict[str, tuple[str, bytes]] = {}
    listed: list[dict[str, object]] = []
    for architecture in (*PLATFORMS, "unknown"):
        layers = [json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "image": name}).encode()]
        if architecture in PLATFORMS:
            layers = [common, generator.randbytes(largest if architecture == "amd64" else 1000)]
        config = json.dumps({"architecture": architecture, "image": name}).encode()
        described = [
            {"mediaType": "application/octet-stream", "digest": digest_of(blob), "size": len(blob)}
            for blob in (config, *layers)
        ]
        blobs |= {digest_of(blob): blob for blob in (config, *layers)}
        entry = _manifest({"config": described[0], "layers": described[1:]}, IMAGE)
        manifests[digest_of(entry)] = (IMAGE, entry)
        system = "linux" if architecture in PLATFORMS else "unknown"
        listed.append(
            {
                "mediaType": IMAGE,
                "digest": digest_of(entry),
                "size": len(entry),
                "platform": {"os": system, "architecture": architecture},
            }
        )
    index = _manifest({"manifests": listed}, INDEX)
    manifests[digest_of(index)] = (INDEX, index)
    return Picture(digest_of(index), manifests, blobs)


def _manifest(content: Mapping[str, object], media_type: str) -> bytes:
    """Written as no program here would write it: whoever writes it again changes its digest."""
    written = {"annotations": {"publisher": "Jos\u00e9"}, **content, "schemaVersion": 2, "mediaType": media_type}
    return (json.dumps(written, indent=3, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of its answer."""

    status: int = 0
    """This status without a body; 0: the answer begins."""
    after: int = -1
    """The connection ends after so many bytes of the body; -1: it is sent whole."""
    body: bytes | None = None
    """Another body, with its length."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Publisher:
    """What it holds, what goes wrong, and what it was asked."""

    host: str
    storage: str
    pictures: dict[str, Picture] = field(default_factory=dict[str, Picture])
    """Repository → its image."""
    faults: dict[str, list[Fault]] = field(default_factory=dict[str, list[Fault]])
    """Digest, or ``token`` → the faults of the next requests for it."""
    ranges: bool = True
    """Whether the storage sends a part of a blob when asked for it."""
    asked: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Path, credentials and range of each request to the registry and its storage."""

    def times(self, digest: str) -> int:
        """How often the storage was asked for a blob."""
        return sum(path.startswith(f"/storage/{digest}") for path, _, _ in self.asked)


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        it, path = self.publisher, self.path.partition("?")[0]
        credentials, wanted = self.headers.get("Authorization", ""), self.headers.get("Range", "")
        it.asked.append((self.path, credentials, wanted))
        digest = path.rpartition("/")[2]
        if path.startswith("/v2/") and credentials != f"Bearer {TOKEN}":
            realm = f'Bearer realm="http://{it.host}/token",service="it",scope="repository:any:pull"'
            self._answer(401, b"", headers={"WWW-Authenticate": realm})
            return
        redirected = path.startswith("/v2/") and "/blobs/" in path  # The fault is the storage's.
        faults = [] if redirected else it.faults.get(digest, [])
        fault = faults.pop(0) if faults else None
        if fault is not None and fault.status:
            self._answer(fault.status, b"", headers=dict(fault.headers))
        elif path == "/token":
            self._answer(200, json.dumps({"token": TOKEN}).encode())
        elif path.startswith("/storage/"):
            self._stored(digest, wanted, fault)
        else:
            repository, kind, _ = path.removeprefix("/v2/").rsplit("/", 2)
            self._held(it.pictures.get(repository), kind, digest, fault)

    def _held(self, found: Picture | None, kind: str, digest: str, fault: Fault | None) -> None:
        if found and kind == "manifests" and digest in found.manifests:
            media_type, body = found.manifests[digest]
            self._answer(200, body, fault, {"Content-Type": media_type})
        elif found and kind == "blobs" and digest in found.blobs:
            location = f"http://{self.publisher.storage}/storage/{digest}?signature={SIGNATURE}"
            self._answer(307, b"", headers={"Location": location})
        else:
            self._answer(404, b"")

    def _stored(self, digest: str, wanted: str, fault: Fault | None) -> None:
        (body,) = {p.blobs[digest] for p in self.publisher.pictures.values() if digest in p.blobs}
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.publisher.ranges else 0
        self._answer(206 if start else 200, body[start:], fault)

    def _answer(
        self, status: int, body: bytes, fault: Fault | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        if fault is not None and fault.body is not None:
            body = fault.body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault is not None and fault.after >= 0:
            self.wfile.write(body[: fault.after])
            self.wfile.flush()
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextlib.contextmanager
def publisher() -> Generator[Publisher]:
    """Serve until the block ends."""
    handler = type("Handler", (_Handler,), {})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    hosts = [f"127.0.0.1:{server.server_port}" for server in servers]
    it = Publisher(hosts[0], hosts[1])
    handler.publisher = it
    threads = [threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True) for s in servers]
    for thread in threads:
        thread.start()
    try:
        yield it
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join(10)
