"""A TypeScript program is evaluated by the pack that ``preflight pack`` writes, as ``preflight check`` advises for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.echo.server import installed_version
from tests.engine.harness import REPOSITORY, Engine
from tests.engine.npm import install

pytestmark = pytest.mark.engine

PROGRAM = Path(__file__).with_name("programs") / "foreign-typescript"
EXPOSURE = "reachability-no-internal-endpoint-reachable"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if missing := [name for name in ("pulumi-language-nodejs", "node", "npm") if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} not on PATH: the TypeScript program cannot run here")
    engine = Engine.create(tmp_path_factory.mktemp("typescript") / "engine", PROGRAM, "theirs")
    install(engine)
    engine.pulumi("config", "set", "--stack", engine.stack, "sdk:aws", installed_version("aws"))
    return engine


@pytest.fixture(scope="module")
def pack(foreign: Engine) -> str:
    """What the commands in the message of ``preflight check`` write."""
    said = _preflight(foreign, "check", code=2)
    assert "foreign has the runtime nodejs" in said
    command, preview = re.findall(r"^  (preflight pack|pulumi preview --policy-pack) (\S+)$", said, re.MULTILINE)
    assert command[0] == "preflight pack"
    _preflight(foreign, "pack", command[1], code=0)
    return preview[1]


def _preflight(engine: Engine, *arguments: str, code: int) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "preflight", *arguments],
        cwd=engine.project,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_typescript_program_is_evaluated_by_the_guardrails(foreign: Engine, pack: str) -> None:
    closed = foreign.preview(packs=[pack], code=None)
    assert closed.policy_events() != [], closed.text
    assert EXPOSURE not in {e["policyName"] for e in closed.policy_events() if e["enforcementLevel"] == "mandatory"}
    assert "can't run policy" not in closed.text

    foreign.pulumi("config", "set", "--stack", foreign.stack, "open", "true")
    opened = foreign.preview(packs=[pack], code=1)
    found = [event for event in opened.policy_events() if event["policyName"] == EXPOSURE]
    assert {event["enforcementLevel"] for event in found} == {"mandatory"}
    message = "\n".join(event["message"] for event in found)
    assert "violated: rds.Instance database" in message
    assert "witness: internet" in message
    assert foreign.cloud.live() == []
