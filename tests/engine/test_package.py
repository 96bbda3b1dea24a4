"""Programs outside of this repository use the components through ``pulumi package add``."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.harness import REPOSITORY, Engine, by_type, custom, only, python_environment

pytestmark = pytest.mark.engine

PROGRAMS = Path(__file__).with_name("programs")
SECRET = "canary-client-secret"
INSTALL_SECONDS = 180


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the components' folder, with the virtual environment that its plugin runs in."""
    folder = tmp_path_factory.mktemp("clone") / "components"
    shutil.copytree(REPOSITORY / "components", folder, ignore=shutil.ignore_patterns("__pycache__", "venv"))
    python_environment(folder / "venv")
    return folder


@pytest.fixture(scope="module", params=["typescript", "python", "yaml"])
def consumer(request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The same network and edge, brought up by a program in this language."""
    language: str = request.param
    needed = {"typescript": ("pulumi-language-nodejs", "node", "npm"), "yaml": ("pulumi-language-yaml",)}
    if missing := [program for program in needed.get(language, ()) if shutil.which(program) is None]:
        pytest.skip(f"{', '.join(missing)} not on PATH: the {language} program cannot run here")
    engine = Engine.create(tmp_path_factory.mktemp(language) / "engine", PROGRAMS / language, "test")
    if language == "typescript":
        _npm_install(engine)
    engine.pulumi("package", "add", str(package))
    engine.up()
    return engine


def _npm_install(engine: Engine) -> None:
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],  # noqa: S607 - found on PATH on purpose
        cwd=engine.project,
        env=engine.environment(),
        timeout=INSTALL_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install @pulumi/pulumi here: {done.stderr.strip().splitlines()[-1:]}")


def test_a_foreign_program_gets_a_network_and_an_edge(consumer: Engine) -> None:
    kinds = {resource["type"].rpartition(":")[2]: resource["urn"] for resource in consumer.resources()}
    assert {"PrivateNetwork", "Edge", "Vpc", "Subnet", "LoadBalancer", "Listener", "ListenerRule"} <= set(kinds)


def test_children_belong_to_the_component_that_made_them(consumer: Engine) -> None:
    orphans = [r["urn"] for r in custom(consumer.resources()) if "$" not in r["urn"].split("::")[2]]
    assert orphans == []


def test_the_outputs_reach_the_program(consumer: Engine) -> None:
    stack = only(by_type(consumer.resources(), "pulumi:pulumi:Stack"))
    balancer = only(by_type(consumer.resources(), "aws:lb/loadBalancer:LoadBalancer"))
    assert stack["outputs"]["address"] == balancer["outputs"]["dnsName"]
    assert len(stack["outputs"]["subnets"]) == 2


def test_omitted_arguments_have_the_safe_defaults(consumer: Engine) -> None:
    balancer = only(by_type(consumer.resources(), "aws:lb/loadBalancer:LoadBalancer"))["inputs"]
    assert (balancer["enableDeletionProtection"], balancer["dropInvalidHeaderFields"]) == (True, True)


def test_a_secret_argument_stays_secret(consumer: Engine) -> None:
    assert SECRET not in json.dumps(consumer.export())
    assert SECRET in json.dumps(consumer.export("--show-secrets"))


def test_a_second_preview_of_the_foreign_program_changes_nothing(consumer: Engine) -> None:
    assert consumer.preview().changes() == {}
