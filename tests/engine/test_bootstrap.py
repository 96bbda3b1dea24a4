"""The bootstrap project through the same life cycle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from preflight.sdk.wire import Json, Wire
from releases.manifest import IMAGES
from tests.engine.conftest import STACKS, Deploy
from tests.engine.echo.deletion import SECRET
from tests.engine.echo.replacement import TABLE
from tests.engine.harness import REPOSITORY, Engine, Outcome, by_type, custom

pytestmark = pytest.mark.engine

REPOSITORIES = "aws:ecr/repository:Repository"


@pytest.fixture(scope="module", params=STACKS)
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Engine, Outcome, Outcome]:
    """The account of one environment: the engine, its first preview and its first update."""
    engine = Engine.create(tmp_path_factory.mktemp("account") / "engine", REPOSITORY, request.param, folder="bootstrap")
    return engine, engine.preview(), engine.up()


def test_up_creates_what_the_first_preview_said(account: tuple[Engine, Outcome, Outcome]) -> None:
    _, preview, up = account
    assert set(preview.steps().values()) == {"create"}
    assert up.steps() == preview.steps()


def test_a_second_preview_changes_nothing(account: tuple[Engine, Outcome, Outcome]) -> None:
    assert account[0].preview().changes() == {}


def test_every_registered_type_has_its_replacement_rules(account: tuple[Engine, Outcome, Outcome]) -> None:
    assert {resource["type"] for resource in custom(account[0].resources())} - set(TABLE) == set()


def test_it_makes_the_repositories_and_the_secret_that_the_environment_refers_to(
    account: tuple[Engine, Outcome, Outcome], deploy: Deploy
) -> None:
    engine = account[0]
    made = {resource["inputs"]["name"] for resource in by_type(engine.resources(), REPOSITORIES)}
    secrets = {resource["inputs"].get("name") for resource in by_type(engine.resources(), SECRET)}
    environment = deploy(engine.stack).engine
    configuration = environment.pulumi("config", "get", "--stack", engine.stack, "--json", "ai-interface:identity").text
    identity = json.loads(json.loads(configuration)["value"])
    # The gateway's repository is there before the first group that needs it.
    assert made == {f"ai-interface/{name}" for name in IMAGES}
    assert {image.partition("/")[2].partition("@")[0] for image in _images(environment)} <= made
    assert identity["clientSecretName"] in secrets


def test_what_outlives_the_project_is_not_destroyed_by_accident(
    account: tuple[Engine, Outcome, Outcome], tmp_path: Path
) -> None:
    engine = account[0].fork(tmp_path / "fork")
    before = len(engine.cloud.live())
    engine.destroy(code=1)
    assert len(engine.cloud.live()) == before


def test_images_stop_it_and_a_deleted_secret_keeps_its_name(
    account: tuple[Engine, Outcome, Outcome], tmp_path: Path
) -> None:
    engine = account[0].fork(tmp_path / "fork")
    repository = by_type(engine.resources(), REPOSITORIES)[0]["id"]
    engine.cloud.fill(repository, "an image")
    engine.pulumi("state", "unprotect", "--stack", engine.stack, "--all", "--yes")
    stopped = engine.destroy(code=1)
    engine.cloud.empty(repository)
    engine.destroy()
    again = engine.up(code=1)
    assert f"{repository} is not empty: an image" in stopped.text
    assert [entry for entry in engine.cloud.live() if entry["type"] == SECRET] == []
    assert "oidc-client-secret already exists" in again.text, "the name is kept for the recovery window"


def test_it_is_destroyed_to_zero_once_it_is_unprotected(
    account: tuple[Engine, Outcome, Outcome], tmp_path: Path
) -> None:
    engine = account[0].fork(tmp_path / "fork")
    engine.pulumi("state", "unprotect", "--stack", engine.stack, "--all", "--yes")
    engine.destroy()
    assert (engine.resources(), engine.cloud.live()) == ([], [])


def _images(environment: Engine) -> set[str]:
    task: Wire = by_type(environment.resources("--show-secrets"), "aws:ecs/taskDefinition:TaskDefinition")[0]
    containers: Json = task["inputs"]["containerDefinitions"]
    return {container["image"] for container in json.loads(containers)}
