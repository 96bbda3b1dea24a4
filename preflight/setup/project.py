"""The files that ``init`` and ``environment`` read and write, and what must hold before and after."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project
from preflight.setup.commented_yaml import read
from preflight.setup.generated import DIFFERENCES, OWNED, responsible
from settings import SettingsError, StackSettings
from settings.stack import PREFIX

GENERATED = (".github/CODEOWNERS", DIFFERENCES, "policies/parity/shapes")
"""Files and folders that follow from the stack files."""
_EXAMPLE = re.compile(r'(?m)(?<!^builtBy: )"@example/[A-Za-z0-9-]+"')
"""A reviewer in the example releases. Who built a release cannot review it, so that name stays."""
_LIST = re.compile(r'\[("@[^\]]*)\]')
_REMOTE = re.compile(r"github\.com[:/](?P<name>[^/\s]+/[^/\s]+?)(?:\.git)?$")


def stack_file_names(root: Path) -> list[str]:
    """The stack files of the project and of bootstrap, sorted."""
    stacks = Project.load(root).stacks()
    names = [f"{folder}Pulumi.{stack}.yaml" for stack in stacks for folder in ("", "bootstrap/")]
    return sorted(name for name in names if (root / name).is_file())


def committed(root: Path) -> dict[str, str]:
    """Name → text of the stack files and of the declarations."""
    releases = sorted(path.relative_to(root).as_posix() for path in (root / "releases").glob("*.yaml"))
    names = [*stack_file_names(root), *(name for name in OWNED if (root / name).is_file()), *releases]
    workflows = sorted(path.relative_to(root).as_posix() for path in (root / ".github/workflows").glob("*.yml"))
    return {name: (root / name).read_text(encoding="utf-8") for name in (*names, *workflows)}


def refuse_uncommitted(root: Path, force: bool) -> None:
    """Raise ``ConfigurationError`` if a stack file has changes that git does not have."""
    done = _git(root, "status", "--porcelain", "--", *stack_file_names(root))
    if force or not done.strip():
        return
    names = ", ".join(line[3:] for line in done.splitlines())
    raise ConfigurationError(f"{names}: not committed, and init would overwrite it; commit it, or pass --force")


def known(root: Path) -> dict[str, str]:
    """Answers that need no question: the repository on GitHub, if git knows one."""
    match = _REMOTE.search(_git(root, "remote", "get-url", "origin").strip())
    return {"repository": match["name"]} if match else {}


def _git(root: Path, *arguments: str) -> str:
    """The output; empty outside a git checkout, where nothing could be lost that git had."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git as the caller has it
    return done.stdout if done.returncode == 0 else ""


def problems(files: Mapping[str, str]) -> str:
    """Every problem that the settings find in the stack files; empty without one."""
    found: list[str] = []
    for name, text in sorted(files.items()):
        match = re.fullmatch(r"Pulumi\.([^.]+)\.yaml", name)
        if match is None:
            continue
        config = cast("dict[str, Any]", yaml.safe_load(text)["config"])
        own = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
        try:
            StackSettings.parse(
                own, environment=match[1], region=config.get("aws:region"), accounts=config.get("aws:allowedAccountIds")
            )
        except SettingsError as error:
            found.append(str(error))
    return "\n\n".join(found)


def with_people(
    root: Path, after: Mapping[str, str], before: Mapping[str, str], *, team: str, reviewers: str
) -> dict[str, str]:
    """The files, with the declarations for which the previous team was responsible, and with these reviewers in the releases
    in place of the examples. Real reviewers stay."""
    stack = Project.load(root).stacks()[0]
    owner: Any = read(before[f"Pulumi.{stack}.yaml"])["config"].get(f"{PREFIX}owner", {})
    previous = str(owner.get("team", ""))
    declared = {name: responsible(before[name], previous, team) for name in OWNED if name in before}
    releases = {name: _reviewed(text, reviewers) for name, text in before.items() if name.startswith("releases/")}
    return {**after, **declared, **releases}


def _reviewed(text: str, reviewers: str) -> str:
    def listed(match: re.Match[str]) -> str:
        names = dict.fromkeys(one.strip() for one in match[1].split(","))
        return f"[{', '.join(names)}]"

    return _LIST.sub(listed, _EXAMPLE.sub(f'"{reviewers}"', text)) if _EXAMPLE.search(text) else text


@contextlib.contextmanager
def undone_on_error(root: Path, names: Iterable[str]) -> Generator[None]:
    """Restore these files if the block fails, and remove those that did not exist."""
    paths = [path for name in names for path in _files(root / name)]
    kept = {path: path.read_bytes() if path.is_file() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, content in kept.items():
            if content is not None:
                path.write_bytes(content)
            else:
                path.unlink(missing_ok=True)
        raise


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files."""
    for name, text in sorted(files.items()):
        (root / name).write_text(text, encoding="utf-8")
