"""How the tests start the real Open WebUI: as the preset does, in directories below another root."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from components.applications.presets.open_webui import PRESET
from components.prepare import PLAN_VARIABLE, SCRIPT
from local.open_webui import interpreter, package
from tests.components.task_fixtures import DEPLOYMENT

PYTHON = interpreter()
OWNER = 1000 if os.getuid() == 0 else os.getuid()


def prepared(root: Path, model_url: str, prompts: Mapping[str, str]) -> dict[str, str]:
    """The preset's environment, with its directories and files made below ``root`` by the prepare script."""
    code = package(PYTHON)
    chosen = replace(DEPLOYMENT, model_base_urls=[f"{model_url}/v1"], prompt_environment=prompts)
    preset = PRESET.application(chosen)
    moved = {directory: f"{root}{directory}" for directory in preset.volume_directories}
    plan = {
        "owner": [OWNER, OWNER],
        "directories": sorted(moved[directory] for directory in preset.writable_directories),
        "files": {f"{root}{path}": text for path, text in preset.files.items()},
        # The package has its files elsewhere than the image.
        "seeds": {moved[directory]: str(code / "static") for directory in preset.seeds},
    }
    subprocess.run([PYTHON, "-I", "-c", SCRIPT], env={PLAN_VARIABLE: json.dumps(plan)}, check=True)  # noqa: S603
    return {
        **{name: moved.get(value, value) for name, value in preset.environment.items()},
        "FRONTEND_BUILD_DIR": str(code / "frontend"),
        "PATH": "/usr/bin:/bin",
        "TMPDIR": moved["/tmp"],  # noqa: S108 - the task's own volume
        "WEBUI_SECRET_KEY": "k" * 64,
    }


def command(port: int) -> list[str]:
    """The preset's command on another port."""
    made = [PYTHON, *PRESET.application(DEPLOYMENT).command[1:]]
    made[made.index("--port") + 1] = str(port)
    return made


def as_the_presets_user() -> list[str]:
    """No privilege at all: what belongs to root is then as good as a read-only file system."""
    if os.getuid() != 0:
        return []
    user = [f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups"]
    return ["/usr/bin/setpriv", *user, "--bounding-set=-all", "--no-new-privs", "--"]
