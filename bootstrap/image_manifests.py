"""Manifests of images and indexes: which other manifests and blobs one refers to.

The bytes are kept as the registry sent them, because their SHA-256 is the digest. Source of the format:
https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md and manifest.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from bootstrap.copy_tools import CopyError

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Media types of a manifest that lists one manifest for each platform."""
IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""Media types of the manifest of one image."""
MEDIA_TYPES = (*INDEXES, *IMAGES)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Descriptor:
    """A reference to a manifest or a blob."""

    digest: str
    size: int
    """Bytes."""
    platform: str = field(default="", compare=False)
    """``os/architecture`` of an image in an index; empty for a blob and for an attestation."""


@dataclass(frozen=True)
class Manifest:
    """A manifest, whose bytes have its digest."""

    digest: str
    body: bytes
    media_type: str
    manifests: tuple[Descriptor, ...]
    """The manifests in an index, in its order."""
    blobs: tuple[Descriptor, ...]
    """Configuration and layers of an image, in its order."""

    @property
    def text(self) -> str:
        """The body as text, which is the form in which ECR accepts it."""
        return self.body.decode("utf-8")


def sha256(content: bytes) -> str:
    """The digest of ``content``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parse(body: bytes, content_type: str, digest: str) -> Manifest:
    """The manifest that a registry sent for ``digest``.

    :raises CopyError: the bytes have another digest, or are no manifest of an image or index
    """
    if (found := sha256(body)) != digest:
        raise CopyError(f"the registry sent a manifest with digest {found} for {digest}: the image was not copied")
    try:
        content = cast("dict[str, Any]", json.loads(body.decode("utf-8")))
        media_type = str(content.get("mediaType") or content_type.partition(";")[0].strip())
        if media_type in INDEXES:
            manifests = tuple(_descriptor(entry) for entry in content["manifests"])
            return Manifest(digest, body, media_type, manifests, ())
        if media_type in IMAGES:
            blobs = tuple(_descriptor(entry) for entry in (content["config"], *content["layers"]))
            return Manifest(digest, body, media_type, (), blobs)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise CopyError(f"{digest} is not a valid manifest of an image or index") from None
    raise CopyError(f"{digest} has media type {media_type[:100] or '(none)'}, allowed: {', '.join(MEDIA_TYPES)}")


def _descriptor(entry: dict[str, Any]) -> Descriptor:
    digest, size = entry["digest"], entry["size"]
    if not isinstance(size, int) or size < 0 or not _DIGEST.fullmatch(digest):
        raise ValueError
    platform: dict[str, Any] = entry.get("platform") or {}
    known = {"unknown", None}.isdisjoint({platform.get("os"), platform.get("architecture")})
    return Descriptor(digest, size, f"{platform['os']}/{platform['architecture']}" if known else "")
