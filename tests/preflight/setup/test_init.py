"""A team's own values: one command writes them, and the check is clean."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.__main__ import main
from preflight.errors import ConfigurationError
from preflight.setup import answers as collected
from preflight.setup import project as files_of
from preflight.setup import stack_files
from preflight.setup.question import ENVIRONMENTS
from preflight.setup.questions import OTHER, kind_of, questions
from preflight.setup.sizes import SIZES
from settings.providers import KINDS
from tests.preflight.release.projects import preflight
from tests.preflight.setup.answered import COMPANY, PROVIDERS, answers, given, project
from tests.settings.stack_files import ROOT

NUMBERS = {"two": 2, "three": 3}


def written(values: dict[str, str]) -> dict[str, str]:
    """The stack files that these answers make."""
    made = stack_files.files(collected.complete(values, "test"), files_of.committed(ROOT))
    return {name: text for name, text in made.items() if text is not None}


def config(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)["config"]


@pytest.fixture(scope="module", params=sorted(SIZES))
def initialized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of each size after ``init``."""
    folder = project(tmp_path_factory.mktemp("init"))
    path = given(tmp_path_factory.mktemp("answers"), answers(size=request.param))
    done = preflight(folder, "init", "--answers", str(path))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


def test_the_check_is_clean_afterwards(initialized: Path) -> None:
    done = preflight(initialized, "check")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "releases-pass-the-earlier-environment until staging is deployed" in done.stdout


def test_the_reasons_of_the_declared_differences_are_true(initialized: Path) -> None:
    text = (initialized / "policies/parity/differences.yaml").read_text(encoding="utf-8")
    zones = {
        len(
            config((initialized / f"Pulumi.{one}.yaml").read_text(encoding="utf-8"))["ai-interface:network"][
                "availabilityZones"
            ]
        )
        for one in ENVIRONMENTS
    }
    about = [entry["reason"] for entry in yaml.safe_load(text)["differences"] if "zone" in entry["reason"]]
    named = {NUMBERS[word] for reason in about for word in re.findall(r"[a-z]+", reason.lower()) if word in NUMBERS}
    assert about
    assert named <= zones, about


def test_a_third_zone_is_the_one_that_the_declared_difference_names() -> None:
    regions: Any = importlib.import_module("cfnlint.helpers").AVAILABILITY_ZONES
    third = {region: stack_files.zones(region)[2:3] for region in regions}
    assert {region: found for region, found in third.items() if found not in ([], [f"{region}c"])} == {}


def test_every_region_has_the_zones_that_cfn_lint_lists() -> None:
    regions: Any = importlib.import_module("cfnlint.helpers").AVAILABILITY_ZONES
    assert {region: stack_files.zones(region) for region in regions} == {
        region: sorted(listed) for region, listed in regions.items()
    }
    assert stack_files.zones("xx-new-1") == ["xx-new-1a", "xx-new-1b", "xx-new-1c"]


def test_cfn_lint_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", absent)
    stack_files._zones.cache_clear()  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(ModuleNotFoundError) as raised:
        stack_files.zones("eu-west-1")
    assert raised.value.name == "cfnlint"


def test_the_example_s_names_are_gone(initialized: Path) -> None:
    left = {
        name: [value for value in ("example.com", "ai-platform", "111122223333", "444455556666") if value in text]
        for name, text in files_of.committed(initialized).items()
        if "Pulumi." in name or name.startswith("policies/")
    }
    assert {name: values for name, values in left.items() if values} == {}


def test_a_third_environment_is_one_command(tmp_path: Path) -> None:
    initialized = project(tmp_path)
    done = preflight(initialized, "environment", "add", "dev", "--like", "staging")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    checked = preflight(initialized, "check")
    assert checked.returncode == 0, checked.stdout
    assert "3 environments" in checked.stdout
    blocks = {
        config((initialized / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["ai-interface:network"]["cidrBlock"]
        for stack in ("dev", *ENVIRONMENTS)
    }
    assert len(blocks) == 3
    again = preflight(initialized, "environment", "add", "dev", "--like", "staging")
    assert (again.returncode, "Pulumi.dev.yaml exists already" in again.stderr) == (2, True)


def test_every_kind_of_identity_provider_is_offered() -> None:
    assert set(PROVIDERS) == {*map(kind_of, KINDS), OTHER}


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_the_settings_accept_the_answers(provider: str) -> None:
    assert files_of.problems(written(answers(provider))) == ""


def comments(text: str) -> list[str]:
    """What the comments explain, without marks and without the groups of models, which depend on the region."""
    found = [
        line.partition("#")[2].strip() for line in text.splitlines() if "#" in line and not line.startswith("      #")
    ]
    unmarked = [re.sub(r"^yours:? ?", "", one) for one in found]
    return [re.sub(r' Change every value marked "yours".*', "", one) for one in unmarked if one]


def test_the_comments_of_the_stack_files_stay() -> None:
    before, after = files_of.committed(ROOT), written(answers(OTHER))
    for name in (f"{folder}Pulumi.{one}.yaml" for one in ENVIRONMENTS for folder in ("", "bootstrap/")):
        wanted = [one.replace("111122223333", COMPANY["stagingAccount"]) for one in comments(before[name])]
        wanted = [one.replace("444455556666", COMPANY["prodAccount"]) for one in wanted]
        assert wanted
        assert comments(after[name]) == wanted


def test_keys_that_are_not_asked_stay_as_they_are() -> None:
    before, after = files_of.committed(ROOT), written(answers())
    for environment in ENVIRONMENTS:
        name = f"Pulumi.{environment}.yaml"
        for key in ("ai-interface:retention", "ai-interface:release"):
            assert config(after[name])[key] == config(before[name])[key]


def test_every_problem_in_a_file_of_answers_comes_at_once(tmp_path: Path) -> None:
    wrong = answers(contact="no address", region="Ohio", colour="blue")
    del wrong["team"]
    with pytest.raises(ConfigurationError) as caught:
        collected.from_file(given(tmp_path, wrong))
    text = str(caught.value)
    for part in (
        "team: is missing",
        "contact: 'no address' is not valid; allowed: an e-mail address",
        "region: 'ohio'",
        "colour: no such answer",
    ):
        assert part in text


def test_a_wrong_answer_is_asked_again_and_a_default_is_taken() -> None:
    wanted = collected.complete(answers(), "test")
    shown: list[str] = []
    told: list[str] = []
    by_text = {question.text: wanted.get(question.key, "") for question in questions(wanted)}
    mistakes = {"AWS region": ["Ohio"]}

    def ask(prompt: str) -> str:
        shown.append(prompt)
        text = next(text for text in by_text if prompt.startswith((f"{text}:", f"{text} [")))
        wrong = mistakes.get(text)
        return wrong.pop() if wrong else by_text[text]

    found = collected.from_terminal(ask, told.append)
    assert found == wanted
    assert len([prompt for prompt in shown if prompt.startswith("AWS region")]) == 2
    assert told == ["  allowed: an AWS region, for example eu-west-1\n"]
    assert any(prompt.startswith("Host name of prod [assistant.acme.example.org]") for prompt in shown)


def test_answers_that_the_settings_refuse_write_nothing_and_are_kept(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = files_of.committed(folder)
    path = given(tmp_path, answers("okta", stagingUsers="gmail.com"))
    done = preflight(folder, "init", "--answers", str(path))
    assert done.returncode == 1
    assert "identity.allowed.emailDomains" in done.stderr
    assert files_of.committed(folder) == before
    assert collected.from_file(folder / "init-answers.yaml")["stagingUsers"] == "gmail.com"


@pytest.mark.parametrize(
    ("provider", "key", "answer", "told"),
    [
        ("okta", "prodUsers", "AI Users", "e-mail addresses or domains with commas"),
        ("okta", "prodAdministrators", "ann@acme.example.org and bob@acme.example.org", "with commas between them"),
        ("okta", "prodAdministrators", "everyone assigned", "a claim and its values"),
        ("keycloak", "prodUsers", "everyone assigned", "a claim and its values"),
        ("entraId", "prodUsers", "groups=AI Users", "not groups: Entra ID does not return them"),
        ("entraId", "prodAdministrators", "ann@acme.example.org", "a claim that Entra ID returns: sub"),
        ("okta", "reviewers", "'@acme/assistants'", "without quotes"),
    ],
)
def test_an_answer_about_people_is_refused_where_it_is_given(provider: str, key: str, answer: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        collected.complete(answers(provider, **{key: answer}), "test")
    assert f"{key}: " in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("everyone", ["everyone assigned", "Everyone Assigned", "everyoneTheProviderAssigns"])
def test_everyone_assigned_has_the_name_of_the_setting_too(everyone: str) -> None:
    made = written(answers("entraId", stagingUsers=everyone))
    for name in ENVIRONMENTS:
        identity = config(made[f"Pulumi.{name}.yaml"])["ai-interface:identity"]
        assert identity["allowed"] == {"everyoneTheProviderAssigns": True}


def test_administrators_by_address_at_a_provider_that_does_not_verify_them_need_a_yes() -> None:
    by_address = answers(
        "entraId",
        stagingAdministrators="ann@acme.example.org",
        prodAdministrators="ann@acme.example.org",
        acceptUnverifiedEmail="yes",
    )
    made = written(by_address)
    assert files_of.problems(made) == ""
    for name in ENVIRONMENTS:
        identity = config(made[f"Pulumi.{name}.yaml"])["ai-interface:identity"]
        assert identity["provider"]["acceptUnverifiedEmail"] is True
        assert identity["administrators"] == {"emails": ["ann@acme.example.org"]}


def test_every_question_can_be_printed_with_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(ROOT), "init", "--questions"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert set(printed) >= {*COMPANY, "provider", "models", "size"}


def test_a_program_that_refuses_them_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = files_of.committed(folder)
    limits = folder / "releases/models.yaml"
    limits.write_text(limits.read_text(encoding="utf-8").replace("openai.gpt-oss-20b-1:0", "openai.gpt-oss-9b-1:0"))
    path = given(tmp_path, answers())
    before = files_of.committed(folder)
    done = preflight(folder, "init", "--answers", str(path))
    assert (done.returncode, "openai.gpt-oss-20b-1:0" in done.stderr) == (1, True), done.stderr
    assert files_of.committed(folder) == before


def test_a_stack_file_that_is_not_committed_is_not_overwritten(tmp_path: Path) -> None:
    folder = project(tmp_path)
    stack = folder / "Pulumi.prod.yaml"
    stack.write_text(stack.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    done = preflight(folder, "init", "--answers", str(given(tmp_path, answers())))
    assert (done.returncode, "Pulumi.prod.yaml: not committed" in done.stderr) == (2, True)
    assert stack.read_text(encoding="utf-8").endswith("# mine\n")


def test_without_a_terminal_or_answers_the_command_explains_itself(tmp_path: Path) -> None:
    done = preflight(project(tmp_path), "init")
    assert (done.returncode, "pass --answers FILE" in done.stderr) == (2, True)
