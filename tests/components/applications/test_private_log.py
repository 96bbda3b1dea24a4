"""What a person wrote is in no line of a program that is started as the recorded graphs start Open WebUI."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.database.deployed import STACKS, deployed

PROGRAM = Path(__file__).parent / "talkative"
FILE = "/srv/trust/private_log.py"


def _ways() -> list[str]:
    text = (PROGRAM / "talkative.py").read_text("utf-8")
    return re.findall(r"^def ([a-z]\w+)\(word: str\) -> None:", text, re.MULTILINE)


def _written(stack: str, folder: Path, *, private: bool) -> str:
    """Everything that the stand-in writes, with the module and the variables of the stack's task."""
    found = deployed(stack)
    command = found.container("interface")["command"]
    assert command[command.index("private_log") + 1] == "uvicorn"
    (folder / "private_log.py").write_text(found.plan["files"][FILE], encoding="utf-8")
    variables = {name: found.environment("interface")[name] for name in ("LOGURU_DIAGNOSE", "GLOBAL_LOG_LEVEL")}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", *(["private_log"] if private else []), "talkative"],
        env={"PYTHONPATH": f"{folder}:{PROGRAM}", **(variables if private else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=STACKS)
def private(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return _written(request.param, tmp_path_factory.mktemp("private"), private=True)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _written(STACKS[0], tmp_path_factory.mktemp("public"), private=False)


@pytest.mark.parametrize("way", _ways())
def test_a_word_is_written_without_the_module_and_not_with_it(public: str, private: str, way: str) -> None:
    assert f"canary-{way}" in public, "this way writes nothing: it proves nothing"
    assert f"canary-{way}" not in private


def test_no_form_of_the_words_is_left(private: str) -> None:
    assert "canary" not in private


def test_what_troubleshooting_needs_is_left(private: str) -> None:
    assert re.search(r"OperationalError \(…\)(\n  \S+:\d+ \w+)*\n  \S*talkative\.py:\d+ _statement\n", private)
    for line in (
        "WARNING | Insert failed: …",
        "ERROR | Error creating a user\n",
        "ERROR | Error processing file: … (17 bytes)",
        "FileNotFoundError (No such file or directory",
        "UniqueViolation (23505",
        "ERROR | Error: …",
        "ERROR | Failed\nKeyError (…)",
        "ERROR | Failed to log …",
        "search failed:…\n",
        "UserWarning ",
    ):
        assert line in private, private
