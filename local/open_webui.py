"""The real Open WebUI behind the proxy, if it is installed, with the preset's command and environment."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from components.applications import ApplicationArgs, Deployment
from components.applications.presets.open_webui import PRESET
from local.processes import ending
from releases.manifest import load_release, versions
from releases.prompts import load_prompts

if TYPE_CHECKING:
    from collections.abc import Generator

    from components.proxy import ProxySettings

_START_SECONDS = 300
_STOP_SECONDS = 15


def interpreter() -> str:
    """Return the Python that has the ``open-webui`` package: ``OPEN_WEBUI_PYTHON`` or this one; empty if neither has
    it."""
    return os.environ.get("OPEN_WEBUI_PYTHON") or (sys.executable if importlib.util.find_spec("open_webui") else "")


def package(python: str) -> Path:
    """Return the folder of the application's code for this interpreter."""
    code = "import importlib.util as u; print(u.find_spec('open_webui').submodule_search_locations[0])"
    return Path(subprocess.check_output([python, "-c", code], text=True).strip())  # noqa: S603 - the interpreter itself


def prefixes(python: str) -> tuple[Path, Path, Path]:
    """Return an interpreter's environment, its base installation, and its packages relative to the environment."""
    code = "import sys, sysconfig; print(sys.prefix); print(sys.base_prefix); print(sysconfig.get_path('purelib'))"
    told = subprocess.check_output([python, "-I", "-c", code], text=True)  # noqa: S603 - the interpreter itself
    prefix, base, packages = (Path(one).resolve() for one in told.split("\n")[:3])
    return prefix, base, packages.relative_to(prefix)


def application(origin: str, model_port: int, groups: list[str]) -> ApplicationArgs:
    """Return the container as a deployment of the newest release runs it."""
    return PRESET.application(
        Deployment(
            origin=origin,
            model_base_urls=[f"http://127.0.0.1:{model_port}/{group}/v1" for group in groups],
            session_seconds=28_800,
            upload_mebibytes=50,
            model_deadline_seconds=540,
            prompt_environment=load_prompts(load_release(versions()[-1])).environment,
        )
    )


def curl_lines(page: str) -> tuple[str, str]:
    """Return a command line that shows the signed-in user, and one that streams an answer from the stand-in for the
    model."""
    json = "-H 'content-type: application/json'"
    name = f"""curl -s {page}/api/v1/auths/signin {json} -d '{{"email": "", "password": ""}}'"""
    session = """sed 's/.*"token":"\\([^"]*\\)".*/\\1/'"""
    question = (
        '{"model": "stand-in", "stream": true, "messages": [{"role": "user", "content": "tell me something long"}]}'
    )
    bearer = f'-H "authorization: Bearer $({name} | {session})"'
    stream = f"curl -sN {page}/api/chat/completions {json} {bearer} -d '{question}'"
    return name, stream


@contextlib.contextmanager
def running(chosen: ApplicationArgs, settings: ProxySettings, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """Run the application until the block ends, with its output below ``folder``."""
    command = [interpreter(), *chosen.command[1:]]
    command[command.index("--port") + 1] = str(settings.application.port)
    environment = {
        **os.environ,
        **_below(chosen.environment, folder),
        # The package has its pages elsewhere than the image, and without them returns 404.
        "FRONTEND_BUILD_DIR": str(package(interpreter()) / "frontend"),
        "WEBUI_SECRET_KEY": secrets.token_hex(32),
    }
    process = subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True)  # noqa: S603 - the preset's
    with ending(process, _STOP_SECONDS):
        _wait(process, f"http://127.0.0.1:{settings.application.port}{settings.application.health_path}")
        yield process


def _below(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Put the writable directories, which are volumes in the task, below one folder."""
    moved = dict(environment)
    for name in ("DATA_DIR", "HOME", "STATIC_DIR"):
        directory = folder / name.lower()
        directory.mkdir()
        moved[name] = str(directory)
    return moved


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Open WebUI exited with status {process.returncode}: see its output")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
            return
        time.sleep(1)
    raise RuntimeError(f"Open WebUI did not answer at {url} within {_START_SECONDS} s")
