"""The files that ``init`` and ``environment`` read and write, and what must hold before and after."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from bootstrap.configuration import BootstrapSettings
from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project
from preflight.setup import examples, forms
from preflight.setup.commented_yaml import read
from preflight.setup.generated import DIFFERENCES, OWNED, responsible
from preflight.setup.question import ENVIRONMENTS
from preflight.setup.questions import Known
from settings import SettingsError, StackSettings
from settings.configuration import Configuration
from settings.known_models import Serves, documented
from settings.stack import PREFIX
from settings.upstreams import behind_profile

GENERATED = (".github/CODEOWNERS", DIFFERENCES, "policies/parity/shapes")
"""Files and folders that follow from the stack files."""
_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_STACK_FILE = re.compile(r"(?P<folder>bootstrap/)?Pulumi\.(?P<stack>[^.]+)\.yaml")


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


def known(root: Path) -> Known:
    """The facts that the checkout states: the repository on GitHub if git knows one, the committed networks, and the models that a
    stack may offer by Bedrock's Chat Completions."""
    origin = forms.repository(_git(root, "remote", "get-url", "origin").strip())
    files = {environment: root / f"Pulumi.{environment}.yaml" for environment in ENVIRONMENTS}
    configs = {
        environment: cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8"))["config"])
        for environment, path in files.items()
        if path.is_file()
    }
    networks = {
        environment: str(config[f"{PREFIX}network"]["cidrBlock"])
        for environment, config in configs.items()
        if "cidrBlock" in config.get(f"{PREFIX}network", {})
    }
    releases = {str(config.get(f"{PREFIX}release")) for config in configs.values()}
    return Known(origin if _OWNER_AND_NAME.fullmatch(origin) else "", networks, _models(root, releases))


def _models(root: Path, releases: Iterable[str]) -> tuple[str, ...]:
    """The models that all of these releases list and Bedrock serves under their own id, in the order of the first one."""
    listed: list[list[str]] = []
    for release in sorted(releases):
        path = root / "releases" / f"{release}.yaml"
        loaded = cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {})
        listed.append([str(model) for model in cast("list[object]", loaded.get("models") or [])])
    first, *others = listed or [[]]
    return tuple(model for model in first if all(model in one for one in others) and _is_served(model, first))


def _is_served(model: str, listed: Iterable[str]) -> bool:
    """Whether it is an id of ``bedrock-runtime`` for chats: not an inference profile, which needs its destinations, and not the id
    without a version that only ``bedrock-mantle`` knows."""
    row = documented("bedrock", model)
    other = any(one.startswith(f"{model}-") for one in listed)
    return behind_profile(model) is None and not other and (row is None or row.serves is Serves.CHAT)


def _git(root: Path, *arguments: str) -> str:
    """The output; empty outside a git checkout, where nothing could be lost that git had."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git as the caller has it
    return done.stdout if done.returncode == 0 else ""


def mistakes(files: Mapping[str, str | None]) -> list[tuple[str, SettingsError]]:
    """The stack, and every problem that the settings find in its file, for each file that they refuse."""
    found: list[tuple[str, SettingsError]] = []
    for name, text in sorted(files.items()):
        match = _STACK_FILE.fullmatch(name)
        if match is None or text is None:
            continue
        model: type[Configuration] = BootstrapSettings if match["folder"] else StackSettings
        config = cast("dict[str, Any]", yaml.safe_load(text)["config"])
        own = {key.removeprefix(model.prefix): value for key, value in config.items() if key.startswith(model.prefix)}
        region, accounts = config.get("aws:region"), config.get("aws:allowedAccountIds")
        try:
            model.parse(own, environment=match["stack"], region=region, accounts=accounts)
        except SettingsError as error:
            found.append((match["stack"], error))
    return found


def problems(files: Mapping[str, str | None]) -> str:
    """Every problem that the settings find in the stack files; empty without one."""
    return "\n\n".join(str(error) for _, error in mistakes(files))


def with_people(
    root: Path, after: Mapping[str, str | None], before: Mapping[str, str], *, team: str, reviewers: str
) -> dict[str, str | None]:
    """The files, with the declarations for which the previous team was responsible, and with these reviewers in the releases
    in place of the examples. Real reviewers stay."""
    stack = Project.load(root).stacks()[0]
    owner: Any = read(before[f"Pulumi.{stack}.yaml"])["config"].get(f"{PREFIX}owner", {})
    previous = str(owner.get("team", ""))
    declared = {name: responsible(before[name], previous, team) for name in OWNED if name in before}
    releases = {
        name: examples.reviewed(after.get(name) or text, reviewers)
        for name, text in before.items()
        if name.startswith("releases/")
    }
    return {**after, **declared, **releases}


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


def write(root: Path, files: Mapping[str, str | None]) -> None:
    """Write the files, and remove those without a content."""
    for name, text in sorted(files.items()):
        if text is None:
            (root / name).unlink(missing_ok=True)
        else:
            (root / name).write_text(text, encoding="utf-8")
