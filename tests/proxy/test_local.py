"""``python -m local`` starts the whole path, prints lines to try, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, NoReturn

import pytest

from local import run
from local.open_webui import curl_lines, interpreter
from local.ports import LOOPBACK, held_ports
from local.run import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Ports for the proxy and for two pages, the second page's after the first's."""
    with contextlib.ExitStack() as stack:
        (port,) = stack.enter_context(held_ports(0))
        while True:
            (page,) = stack.enter_context(held_ports(0))
            with contextlib.suppress(OSError, OverflowError):
                stack.enter_context(held_ports(page + 1))
                break
        yield port, page


def refuses(port: int) -> bool:
    """Whether nothing listens on a port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.5, 2.5])
def test_ctrl_c_ends_it_quietly_at_any_moment_even_when_it_is_pressed_twice(
    ports: tuple[int, int], seconds: float
) -> None:
    port, page = ports
    command = [sys.executable, "-m", "local", "--port", str(port), "--page-port", str(page)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603 - ours
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    # Python itself, before it comes to this program, may still say where it was.
    assert not re.search(r"File .*local/", output), output
    assert [refuses(one) for one in (port, page, page + 1)] == [True, True, True]


def test_a_port_that_another_program_has_is_said_in_one_line(
    ports: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    port, page = ports
    for taken, option in ((port, "--port"), (page, "--page-port"), (page + 1, "--page-port")):
        with socket.create_server((LOOPBACK, taken)):
            assert main(["--port", str(port), "--page-port", str(page)]) == 2
        said = f"port {taken} is in use, perhaps by another make local: stop it, or choose another port with {option}\n"
        assert capsys.readouterr().out == said


def test_a_port_that_may_not_be_had_is_said_with_the_reason(
    ports: tuple[int, int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> NoReturn:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(run, "held_ports", refuse)
    assert main(["--port", "443", "--page-port", str(ports[1])]) == 2
    assert capsys.readouterr().out == "port 443 cannot be used (Permission denied): choose another with --port\n"


@pytest.mark.parametrize("after", [0, 1])
def test_a_page_and_the_proxy_cannot_share_a_port(after: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(8_000 + after), "--page-port", "8000"]) == 2
    said = f"port {8_000 + after} is used by a page (--page-port and the port after it): choose another with --port\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("port", ["0", "65535", "-1", "http", ""])
def test_an_invalid_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--port={port}"])
    assert "is not a port: write a number from 1 to 65534" in capsys.readouterr().err


def test_it_serves_the_path_and_stops_cleanly_on_ctrl_c(ports: tuple[int, int], tmp_path: Path) -> None:
    port, page = ports
    output = tmp_path / "output.txt"
    command = [sys.executable, "-m", "local", "--port", str(port), "--page-port", str(page)]
    with output.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:  # noqa: S603 - ours
        try:
            deadline = time.monotonic() + 20
            while "Ctrl-C stops everything" not in output.read_text(encoding="utf-8"):
                assert process.poll() is None, output.read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.05)
            base = f"http://127.0.0.1:{page}"
            with urllib.request.urlopen(f"{base}/", timeout=10) as answer:  # noqa: S310 - loopback
                assert b"Hello Ann Lee" in answer.read()
            with urllib.request.urlopen(f"http://127.0.0.1:{page + 1}/", timeout=10) as answer:
                assert b"x-user-role: admin" in answer.read()
            with urllib.request.urlopen(f"{base}/chat?q=red+blue", timeout=10) as answer:  # noqa: S310 - loopback
                words = re.findall(r'"content": "(\w+)', answer.read().decode())
            assert words == ["You", "said", "red", "blue"]
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            stopped = process.poll()
            process.kill()
            assert stopped == 0
    assert output.read_text(encoding="utf-8").endswith("stopped\n")
    assert [refuses(one) for one in (port, page, page + 1)] == [True, True, True]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_envoy_ends_with_a_program_that_is_killed(ports: tuple[int, int], tmp_path: Path) -> None:
    port, page = ports
    output = tmp_path / "output.txt"
    command = [sys.executable, "-m", "local", "--port", str(port), "--page-port", str(page)]
    with output.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:  # noqa: S603 - ours
        deadline = time.monotonic() + 20
        while "Ctrl-C stops everything" not in output.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    while not (refuses(port) and refuses(page)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(bool(interpreter()), reason="Open WebUI is installed here")
def test_an_application_that_is_not_installed_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--app", "open-webui"]) == 2
    assert "run make local APP=open-webui, which installs it" in capsys.readouterr().out


FAKE_CURL = """#!/bin/sh
case "$*" in
  *completions*) for argument; do echo "$argument"; done ;;
  *) echo '{"id":"1","token":"head.claims-_.sign","name":"Ann \\"the\\" Lee"}' ;;
esac
"""


def test_the_lines_for_open_webui_sign_in_and_ask_with_that_session(tmp_path: Path) -> None:
    curl = tmp_path / "curl"
    curl.write_text(FAKE_CURL, encoding="utf-8")
    curl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    name, stream = (
        subprocess.run(["sh", "-c", line], env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603, S607 - ours
        for line in curl_lines("http://localhost:8000")
    )
    assert json.loads(name)["token"] == "head.claims-_.sign"
    arguments = stream.splitlines()
    assert arguments[:2] == ["-sN", "http://localhost:8000/api/chat/completions"]
    assert "authorization: Bearer head.claims-_.sign" in arguments
    assert json.loads(arguments[-1])["stream"] is True
