"""Release manifests: the committed ones are good, and what is wrong with another is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from releases.manifest import (
    DIRECTORY,
    IMAGES,
    REQUIRED_IMAGES,
    cannot_roll,
    load_release,
    stops_before_start,
    versions,
)
from settings import SettingsError
from tests.settings.stack_files import REMOVED, changed

ENVOY = "docker.io/envoyproxy/envoy@sha256:eb2c01c13125d1629637cb4e4cce7207009fb7cc2c8027f9742758549d15b6f4"
OPEN_WEBUI = "ghcr.io/open-webui/open-webui@sha256:"
PUBLISHED = {
    "2026.10.1": ("0.11.4", f"{OPEN_WEBUI}9591b13f13843c7721c2b8eaf7382846c81b3ffe126526d1888d1fed50c6a33f"),
    "2026.11.1": ("0.11.4", f"{OPEN_WEBUI}9591b13f13843c7721c2b8eaf7382846c81b3ffe126526d1888d1fed50c6a33f"),
}
DIGEST_FIX = "resolve the tag to its digest, for example with crane digest <image>:<tag>"
HEX = "751b617714b91e4cfd0186a509c72480c858e012976103b09a30dad053c36175"


def test_the_committed_versions_are_these() -> None:
    assert versions() == sorted(PUBLISHED)


@pytest.mark.parametrize("version", PUBLISHED)
def test_a_committed_manifest_pins_the_published_images(version: str) -> None:
    release = load_release(version)
    application, reference = PUBLISHED[version]
    assert set(REQUIRED_IMAGES) <= set(release.images) <= set(IMAGES)
    assert (release.images["interface"].version, release.images["interface"].reference) == (application, reference)
    assert (release.images["proxy"].version, release.images["proxy"].reference) == ("1.39.1", ENVOY)


@pytest.mark.parametrize("version", PUBLISHED)
def test_a_committed_manifest_says_that_its_digests_are_to_be_verified(version: str) -> None:
    text = (DIRECTORY / f"{version}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# The digests are the published ones. Verify each with network access")


def test_versions_sort_by_number_and_skip_other_files(tmp_path: Path) -> None:
    for name in ("2026.10.1", "2026.9.12", "2026.9.2", "deployed"):
        (tmp_path / f"{name}.yaml").touch()
    assert versions(tmp_path) == ["2026.9.2", "2026.9.12", "2026.10.1"]


def manifest_with(tmp_path: Path, changes: dict[str, Any]) -> Path:
    """A directory with the newest manifest, changed."""
    values = yaml.safe_load((DIRECTORY / "2026.11.1.yaml").read_text(encoding="utf-8"))
    (tmp_path / "2026.11.1.yaml").write_text(yaml.safe_dump(changed(values, changes)), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"images.interface.digest": "v0.11.4"}, ("images.interface.digest", '"v0.11.4"', DIGEST_FIX)),
        (
            {"images.interface.digest": f"sha256:{HEX[:-1]}"},
            ("images.interface.digest", f'"sha256:{HEX[:-1]}"', DIGEST_FIX),
        ),
        (
            {"images.interface.digest": f"sha256:{HEX.upper()}"},
            ("images.interface.digest", f'"sha256:{HEX.upper()}"', DIGEST_FIX),
        ),
        (
            {"images.proxy.digest": REMOVED},
            ("images.proxy.digest", "(not set)", "add digest to releases/2026.11.1.yaml"),
        ),
        (
            {"images.proxy.source": "docker.io/envoyproxy/envoy:distroless-v1.39.1"},
            (
                "images.proxy.source",
                '"docker.io/envoyproxy/envoy:distroless-v1.39.1"',
                "remove the tag: the image is pinned by digest",
            ),
        ),
        (
            {"images.proxy.version": 1.39},
            ("images.proxy.version", "1.39", "write it as text, in quotes if it could be read as a number"),
        ),
        ({"images.proxy.tag": "v1"}, ("images.proxy.tag", "(unknown key)", "remove the key")),
        (
            {"images.proxy": REMOVED},
            ("images", "gateway, interface", "add the missing images and remove any that this project does not have"),
        ),
        ({"models": []}, ("models", "a list of 0", "write at least 1")),
        (
            {"approvedBy": ["@example/ai-platform"]},
            ("approvedBy", "@example/ai-platform", "have another release manager approve it"),
        ),
        ({"schema.compatibleWith": ["2026.11.1"]}, ("schema.compatibleWith", "2026.11.1", "remove it from the list")),
        ({"update": "stop"}, ("update", '"stop"', "choose one of these")),
        ({"prompts": [{"name": "a1"}]}, ("prompts[0].digest", "(not set)", "add digest to releases/2026.11.1.yaml")),
        ({"prompts[0].name": "system"}, ("prompts[0].name", '"system"', "write a value of the allowed form")),
        ({"prompts[1].name": "parameters"}, ("prompts", "parameters", "remove the duplicate")),
        (
            {"prompts[1].reviewedBy": REMOVED},
            ("prompts[1].reviewedBy", "(not set)", "add reviewedBy to releases/2026.11.1.yaml"),
        ),
        (
            {"prompts[1].reviewedBy": "@example/ai-platform"},
            (
                "prompts[1].reviewedBy",
                "@example/ai-platform",
                "have a prompt reviewer review the text, and name that person",
            ),
        ),
        (
            {"guardrail.digest": "v3"},
            ("guardrail.digest", '"v3"', "preflight release new writes it"),
        ),
        ({"guardrail": REMOVED}, ("guardrail", "(not set)", "add guardrail to releases/2026.11.1.yaml")),
        ({"version": "2026.11.2"}, ("version", "2026.11.2", "rename the file or correct version")),
    ],
)
def test_a_bad_manifest_says_what_is_wrong(
    tmp_path: Path, changes: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_release("2026.11.1", manifest_with(tmp_path, changes))
    first = caught.value.problems[0]
    assert (first.key, first.value, first.fix) == expected


def test_a_tag_instead_of_a_digest_reads_as_written_here(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_release("2026.11.1", manifest_with(tmp_path, {"images.interface.digest": "v0.11.4"}))
    assert (
        str(caught.value)
        == """1 problem in releases/2026.11.1.yaml

images.interface.digest
  value:   "v0.11.4"
  allowed: sha256: followed by 64 hexadecimal digits; a tag is not accepted, since it can be moved
  fix:     resolve the tag to its digest, for example with crane digest <image>:<tag>"""
    )


@pytest.mark.parametrize("version", ["2026.12.1", "2026.11.10", "../2026.11.1", "2026.11.1.yaml", "", "latest"])
def test_a_version_without_manifest_names_the_nearest_ones(version: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_release(version)
    (problem,) = caught.value.problems
    assert problem.key == "ai-interface:release"
    assert problem.allowed == "a version that has a manifest in releases/: 2026.10.1, 2026.11.1"
    assert set(problem.fix.split()) >= {"2026.10.1", "2026.11.1;"} or set(problem.fix.split()) >= {
        "2026.11.1",
        "2026.10.1;",
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("version: [", "releases/2026.11.1.yaml, line 1"),
        ("- a\n- b\n", "releases/2026.11.1.yaml"),
        ("", "releases/2026.11.1.yaml"),
        ("version: 2026-13-45\n", "releases/2026.11.1.yaml"),
    ],
)
def test_a_file_that_is_no_manifest_is_named(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "2026.11.1.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_release("2026.11.1", tmp_path)
    assert caught.value.problems[0].key == key


@pytest.mark.parametrize(
    ("changes", "before", "rolls"),
    [
        ({}, {}, True),
        ({"schema.compatibleWith": []}, {"schema.revision": "42e2978c7933"}, False),
        ({"schema.compatibleWith": [], "update": "restart"}, {"schema.revision": "42e2978c7933"}, True),
        ({"schema.compatibleWith": []}, {}, True),
    ],
)
def test_a_release_rolls_only_where_the_one_before_works_on_its_schema(
    tmp_path: Path, changes: dict[str, Any], before: dict[str, Any], rolls: bool
) -> None:
    release = load_release("2026.11.1", manifest_with(tmp_path, changes))
    earlier = yaml.safe_load((DIRECTORY / "2026.10.1.yaml").read_text(encoding="utf-8"))
    (tmp_path / "2026.10.1.yaml").write_text(yaml.safe_dump(changed(earlier, before)), encoding="utf-8")

    assert (cannot_roll(release, load_release("2026.10.1", tmp_path)) is None) is rolls
    assert cannot_roll(release, None) is None


def test_a_restart_stops_first_on_the_way_there_and_on_the_way_back(tmp_path: Path) -> None:
    rolling, restart = (
        load_release("2026.11.1", manifest_with(tmp_path, {"update": update})) for update in ("rolling", "restart")
    )

    assert not stops_before_start(rolling, [])
    assert not stops_before_start(rolling, [rolling])
    assert stops_before_start(restart, [])
    assert stops_before_start(rolling, [rolling, restart])
