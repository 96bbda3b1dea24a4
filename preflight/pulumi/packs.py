"""The policy packs of a project, and the pack that this installation brings."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from preflight.errors import ConfigurationError

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "guardrails"
"""The guardrails of this installation: they evaluate any stack."""
_MANIFEST = "PulumiPolicy.yaml"
_VIRTUALENV = re.compile(r"^( *)virtualenv:.*$", re.MULTILINE)


def packs_of(root: Path) -> list[Path]:
    """The policy packs of a project."""
    return sorted(path.parent for path in root.glob(f"policies/*/{_MANIFEST}"))


def chosen_packs(root: Path, named: list[Path] | None) -> tuple[list[Path], str]:
    """The packs to ask, and a sentence if they are neither named nor the project's own."""
    if named is not None:
        return named, ""
    own = packs_of(root)
    if own:
        return own, ""
    return [SHIPPED], (
        "there is no policy pack in policies/*/: asked the guardrails that come with preflight (--policy-pack chooses another)"
    )


def compares_environments(root: Path) -> bool:
    """Whether the project compares its environments: only a project with ``policies/parity/`` does."""
    return (root / "policies" / "parity").is_dir()


def write(folder: Path) -> None:
    """Copy the guardrails to ``folder``, to be started by Pulumi's engine in the environment that this process runs in.

    An earlier copy is replaced.

    :raises ConfigurationError: the folder has other content
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not _is_a_copy(folder):
        raise ConfigurationError(
            f"{folder} exists and is not a copy of the guardrails.\nfix: name a folder that does not exist"
        )
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = folder / _MANIFEST
    manifest.write_text(_started_here(manifest.read_text(encoding="utf-8")), encoding="utf-8")


def _is_a_copy(folder: Path) -> bool:
    manifest = folder / _MANIFEST
    name = (SHIPPED / _MANIFEST).read_text(encoding="utf-8").partition("\n")[0]
    return manifest.is_file() and manifest.read_text(encoding="utf-8").startswith(f"{name}\n")


def _started_here(manifest: str) -> str:
    """The manifest with this environment. Outside a virtual environment the engine starts the first ``python3`` on ``PATH``."""
    here = (
        f"virtualenv: {sys.prefix}"
        if sys.prefix != sys.base_prefix
        else "# no virtualenv: python3 on PATH starts the pack"
    )
    return _VIRTUALENV.sub(lambda found: f"{found[1]}{here}", manifest)
