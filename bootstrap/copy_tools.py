"""The other programs that copy an image from registry to registry without changing its digest, if one is wanted."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_SECONDS = 1800
"""Timeout of one command: the application's image has several gigabytes."""


class CopyError(Exception):
    """An image cannot be copied. The message contains the reason and the fix."""


@dataclass(frozen=True)
class CopyTool:
    """The commands with which one program copies every platform of an image and prints a digest."""

    program: str
    copy: tuple[str, ...]
    """Command line with the placeholders ``{source}`` and ``{target}``."""
    digest: tuple[str, ...]
    """Command line that prints the digest of ``{target}``, or the manifest itself."""
    prints_manifest: bool
    """Whether ``digest`` prints the manifest's bytes, whose SHA-256 is the digest."""
    log_in: str
    """The log-in command, which reads the password from standard input."""

    def copy_command(self, source: str, target: str) -> list[str]:
        """The command that copies ``source`` (pinned) to ``target`` (tagged)."""
        return [part.format(source=source, target=target) for part in self.copy]

    def digest_command(self, target: str) -> list[str]:
        """The command that prints the digest of ``target``."""
        return [part.format(target=target) for part in self.digest]

    def read_digest(self, output: bytes) -> str:
        """The digest in the output of ``digest_command``."""
        if self.prints_manifest:
            return f"sha256:{hashlib.sha256(output).hexdigest()}"
        return output.decode(errors="replace").strip()


TOOLS: Mapping[str, CopyTool] = {
    tool.program: tool
    for tool in (
        CopyTool(
            program="crane",
            copy=("crane", "copy", "{source}", "{target}"),
            digest=("crane", "digest", "{target}"),
            prints_manifest=False,
            log_in="crane auth login --username AWS --password-stdin",
        ),
        CopyTool(
            program="skopeo",
            copy=("skopeo", "copy", "--all", "--preserve-digests", "docker://{source}", "docker://{target}"),
            digest=("skopeo", "inspect", "--raw", "docker://{target}"),
            prints_manifest=True,
            log_in="skopeo login --username AWS --password-stdin",
        ),
        CopyTool(
            program="docker",
            copy=("docker", "buildx", "imagetools", "create", "--prefer-index=false", "--tag", "{target}", "{source}"),
            digest=("docker", "buildx", "imagetools", "inspect", "--format", "{{{{.Manifest.Digest}}}}", "{target}"),
            prints_manifest=False,
            log_in="docker login --username AWS --password-stdin",
        ),
    )
}
"""The programs that may copy instead of this one, by the name of the program."""


def run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run one command until it ends and return its output."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_SECONDS)  # noqa: S603 - a fixed program; no shell reads the arguments
    except FileNotFoundError:
        raise CopyError(
            f"{command[0]} is not on the PATH: install it, or omit --tool, which needs no program"
        ) from None
    except subprocess.TimeoutExpired:
        raise CopyError(f"{command[0]} did not finish within {TIMEOUT_SECONDS} s: {' '.join(command)}") from None
