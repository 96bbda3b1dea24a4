"""The questions on a terminal, a pseudo-terminal whose other end the test answers."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from preflight.setup import answers as collected
from preflight.setup import asked_again
from preflight.setup import project as files_of
from preflight.setup.questions import questions
from preflight.setup.stack_files import stack_values
from tests.preflight.release.projects import ROOT
from tests.preflight.setup.answered import answers, project

SECONDS = 90
STOP = "\x03"
Reply = Callable[[str], str | None]
"""The prompt → the line to type; ``None`` types nothing more."""


def converse(folder: Path, reply: Reply, *arguments: str) -> tuple[int, str, list[str]]:
    """Run ``init`` on a terminal. Returns the exit code, everything shown, and the prompts."""
    parent, child = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "preflight", "-C", str(folder), "init", *arguments],
        stdin=child, stdout=child, stderr=child, cwd=ROOT, start_new_session=True, env={**os.environ, "TERM": "dumb"},
        preexec_fn=_take_the_terminal,  # noqa: PLW1509 - Ctrl-C reaches the process by it
    )  # fmt: skip
    os.close(child)
    shown, read = "", 0
    prompts: list[str] = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([parent], [], [], 0.2)
        if ready:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part.decode(errors="replace")
            continue
        waiting = re.search(r"(?:^|\n)([^\r\n]+: )$", shown[read:])
        if waiting:
            prompts.append(waiting[1])
            read = len(shown)
            line = reply(waiting[1])
            os.write(parent, (STOP if line == STOP else f"{line or ''}\n").encode())
    process.wait(timeout=SECONDS)
    os.close(parent)
    return process.returncode, shown, prompts


def _take_the_terminal() -> None:
    import fcntl  # noqa: PLC0415 - of the child
    import termios  # noqa: PLC0415 - of the child

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def of(values: Mapping[str, str], folder: Path, once: Mapping[str, str] | None = None) -> Reply:
    """Answers each question from ``values``; the first time from ``once``, if it has an answer."""
    known = files_of.known(folder)
    by_text = {f"{one.text}": one.key for one in questions(values, known)}
    wrong = dict(once or {})

    def reply(prompt: str) -> str | None:
        key = next((by_text[text] for text in by_text if prompt.startswith((f"{text}:", f"{text} ["))), "")
        return wrong.pop(key, None) or values.get(key, "")

    return reply


def config(folder: Path, stack: str) -> dict[str, dict[str, object]]:
    return yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_only_the_answer_that_the_settings_refuse_is_asked_again(folder: Path) -> None:
    values = answers("okta", prodAdministrators="ann@acme.example.org", prodUsers="acme.example.org")
    values |= {"stagingUsers": "acme.example.org", "stagingAdministrators": "ann@acme.example.org"}
    code, shown, prompts = converse(folder, of(values, folder, {"prodUsers": "gmail.com"}))
    assert code == 0, shown
    assert "identity.allowed.emailDomains" in shown
    assert "nothing was written" in shown
    asked = [prompt.partition(":")[0] for prompt in prompts]
    repeated = sorted({prompt for prompt in asked if asked.count(prompt) > 1})
    assert repeated == ["Who may use prod"]
    assert len(asked) == len(questions(values)) + 1
    assert config(folder, "prod")["ai-interface:identity"]["allowed"] == {"emailDomains": ["acme.example.org"]}
    assert not (folder / "init-answers.yaml").exists()


def test_ctrl_c_keeps_the_answers_and_the_next_run_continues(folder: Path) -> None:
    values = answers()
    before = files_of.committed(folder)
    typed = of(values, folder)
    code, shown, first = converse(
        folder, lambda prompt: STOP if prompt.startswith("Identity provider") else typed(prompt)
    )
    assert code == 2, shown
    assert "Your answers are in init-answers.yaml" in shown
    assert files_of.committed(folder) == before
    code, shown, second = converse(folder, of(values, folder))
    assert code == 0, shown
    assert second[0].startswith("init-answers.yaml has the answers of an earlier run")
    assert set(first[:-1]).isdisjoint(second)
    assert len(first[:-1]) + len(second[1:]) == len(questions(values))
    assert not (folder / "init-answers.yaml").exists()


def test_the_end_of_the_input_is_no_fault_of_the_program(folder: Path) -> None:
    code, shown, _ = converse(folder, lambda _: "\x04")
    assert code == 2
    assert "stopped; nothing was written" in shown
    assert "bug" not in shown


def test_a_file_with_a_missing_answer_is_completed_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    values = answers()
    path = tmp_path / "given.yaml"
    path.write_text(collected.to_text({key: value for key, value in values.items() if key != "team"}), encoding="utf-8")
    _, shown, prompts = converse(folder, of(values, folder), "--answers", str(path))
    assert [prompt.partition(":")[0] for prompt in prompts][:1] == ["Team that is accountable for the environments"]
    assert len(prompts) == 1 + len(set(dict.fromkeys(one.key for one in questions(values))) - set(values)), shown
    assert config(folder, "prod")["ai-interface:owner"]["team"] == values["team"]


# -- which questions are asked again -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("1 problem\n\nai-interface:models.groups[0].models\n  value: x\n", ["models"]),
        ("ai-interface:domain.hostName\n  value: x\n", ["stagingHost", "prodHost"]),
        ("the program failed: no zone Z0ACMEPROD0000000001 in this account", ["prodHostedZone"]),
        ("the program failed", []),
    ],
)
def test_a_message_of_the_program_leads_to_the_questions(message: str, keys: list[str]) -> None:
    given = collected.complete(answers(), "test", files_of.known(ROOT))
    assert asked_again.of_program(message, given, files_of.known(ROOT)) == keys


def test_every_value_that_follows_from_an_answer_leads_to_a_question() -> None:
    given = collected.complete(answers(), "test", files_of.known(ROOT))
    for path in (path for path, value in stack_values("prod", given).items() if value is not None):
        found = [one.key for one in questions(given) if one.environment in (None, "prod") and one.fills(path)]
        assert found, path
