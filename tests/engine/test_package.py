"""Programs outside of this repository use the components through ``pulumi package add``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from preflight.sdk.wire import Wire
from tests.engine.harness import REPOSITORY, Engine, by_type, custom, only, python_environment
from tests.engine.npm import install

pytestmark = pytest.mark.engine

PROGRAMS = Path(__file__).with_name("programs")
SECRET = "canary-client-secret"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the components' folder, with the virtual environment that its plugin runs in."""
    folder = tmp_path_factory.mktemp("clone") / "components"
    shutil.copytree(REPOSITORY / "components", folder, ignore=shutil.ignore_patterns("__pycache__", "venv"))
    python_environment(folder / "venv")
    return folder


@pytest.fixture(scope="module", params=["typescript", "python", "go", "yaml"])
def consumer(request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The same parts and the same whole interface, brought up by a program in this language."""
    language: str = request.param
    needed = {
        "go": ("pulumi-language-go", "go"),
        "typescript": ("pulumi-language-nodejs", "node", "npm"),
        "yaml": ("pulumi-language-yaml",),
    }
    if missing := [program for program in needed.get(language, ()) if shutil.which(program) is None]:
        pytest.skip(f"{', '.join(missing)} not on PATH: the {language} program cannot run here")
    engine = Engine.create(tmp_path_factory.mktemp(language) / "engine", PROGRAMS / language, "test")
    if language == "typescript":
        install(engine)
    engine.pulumi("config", "set", "aws:region", "eu-west-1")
    engine.pulumi("package", "add", str(package))
    engine.up()
    return engine


def below(engine: Engine, component: str) -> list[Wire]:
    """The resources of the program's component of this name and type, ``Edge::edge``."""
    type_, _, name = component.partition("::")
    return [
        r
        for r in custom(engine.resources())
        if f"::ai-interface:index:{type_}$" in r["urn"] and r["urn"].rpartition("::")[2].startswith(f"{name}-")
    ]


def kinds(resources: Iterable[Wire]) -> set[str]:
    return {resource["type"].rpartition(":")[2] for resource in resources}


def test_a_foreign_program_gets_the_parts(consumer: Engine) -> None:
    assert {"Vpc", "Subnet"} <= kinds(below(consumer, "PrivateNetwork::network"))
    assert {"LoadBalancer", "Listener", "ListenerRule", "Record"} <= kinds(below(consumer, "Edge::edge"))
    assert {"WebAcl", "WebAclAssociation"} <= kinds(below(consumer, "Firewall::firewall"))
    assert {"Cluster", "TaskDefinition", "Service"} <= kinds(below(consumer, "InterfaceService::service"))


def test_a_foreign_program_gets_the_whole_interface(consumer: Engine) -> None:
    whole = below(consumer, "AIInterface::whole")

    assert {"Vpc", "LoadBalancer", "WebAcl", "Service", "Cluster", "Guardrail", "MetricAlarm"} <= kinds(whole)
    assert len(whole) > 180


def test_children_belong_to_the_component_that_made_them(consumer: Engine) -> None:
    own = [r["urn"] for r in custom(consumer.resources()) if "$" not in r["urn"].split("::")[2]]
    assert {urn.rpartition("::")[2] for urn in own} <= {"own"}, "the program's zone"


def test_the_outputs_reach_the_program(consumer: Engine) -> None:
    stack = only(by_type(consumer.resources(), "pulumi:pulumi:Stack"))
    balancer = only(by_type(below(consumer, "Edge::edge"), "aws:lb/loadBalancer:LoadBalancer"))
    assert stack["outputs"]["address"] == balancer["outputs"]["dnsName"]
    assert stack["outputs"]["url"] == "https://whole.example.com"
    assert len(stack["outputs"]["subnets"]) == 2


def test_omitted_arguments_have_the_safe_defaults(consumer: Engine) -> None:
    balancer = only(by_type(below(consumer, "Edge::edge"), "aws:lb/loadBalancer:LoadBalancer"))["inputs"]
    assert (balancer["enableDeletionProtection"], balancer["dropInvalidHeaderFields"]) == (True, True)


def test_a_secret_argument_stays_secret(consumer: Engine) -> None:
    assert SECRET not in json.dumps(consumer.export())
    assert SECRET in json.dumps(consumer.export("--show-secrets"))


def test_a_second_preview_of_the_foreign_program_changes_nothing(consumer: Engine) -> None:
    assert consumer.preview().changes() == {}
