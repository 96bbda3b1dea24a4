"""A stack runs its release only where models, reviewers and texts are in order."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from releases.acceptance import accepted, approved_models
from releases.manifest import DIRECTORY, Update
from releases.prompts import DIRECTORY as PROMPTS
from settings import SettingsError, StackSettings
from tests.settings.stack_files import changed, own_values, stack_file
from tests.settings.stack_files import parse as parsed

NEWEST = "2026.11.1"
STRANGER = "@example/stranger"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return (
        Path(shutil.copytree(DIRECTORY, tmp_path / "releases")),
        Path(shutil.copytree(PROMPTS, tmp_path / "prompts")),
    )


def parse(stack: str) -> StackSettings:
    return parsed(own_values(stack), environment=stack, accounts=stack_file(stack)["aws:allowedAccountIds"])


def edit(folder: Path, file: str, changes: dict[str, Any]) -> None:
    path = folder / file
    path.write_text(yaml.safe_dump(changed(yaml.safe_load(path.read_text()), changes)), encoding="utf-8")


def refused(settings: StackSettings, folders: tuple[Path, Path]) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        accepted(settings, *folders)
    return [(p.key, p.value) for p in caught.value.problems]


@pytest.mark.parametrize(("stack", "version"), [("staging", "2026.11.1"), ("prod", "2026.10.1")])
def test_the_committed_stacks_run_their_releases(stack: str, version: str) -> None:
    release, prompts = accepted(parse(stack))
    assert release.version == version
    assert prompts.guardrail.blocked_answer_message


def test_a_model_that_the_release_does_not_name_is_not_offered(folders: tuple[Path, Path]) -> None:
    edit(folders[0], f"{NEWEST}.yaml", {"models": ["openai.gpt-oss-20b-1:0"]})
    assert refused(parse("staging"), folders) == [
        ("ai-interface:models.groups[0].models", '"openai.gpt-oss-120b-1:0"'),
    ]


def test_a_model_that_is_no_longer_approved_is_not_offered_by_any_release(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "models.yaml"
    path.write_text(yaml.safe_dump({"models": yaml.safe_load(path.read_text())["models"][1:]}), encoding="utf-8")
    model = '"openai.gpt-oss-120b-1:0"'
    assert refused(parse("prod"), folders) == [
        (f"releases/{NEWEST}.yaml: models[0]", model),
        ("ai-interface:models.groups[0].models", model),
    ]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"reviewedBy": [STRANGER]}, "reviewedBy"),
        ({"approvedBy": [STRANGER]}, "approvedBy"),
        ({"guardrail.reviewedBy": STRANGER}, "guardrail.reviewedBy"),
        ({"prompts[1].reviewedBy": STRANGER}, "prompts[1].reviewedBy"),
    ],
)
@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_newest_release_names_reviewers_of_the_settings(
    folders: tuple[Path, Path], changes: dict[str, Any], key: str, stack: str
) -> None:
    edit(folders[0], f"{NEWEST}.yaml", changes)
    assert refused(parse(stack), folders) == [(f"releases/{NEWEST}.yaml: {key}", STRANGER)]


def test_an_earlier_release_is_not_checked_against_todays_reviewers(folders: tuple[Path, Path]) -> None:
    edit(folders[0], "2026.10.1.yaml", {"reviewedBy": [STRANGER], "approvedBy": [STRANGER]})
    assert accepted(parse("prod"), *folders)[0].version == "2026.10.1"


def test_a_model_whose_reviewer_the_settings_do_not_name_is_not_approved(folders: tuple[Path, Path]) -> None:
    edit(folders[0], "models.yaml", {"models[0].reviewedBy": STRANGER})
    assert refused(parse("staging"), folders) == [("releases/models.yaml: openai.gpt-oss-120b-1:0", STRANGER)]


def test_an_unreviewed_prompt_is_refused(folders: tuple[Path, Path]) -> None:
    edit(folders[0], f"{NEWEST}.yaml", {"guardrail.reviewedBy": "@example/ai-platform"})
    assert refused(parse("staging"), folders) == [("guardrail.reviewedBy", "@example/ai-platform")]


def test_an_edited_text_stops_every_stack_until_it_is_released(folders: tuple[Path, Path]) -> None:
    (folders[1] / "guardrail.yaml").write_text("contentStrength: LOW\n", encoding="utf-8")
    for stack in ("staging", "prod"):
        assert [key for key, _ in refused(parse(stack), folders)] == ["prompts/guardrail.yaml"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("models: [", "releases/models.yaml"),
        ("", "releases/models.yaml: "),
        ("models: []\n", "releases/models.yaml: models"),
        ("models: [{id: m1, reason: long enough for anybody}]\n", "releases/models.yaml: models[0].reviewedBy"),
        ("models: [{id: m1, reason: short, reviewedBy: '@a'}]\n", "releases/models.yaml: models[0].reason"),
    ],
)
def test_a_list_of_models_that_cannot_be_read_says_so(folders: tuple[Path, Path], content: str, key: str) -> None:
    (folders[0] / "models.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        approved_models(folders[0])
    assert caught.value.problems[0].key == key


def test_a_release_that_says_it_rolls_and_whose_schema_breaks_the_one_before_is_refused(
    folders: tuple[Path, Path],
) -> None:
    edit(folders[0], f"{NEWEST}.yaml", {"schema.compatibleWith": [], "schema.revision": "0bd252b206fb"})
    assert refused(parse("staging"), folders) == [(f"releases/{NEWEST}.yaml: update", "rolling")]
    assert accepted(parse("prod"), *folders)[0].version == "2026.10.1"

    edit(folders[0], f"{NEWEST}.yaml", {"update": "restart"})
    assert accepted(parse("staging"), *folders)[0].update is Update.RESTART
