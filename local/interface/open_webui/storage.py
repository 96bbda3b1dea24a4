"""Uploaded files: in a bucket, with the task role's credentials, or in ``DATA_DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none

from . import env

UPLOADS = env.DATA_DIR / "uploads"
UPLOADS.mkdir(parents=True, exist_ok=True)


class LocalStorage:
    """Files of this task."""

    def put(self, name: str, content: bytes) -> str:
        """Store a file and return its location."""
        file = UPLOADS / name
        file.write_bytes(content)
        return str(file)

    def get(self, path: str) -> bytes:
        """Return a file's content."""
        return Path(path).read_bytes()

    def remove(self, path: str) -> None:
        """Delete a file."""
        Path(path).unlink(missing_ok=True)


class S3Storage:
    """Files in a bucket. As in the real application, each stays in the local folder after it was uploaded, and every read
    downloads it there again."""

    def __init__(self) -> None:
        """Create the client; the first file causes the first request to S3."""
        self._client: Any = boto3.client(  # pyright: ignore[reportUnknownMemberType]
            "s3", region_name=env.S3_REGION_NAME or None, endpoint_url=env.S3_ENDPOINT_URL or None
        )

    def put(self, name: str, content: bytes) -> str:
        """Upload a file and return its address."""
        key = f"{env.S3_KEY_PREFIX}/{name}".lstrip("/")
        (UPLOADS / name).write_bytes(content)
        self._client.put_object(Bucket=env.S3_BUCKET_NAME, Key=key, Body=content)
        return f"s3://{env.S3_BUCKET_NAME}/{key}"

    def get(self, path: str) -> bytes:
        """Return a file's content."""
        bucket, _, key = path.removeprefix("s3://").partition("/")
        content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        (UPLOADS / key.rpartition("/")[2]).write_bytes(content)
        return content

    def remove(self, path: str) -> None:
        """Delete a file."""
        bucket, _, key = path.removeprefix("s3://").partition("/")
        self._client.delete_object(Bucket=bucket, Key=key)
        (UPLOADS / key.rpartition("/")[2]).unlink(missing_ok=True)


def _chosen() -> LocalStorage | S3Storage:
    if env.STORAGE_PROVIDER == "local":
        return LocalStorage()
    if env.STORAGE_PROVIDER == "s3":
        return S3Storage()
    raise RuntimeError(f"Unsupported storage provider: {env.STORAGE_PROVIDER}")


STORAGE = _chosen()
