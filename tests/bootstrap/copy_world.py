"""A publisher's registry, an account, and a project whose release names the publisher's images; all on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bootstrap.copy_images import REFUSED, main, repository_name
from releases.environments import account_of, region_of
from releases.manifest import DIRECTORY, load_release
from releases.pointer import release_of
from tests.bootstrap.ecr import Ecr
from tests.bootstrap.publisher import SIGNATURE, TOKEN, Picture, Publisher, picture

ROOT = DIRECTORY.parent
STACK = "staging"
ACCOUNT, REGION = account_of(ROOT, STACK), region_of(ROOT, STACK)
STACK_FILE = f"Pulumi.{STACK}.yaml"
VERSION = release_of(ROOT / STACK_FILE)
TAG = load_release(VERSION).tag
KEY_ID, SECRET_KEY = "AKIATESTING", "a-secret-access-key"


@dataclass
class World:
    """A publisher, an account, and a project whose release names the publisher's images."""

    root: Path
    publisher: Publisher
    ecr: Ecr
    pictures: dict[str, Picture]

    def copy(self, *more: str) -> int:
        """Run the command for the stack."""
        return main(["--stack", STACK, *more], self.root / "releases")

    def refused(self, capsys: pytest.CaptureFixture[str]) -> str:
        """The message of a copy that fails, which contains no credential of anyone."""
        assert self.copy() == REFUSED
        printed = "".join(capsys.readouterr())
        for secret in (TOKEN, SIGNATURE, SECRET_KEY):
            assert secret not in printed
        return printed

    def replace(self, image: str, other: Picture) -> None:
        """Have the release name another image."""
        path = self.root / "releases" / f"{VERSION}.yaml"
        text = path.read_text(encoding="utf-8").replace(self.pictures[image].digest, other.digest)
        path.write_text(text, encoding="utf-8")
        self.pictures[image] = self.publisher.pictures[f"them/{image}"] = other

    def held(self, image: str) -> dict[str, tuple[str, bytes]]:
        """What the account's repository has, without tags."""
        return {d: (media, body) for d, (media, body, _) in self.ecr.manifests(repository_name(image)).items()}

    def complete(self, image: str) -> bool:
        """Whether the repository has exactly the publisher's bytes, with the tag on the index alone."""
        there, wanted = self.ecr.manifests(repository_name(image)), self.pictures[image]
        tags = {digest: tags for digest, (_, _, tags) in there.items() if tags}
        layers = set(self.ecr.repository(repository_name(image)).layers)
        return (self.held(image), tags, layers) == (wanted.manifests, {wanted.digest: (TAG,)}, set(wanted.blobs))


def project(root: Path, it: Publisher) -> dict[str, Picture]:
    """The stack file, and its release with the publisher's images."""
    values = yaml.safe_load((DIRECTORY / f"{VERSION}.yaml").read_text(encoding="utf-8"))
    pictures = {name: picture(name) for name in values["images"]}
    for name, entry in values["images"].items():
        it.pictures[f"them/{name}"] = pictures[name]
        entry["source"], entry["digest"] = f"{it.host}/them/{name}", pictures[name].digest
    (root / "releases").mkdir()
    (root / "releases" / f"{VERSION}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    (root / STACK_FILE).write_text((ROOT / STACK_FILE).read_text(encoding="utf-8"), encoding="utf-8")
    return pictures
