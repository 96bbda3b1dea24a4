"""Reads release manifests: the images, models and prompts of a version, and the people responsible for it.

A manifest pins every image by digest. A tag is refused, because it can be moved after the review. All problems are
reported at once, in the format of settings problems (``settings.errors``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from releases.prompt_settings import GUARDRAIL, PARAMETERS, TEMPLATES
from settings.errors import Problem, SettingsError, check, collected, printable, shown
from settings.models import ModelId
from settings.rendering import problems_of
from settings.values import Person, ReleaseVersion, Section

DIRECTORY = Path(__file__).parent
"""The folder of the manifests, ``<version>.yaml``."""
RELEASE_TAG = "release-"
"""In AWS a released image is tagged ``release-<version>``; tasks still refer to it by digest."""
REQUIRED_IMAGES = ("proxy", "interface")
"""The images of every release."""
IMAGES = (*REQUIRED_IMAGES, "gateway")
"""The images that a release may have; ``bootstrap`` creates a repository ``ai-interface/<image>`` for each. A stack that
calls models through the gateway needs a release with its image."""

Source = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$"),
    Field(
        description="registry and repository without tag or digest, for example ghcr.io/open-webui/open-webui",
        json_schema_extra={"fix": "remove the tag: the image is pinned by digest"},
    ),
]
DIGEST = r"^sha256:[0-9a-f]{64}$"
Digest = Annotated[
    str,
    StringConstraints(pattern=DIGEST),
    Field(
        description="sha256: followed by 64 hexadecimal digits; a tag is not accepted, since it can be moved",
        json_schema_extra={"fix": "resolve the tag to its digest, for example with crane digest <image>:<tag>"},
    ),
]
ImageVersion = Annotated[
    str,
    StringConstraints(pattern=r"^\d+\.\d+\.\d+([.-][0-9A-Za-z.-]+)?$"),
    Field(description="the publisher's version of the image, in quotes, for example '1.39.1'"),
]


class Image(Section):
    """An image as published. AWS runs a copy with the same digest from the project's own repository."""

    source: Source
    version: ImageVersion
    digest: Digest

    @property
    def reference(self) -> str:
        """The published image, pinned."""
        return f"{self.source}@{self.digest}"


class Reviewed(Section):
    """A text, identified by its digest, and its reviewer."""

    digest: Annotated[
        str,
        StringConstraints(pattern=DIGEST),
        Field(
            description="sha256: and 64 hexadecimal digits, the digest of the text",
            json_schema_extra={"fix": "preflight release new writes it"},
        ),
    ]
    reviewed_by: Person


class Prompt(Reviewed):
    """One of the texts in ``prompts/``."""

    name: Annotated[
        str,
        StringConstraints(pattern=rf"^({'|'.join(sorted((PARAMETERS, *TEMPLATES)))})$"),
        Field(description=f"one of {', '.join(sorted((PARAMETERS, *TEMPLATES)))}"),
    ]


class Schema(Section):
    """The application's database schema, and the other releases that can run on it."""

    revision: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$"),
        Field(
            description="the last Alembic revision of the interface's image, as recorded in its alembic_version table"
        ),
    ]
    """The last revision of this release's migrations; ``prepare`` fails if the image has a different one."""
    compatible_with: tuple[ReleaseVersion, ...] = ()
    """Earlier releases that start and work on this schema; a rollback to any other release needs a restore point."""


class Update(StrEnum):
    """How tasks of a release replace those of the previous release."""

    ROLLING = "rolling"
    """New tasks start while the old ones are still running, without interruption."""
    RESTART = "restart"
    """Every old task stops first, because the two releases must not run at the same time; users get a 503 in the
    meantime."""


class Release(Section):
    """The content of one release. ``images`` has the keys of :data:`REQUIRED_IMAGES`, and may have the others of
    :data:`IMAGES`."""

    version: ReleaseVersion
    images: dict[str, Image]
    models: tuple[ModelId, ...] = Field(min_length=1)
    """Models approved for this release. A stack that runs the release may offer only these."""
    guardrail: Reviewed
    """``prompts/guardrail.yaml``."""
    prompts: tuple[Prompt, ...] = ()
    """The application's templates and parameters. A template without an entry keeps the application's default text."""
    schema_: Schema = Field(alias="schema")
    update: Update = Update.ROLLING
    """Whether the release may run at the same time as the previous release during the deployment."""
    built_by: Person
    reviewed_by: tuple[Person, ...] = Field(min_length=1)
    approved_by: tuple[Person, ...] = Field(min_length=1)
    """Must not contain ``builtBy``: the person who built a release cannot approve it."""

    @property
    def tag(self) -> str:
        """The tag of this release's images in AWS."""
        return f"{RELEASE_TAG}{self.version}"

    @property
    def texts(self) -> tuple[Prompt, ...]:
        """Every text in ``prompts/`` that the release delivers."""
        guardrail = Prompt.model_construct(name=GUARDRAIL, **dict(self.guardrail))
        return (guardrail, *self.prompts)

    @model_validator(mode="after")
    def _complete_and_approved(self) -> Self:
        with collected():
            check(
                set(REQUIRED_IMAGES) <= set(self.images) <= set(IMAGES),
                key="images",
                value=", ".join(sorted(self.images)) or "none",
                allowed=f"{' and '.join(REQUIRED_IMAGES)}, and {IMAGES[-1]} if a stack uses it",
                fix="add the missing images and remove any that this project does not have",
            )
            for person in self.approved_by:
                check(
                    person != self.built_by,
                    key="approvedBy",
                    value=person,
                    allowed="people other than builtBy",
                    fix="have another release manager approve it",
                )
            names = [prompt.name for prompt in self.prompts]
            check(
                len(set(names)) == len(names),
                key="prompts",
                value=", ".join(sorted({name for name in names if names.count(name) > 1})),
                allowed="each prompt once",
                fix="remove the duplicate",
            )
            for position, prompt in enumerate(self.texts):
                check(
                    prompt.reviewed_by != self.built_by,
                    key=f"prompts[{position - 1}].reviewedBy" if position else "guardrail.reviewedBy",
                    value=prompt.reviewed_by,
                    allowed="people other than builtBy: an author cannot review their own text",
                    fix="have a prompt reviewer review the text, and name that person",
                )
            check(
                self.version not in self.schema_.compatible_with,
                key="schema.compatibleWith",
                value=self.version,
                allowed="earlier releases only: a release always runs on its own schema",
                fix="remove it from the list",
            )
        return self


def versions(directory: Path = DIRECTORY) -> list[str]:
    """The versions that have a manifest, oldest first."""
    return sorted((path.stem for path in directory.glob("*.yaml") if _is_version(path.stem)), key=number)


def number(version: str) -> tuple[int, ...]:
    """The sort key of a version."""
    return tuple(map(int, version.split(".")))


def load_release(version: str, directory: Path = DIRECTORY) -> Release:
    """The manifest of ``version``; raises :class:`SettingsError` with every problem found."""
    name = f"releases/{printable(version, 40)}.yaml"
    path = directory / f"{version}.yaml"
    if not _is_version(version) or not path.is_file():
        raise SettingsError("the release", [_missing(version, directory)])
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}, line {mark.line + 1}" if mark is not None else name
        raise SettingsError(
            name, [Problem(place, "not YAML", "a manifest in YAML", "repair the file's syntax")]
        ) from None
    try:
        release = Release.model_validate(content, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SettingsError(name, problems_of(error, Release, "", name)) from None
    if release.version != version:
        problem = Problem(
            "version", release.version, f"{version}, as the file is named", "rename the file or correct version"
        )
        raise SettingsError(name, [problem])
    return release


def cannot_roll(release: Release, before: Release | None) -> Problem | None:
    """The problem with a release that sets ``rolling`` although the previous release does not work on its schema.

    During the deployment, tasks of the previous release run on the new schema.
    """
    if before is None or release.update is Update.RESTART:
        return None
    schema = release.schema_
    if compatible(release, before):
        return None
    return Problem(
        f"releases/{release.version}.yaml: update",
        f"{release.update}",
        f"restart: release {before.version} does not work on schema {schema.revision} (schema.compatibleWith), and would "
        "run on it while the tasks are replaced",
        f"set update: restart, or test {before.version} on the new schema and add it to schema.compatibleWith",
    )


def compatible(newer: Release, older: Release) -> bool:
    """Whether ``older`` starts and works on the schema of ``newer``."""
    return older.version in newer.schema_.compatible_with or older.schema_.revision == newer.schema_.revision


def stops_before_start(release: Release, later: Iterable[Release]) -> bool:
    """Whether all tasks have to stop before a task of this release starts.

    True for a release that sets ``restart``, and for a release that is followed by one: deploying it may be a rollback,
    in which the two must not run side by side either.
    """
    return any(one.update is Update.RESTART for one in (release, *later))


def _is_version(text: str) -> bool:
    return re.fullmatch(r"\d{4}\.\d{1,2}\.\d{1,3}", text, re.ASCII) is not None


def _missing(version: str, directory: Path) -> Problem:
    existing = versions(directory)
    near = difflib.get_close_matches(version, existing, n=2, cutoff=0.0)
    return Problem(
        "ai-interface:release",
        shown(version),
        f"a version that has a manifest in releases/: {', '.join(existing) or 'there are none yet'}",
        f"the nearest are {' and '.join(near)}; a new release needs its manifest first"
        if near
        else "write the manifest first",
    )
