"""The model and the bucket that a task reaches by their names, in their simplest form: they check no signature."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

from local.authority import Authority
from local.stack import Stack
from local.wiring import Node, Wiring


@dataclass
class Cloud:
    """What arrived."""

    names: tuple[str, ...]
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Host and path of each object → its content."""
    signed: list[str] = field(default_factory=list[str])
    """``authorization`` of each request."""
    pause: float = 0
    """Seconds between two words of an answer."""


def names(stack: Stack) -> tuple[str, ...]:
    """Of the regional endpoints: Bedrock's, and S3's with the bucket in front."""
    buckets = [str(one["bucket"]) for one in stack.all("aws:s3/bucket:Bucket")]
    s3 = f"s3.{stack.region}.amazonaws.com"
    return (f"bedrock-runtime.{stack.region}.amazonaws.com", *(f"{one}.{s3}" for one in buckets), s3)


def _unchunked(body: IO[bytes]) -> bytes:
    """Chunks up to the last one, and the lines after it."""
    found = b""
    while size := int(body.readline().partition(b";")[0], 16):
        found += body.read(size)
        body.readline()
    while body.readline().strip():
        pass
    return found


class _Encrypted(ThreadingHTTPServer):
    """A server behind TLS on a socket that listens already."""

    def __init__(
        self, listening: socket.socket, context: ssl.SSLContext, handler: type[BaseHTTPRequestHandler]
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self._context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        """The handshake is made by the connection's own thread."""
        accepted, address = self.socket.accept()
        return self._context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone."""


@contextlib.contextmanager
def cloud(stack: Stack, wiring: Wiring, node: Node, authority: Authority) -> Generator[Cloud]:
    """Serve both at a node's port 443 until the block ends."""
    found = Cloud(names(stack))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            found.signed.append(self.headers.get("authorization", ""))
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                for word in asked["messages"][-1]["content"].split(" "):
                    choice = {"index": 0, "delta": {"content": f"{word} "}}
                    self._chunk(f"data: {json.dumps({'choices': [choice]})}\n\n")
                    time.sleep(found.pause)
                self._chunk("data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")

        def _chunk(self, text: str) -> None:
            self.wfile.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())
            self.wfile.flush()

        def do_PUT(self) -> None:
            found.signed.append(self.headers.get("authorization", ""))
            found.objects[self.headers["host"] + self.path] = self._content()
            self._answer(200, b"")

        def _content(self) -> bytes:
            """The body; HTTP's chunks and S3's (``aws-chunked``) look the same, and one may hold the other."""
            length = self.headers.get("content-length")
            body = self.rfile.read(int(length)) if length else _unchunked(self.rfile)
            inside = "aws-chunked" in self.headers.get("content-encoding", "")
            return _unchunked(io.BytesIO(body)) if inside else body

        def do_GET(self) -> None:
            content = found.objects.get(self.headers["host"] + self.path)
            self._answer(404 if content is None else 200, content or b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_expect_100(self) -> bool:
            self.send_response_only(100)
            self.end_headers()
            return True

        def log_message(self, format: str, *args: object) -> None:
            return

    with tempfile.TemporaryDirectory() as folder:
        context = authority.issue(*found.names).server_context(Path(folder))
    listening = wiring.listen(node.host, node.address, 443)
    server = _Encrypted(listening, context, Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
