"""The release of the application's next version, made as ``docs/releases.md`` describes, and the release before it.

A release needs its image's digest, which only the registry has. Where no manifest was committed yet, the tests run the
documented command in a copy of the project, with a digest that no image has: they need the application's package and
what a stack registers with it, not its image. As soon as the manifest is committed, they use that.

``python -m tests.database.upcoming`` prints the versions of the application that the tests need.
"""

from __future__ import annotations

import hashlib
import pickle
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from releases.manifest import Release, load_release, versions
from tests.database.deployed import Deployed, deployed_with
from tests.preflight.release.projects import ROOT, point, preflight, whole

_COMMAND = "python -m preflight release new "
_RECORD = """
import json, pickle, runpy, sys
from pathlib import Path
import yaml
from preflight.recording.recorder import record

config = yaml.safe_load(Path("Pulumi.staging.yaml").read_text())["config"]
config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
recording = record(lambda: runpy.run_path("__main__.py", run_name="__main__"), stack="staging", config=config)
sys.stdout.buffer.write(pickle.dumps(recording))
"""


@dataclass(frozen=True)
class Known:
    """A release, and staging with it."""

    release: Release
    deployed: Deployed


def documented() -> list[str]:
    """The arguments of ``release new`` in the documentation's example."""
    text = (ROOT / "docs" / "releases.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = [line for line in text.splitlines() if line.startswith(_COMMAND)]
    return shlex.split(command.removeprefix(_COMMAND))


@cache
def releases() -> tuple[str, str]:
    """The newest release before the upcoming one, and the upcoming one."""
    upcoming, *_ = documented()
    committed = versions()
    before = committed[: committed.index(upcoming)] if upcoming in committed else committed
    return before[-1], upcoming


@cache
def known(version: str) -> Known:
    """A committed release, or the upcoming one."""
    if version in versions():
        return Known(load_release(version), deployed_with(version))
    with tempfile.TemporaryDirectory() as temporary:
        folder = whole(Path(temporary))
        made = preflight(folder, "release", "new", *_pinned(documented()))
        assert made.returncode == 0, made.stderr
        point(folder, "staging", version)
        content = subprocess.check_output([sys.executable, "-c", _RECORD], cwd=folder, timeout=300)  # noqa: S603
        recording = pickle.loads(content)  # noqa: S301 - written by the lines above
        return Known(load_release(version, folder / "releases"), Deployed(recording))


def _pinned(arguments: list[str]) -> list[str]:
    """The arguments with a digest for each image, so that no registry is asked."""
    return [
        f"{one}@sha256:{hashlib.sha256(one.encode()).hexdigest()}" if option == "--image" else one
        for option, one in zip(["", *arguments], arguments, strict=False)
    ]


def application_versions() -> list[str]:
    """The versions of the application in these two releases, oldest first. Takes no time: it records nothing."""
    before, _ = releases()
    image = documented()[documented().index("--image") + 1]
    return [load_release(before).images["interface"].version, image.rpartition(":v")[2]]


if __name__ == "__main__":
    print("\n".join(application_versions()))  # noqa: T201 - this is a program that prints
