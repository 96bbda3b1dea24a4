"""A pack of this installation as a fork of this process, asked over a socket (``policies.guardrails.stream``).

The fork has Pulumi's SDK imported already, and no gRPC is between the two: starting two packs and asking them about two stacks takes
less than half of the processor time. Other packs are started as the engine does (``analyzer``).
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from policies.guardrails import stream
from preflight.pulumi import children

_INSTALLED = Path(__file__).resolve().parents[2]


class PackRefusedError(Exception):
    """The pack refuses the request."""


class PackFailedError(Exception):
    """The pack failed, or it does not answer."""


def is_ours(folder: Path) -> bool:
    """Whether the pack is part of this installation, so that both ends of the socket are of one version."""
    return folder.resolve().is_relative_to(_INSTALLED)


class ForkedPack:
    """The process, with the part of ``subprocess.Popen`` that its owner uses."""

    stdout = None

    def __init__(self, folder: Path, environment: Mapping[str, str], errors: IO[bytes]) -> None:
        """Start the pack in ``folder``; it writes its standard output and errors to ``errors``."""
        self._ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        with children.starting() as running:
            if process_id := os.fork():
                running.add(process_id)
        if not process_id:
            self._ours.close()
            _serve(folder, {**environment, stream.VARIABLE: str(theirs.detach())}, errors)
        theirs.close()
        self.pid = process_id
        self._code: int | None = None
        self._incoming = self._ours.makefile("rb")

    def call(self, method: str, requests: Iterable[bytes], timeout: float) -> list[bytes]:
        """The responses to requests of one method.

        :raises PackRefusedError: a request is refused, with the reason
        :raises PackFailedError: there is no response within ``timeout`` seconds, or an error
        """
        number = list(stream.REQUESTS).index(method)
        frames = [stream.HEADER.pack(number, len(request)) + request for request in requests]
        self._ours.settimeout(timeout)
        # Written by a thread: with many requests, both ends could otherwise wait for the other one to read.
        writing = threading.Thread(target=self._write, args=(b"".join(frames),), daemon=True)
        writing.start()
        try:
            return [self._response() for _ in frames]
        except TimeoutError:
            raise PackFailedError(f"no response within {timeout:.0f} seconds") from None
        except OSError as error:
            raise PackFailedError(str(error)) from error

    def _write(self, frames: bytes) -> None:
        with contextlib.suppress(OSError):  # the reading side reports it
            self._ours.sendall(frames)

    def _response(self) -> bytes:
        header = self._incoming.read(stream.HEADER.size)
        if len(header) < stream.HEADER.size:
            raise PackFailedError("it ended")
        kind, length = stream.HEADER.unpack(header)
        content = self._incoming.read(length)
        if kind == stream.REFUSED:
            raise PackRefusedError(content.decode())
        if kind != stream.ANSWER:
            raise PackFailedError(content.decode().strip())
        return content

    def poll(self) -> int | None:
        """The exit code, or ``None`` while it runs."""
        if self._code is None:
            with contextlib.suppress(ChildProcessError):
                process_id, status = os.waitpid(self.pid, os.WNOHANG)
                if process_id:
                    self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def terminate(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Close this end of the socket, at which the pack ends if it has not."""
        self._incoming.close()
        self._ours.close()

    def _end(self, how: signal.Signals) -> None:
        self.close()
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, how)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        :raises subprocess.TimeoutExpired: it has not ended within ``timeout`` seconds
        """
        ended = threading.Event()
        for _ in range(10_000 if timeout is None else int(timeout * 200)):
            if self.poll() is not None:
                break
            ended.wait(0.005)
        if self._code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self._code


def _serve(folder: Path, environment: Mapping[str, str], errors: IO[bytes]) -> None:
    """Become the pack: what ``python -u -m pulumi.policy`` does in the pack's folder. Does not return."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for descriptor in (1, 2):
            os.dup2(errors.fileno(), descriptor)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        installed = {"", str(_INSTALLED)}
        sys.path[:] = [str(folder), *(path for path in sys.path if path not in installed)]
        sys.argv = [str(folder), "127.0.0.1:1"]
        runpy.run_path(str(folder), run_name="__main__")
        status = 0
    except BaseException:
        import traceback  # noqa: PLC0415 - a failing pack only

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
