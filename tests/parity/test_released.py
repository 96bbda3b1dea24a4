"""A running stack's release: recorded in the environment before, and what its manifest pins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.parity.deployed import Deployment
from policies.parity.released import MANIFEST, ORDER, Found, evaluated
from tests.parity.stacks import change, prod, shape, staging

DIGEST = "sha256:" + "ab" * 32
ORDERED = ("staging", "prod")
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "2026.11.1.yaml").write_text(f"images: {{web: {{digest: {DIGEST}}}}}\n")
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {'aws:allowedAccountIds': ['111122223333']}\n")
    entry = Deployment("staging", "2026.11.1", "2026-11-10T10:00:00Z", "111122223333")
    (tmp_path / "releases" / "deployed.yaml").write_text(f"deployments:\n{entry.as_text()}")
    return tmp_path


def running(root: Path, image: str = f"x@{DIGEST}", release: str = "2026.11.1", stack: str = "prod") -> list[Found]:
    containers = image if image == UNKNOWN else json.dumps([{"name": "web", "image": image}])
    entries = {"prod": prod, "staging": staging}[stack]()
    changed = change(entries, "task", containerDefinitions=containers, tags={"release": release})
    return evaluated(shape(changed), ORDERED, root)


def test_a_recorded_release_with_its_own_images_is_in_order(root: Path) -> None:
    assert running(root) == []


def test_the_first_environment_waits_for_nobody(root: Path) -> None:
    (root / "releases" / "deployed.yaml").unlink()
    assert running(root, stack="staging") == []


def test_a_release_that_is_not_recorded_before_is_found_with_what_is(root: Path) -> None:
    (root / "releases" / "2026.12.1.yaml").write_text(f"images: {{web: {{digest: {DIGEST}}}}}\n")
    ((policy, urn, headline, found, wanted, _),) = running(root, release="2026.12.1")
    assert (policy, headline) == (ORDER, "release 2026.12.1 is not recorded on staging")
    assert urn.startswith("urn:pulumi:prod::")
    assert found == "recorded there: 2026.11.1"
    assert wanted == "a release that releases/deployed.yaml records on staging in account 111122223333"


@pytest.mark.parametrize("text", ["", "deployments: []\n", "deployments: [", "deployments: [{environment: staging}]"])
def test_without_a_readable_record_nothing_is_recorded(root: Path, text: str) -> None:
    (root / "releases" / "deployed.yaml").write_text(text)
    assert [found[0] for found in running(root)] == [ORDER]


def test_what_ran_in_another_account_does_not_count(root: Path) -> None:
    (root / "Pulumi.staging.yaml").write_text("config: {'aws:allowedAccountIds': ['999988887777']}\n")
    assert [found[0] for found in running(root)] == [ORDER]


@pytest.mark.parametrize("image", ["x:v1.2.3", "x@sha256:" + "cd" * 32, "x"])
def test_an_image_that_the_manifest_does_not_pin_is_found(root: Path, image: str) -> None:
    ((policy, _, headline, found, wanted, _),) = running(root, image=image)
    assert (policy, headline) == (MANIFEST, "ecs.TaskDefinition web runs an image that release 2026.11.1 does not name")
    assert (found, DIGEST in wanted) == (image, True)


def test_a_release_without_manifest_is_found(root: Path) -> None:
    (root / "releases" / "2026.11.1.yaml").unlink()
    assert [found[:1] for found in running(root)] == [(MANIFEST,)]


def test_an_image_that_is_not_known_yet_is_judged_when_it_is(root: Path) -> None:
    assert running(root, image=UNKNOWN) == []


def test_a_stack_without_releases_is_not_judged(tmp_path: Path) -> None:
    assert evaluated(shape(prod()), ORDERED, tmp_path) == []
