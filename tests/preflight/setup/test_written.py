"""What the stack files contain afterwards: no mark, the region's models, one bootstrap stack for each account."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.conform import account as accounts
from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project
from preflight.setup import answers as collected
from preflight.setup import marks, offered, stack_files
from preflight.setup import project as files_of
from preflight.setup.question import ENVIRONMENTS
from preflight.setup.questions import OTHER
from releases.manifest import Release
from settings.upstreams import behind_profile
from tests.preflight.analysis.test_offered_groups import groups, uncommented
from tests.preflight.release.projects import preflight
from tests.preflight.setup.answered import PROVIDERS, answers, given, project
from tests.settings.stack_files import ROOT

BEFORE = files_of.committed(ROOT)
REGIONS: Any = importlib.import_module("cfnlint.helpers").AVAILABILITY_ZONES


def after(values: dict[str, str], before: dict[str, str] = BEFORE) -> dict[str, str | None]:
    return stack_files.files(collected.complete(values, "test", files_of.known(ROOT)), before)


def texts(values: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in after(values).items() if text is not None}


# -- marks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_no_answered_value_is_marked(provider: str) -> None:
    made = texts(answers(provider))
    marked = [name for name, text in made.items() if "yours" in text]
    assert [name for name in BEFORE if "Pulumi." in name and "yours" in BEFORE[name]]
    assert marked == []


def test_a_mark_of_a_value_that_is_not_answered_stays_with_the_sentence_about_marks() -> None:
    text = BEFORE["Pulumi.staging.yaml"].replace("ai-interface:retention:", "ai-interface:retention: # yours: reviewed")
    made = marks.without(text, {"ai-interface:owner.team", "aws:allowedAccountIds"})
    assert [line.strip() for line in made.splitlines() if "# yours" in line] == [
        line.strip() for line in text.splitlines() if "# yours" in line and "owner" not in line and "aws:" not in line
    ]
    assert made.startswith('# Staging. Change every value marked "yours"')


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_the_section_identity_names_the_page_of_the_provider(provider: str) -> None:
    made = texts(answers(provider))
    for environment in ENVIRONMENTS:
        (line,) = [one for one in made[f"Pulumi.{environment}.yaml"].splitlines() if "ai-interface:identity:" in one]
        about = line.partition("# ")[2]
        assert ("/.well-known/" in about) == (provider == OTHER)
        assert provider == OTHER or (ROOT / about).is_file(), about


# -- the region's models -----------------------------------------------------------------------------------------------


def offered_ids(text: str) -> list[str]:
    """The ids of the groups that are offered as comments."""
    found: list[Any] = [one["models"] for one in groups(uncommented(text))[1:]]
    return [str(model) for models in found for model in models]


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_the_groups_that_are_offered_fit_the_region(region: str) -> None:
    made, _ = offered.for_region(BEFORE["Pulumi.staging.yaml"], region)
    upstreams: list[Any] = [one["upstreams"] for one in groups(uncommented(made))[1:]]
    assert {one["region"] for group in upstreams for one in group} == {region}
    for model in offered_ids(made):
        behind = behind_profile(model)
        if behind is not None:
            profile = offered.profiles()[behind, region]
            assert model == profile.id
            assert f"destinationRegions: [{', '.join(profile.destinations)}]" in made
    assert ("no inference profile" in made) == all(behind_profile(one) is None for one in offered_ids(made))


def test_a_group_without_a_profile_is_replaced_by_a_reference_to_the_page() -> None:
    made, changed = offered.for_region(BEFORE["Pulumi.staging.yaml"], "sa-east-1")
    assert "eu." not in made
    assert changed == {}
    assert "# claude: no inference profile of anthropic.claude-sonnet-4-5-20250929-v1:0 is listed for sa-east-1" in made
    assert [one["name"] for one in groups(uncommented(made))] == ["general", "documents"]


def test_the_table_has_the_committed_profile_with_its_destinations() -> None:
    text = BEFORE["Pulumi.staging.yaml"]
    made, changed = offered.for_region(text, "eu-west-1")
    assert (made, changed) == (text, {})


def test_a_rewritten_group_returns_in_the_first_region() -> None:
    text = BEFORE["Pulumi.staging.yaml"]
    elsewhere, _ = offered.for_region(text, "ap-southeast-2")
    assert "au.anthropic" in elsewhere
    back, _ = offered.for_region(elsewhere, "eu-west-1")
    assert back == text


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-1", "eu-central-1"])
def test_the_example_releases_list_what_the_stack_files_offer(region: str) -> None:
    made = BEFORE | texts(answers(region=region))
    ids = offered_ids(made["Pulumi.prod.yaml"])
    approved = [one["id"] for one in yaml.safe_load(made["releases/models.yaml"])["models"]]
    assert ids
    assert set(ids) <= set(approved)
    for name, text in made.items():
        if name.startswith("releases/20"):
            assert set(ids) <= set(Release.model_validate(yaml.safe_load(text), by_alias=True, by_name=False).models)


@pytest.mark.slow
def test_they_pass_every_check_in_another_region_once_they_are_chosen(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = preflight(folder, "init", "--answers", str(given(tmp_path, answers(region="us-east-1", size="small"))))
    assert done.returncode == 0, done.stderr
    for stack in ENVIRONMENTS:
        path = folder / f"Pulumi.{stack}.yaml"
        path.write_text(uncommented(path.read_text(encoding="utf-8")), encoding="utf-8")
    preflight(folder, "shapes", "--write")
    for command in ("check", "conform"):
        done = preflight(folder, command)
        assert done.returncode == 0, done.stdout + done.stderr


# -- one bootstrap stack for each account ------------------------------------------------------------------------------


def listed(text: str | None) -> list[str]:
    return [one["name"] for one in yaml.safe_load(text or "")["config"]["ai-interface-bootstrap:environments"]]


def test_one_account_for_both_has_one_bootstrap_stack() -> None:
    shared = answers(prodAccount=answers()["stagingAccount"])
    made = after(shared)
    assert made["bootstrap/Pulumi.prod.yaml"] is None
    assert listed(made["bootstrap/Pulumi.staging.yaml"]) == ["staging", "prod"]
    assert files_of.problems(made) == ""


def test_another_account_for_prod_takes_it_out_again() -> None:
    shared = after(answers(prodAccount=answers()["stagingAccount"]))
    before = {name: text for name, text in (BEFORE | shared).items() if text is not None}
    made = after(answers(), before)
    assert listed(made["bootstrap/Pulumi.staging.yaml"]) == ["staging"]
    assert listed(made["bootstrap/Pulumi.prod.yaml"]) == ["prod"]
    assert files_of.problems(made) == ""
    assert answers()["prodAccount"] in str(made["bootstrap/Pulumi.prod.yaml"])
    assert answers()["prodAccount"] not in str(made["bootstrap/Pulumi.staging.yaml"])


@pytest.mark.parametrize(
    ("region", "existing", "told"),
    [
        ("eu-west-1", False, "the second one would create the account's repositories and roles again"),
        ("eu-north-1", False, "identity provider for GitHub, which exists once in an account"),
        ("eu-north-1", True, ""),
    ],
)
def test_two_bootstrap_stacks_of_one_account_are_refused(
    tmp_path: Path, region: str, existing: bool, told: str
) -> None:
    folder = tmp_path / "bootstrap"
    folder.mkdir()
    text = BEFORE["bootstrap/Pulumi.staging.yaml"]
    second = text.replace("eu-west-1", region).replace("name: staging", "name: dev")
    if existing:
        second = second.replace("# existingProviderArn", "existingProviderArn")
    for name, content in (("Pulumi.staging.yaml", text), ("Pulumi.dev.yaml", second)):
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "Pulumi.yaml").write_text((ROOT / "bootstrap/Pulumi.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    found = accounts.shared(Project.load(folder))
    assert [told in one and "bootstrap/Pulumi.dev.yaml" in one for one in found] == [True] * bool(told)
    if told:
        with pytest.raises(ConfigurationError, match="are both for account"):
            accounts.recordings(tmp_path)


def test_the_committed_accounts_have_one_stack_each() -> None:
    assert accounts.shared(Project.load(ROOT / "bootstrap")) == []
