"""Copies one image from its publisher's registry to ECR without a program on the machine: every platform, by digest.

Blobs first, then the manifests of the platforms, the index with the tag last: an interrupted copy leaves no image that
cannot be pulled, and the next run skips what ECR has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bootstrap.copy_tools import CopyError
from bootstrap.image_manifests import Descriptor, Manifest
from bootstrap.image_repository import Repository
from bootstrap.image_source import Source

PARALLEL = 3
"""Blobs that are copied at the same time."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Contents:
    """An image as its publisher's registry describes it."""

    manifests: tuple[Manifest, ...]
    """The manifests without duplicates, those that an index refers to before the index."""
    platforms: tuple[str, ...]
    """``os/architecture`` of the images in the index; empty for an image of one platform."""
    blobs: tuple[Descriptor, ...]
    """Configurations and layers, without duplicates."""

    def described(self) -> str:
        """Platforms, number of blobs and size, in words."""
        platforms = ", ".join(self.platforms) or "one platform"
        return f"{platforms}; {amount(self.blobs)}"


def read(source: Source, digest: str) -> Contents:
    """Read the manifests, and verify their digests. No blob is downloaded."""
    top = source.manifest(digest)
    below = [source.manifest(child.digest) for child in top.manifests]
    if nested := [child.digest for child in below if child.manifests]:
        raise CopyError(f"{source.name}@{digest}: {nested[0]} is an index within the index, which is not supported")
    manifests = tuple({manifest.digest: manifest for manifest in (*below, top)}.values())
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs}
    platforms = tuple(sorted({child.platform for child in top.manifests if child.platform}))
    return Contents(manifests, platforms, tuple(blobs.values()))


def copy(source: Source, repository: Repository, contents: Contents, tag: str, say: Say) -> None:
    """Copy what the repository lacks. ``say`` receives a line for each blob, in the order of the manifests."""
    missing = repository.missing(contents.blobs)
    have = len(contents.blobs) - len(missing)
    say(f"{contents.described()}; to copy: {amount(missing)}{f', {have} already there' if have else ''}")
    stopped = threading.Event()
    with ThreadPoolExecutor(PARALLEL) as pool:
        copied = [pool.submit(repository.upload, blob, _until(stopped, source.blob(blob))) for blob in missing]
        try:
            for number, (blob, done) in enumerate(zip(missing, copied, strict=True), 1):
                done.result()
                say(f"{number} of {len(missing)}: {blob.digest}, {size(blob.size)}")
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    *below, top = contents.manifests
    there = repository.present([manifest.digest for manifest in below])
    for manifest in below:
        if manifest.digest not in there:
            repository.put(manifest, None)
    repository.put(top, tag)


def _until(stopped: threading.Event, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, until another blob has failed or the user has interrupted the copy."""
    for piece in pieces:
        if stopped.is_set():
            raise CopyError("stopped, because the copy of another blob failed")
        yield piece


def amount(blobs: tuple[Descriptor, ...] | list[Descriptor]) -> str:
    """Number and size of blobs, in words."""
    return f"{len(blobs)} blob{'' if len(blobs) == 1 else 's'}, {size(sum(blob.size for blob in blobs))}"


def size(count: int) -> str:
    """Bytes in the largest unit of which there is at least one."""
    units = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
    return next((f"{count / unit:.1f} {name}" for unit, name in units if count >= unit), f"{count} bytes")
