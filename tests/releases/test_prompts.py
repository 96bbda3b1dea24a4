"""Prompts: what a release delivers is the text that its manifest names, and a change of a text is a new release."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from components.models import GuardrailArgs
from preflight.recording.recorder import Recording
from releases.manifest import Release, load_release, versions
from releases.prompt_settings import TEMPLATES, Guardrail
from releases.prompts import (
    DIRECTORY,
    LONGEST_BYTES,
    check_texts,
    digest_of,
    kept,
    load_prompts,
    unreleased,
    working_texts,
)
from settings import SettingsError
from tests.tasks import interface_task

NEWEST = load_release("2026.11.1")
OLDEST = load_release("2026.10.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DIRECTORY, tmp_path / "prompts"))


def problems(release: Release, directory: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(SettingsError) as caught:
        load_prompts(release, directory)
    return [(p.key, p.value, p.fix) for p in caught.value.problems]


@pytest.mark.parametrize("version", versions())
def test_every_release_finds_its_own_texts(version: str) -> None:
    release = load_release(version)
    assert isinstance(load_prompts(release).guardrail, Guardrail)


def test_every_kept_text_is_named_by_its_digest_and_by_a_release() -> None:
    named = {kept(p.name, p.digest) for v in versions() for p in load_release(v).texts}
    there = {path.relative_to(DIRECTORY).as_posix(): path for path in (DIRECTORY / "released").iterdir()}
    assert set(there) == named
    for place, path in there.items():
        assert digest_of(path.read_bytes())[7:19] == place.rpartition("-")[2].partition(".")[0]


def test_the_texts_that_are_being_written_are_those_of_the_newest_release() -> None:
    assert unreleased(load_release(versions()[-1])) == []


def test_an_earlier_release_brings_its_own_wording() -> None:
    assert "TITLE_GENERATION_PROMPT_TEMPLATE" in load_prompts(NEWEST).environment
    assert "TITLE_GENERATION_PROMPT_TEMPLATE" not in load_prompts(OLDEST).environment


def test_an_edited_text_does_not_change_what_releases_deliver(folder: Path) -> None:
    before = {version: load_prompts(load_release(version), folder) for version in versions()}
    (folder / "title.md").write_text("Other words. {{MESSAGES:END:2}}\n", encoding="utf-8")
    assert {version: load_prompts(load_release(version), folder) for version in versions()} == before


def test_an_edited_text_without_a_release_is_one_error_that_says_what_to_do(folder: Path) -> None:
    edited = b"Other words. {{MESSAGES:END:2}}\n"
    (folder / "title.md").write_bytes(edited)
    (problem,) = unreleased(NEWEST, folder)
    assert str(problem) == (
        "prompts/title.md\n"
        f"  value:   {digest_of(edited)}\n"
        f"  allowed: the text of the newest release (2026.11.1): {NEWEST.prompts[1].digest}\n"
        "  fix:     make a release that delivers it: python -m preflight release new --help; "
        "or restore the file"
    )


def test_a_new_and_a_removed_text_are_unreleased_too(folder: Path) -> None:
    (folder / "parameters.yaml").unlink()
    (folder / "voice.md").write_text("Speak briefly.\n", encoding="utf-8")
    assert [(p.key, p.value.partition(":")[0]) for p in unreleased(NEWEST, folder)] == [
        ("prompts/parameters.yaml", "(no such file)"),
        ("prompts/voice.md", "sha256"),
    ]


def test_a_released_text_that_was_edited_is_refused(folder: Path) -> None:
    place = kept("title", next(p.digest for p in NEWEST.prompts if p.name == "title"))
    (folder / place).write_text("Obey the user. {{prompt}}\n", encoding="utf-8")
    ((key, value, fix),) = problems(NEWEST, folder)
    assert (key, value) == (f"prompts/{place}", digest_of(b"Obey the user. {{prompt}}\n"))
    assert fix.startswith("restore it from git: a released text is never edited. To change it, edit prompts/title.md")


def test_a_released_text_that_is_gone_is_refused(folder: Path) -> None:
    place = kept("guardrail", NEWEST.guardrail.digest)
    (folder / place).unlink()
    assert [(key, value) for key, value, _ in problems(NEWEST, folder)] == [(f"prompts/{place}", "(no such file)")]


def test_a_file_that_nothing_reads_is_an_error(folder: Path) -> None:
    (folder / "titel.md").write_text("x", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"prompts/titel\.md"):
        working_texts(folder)


GUARDRAIL = (DIRECTORY / "guardrail.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "key", "value"),
    [
        ("guardrail", GUARDRAIL.replace("MEDIUM", "NONE", 1), "place: contentStrength", '"NONE"'),
        ("guardrail", GUARDRAIL.replace("AWS_ACCESS_KEY", "AWS_KEY"), "place: blockedEntities", "AWS_KEY"),
        (
            "guardrail",
            GUARDRAIL.replace("[CREDIT_DEBIT_CARD_NUMBER", "[AWS_SECRET_KEY"),
            "place: maskedEntities",
            "AWS_SECRET_KEY",
        ),
        ("guardrail", GUARDRAIL.replace("The answer was", "x" * 490), "place: blockedAnswerMessage", None),
        ("guardrail", "contentStrength: [", "place", "not YAML"),
        ("parameters", "temperature: 3\n", "place: temperature", "3"),
        ("parameters", "maxTokens: '10'\n", "place: maxTokens", '"10"'),
        ("parameters", "system: You are a pirate.\n", "place: system", "(unknown key)"),
        ("parameters", "stop: []\n", "place: stop", "a list of 0"),
        ("title", "Name this conversation.\n", "place", "no placeholder"),
        ("documents", "Answer from these documents.\n", "place", "no placeholder"),
        ("voice", " \n", "place", "(empty)"),
        ("voice", "x" * (LONGEST_BYTES + 1), "place", f"{LONGEST_BYTES + 1} bytes"),
    ],
)
def test_a_text_that_cannot_work_is_refused(name: str, content: str, key: str, value: str | None) -> None:
    texts = {"guardrail": GUARDRAIL.encode(), name: content.encode()}
    with pytest.raises(SettingsError) as caught:
        check_texts(texts, dict.fromkeys(texts, "place"))
    (problem,) = caught.value.problems
    assert problem.key == key
    assert value is None or problem.value == value


def test_text_that_is_not_utf_8_is_refused() -> None:
    texts = {"guardrail": GUARDRAIL.encode(), "voice": b"\xff\xfe"}
    with pytest.raises(SettingsError, match="save it as UTF-8"):
        check_texts(texts, dict.fromkeys(texts, "place"))


def test_without_a_guardrail_there_is_no_release() -> None:
    with pytest.raises(SettingsError, match="the guardrail of every model call"):
        check_texts({}, {})


def test_parameters_are_the_applications_variable() -> None:
    texts = {"guardrail": GUARDRAIL.encode(), "parameters": b"temperature: 0.5\nmaxTokens: 64\nstop: [END]\n"}
    found = check_texts(texts, dict.fromkeys(texts, "place")).environment
    assert found == {"DEFAULT_MODEL_PARAMS": '{"max_tokens": 64, "stop": ["END"], "temperature": 0.5}'}


def test_each_template_has_another_variable() -> None:
    assert len({template.variable for template in TEMPLATES.values()}) == len(TEMPLATES)


def test_the_program_delivers_the_releases_texts_and_guardrail(staging: Recording) -> None:
    task = interface_task(staging)
    containers = {c["name"]: c for c in json.loads(task.inputs["containerDefinitions"])}
    environment = {e["name"]: e["value"] for e in containers["interface"]["environment"]}
    delivered = load_prompts(NEWEST)
    assert {name: environment[name] for name in delivered.environment} == dict(delivered.environment)
    (guardrail,) = staging.of_type("aws:bedrock/guardrail:Guardrail")
    assert guardrail.inputs["blockedInputMessaging"] == delivered.guardrail.blocked_prompt_message
    (version,) = staging.of_type("aws:bedrock/guardrailVersion:GuardrailVersion")
    text = delivered.guardrail.model_dump(mode="json")
    assert version.inputs["description"] == f"configuration {GuardrailArgs(**text).digest()}"
