"""The operator's prompt texts in ``prompts/``, delivered by the release whose manifest contains their digests.

Each text exists twice. ``prompts/<name>`` is the file that is edited and reviewed. ``prompts/released/<name>-<digest>``
is the file that a release delivers: ``preflight release new`` writes it and it is never edited, so an earlier release
still delivers its own wording. A text that was changed but not released is an error for every stack, because no release
would deliver it.

There is no system prompt, because Open WebUI has no setting that adds one to the first request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from releases.manifest import Release
from releases.prompt_settings import GUARDRAIL, PARAMETERS, SUFFIXES, TEMPLATES, Guardrail, Parameters
from settings.errors import NOT_SET, Problem, SettingsError
from settings.rendering import problems_of

M = TypeVar("M", bound=BaseModel)

DIRECTORY = Path(__file__).resolve().parents[1] / "prompts"
RELEASED = "released"
"""The folder of the released texts."""
NEW = "make a release that delivers it: python -m preflight release new --help"
LONGEST_BYTES = 8_192
"""The maximum size of one text. A task definition contains all texts and is limited to 64 KB (ECS service quotas)."""

PARAMETERS_VARIABLE = "DEFAULT_MODEL_PARAMS"
"""Open WebUI's variable for the parameters of every chat: a JSON object."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts and settings that one release delivers."""

    guardrail: Guardrail
    environment: Mapping[str, str]
    """The application's variables."""


def digest_of(content: bytes) -> str:
    """The digest by which a manifest identifies a text."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def kept(name: str, digest: str) -> str:
    """The path of a released text in the folder of prompts."""
    return f"{RELEASED}/{name}-{digest.removeprefix('sha256:')[:12]}{suffix(name)}"


def suffix(name: str) -> str:
    """The file suffix of a text."""
    return SUFFIXES.get(name, ".md")


def working_texts(directory: Path = DIRECTORY) -> dict[str, bytes]:
    """The current texts by name. Raises :class:`SettingsError` for an unknown file."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        if path.is_dir() or path.name == "README.md" or path.name.startswith("."):
            continue
        if path.stem in {*TEMPLATES, *SUFFIXES} and path.suffix == suffix(path.stem):
            found[path.stem] = path.read_bytes()
        else:
            names = ", ".join(sorted(name + suffix(name) for name in (*TEMPLATES, *SUFFIXES)))
            problems.append(Problem(f"prompts/{path.name}", "(unknown file)", f"the files {names}", "rename it"))
    if problems:
        raise SettingsError("the prompts", problems)
    return found


def check_texts(texts: Mapping[str, bytes], place: Mapping[str, str]) -> Prompts:
    """The parsed texts. ``place`` gives the name of each text in a message. Raises :class:`SettingsError` with every
    problem."""
    problems: list[Problem] = []
    environment: dict[str, str] = {}
    guardrail: Guardrail | None = None
    for name, content in sorted(texts.items()):
        if len(content) > LONGEST_BYTES:
            allowed = f"at most {LONGEST_BYTES} bytes: the task definition contains all texts"
            problems.append(Problem(place[name], f"{len(content)} bytes", allowed, "shorten it"))
            continue
        try:
            if name == GUARDRAIL:
                guardrail = _read(content, Guardrail, place[name])
            elif name == PARAMETERS:
                chosen = _read(content, Parameters, place[name]).chosen()
                environment[PARAMETERS_VARIABLE] = json.dumps(chosen, sort_keys=True)
            else:
                environment[TEMPLATES[name].variable] = _template(name, content, place[name])
        except SettingsError as error:
            problems += error.problems
    if guardrail is None and GUARDRAIL not in texts:
        problems.append(Problem("prompts/guardrail.yaml", NOT_SET, "the guardrail of every model call", "write it"))
    if problems or guardrail is None:
        raise SettingsError("the prompts", problems)
    return Prompts(guardrail, MappingProxyType(environment))


def load_prompts(release: Release, directory: Path = DIRECTORY) -> Prompts:
    """The texts of ``release``, each with the digest that its manifest names."""
    texts: dict[str, bytes] = {}
    place: dict[str, str] = {}
    problems: list[Problem] = []
    for prompt in release.texts:
        path = directory / kept(prompt.name, prompt.digest)
        place[prompt.name] = f"prompts/{kept(prompt.name, prompt.digest)}"
        content = path.read_bytes() if path.is_file() else None
        if content is not None and digest_of(content) == prompt.digest:
            texts[prompt.name] = content
            continue
        problems.append(
            Problem(
                place[prompt.name],
                "(no such file)" if content is None else digest_of(content),
                f"the text with the digest in releases/{release.version}.yaml, {prompt.digest}",
                f"restore it from git: a released text is never edited. To change it, edit "
                f"prompts/{prompt.name}{suffix(prompt.name)} and {NEW}",
            )
        )
    if problems:
        raise SettingsError(f"the prompts of release {release.version}", problems)
    return check_texts(texts, place)


def unreleased(newest: Release, directory: Path = DIRECTORY) -> list[Problem]:
    """Texts that were changed, added or removed since the newest release."""
    working = {name: digest_of(content) for name, content in working_texts(directory).items()}
    released = {prompt.name: prompt.digest for prompt in newest.texts}
    problems: list[Problem] = []
    for name in sorted(working.keys() | released.keys()):
        if working.get(name) != released.get(name):
            before = released.get(name, "no text of this name")
            problems.append(
                Problem(
                    f"prompts/{name}{suffix(name)}",
                    working.get(name, "(no such file)"),
                    f"the text of the newest release ({newest.version}): {before}",
                    f"{NEW}; or restore the file",
                )
            )
    return problems


def _template(name: str, content: bytes, place: str) -> str:
    template = TEMPLATES[name]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsError("the prompts", [Problem(place, "bytes", "text in UTF-8", "save it as UTF-8")]) from None
    if not text.strip():
        fix = "write the text, or remove the file: the application then uses its default text"
        raise SettingsError("the prompts", [Problem(place, "(empty)", "a text", fix)])
    if template.needs and not any(placeholder in text for placeholder in template.needs):
        allowed = f"a text with a placeholder that begins with {' or '.join(template.needs)}"
        fix = "add it: without it, the model does not receive the content that the text refers to"
        raise SettingsError("the prompts", [Problem(place, "no placeholder", allowed, fix)])
    return text


def _read(content: bytes, model: type[M], place: str) -> M:
    try:
        loaded: Any = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise SettingsError("the prompts", [Problem(place, "not YAML", "YAML", "fix the file's syntax")]) from None
    try:
        return model.model_validate(loaded, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SettingsError("the prompts", problems_of(error, model, f"{place}: ", place)) from None
