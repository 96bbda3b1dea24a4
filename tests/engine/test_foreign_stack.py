"""The guardrails pack alone, copied out of this repository, on a stack that this project did not write."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from policies.guardrails.profiles import Profile, table
from policies.guardrails.rule import Level
from tests.engine.harness import REPOSITORY, Engine, Outcome, python_environment

pytestmark = pytest.mark.engine

PROGRAM = Path(__file__).with_name("programs") / "foreign"
EXPOSURE = "reachability-no-internal-endpoint-reachable"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's folder and nothing else of this repository, under another name, set up as its README says."""
    folder = tmp_path_factory.mktemp("copied") / "their-guardrails"
    shutil.copytree(REPOSITORY / "policies" / "guardrails", folder, ignore=shutil.ignore_patterns("__pycache__"))
    python_environment(folder / "venv")
    project = folder / "PulumiPolicy.yaml"
    changed = re.sub(r"virtualenv: .*", "virtualenv: venv", project.read_text())
    assert "virtualenv: venv\n" in (REPOSITORY / "policies" / "guardrails" / "README.md").read_text()
    project.write_text(changed)
    return folder


@pytest.fixture
def foreign(tmp_path: Path) -> Engine:
    """Another project's stack, not deployed yet."""
    return Engine.create(tmp_path / "engine", PROGRAM, "theirs")


def _blocking(outcome: Outcome) -> set[str]:
    return {event["policyName"] for event in outcome.policy_events() if event["enforcementLevel"] == "mandatory"}


def _about(outcome: Outcome, policy: str) -> str:
    return "\n".join(event["message"] for event in outcome.policy_events() if event["policyName"] == policy)


def test_a_closed_database_is_not_called_exposed(foreign: Engine, pack: Path) -> None:
    outcome = foreign.preview(packs=[str(pack)], code=None)
    assert outcome.policy_events() != []
    assert EXPOSURE not in _blocking(outcome)


def test_a_database_open_in_two_halves_is_refused_with_its_path(foreign: Engine, pack: Path) -> None:
    foreign.pulumi("config", "set", "--stack", foreign.stack, "open", "true")
    outcome = foreign.up(packs=[str(pack)], code=1)
    said = _about(outcome, EXPOSURE)
    assert EXPOSURE in _blocking(outcome)
    assert "violated: " in said
    assert "internet" in said
    assert foreign.cloud.live() == []


def test_the_same_is_said_of_the_stack_that_runs(foreign: Engine, pack: Path) -> None:
    foreign.pulumi("config", "set", "--stack", foreign.stack, "open", "true")
    foreign.up()
    foreign.export()
    analyze = ("policy", "analyze", "--file", str(foreign.root / "export.json"), "--policy-pack", str(pack))
    outcome = foreign.pulumi(*analyze, code=1)
    assert EXPOSURE in outcome.text


def test_a_misspelt_policy_stops_the_preview(foreign: Engine, pack: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"rds-public-databse": "disabled"}')
    outcome = foreign.preview("--policy-pack-config", str(config), packs=[str(pack)], code=None)
    assert outcome.code != 0
    assert "write rds-public-database" in outcome.text


def test_the_foreign_stack_is_held_to_exposure(foreign: Engine, pack: Path) -> None:
    outcome = foreign.preview(packs=[str(pack)], code=None)
    outside = {name for name, places in table().items() if places[Profile.EXPOSURE].level is Level.DISABLED}
    assert {event["policyName"] for event in outcome.policy_events()} & outside == set()


def test_no_policy_fails_to_run(foreign: Engine, pack: Path) -> None:
    outcome = foreign.preview(packs=[str(pack)], code=None)
    assert "can't run policy" not in outcome.text
    assert "Traceback" not in "".join(event["message"] for event in outcome.policy_events())
