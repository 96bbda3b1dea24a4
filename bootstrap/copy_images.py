"""Copies the images of a release into an account's repositories, by digest: ``python -m bootstrap.copy_images``.

After each copy, the digest in the repository is compared with the manifest's. A second run skips images that are
already copied. A tag with a different digest is refused, because released tags are immutable. The program does not log
in to registries; it prints the login command.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.copy_tools import TOOLS, CopyError, CopyTool, find_tool, run
from releases.manifest import DIRECTORY, IMAGES, Release, load_release
from settings.errors import SettingsError

COPIED, REFUSED, COULD_NOT_RUN = 0, 1, 2


@dataclass(frozen=True)
class Destination:
    """An account's registry."""

    account: str
    region: str

    @property
    def registry(self) -> str:
        """The host name of the account's registry."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    def target(self, image: str, release: Release) -> str:
        """The repository and tag for an image of a release."""
        return f"{self.registry}/ai-interface/{image}:{release.tag}"


def images_of(release: Release) -> list[str]:
    """The names of a release's images, always in the same order."""
    return [name for name in IMAGES if name in release.images]


def planned_commands(release: Release, destination: Destination, tool: CopyTool) -> list[list[str]]:
    """The commands of an initial copy, in order."""
    commands: list[list[str]] = []
    for image in images_of(release):
        target = destination.target(image, release)
        commands += [tool.copy_command(release.images[image].reference, target), tool.digest_command(target)]
    return commands


def copy_image(image: str, release: Release, destination: Destination, tool: CopyTool) -> str:
    """Copy one image unless it already exists, and compare digests. Returns a one-sentence summary of the result."""
    wanted = release.images[image].digest
    target = destination.target(image, release)
    present = _digest(tool, target)
    if present == wanted:
        return f"{image}: {target} already has {wanted}"
    if present is not None:
        raise CopyError(
            f"{image}: {target} already exists with {present}, but the manifest has {wanted}.\n"
            "Released tags are immutable. Write a manifest with a new version."
        )
    copied = run(tool.copy_command(release.images[image].reference, target))
    if copied.returncode != 0:
        raise CopyError(
            f"{image}: {tool.program} could not copy {release.images[image].reference} to {target}:\n"
            f"{copied.stderr.decode(errors='replace').strip()}\n"
            f"Does the repository exist (bootstrap), and are you logged in?\n  {log_in(destination, tool)}"
        )
    arrived = _digest(tool, target)
    if arrived != wanted:
        raise CopyError(
            f"{image}: after the copy, {target} has {arrived or 'no digest'}, but the manifest has {wanted}.\n"
            "Do not deploy it: copy it with another tool (--tool), under a new version."
        )
    return f"{image}: copied to {target}, digest {wanted} verified"


def log_in(destination: Destination, tool: CopyTool) -> str:
    """The command for logging in."""
    return f"aws ecr get-login-password --region {destination.region} | {tool.log_in} {destination.registry}"


def main(arguments: Sequence[str] | None = None, directory: Path = DIRECTORY) -> int:
    """The command line; returns the exit status."""
    options = _options(arguments)
    destination = Destination(options.account, options.region)
    try:
        release = load_release(options.release, directory)
        tool = find_tool(options.tool)
        if options.dry_run:
            _say("\n".join(shlex.join(command) for command in planned_commands(release, destination, tool)))
            return COPIED
        for image in images_of(release):
            _say(copy_image(image, release, destination, tool))
    except SettingsError as error:
        _complain(str(error))
        return COULD_NOT_RUN
    except CopyError as error:
        _complain(str(error))
        return REFUSED
    return COPIED


def _digest(tool: CopyTool, target: str) -> str | None:
    """The digest of a tag; empty if the registry returns none."""
    answer = run(tool.digest_command(target))
    return tool.read_digest(answer.stdout) if answer.returncode == 0 else None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bootstrap.copy_images", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--release", required=True, help="version of a manifest in releases/")
    parser.add_argument("--account", required=True, type=_matching(r"\d{12}", "an AWS account id of 12 digits"))
    parser.add_argument("--region", required=True, type=_matching(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region"))
    parser.add_argument("--tool", choices=list(TOOLS), help="program to copy with (default: the first one on the PATH)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands without running them")
    return parser.parse_args(arguments)


class _matching:  # noqa: N801 - used as a function: argparse shows the message of the error that it raises
    def __init__(self, pattern: str, allowed: str) -> None:
        self._pattern, self._allowed = pattern, allowed

    def __call__(self, text: str) -> str:
        if re.fullmatch(self._pattern, text, re.ASCII) is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not {self._allowed}")
        return text


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
