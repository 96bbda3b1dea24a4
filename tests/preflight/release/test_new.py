"""A new release: what is said is in it, what is not is taken over, and nothing is made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.release.new import new
from preflight.release.project import ReleaseProject
from releases.draft import Changes
from releases.manifest import Update
from releases.prompts import digest_of, load_prompts
from releases.refusal import Refusal
from settings.errors import SettingsError
from tests.preflight.release.projects import SECOND, THIRD, edit, files
from tests.releases.fake_registry import DIGEST, INDEX, registry

PEOPLE: Mapping[str, Any] = {
    "built_by": "@example/ai-platform",
    "reviewed_by": ["@example/ai-model-reviewers"],
    "approved_by": ["@example/ai-release-managers"],
}
GIVEN = "sha256:" + "ab" * 32
IMAGE = f"interface=ghcr.io/open-webui/open-webui:v0.12.0@{GIVEN}"


@pytest.fixture
def project(tmp_path: Path) -> ReleaseProject:
    return files(tmp_path)


def asked(**changes: Any) -> Changes:  # noqa: ANN401 - any option
    return Changes(**{"version": THIRD, **PEOPLE, **changes})


def refused(project: ReleaseProject, **changes: Any) -> str:  # noqa: ANN401 - any option
    before = {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()}
    with pytest.raises((Refusal, SettingsError)) as caught:
        new(project, asked(**changes))
    assert {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()} == before
    return str(caught.value)


def test_a_release_with_nothing_new_but_its_approval_is_compatible_with_the_one_before(project: ReleaseProject) -> None:
    assert list(new(project, asked()).files) == [f"releases/{THIRD}.yaml"]
    made, base = project.environments.release(THIRD), project.environments.release(SECOND)
    assert (made.images, made.models, made.prompts) == (base.images, base.models, base.prompts)
    assert made.schema_.revision == base.schema_.revision
    assert made.schema_.compatible_with == (*base.schema_.compatible_with, SECOND)


def test_an_image_given_by_hand_is_in_it_and_is_to_be_verified(project: ReleaseProject) -> None:
    written = new(project, asked(images=[IMAGE], schema_revision="f00d", compatible_with=[SECOND]))
    made = project.environments.release(THIRD)
    image = made.images["interface"]
    assert (image.source, image.version, image.digest) == ("ghcr.io/open-webui/open-webui", "0.12.0", GIVEN)
    assert made.images["proxy"] == project.environments.release(SECOND).images["proxy"]
    assert (made.schema_.revision, made.schema_.compatible_with) == ("f00d", (SECOND,))
    note = (
        "interface: the given digest was not checked; verify it with crane digest ghcr.io/open-webui/open-webui:v0.12.0"
    )
    assert written.notes == [note]
    assert (project.root / f"releases/{THIRD}.yaml").read_text(encoding="utf-8").startswith(f"# {note}\nversion: ")


def test_a_release_that_must_not_run_beside_the_one_before_says_so(project: ReleaseProject) -> None:
    new(project, asked(images=[IMAGE], schema_revision="f00d", update="restart"))
    assert project.environments.release(THIRD).update is Update.RESTART


def test_a_schema_that_the_release_before_does_not_work_on_cannot_roll(project: ReleaseProject) -> None:
    message = refused(project, images=[IMAGE], schema_revision="f00d")
    assert f"releases/{THIRD}.yaml: update" in message
    assert f"set update: restart, or test {SECOND} on the new schema" in message


def test_a_digest_is_asked_of_the_registry(project: ReleaseProject) -> None:
    with registry({"envoyproxy/envoy:distroless-v1.40.0": INDEX}) as it:
        new(project, asked(images=[f"proxy={it.host}/envoyproxy/envoy:distroless-v1.40.0"]))
        image = project.environments.release(THIRD).images["proxy"]
        assert (image.source, image.version, image.digest) == (f"{it.host}/envoyproxy/envoy", "1.40.0", DIGEST)


def test_without_a_registry_and_without_a_digest_there_is_no_release(project: ReleaseProject) -> None:
    with registry({}) as it:
        host = it.host
    message = refused(project, images=[f"proxy={host}/envoyproxy/envoy:distroless-v1.40.0"])
    assert message.startswith(
        f"the digest of {host}/envoyproxy/envoy:distroless-v1.40.0 is not known: {host} cannot be"
    )
    assert f"pass the digest: --image proxy={host}/envoyproxy/envoy:distroless-v1.40.0@sha256:…" in message


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("proxy=ghcr.io/x/y:latest", "has no version"),
        ("proxy=ghcr.io/x/y", "has no version"),
        (f"proxy=ghcr.io/x/y@{GIVEN}", "has no version"),
        ("proxy=ghcr.io/x/y:v1.2.3@sha256:abc", "is not an image"),
        ("worker=ghcr.io/x/y:v1.2.3", "names: proxy, interface"),
        ("ghcr.io/x/y:v1.2.3", "write NAME=REGISTRY/REPOSITORY:TAG"),
    ],
)
def test_an_image_that_is_not_pinned_to_a_version_is_refused(project: ReleaseProject, image: str, words: str) -> None:
    assert words in refused(project, images=[image])


def test_another_application_needs_its_schemas_revision(project: ReleaseProject) -> None:
    assert "--schema-revision" in refused(project, images=[IMAGE])


def test_a_manifest_is_never_rewritten(project: ReleaseProject) -> None:
    assert refused(project, version=SECOND).startswith(
        "release 2026.11.1 already exists, and a manifest is never rewritten"
    )


def test_a_release_is_newer_than_every_other(project: ReleaseProject) -> None:
    assert refused(project, version="2026.9.1").startswith("release 2026.9.1 is older than 2026.11.1")


@pytest.mark.parametrize("version", ["v2", "2026.12", "../2026.12.1", "latest"])
def test_a_version_has_its_form(project: ReleaseProject, version: str) -> None:
    assert "year.month.number" in refused(project, version=version)


def test_an_unknown_base_is_refused(project: ReleaseProject) -> None:
    assert '"2026.1.1"' in refused(project, base="2026.1.1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"approved_by": ["@example/ai-platform"]}, "allowed: people other than builtBy"),
        ({"approved_by": ["@example/stranger"]}, "owner.releaseManagers"),
        ({"reviewed_by": ["@example/stranger"]}, "owner.modelReviewers"),
        ({"built_by": "platform"}, "a GitHub user or team in quotes"),
        ({"models": ["acme.unknown-1"]}, "a model in releases/models.yaml"),
    ],
)
def test_people_and_models_are_those_of_the_settings(
    project: ReleaseProject, changes: dict[str, Any], words: str
) -> None:
    assert words in refused(project, **changes)


# -- prompts -----------------------------------------------------------------------------------------------------------

TEXT = "Name it in one word. {{MESSAGES:END:2}}\n"


def test_a_changed_text_is_kept_beside_the_earlier_one_and_named_with_its_reviewer(project: ReleaseProject) -> None:
    folder = project.root / "prompts"
    before = load_prompts(project.environments.release(SECOND), folder)
    (folder / "title.md").write_text(TEXT, encoding="utf-8")
    digest = digest_of(TEXT.encode())
    written = new(project, asked(prompt_reviewed_by="@example/ai-prompt-reviewers"))
    assert list(written.files) == [f"prompts/released/title-{digest[7:19]}.md", f"releases/{THIRD}.yaml"]
    made = load_prompts(project.environments.release(THIRD), folder)
    assert made.environment["TITLE_GENERATION_PROMPT_TEMPLATE"] == TEXT
    assert load_prompts(project.environments.release(SECOND), folder) == before


def test_a_changed_text_without_a_reviewer_is_refused(project: ReleaseProject) -> None:
    (project.root / "prompts" / "title.md").write_text(TEXT, encoding="utf-8")
    assert refused(project).startswith("prompts/title.md was changed, and no reviewer is named")


def test_a_text_reviewed_by_another_person_is_refused(project: ReleaseProject) -> None:
    (project.root / "prompts" / "title.md").write_text(TEXT, encoding="utf-8")
    message = refused(project, prompt_reviewed_by="@example/stranger")
    assert "prompts[1].reviewedBy\n  value:   @example/stranger" in message
    assert "owner.promptReviewers" in message


def test_a_text_that_cannot_work_is_refused(project: ReleaseProject) -> None:
    edit(project.root, "prompts/guardrail.yaml", contentStrength="NONE")
    assert "prompts/guardrail.yaml: contentStrength" in refused(project)


def test_a_text_that_is_taken_away_is_not_in_the_next_release(project: ReleaseProject) -> None:
    (project.root / "prompts" / "title.md").unlink()
    new(project, asked())
    assert [prompt.name for prompt in project.environments.release(THIRD).prompts] == ["parameters"]


def test_the_manifest_reads_like_the_others(project: ReleaseProject) -> None:
    new(project, asked())
    text = (project.root / f"releases/{THIRD}.yaml").read_text(encoding="utf-8")
    assert list(yaml.safe_load(text)) == [
        *(
            "version",
            "images",
            "models",
            "guardrail",
            "prompts",
            "schema",
            "update",
            "builtBy",
            "reviewedBy",
            "approvedBy",
        )
    ]
    assert "\nmodels:\n  - openai.gpt-oss-120b-1:0\n" in text
