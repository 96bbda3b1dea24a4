"""A running stack's release: recorded in the environment before, and what its manifest pins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from policies.guardrails.rule import Rule
from policies.guardrails.topology.graph.verdicts import Finding
from policies.parity import evaluate
from policies.parity.declarations import AllowedDifferences
from policies.parity.rules import RELEASE_MANIFEST, RELEASE_ORDER, RELEASE_RECORD
from releases.attestation import Key, place
from releases.manifest import load_release
from releases.record import Deployment
from tests.parity.stacks import change, prod, shape, staging

ROOT = Path(__file__).resolve().parents[2]
RELEASE = load_release("2026.11.1")
DIGEST = RELEASE.images["interface"].digest
ORDERED = AllowedDifferences(("staging", "prod"))
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "releases").mkdir()
    shutil.copy(ROOT / "releases" / "2026.11.1.yaml", tmp_path / "releases")
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {'aws:allowedAccountIds': ['111122223333']}\n")
    entry = Deployment("staging", "2026.11.1", "2026-11-10T10:00:00Z", "111122223333")
    (tmp_path / "releases" / "deployed.yaml").write_text(f"deployments:\n{entry.as_text()}")
    return tmp_path


def running(
    root: Path, image: str = f"x@{DIGEST}", release: str = "2026.11.1", stack: str = "prod"
) -> list[tuple[Rule, Finding]]:
    containers = image if image == UNKNOWN else json.dumps([{"name": "web", "image": image}])
    entries = {"prod": prod, "staging": staging}[stack]()
    changed = change(entries, "task", containerDefinitions=containers, tags={"release": release})
    return [(found.rule, found.finding) for found in evaluate.of_release(shape(changed), ORDERED, root)]


def test_a_recorded_release_with_its_own_images_is_in_order(root: Path) -> None:
    assert running(root) == []


def test_the_first_environment_needs_no_record(root: Path) -> None:
    (root / "releases" / "deployed.yaml").unlink()
    assert running(root, stack="staging") == []


def test_a_release_that_is_not_recorded_before_is_found_with_what_is(root: Path) -> None:
    text = (root / "releases" / "2026.11.1.yaml").read_text()
    (root / "releases" / "2026.12.1.yaml").write_text(text.replace("2026.11.1", "2026.12.1", 1))
    ((rule, found),) = running(root, release="2026.12.1")
    assert (rule, found.headline) == (RELEASE_ORDER, "release 2026.12.1 is not recorded on staging")
    assert found.urn.startswith("urn:pulumi:prod::")
    assert found.found == "recorded there: 2026.11.1"
    assert found.wanted == "a release that releases/deployed.yaml records on staging in account 111122223333"


@pytest.mark.parametrize("text", ["", "deployments: []\n", "deployments: [", "deployments: [{environment: staging}]"])
def test_without_a_readable_record_nothing_is_recorded(root: Path, text: str) -> None:
    (root / "releases" / "deployed.yaml").write_text(text)
    assert [rule for rule, _ in running(root)] == [RELEASE_ORDER]


def test_an_entry_without_the_signature_that_a_key_requires_is_found(root: Path) -> None:
    pem = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (root / "releases" / "keys").mkdir()
    (root / place("staging")).write_text(Key("staging", pem.decode()).as_text())
    ((rule, found),) = running(root)
    assert (rule, found.headline) == (RELEASE_ORDER, "release 2026.11.1 is not recorded on staging")
    assert "entry 1 (staging, release 2026.11.1) has no signature" in found.found
    ((rule, found),) = running(root, stack="staging")
    assert (rule, found.headline) == (RELEASE_RECORD, "the record of staging is not as it was signed")
    assert "entry 1 (staging, release 2026.11.1) has no signature" in found.found
    (root / place("staging")).write_text("publicKey: x")
    ((rule, found),) = running(root, stack="staging")
    assert (rule, "is not a public key" in found.found) == (RELEASE_RECORD, True)


def test_what_ran_in_another_account_does_not_count(root: Path) -> None:
    (root / "Pulumi.staging.yaml").write_text("config: {'aws:allowedAccountIds': ['999988887777']}\n")
    assert [rule for rule, _ in running(root)] == [RELEASE_ORDER]


@pytest.mark.parametrize("image", ["x:v1.2.3", "x@sha256:" + "cd" * 32, "x"])
def test_an_image_that_the_manifest_does_not_pin_is_found(root: Path, image: str) -> None:
    ((rule, found),) = running(root, image=image)
    assert rule is RELEASE_MANIFEST
    assert found.headline == "ecs.TaskDefinition web runs an image that is not part of release 2026.11.1"
    assert (found.found, DIGEST in found.wanted) == (image, True)


def test_a_release_without_manifest_is_found(root: Path) -> None:
    (root / "releases" / "2026.11.1.yaml").unlink()
    ((rule, found),) = running(root)
    assert (rule, found.headline) == (RELEASE_MANIFEST, "release 2026.11.1 has no manifest")


def test_a_manifest_that_is_not_valid_is_found_with_what_is_wrong(root: Path) -> None:
    path = root / "releases" / "2026.11.1.yaml"
    path.write_text(path.read_text().replace(DIGEST, "latest"))
    ((rule, found),) = running(root)
    assert (rule, found.headline) == (RELEASE_MANIFEST, "release 2026.11.1 has a manifest that is not valid")
    assert 'images.interface.digest: "latest"' in found.found


def test_an_image_that_is_not_known_yet_is_no_finding(root: Path) -> None:
    assert running(root, image=UNKNOWN) == []


def test_a_stack_without_releases_is_not_checked(tmp_path: Path) -> None:
    assert evaluate.of_release(shape(prod()), ORDERED, tmp_path) == []


def test_a_pack_that_was_copied_without_releases_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_name: str) -> None:
        """As where no ``releases/`` lies beside the pack."""

    monkeypatch.setattr(evaluate.importlib.util, "find_spec", nowhere)
    ((rule, found),) = running(root)
    assert (rule, found.found) == (RELEASE_MANIFEST, "a pack that was copied without releases/")
