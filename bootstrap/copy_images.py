"""Copies the images of a release into an account's repositories, by digest: ``python -m bootstrap.copy_images``.

It needs AWS credentials and no program on the machine; ``--tool`` copies with crane, skopeo or docker instead. After each
copy, the digest in the repository is compared with the manifest's. A second run skips what is already copied. A tag with a
different digest is refused, because released tags are immutable.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap import image_copy
from bootstrap.copy_tools import TOOLS, CopyError, CopyTool, run
from bootstrap.image_repository import NoCredentialsError, Registry
from bootstrap.image_source import Source
from releases import environments, pointer
from releases.manifest import DIRECTORY, IMAGES, Release, load_release
from releases.refusal import Refusal
from settings.errors import SettingsError

COPIED, REFUSED, COULD_NOT_RUN = 0, 1, 2
PYTHON = "python"
"""The tool that is this program itself."""
_FORMS = {
    "account": (r"\d{12}", "an AWS account id of 12 digits"),
    "region": (r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region"),
    "stack": (r"[a-z0-9][a-z0-9-]*", "the name of a stack"),
}


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
        return f"{self.registry}/{repository_name(image)}:{release.tag}"


def repository_name(image: str) -> str:
    """The repository that the bootstrap stack creates for an image."""
    return f"ai-interface/{image}"


def images_of(release: Release) -> list[str]:
    """The names of a release's images, always in the same order."""
    return [name for name in IMAGES if name in release.images]


def planned_commands(release: Release, destination: Destination, tool: CopyTool) -> list[list[str]]:
    """The commands of an initial copy with another program, in order."""
    commands: list[list[str]] = []
    for image in images_of(release):
        target = destination.target(image, release)
        commands += [tool.copy_command(release.images[image].reference, target), tool.digest_command(target)]
    return commands


def copy_image(image: str, release: Release, destination: Destination, registry: Registry) -> str:
    """Copy one image unless it already exists, and compare digests. Returns a one-sentence summary of the result."""
    wanted, target = release.images[image].digest, destination.target(image, release)
    repository = registry.repository(repository_name(image))
    if _exists(image, target, wanted, repository.tagged(release.tag)):
        return f"{image}: {target} already has {wanted}"
    source = Source(release.images[image].source)
    contents = image_copy.read(source, wanted)
    image_copy.copy(source, repository, contents, release.tag, lambda line: _say(f"{image}: {line}"))
    return _arrived(image, target, wanted, repository.tagged(release.tag))


def copy_image_with(tool: CopyTool, image: str, release: Release, destination: Destination) -> str:
    """The same with another program."""
    wanted, target = release.images[image].digest, destination.target(image, release)
    if _exists(image, target, wanted, _digest(tool, target)):
        return f"{image}: {target} already has {wanted}"
    copied = run(tool.copy_command(release.images[image].reference, target))
    if copied.returncode != 0:
        raise CopyError(
            f"{image}: {tool.program} could not copy {release.images[image].reference} to {target}:\n"
            f"{copied.stderr.decode(errors='replace').strip()}\n"
            f"Does the repository exist (bootstrap), and are you logged in?\n  {log_in(destination, tool)}"
        )
    return _arrived(image, target, wanted, _digest(tool, target))


def planned_copy(image: str, release: Release, destination: Destination, registry: Registry | None) -> list[str]:
    """Describe the copy of one image: platforms, sizes, and what the repository lacks if ``registry`` can be asked."""
    wanted, target = release.images[image], destination.target(image, release)
    contents = image_copy.read(Source(wanted.source), wanted.digest)
    lines = [f"{image}: {wanted.reference} to {target}", f"{image}: {contents.described()}"]
    if registry is None:
        return [*lines, f"{image}: what the repository has is not known: no AWS credentials were found"]
    repository = registry.repository(repository_name(image))
    if _exists(image, target, wanted.digest, repository.tagged(release.tag)):
        return [*lines, f"{image}: nothing to copy, {target} already has {wanted.digest}"]
    return [*lines, f"{image}: to copy: {image_copy.amount(repository.missing(contents.blobs))}"]


def log_in(destination: Destination, tool: CopyTool) -> str:
    """The command for logging in."""
    return f"aws ecr get-login-password --region {destination.region} | {tool.log_in} {destination.registry}"


def main(arguments: Sequence[str] | None = None, directory: Path = DIRECTORY) -> int:
    """The command line; returns the exit status. ``directory`` has the manifests, and is in the project's folder."""
    options = _options(arguments)
    try:
        destination, version = _selected(options, directory.parent)
        release = load_release(version, directory)
        tool = TOOLS.get(options.tool)
        if options.dry_run:
            _plan(release, destination, tool)
        elif tool is not None:
            for image in images_of(release):
                _say(copy_image_with(tool, image, release, destination))
        else:
            registry = Registry(destination.account, destination.region)
            registry.check_account()
            for image in images_of(release):
                _say(copy_image(image, release, destination, registry))
    except (SettingsError, Refusal) as error:
        _complain(str(error))
        return COULD_NOT_RUN
    except CopyError as error:
        _complain(str(error))
        return REFUSED
    return COPIED


def _plan(release: Release, destination: Destination, tool: CopyTool | None) -> None:
    if tool:
        _say("\n".join(shlex.join(command) for command in planned_commands(release, destination, tool)))
        return
    registry: Registry | None = Registry(destination.account, destination.region)
    try:
        registry.check_account()
    except NoCredentialsError:
        registry = None
    for image in images_of(release):
        _say("\n".join(planned_copy(image, release, destination, registry)))


def _exists(image: str, target: str, wanted: str, present: str | None) -> bool:
    if present not in (None, wanted):
        raise CopyError(
            f"{image}: {target} already exists with {present}, but the manifest has {wanted}.\n"
            "Released tags are immutable. Write a manifest with a new version."
        )
    return present == wanted


def _arrived(image: str, target: str, wanted: str, found: str | None) -> str:
    if found != wanted:
        raise CopyError(
            f"{image}: after the copy, {target} has {found or 'no digest'}, but the manifest has {wanted}.\n"
            "Do not deploy it: copy it with another tool (--tool), under a new version."
        )
    return f"{image}: copied to {target}, digest {wanted} verified"


def _digest(tool: CopyTool, target: str) -> str | None:
    """The digest of a tag; empty if the registry returns none."""
    answer = run(tool.digest_command(target))
    return tool.read_digest(answer.stdout) if answer.returncode == 0 else None


def _selected(options: argparse.Namespace, root: Path) -> tuple[Destination, str]:
    """Account, region and release: the options, and for those that are omitted the values of the stack file."""
    account, region, version = options.account, options.region, options.release
    if options.stack:
        path = environments.stack_file(root, options.stack)
        if not path.is_file():
            raise Refusal(f"there is no stack file {path.name}", "name an existing stack with --stack")
        account = account or environments.account_of(root, options.stack)
        region = region or environments.region_of(root, options.stack)
        version = version or pointer.release_of(path)
        for key, value, name in (("aws:allowedAccountIds", account, "account"), ("aws:region", region, "region")):
            if not re.fullmatch(_FORMS[name][0], value, re.ASCII):
                raise Refusal(f"{path.name}: {key} is not {_FORMS[name][1]}", f"correct it, or pass --{name}")
    return Destination(account, region), version


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bootstrap.copy_images", description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False
    )
    given = sys.argv[1:] if arguments is None else arguments
    alone = not any(word.partition("=")[0] == "--stack" for word in given)
    parser.add_argument(
        "--stack",
        type=_matching("stack"),
        help="take release, account and region from Pulumi.<stack>.yaml; without it, the next three are required",
    )
    parser.add_argument("--release", required=alone, help="version of a manifest in releases/")
    parser.add_argument("--account", required=alone, type=_matching("account"), help="AWS account id")
    parser.add_argument("--region", required=alone, type=_matching("region"), help="AWS region")
    parser.add_argument(
        "--tool", choices=[PYTHON, *TOOLS], default=PYTHON, help="what copies (default: python, which needs no program)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be copied, or the commands of --tool, and copy nothing"
    )
    return parser.parse_args(arguments)


class _matching:  # noqa: N801 - used as a function: argparse shows the message of the error that it raises
    def __init__(self, name: str) -> None:
        self._pattern, self._allowed = _FORMS[name]

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
