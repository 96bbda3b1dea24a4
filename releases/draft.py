"""Drafts the manifest of a new release and the texts that it delivers.

A digest is either given or read from the registry; without a digest the release is refused. All other values default to
those of the release that the new one is based on. This module writes no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from releases import prompts
from releases.acceptance import unreviewed
from releases.environments import FOLDER, Environments
from releases.manifest import IMAGES, Release, cannot_roll, number
from releases.refusal import Refusal
from releases.registry import RegistryError, digest_of
from settings.errors import Problem, SettingsError
from settings.rendering import problems_of
from settings.sections import Owner

_REFERENCE = re.compile(
    r"(?P<source>[a-z0-9.-]+(?::\d{1,5})?(?:/[a-z0-9._-]+)+)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_VERSION = re.compile(r"(\d+\.\d+\.\d+(?:[.-][0-9A-Za-z.-]+)?)$")
_FORM = "NAME=REGISTRY/REPOSITORY:TAG or NAME=REGISTRY/REPOSITORY:TAG@sha256:…"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The changes in the new release."""

    version: str
    built_by: str
    reviewed_by: Sequence[str]
    approved_by: Sequence[str]
    prompt_reviewed_by: str = ""
    base: str = ""
    """Empty: the newest release."""
    images: Sequence[str] = ()
    models: Sequence[str] = ()
    schema_revision: str = ""
    compatible_with: Sequence[str] = ()
    update: str = "rolling"
    """``restart``: the release must not run at the same time as the previous release."""


@dataclass(slots=True)
class Draft:
    """The files of a new release, with notes about them."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Path in the project's folder → content: the texts that no earlier release has delivered, followed by the
    manifest."""
    notes: list[str] = field(default_factory=list[str])


def draft(environments: Environments, asked: Changes, owners: Iterable[Owner]) -> Draft:
    """The files of release ``asked.version``. ``owners`` contains the owners of every environment that has a stack
    file.

    :raises Refusal: the version exists or is older, or a digest, a reviewer or a schema revision is missing
    :raises SettingsError: the manifest would not be valid, or was not reviewed by the people named in the settings
    """
    existing = environments.versions()
    if asked.version in existing:
        do = f"choose a newer version: the newest is {existing[-1]}"
        raise Refusal(f"release {asked.version} already exists, and a manifest is never rewritten", do)
    if not existing:
        raise Refusal(
            "there is no release to base the new one on", "write the first manifest by hand: see releases/manifest.py"
        )
    if re.fullmatch(r"\d{4}\.\d{1,2}\.\d{1,3}", asked.version) and number(asked.version) < number(existing[-1]):
        raise Refusal(f"release {asked.version} is older than {existing[-1]}", "choose a newer version")
    base, newest = environments.release(asked.base or existing[-1]), environments.release(existing[-1])
    found = Draft()
    images = _images(base, asked.images, found)
    texts = prompts.working_texts(environments.root / "prompts")
    prompts.check_texts(texts, {name: f"prompts/{name}{prompts.suffix(name)}" for name in texts})
    content: dict[str, Any] = {
        "version": asked.version,
        "images": images,
        "models": list(asked.models or base.models),
        **_texts(newest, texts, asked),
        "schema": _schema(base, images, asked),
        "update": asked.update,
        "builtBy": asked.built_by,
        "reviewedBy": list(asked.reviewed_by),
        "approvedBy": list(asked.approved_by),
    }
    release = _validated(content)
    problems = [problem for owner in owners for problem in unreviewed(release, owner, environments.folder)]
    problems += filter(None, [cannot_roll(release, newest)])
    if problems:
        raise SettingsError(f"release {asked.version}", problems)
    for name, text in sorted(texts.items()):
        place = f"prompts/{prompts.kept(name, prompts.digest_of(text))}"
        if not (environments.root / place).is_file():
            found.files[place] = text
    found.files[f"{FOLDER}/{asked.version}.yaml"] = _text(content, found.notes).encode()
    return found


def _images(base: Release, given: Sequence[str], found: Draft) -> dict[str, dict[str, str]]:
    images = {name: base.images[name].model_dump(by_alias=True) for name in base.images}
    for argument in given:
        name, _, reference = argument.partition("=")
        match = _REFERENCE.fullmatch(reference)
        if name not in IMAGES or match is None:
            raise Refusal(f"--image {argument} is not an image", f"write {_FORM}; names: {', '.join(IMAGES)}")
        source, tag, digest = match["source"], match["tag"] or "", match["digest"]
        version = _VERSION.search(tag)
        if version is None:
            do = f"use a version tag, for example {source}:v1.2.3, with or without its digest"
            raise Refusal(f"--image {argument} has no version", do)
        if digest is None:
            try:
                digest = digest_of(source, tag)
            except RegistryError as error:
                raise Refusal(
                    f"the digest of {source}:{tag} is not known: {error}",
                    f"run crane digest {source}:{tag} with access to the registry, and pass the digest: "
                    f"--image {name}={source}:{tag}@sha256:…",
                ) from None
            found.notes.append(f"{name}: {source}:{tag} currently has {digest} in its registry")
        else:
            found.notes.append(f"{name}: the given digest was not checked; verify it with crane digest {source}:{tag}")
        images[name] = {"source": source, "version": version[1], "digest": digest}
    return images


def _texts(newest: Release, texts: dict[str, bytes], asked: Changes) -> dict[str, Any]:
    before = {prompt.name: prompt for prompt in newest.texts}
    entries: dict[str, dict[str, str]] = {}
    for name, content in sorted(texts.items()):
        digest = prompts.digest_of(content)
        same = name in before and before[name].digest == digest
        reviewer = before[name].reviewed_by if same else asked.prompt_reviewed_by
        if not reviewer:
            raise Refusal(
                f"prompts/{name}{prompts.suffix(name)} was changed, and no reviewer is named",
                "have a prompt reviewer review it, and name the reviewer with --prompt-reviewed-by",
            )
        entries[name] = {"digest": digest, "reviewedBy": reviewer}
    guardrail = entries.pop("guardrail")
    return {"guardrail": guardrail, "prompts": [{"name": name, **entry} for name, entry in entries.items()]}


def _schema(base: Release, images: dict[str, dict[str, str]], asked: Changes) -> dict[str, Any]:
    """The same application version has the same schema; for another version, the schema must be given."""
    if images["interface"]["digest"] == base.images["interface"].digest and not asked.schema_revision:
        earlier = [*base.schema_.compatible_with, base.version, *asked.compatible_with]
        return {"revision": base.schema_.revision, "compatibleWith": list(dict.fromkeys(earlier))}
    if not asked.schema_revision:
        raise Refusal(
            "a different application version has a different schema, and no revision is given",
            "pass the last revision of its migrations with --schema-revision, and with --compatible-with each earlier "
            "release that was tested on this schema. Without one, this release cannot be rolled back",
        )
    return {"revision": asked.schema_revision, "compatibleWith": list(asked.compatible_with)}


def _validated(content: dict[str, Any]) -> Release:
    place = f"{FOLDER}/{content['version']}.yaml"
    try:
        return Release.model_validate(content, by_alias=True, by_name=False)
    except ValidationError as error:
        problems: list[Problem] = problems_of(error, Release, "", place)
        raise SettingsError(place, problems) from None


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, as in the other manifests."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, indentless=False)


def _text(content: dict[str, Any], notes: Sequence[str]) -> str:
    head = "".join(f"# {note}\n" for note in notes)
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
