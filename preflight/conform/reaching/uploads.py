"""The S3 requests of the application's uploads, captured from a real boto3 client before they are sent.

The client is created as in Open WebUI (``S3StorageProvider`` in
https://github.com/open-webui/open-webui/blob/v0.11.4/backend/open_webui/storage/provider.py; 0.12.4 creates the same), with
the variables of its container. Host names follow from botocore: its endpoint rules, its use of the variables and its
addressing style. Instead of opening a connection, the request is recorded and answered here.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none
from boto3.exceptions import S3UploadFailedError  # pyright: ignore[reportMissingTypeStubs]
from boto3.s3.transfer import TransferConfig  # pyright: ignore[reportMissingTypeStubs]
from botocore.awsrequest import AWSResponse  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]

from preflight.conform.reaching.sdk import inside, session

KEY = "0a1b2c3d-4e5f-6789-abcd-ef0123456789_notes from Monday.txt"
"""An object key in Open WebUI's form: an id and the file's name."""
MULTIPART_BYTES = 8 * 1024 * 1024
"""The size from which boto3 uploads in parts (``TransferConfig.multipart_threshold``)."""
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_ANSWERS = {
    "CreateMultipartUpload": f"{_XML}<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>",
    "CompleteMultipartUpload": f'{_XML}<CompleteMultipartUploadResult><ETag>"part"</ETag></CompleteMultipartUploadResult>',
    "ListObjectsV2": f"{_XML}<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>",
}


@dataclass(frozen=True, order=True)
class Sent:
    """One captured request."""

    operation: str
    """S3's name of the operation."""
    method: str
    url: str

    @property
    def host(self) -> str:
        """The host name."""
        return str(urlsplit(self.url).hostname)

    @property
    def port(self) -> int:
        """The port."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


def upload_requests(environment: Mapping[str, str]) -> list[Sent]:
    """The requests for storing, reading, listing and deleting files, without duplicates, sorted.

    ``environment``: the container's plain variables. Raises ``KeyError`` if they name no bucket.
    """
    bucket, prefix = environment["S3_BUCKET_NAME"], environment.get("S3_KEY_PREFIX", "")
    key = f"{prefix.rstrip('/')}/{KEY}".lstrip("/")
    sent: set[Sent] = set()
    with inside(environment):
        client = _client(environment)
        client.meta.events.register("before-send.s3", _Wire(sent, fail="").answer)
        _everything(client, bucket, key)
        broken = _client(environment)
        broken.meta.events.register("before-send.s3", _Wire(sent, fail="UploadPart").answer)
        with contextlib.suppress(S3UploadFailedError):  # What boto3 does if a part is refused.
            _upload(broken, bucket, key, MULTIPART_BYTES)
    return sorted(sent)


def _everything(client: Any, bucket: str, key: str) -> None:  # noqa: ANN401 - boto3 has no types
    for size in (1, MULTIPART_BYTES):
        _upload(client, bucket, key, size)
    client.head_object(Bucket=bucket, Key=key)  # Earlier versions of boto3 send HeadObject before they download.
    client.download_fileobj(bucket, key, io.BytesIO(), Config=TransferConfig(use_threads=False))
    client.list_objects_v2(Bucket=bucket)
    client.delete_object(Bucket=bucket, Key=key)


def _upload(client: Any, bucket: str, key: str, size: int) -> None:  # noqa: ANN401 - boto3 has no types
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(size)
        client.upload_file(file.name, bucket, key, Config=TransferConfig(use_threads=False))


def _client(environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - boto3 has no types
    config = Config(
        s3={
            "use_accelerate_endpoint": environment.get("S3_USE_ACCELERATE_ENDPOINT", "false").lower() == "true",
            "addressing_style": environment.get("S3_ADDRESSING_STYLE"),
        },
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return (
        cast("Any", boto3)
        .Session(botocore_session=session())
        .client(
            "s3",
            region_name=environment.get("S3_REGION_NAME"),
            endpoint_url=environment.get("S3_ENDPOINT_URL"),
            config=config,
        )
    )


class _Raw(io.BytesIO):
    """A body as botocore reads it from a connection."""

    def stream(self, amt: int = 65536, **_: object) -> Generator[bytes]:
        while chunk := self.read(amt):
            yield chunk


@dataclass(frozen=True)
class _Wire:
    """Records requests and answers them without a connection."""

    sent: set[Sent]
    fail: str
    """The operation that is refused; empty: none."""

    def answer(self, request: Any, event_name: str, **_: object) -> Any:  # noqa: ANN401 - botocore has no types
        """The response that botocore accepts as S3's (event ``before-send``)."""
        operation = event_name.rpartition(".")[2]
        self.sent.add(Sent(operation, request.method, request.url.partition("?")[0]))
        body = b"" if operation == self.fail else _ANSWERS.get(operation, "").encode()
        if operation == "GetObject":
            body = b"\0"
        length = "1" if operation == "HeadObject" else str(len(body))
        headers = {"content-length": length, "etag": '"part"'}
        return AWSResponse(request.url, 400 if operation == self.fail else 200, headers, _Raw(body))
