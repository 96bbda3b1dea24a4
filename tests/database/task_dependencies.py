"""The services that a task uses, on loopback: a model, a cache with TLS and a password, and a bucket."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none
from moto.server import ThreadedMotoServer

from local.certificate import Certificate
from local.ports import held_ports
from local.processes import ending
from tests.database.rds_login import KEY_ID, SECRET_KEY

MODEL = "openai.gpt-oss-120b-1:0"


class _Models(BaseHTTPRequestHandler):
    """A server with one model, like the proxy's loopback listener."""

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextlib.contextmanager
def models() -> Generator[str]:
    """The model server's URL, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Cache:
    """A redis-server that requires TLS and the password."""

    port: int
    authority: Path
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The URL in the form that ``Data`` writes."""
        return f"rediss://default:{self.password}@localhost:{self.port}/0"

    def listeners(self, channel: str) -> int:
        """How many connections are subscribed to a channel."""
        command = ["redis-cli", "-h", "localhost", "-p", str(self.port), "--tls", "--cacert", str(self.authority)]
        answer = subprocess.run(  # noqa: S603 - Debian's program
            [*command, "--no-auth-warning", "--raw", "PUBSUB", "NUMSUB", channel],
            env={"PATH": "/usr/bin:/bin", "REDISCLI_AUTH": self.password},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.split()
        assert answer[0] == channel, answer
        return int(answer[1])


@contextlib.contextmanager
def cache(certificate: Certificate, folder: Path) -> Generator[Cache]:
    """A cache until the block ends."""
    authority, key = certificate.write(folder)
    with held_ports(0) as (port,), tempfile.TemporaryDirectory() as data:
        found = Cache(port, authority, "s" * 32)
        tls = ["--port", "0", "--tls-port", str(port), "--tls-cert-file", str(authority), "--tls-key-file", str(key)]
        command = ["redis-server", *tls, "--tls-auth-clients", "no", "--bind", "127.0.0.1", "--save", ""]
        server = subprocess.Popen(  # noqa: S603 - Debian's program
            [*command, "--requirepass", found.password], cwd=data, stdout=subprocess.DEVNULL
        )
        with ending(server, 30):
            yield found


def _s3(url: str, region: str) -> Any:  # noqa: ANN401 - boto3 has no types
    return boto3.client(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        "s3",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET_KEY,
    )


@dataclass(frozen=True)
class Uploads:
    """An S3 with one bucket."""

    url: str
    bucket: str
    region: str

    def objects(self) -> dict[str, bytes]:
        """Key → content of everything in the bucket."""
        s3 = _s3(self.url, self.region)
        listed = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {one["Key"]: s3.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read() for one in listed}


@contextlib.contextmanager
def uploads(bucket: str, region: str) -> Generator[Uploads]:
    """An empty bucket of this name until the block ends."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found = Uploads(f"http://{host}:{port}", bucket, region)
        # moto keeps its data in the process, so an earlier server's buckets are still there.
        urllib.request.urlopen(f"{found.url}/moto-api/reset", data=b"", timeout=30).close()  # noqa: S310 - our own
        # S3 refuses a location constraint for us-east-1.
        elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        _s3(found.url, region).create_bucket(Bucket=bucket, **elsewhere)
        yield found
    finally:
        server.stop()
