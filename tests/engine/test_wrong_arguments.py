"""Ten wrong arguments in a TypeScript program: the engine prints each with key, value, what is allowed and the fix."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.engine.harness import REPOSITORY, Engine, python_environment
from tests.engine.npm import install

pytestmark = pytest.mark.engine

PROGRAM = Path(__file__).with_name("programs") / "wrong-typescript"
EXPECTED = {
    "availabilityZones": ('"eu-west-1a"', "a list, each entry text: 2 to 3 entries", "write a list"),
    "edge.tlsPolicy": ('"ELBSecurityPolicy-2016-08"', "ELBSecurityPolicy-TLS13-1-2-Res", "set edge.tlsPolicy"),
    "groups[0].upstreams[0].kind": ('"azure"', "bedrock or bedrockMantle", "use bedrock or bedrockMantle"),
    "hostName": ("(not shown: it may be a secret)", "a value that is no secret", "pass the value without secret()"),
    "images.schemas": ("(not set)", "a list of objects: one entry or more", "set images.schemas"),
    "limits.cookieBytes": ("1", "4096 or more", "set limits.cookieBytes"),
    "oidc.tokenEndpoint": ('"http://login.example.com/token"', "a full https URL", "write a full https URL"),
    "retention.accessLogDays": ("90", "1 to 30", "set retention.accessLogDays"),
    "size.minTasks": ("2", "architecture, cpuUnits", "did you mean minimumTasks?"),
    "timeouts.streamSeconds": ("900", "at most deregistrationDelaySeconds (600)", "lower it"),
}
"""Path → the beginnings of value, allowed and fix, in the spelling of TypeScript."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the preview of the program prints."""
    if missing := [name for name in ("pulumi-language-nodejs", "node", "npm") if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} not on PATH: the TypeScript program cannot run here")
    package = tmp_path_factory.mktemp("clone") / "components"
    shutil.copytree(REPOSITORY / "components", package, ignore=shutil.ignore_patterns("__pycache__", "venv"))
    python_environment(package / "venv")
    engine = Engine.create(tmp_path_factory.mktemp("wrong") / "engine", PROGRAM, "test")
    install(engine)
    engine.pulumi("config", "set", "aws:region", "eu-west-1")
    engine.pulumi("package", "add", str(package))
    outcome = engine.preview(code=None)
    assert outcome.code != 0, outcome.text
    return outcome.text


def test_each_wrong_argument_is_printed_with_value_allowed_and_fix(said: str) -> None:
    assert "AIInterface: 10 arguments are wrong" in said
    assert len(EXPECTED) == 10
    for path, (value, allowed, fix) in EXPECTED.items():
        line = re.search(
            rf"property {re.escape(path)} (?:with value .*? |\(value not shown\) )?has a problem: value: (.*?); allowed: (.*?); fix: (.*)",
            said,
        )
        assert line is not None, f"{path} in\n{said}"
        assert (line[1], line[2][: len(allowed)], line[3][: len(fix)]) == (value, allowed, fix)


def test_no_secret_is_printed(said: str) -> None:
    assert "canary" not in said
