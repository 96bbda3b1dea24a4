"""``python -m local`` starts a stack, prints requests that work, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from local import command
from local.command import main
from local.open_webui import interpreter
from local.ports import LOOPBACK, held_ports
from tests.local.around import until

START_SECONDS = 120
ENDS_SECONDS = 30
STARTED = "Ctrl-C stops everything"


@pytest.fixture
def port() -> Iterator[int]:
    """A port for the HTTP proxy."""
    with held_ports(0) as (found,):
        yield found


def refuses(port: int) -> bool:
    """Whether nothing listens on a port."""
    with socket.socket() as one:
        return one.connect_ex((LOOPBACK, port)) != 0


def children(process: int) -> set[int]:
    """The programs that a process has started and that still run."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = status.read_text().rpartition(")")
            if rest.split()[:2][1] == str(process) and rest.split()[0] != "Z":
                found.add(int(name.partition(" ")[0]))
    return found


@contextlib.contextmanager
def started(port: int, output: Path) -> Generator[subprocess.Popen[bytes]]:
    """The command, once it has said what to try."""
    line = [sys.executable, "-m", "local", "--port", str(port)]
    with output.open("wb") as file, subprocess.Popen(line, stdout=file, stderr=file) as process:  # noqa: S603 - ours
        try:

            def said() -> bool:
                text = output.read_text(encoding="utf-8")
                assert process.poll() is None, text
                return STARTED in text

            assert until(START_SECONDS, said), output.read_text(encoding="utf-8")
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("seconds", [0.3, 1.5, 4.0, 8.0])
def test_ctrl_c_ends_it_quietly_at_any_moment_even_when_it_is_pressed_twice(port: int, seconds: float) -> None:
    line = [sys.executable, "-m", "local", "--port", str(port)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603 - ours
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=ENDS_SECONDS)
    # Python itself, before it comes to this program, may still say where it was.
    assert not re.search(r"File .*local/", output), output
    assert refuses(port)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_printed_requests_work_and_ctrl_c_leaves_nothing_behind(port: int, tmp_path: Path) -> None:
    output = tmp_path / "output.txt"
    with started(port, output) as process:
        text = output.read_text(encoding="utf-8")
        assert re.search(r"^  left out +the network: ", text, re.MULTILINE), text

        def ask(name: str) -> str:
            (line,) = re.findall(rf"^  {name}  +(.*curl .*)$", text, re.MULTILINE)
            done = subprocess.run(["sh", "-c", line], check=False, capture_output=True, text=True, timeout=60)  # noqa: S603, S607 - ours
            return done.stdout

        assert json.loads(ask("member"))["role"] == "user"
        assert json.loads(ask("administrator"))["role"] == "admin"
        words = re.findall(r'"content": "([^"]*)"', ask("a stream"))
        assert "".join(words).startswith("You said: tell me something long"), words
        assert ask("spoofing") == "Header not allowed\n"
        for name, status in (("not logged in", 302), ("an API path", 401), ("not declared", 404), ("wrong host", 404)):
            assert f"\nHTTP/1.1 {status} " in ask(name), name
        assert "HTTP/1.1 413 " in ask("too large")
        programs = children(process.pid)
        assert len(programs) >= 2, "Envoy and the application"
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_SECONDS) == 0
        assert not [one for one in programs if Path(f"/proc/{one}").exists()]
    assert output.read_text(encoding="utf-8").endswith("stopped: every program has ended\n")
    assert refuses(port)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_its_programs_end_with_a_command_that_is_killed(port: int, tmp_path: Path) -> None:
    with started(port, tmp_path / "output.txt") as process:
        programs = children(process.pid)
        process.kill()
    assert programs
    assert until(ENDS_SECONDS, lambda: not [one for one in programs if Path(f"/proc/{one}").exists()])


@pytest.mark.parametrize("given", [[], ["twin"]])
def test_a_port_that_another_program_has_is_said_in_one_line(
    given: list[str], port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((LOOPBACK, port)):
        assert main([*given, "--port", str(port)]) == 2
    assert capsys.readouterr().out == f"port {port} is in use: choose another with --port\n"


def test_a_port_that_may_not_be_had_is_said_with_the_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> NoReturn:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(command, "held_ports", refuse)
    assert main(["--port", "443"]) == 2
    assert capsys.readouterr().out == "port 443 cannot be used (Permission denied): choose another with --port\n"


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", ""])
def test_an_invalid_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--port={text}"])
    assert "is not a port: 1 to 65535" in capsys.readouterr().err


@pytest.mark.skipif(bool(interpreter()), reason="Open WebUI is installed here")
@pytest.mark.parametrize(("given", "target"), [([], "local"), (["twin"], "twin")])
def test_an_application_that_is_not_installed_is_said_in_one_line(
    given: list[str], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*given, "--app", "open-webui"]) == 2
    assert f"make {target} APP=open-webui installs it" in capsys.readouterr().out
