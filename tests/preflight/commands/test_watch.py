"""``check --watch`` answers every change, outlives mistakes, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.preflight.sample import PROGRAM, sample_project
from tests.settings.stack_files import ROOT

DEADLINE_SECONDS = 120.0
FINDING = "90 seconds, at most 60: lower it"
WAITING = "waiting for a change"
pytestmark = pytest.mark.slow


class Watching:
    """The command in a separate session, and its output."""

    def __init__(self, project: Path, output: Path) -> None:
        self._output = output
        with output.open("wb") as said:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-m", "preflight", "-C", str(project), "check", "--watch"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._read = 0

    def says(self) -> str:
        """What it prints until it waits for the next change."""
        return self._until(lambda text: WAITING in text)

    def _until(self, done: Callable[[str], bool]) -> str:
        text, end = "", time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            text = self._output.read_text(encoding="utf-8")
            if done(text[self._read :]):
                start, self._read = self._read, len(text)
                return text[start:]
            assert self.process.poll() is None, text
            time.sleep(0.05)
        raise AssertionError(f"nothing new within {DEADLINE_SECONDS:.0f} s after: {text[self._read :]}")

    def ended(self) -> bool:
        """Whether no process of its group is left, once those that are ending have ended."""
        end = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return sample_project(tmp_path / "shop")


@pytest.fixture
def watching(project: Path, tmp_path: Path) -> Generator[Watching]:
    it = Watching(project, tmp_path / "said")
    try:
        yield it
    finally:
        if it.process.poll() is None:
            os.killpg(it.process.pid, signal.SIGKILL)
        it.process.wait()


def test_each_change_is_answered_until_the_command_is_stopped(watching: Watching, project: Path) -> None:
    assert FINDING not in watching.says()
    stack, declared = project / "Pulumi.green.yaml", project / "Pulumi.yaml"
    short, whole = stack.read_text(), declared.read_text()

    stack.write_text(short.replace("30", "90"))
    said = watching.says()
    assert "changed: Pulumi.green.yaml" in said
    assert FINDING in said

    stack.write_text(short.replace("30", "soon"))
    assert "could not run\n\nPulumi.green.yaml: shop:timeout" in watching.says()

    stack.write_text(short)
    assert FINDING not in watching.says()

    declared.write_text("runtime: python\n")
    assert "Pulumi.yaml: name is missing" in watching.says()

    declared.write_text(whole)
    assert "2 environments" in watching.says()

    (project / "__main__.py").write_text(PROGRAM + "\nundefined\n")
    assert "NameError: name 'undefined' is not defined" in watching.says()

    os.killpg(watching.process.pid, signal.SIGINT)
    assert watching.process.wait(DEADLINE_SECONDS) == 2
    assert watching.ended()
