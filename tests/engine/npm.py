"""The packages of a TypeScript program."""

from __future__ import annotations

import subprocess

import pytest

from tests.engine.harness import Engine

INSTALL_SECONDS = 180


def install(engine: Engine) -> None:
    """Install what ``package.json`` lists; skips the test, with the reason, where npm cannot."""
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],  # noqa: S607 - found on PATH on purpose
        cwd=engine.project,
        env=engine.environment(),
        timeout=INSTALL_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install @pulumi/pulumi here: {done.stderr.strip().splitlines()[-1:]}")
