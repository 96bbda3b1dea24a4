"""Whether a stack may run its release: models, reviewers and texts are checked before any resource is created.

Reviewers are checked on the newest manifest only: when a team changes its reviewers, earlier releases stay valid, so a
rollback does not need a new review. Models are checked on every release: a model that is no longer approved is not
offered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, StringConstraints, ValidationError

from releases import manifest, prompts
from releases.manifest import Release, cannot_roll, load_release, versions
from releases.prompts import Prompts, load_prompts, unreleased
from settings import Problem, SettingsError, StackSettings
from settings.errors import shown
from settings.models import ModelId
from settings.rendering import problems_of
from settings.sections import Owner
from settings.stack import PREFIX
from settings.values import Person, Section

APPROVED_MODELS = "models.yaml"
_PLACE = f"releases/{APPROVED_MODELS}"


class ApprovedModel(Section):
    """A model approved for use."""

    id: ModelId
    reviewed_by: Person
    reason: Annotated[str, StringConstraints(min_length=10, max_length=500)]
    """The reason for the approval, for the next reviewer."""


class ApprovedModels(Section):
    """``releases/models.yaml``."""

    models: tuple[ApprovedModel, ...] = Field(min_length=1)


def approved_models(directory: Path = manifest.DIRECTORY) -> dict[str, ApprovedModel]:
    """The approved models by id; raises :class:`SettingsError` with every problem in the list."""
    path = directory / APPROVED_MODELS
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
        listed = ApprovedModels.model_validate(content, by_alias=True, by_name=False).models
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingsError(_PLACE, [Problem(_PLACE, "not YAML", "a list in YAML", "fix its syntax")]) from None
    except ValidationError as error:
        raise SettingsError(_PLACE, problems_of(error, ApprovedModels, f"{_PLACE}: ", _PLACE)) from None
    return {model.id: model for model in listed}


def accepted(
    settings: StackSettings,
    directory: Path = manifest.DIRECTORY,
    texts: Path = prompts.DIRECTORY,
) -> tuple[Release, Prompts]:
    """The release of a stack and its prompts. Raises :class:`SettingsError` with every reason why the stack cannot run
    the release."""
    release = load_release(settings.release, directory)
    known = versions(directory)
    last, place = known[-1], known.index(release.version)
    before = load_release(known[place - 1], directory) if place else None
    newest = release if release.version == last else load_release(last, directory)
    approved = approved_models(directory)
    problems = [
        *_unreviewed(newest, settings.owner, approved),
        *_not_offered(settings, release, approved),
        *unreleased(newest, texts),
        *filter(None, [cannot_roll(release, before)]),
    ]
    if problems:
        raise SettingsError(f"the release of stack {settings.environment}", problems)
    return release, load_prompts(release, texts)


def unreviewed(release: Release, owner: Owner, directory: Path = manifest.DIRECTORY) -> list[Problem]:
    """The missing reviews and approvals of a release, from the people named in the settings."""
    return _unreviewed(release, owner, approved_models(directory))


def _unreviewed(release: Release, owner: Owner, approved: dict[str, ApprovedModel]) -> list[Problem]:
    place = f"releases/{release.version}.yaml: "
    problems = [
        _not_reviewed(f"{place}{key}", people, wanted, setting)
        for key, people, wanted, setting in (
            ("reviewedBy", release.reviewed_by, owner.model_reviewers, "modelReviewers"),
            ("approvedBy", release.approved_by, owner.release_managers, "releaseManagers"),
            ("guardrail.reviewedBy", (release.guardrail.reviewed_by,), owner.prompt_reviewers, "promptReviewers"),
            *(
                (f"prompts[{n}].reviewedBy", (prompt.reviewed_by,), owner.prompt_reviewers, "promptReviewers")
                for n, prompt in enumerate(release.prompts)
            ),
        )
        if not set(people) & set(wanted)
    ]
    for position, model in enumerate(release.models):
        if model not in approved:
            problems.append(_unapproved(f"{place}models[{position}]", model, approved, "leave it out"))
        elif approved[model].reviewed_by not in owner.model_reviewers:
            key = f"{_PLACE}: {model}"
            problems.append(_not_reviewed(key, (approved[model].reviewed_by,), owner.model_reviewers, "modelReviewers"))
    return problems


def _not_reviewed(key: str, people: tuple[str, ...], wanted: tuple[str, ...], setting: str) -> Problem:
    allowed = f"one of {PREFIX}owner.{setting}: {', '.join(wanted)}"
    return Problem(key, ", ".join(people), allowed, "have one of these people review it, and name that person here")


def _unapproved(key: str, model: str, approved: dict[str, ApprovedModel], otherwise: str) -> Problem:
    allowed = f"a model in {_PLACE}: {', '.join(sorted(approved))}"
    return Problem(key, shown(model), allowed, f"have a model reviewer add it there, or {otherwise}")


def _not_offered(settings: StackSettings, release: Release, approved: dict[str, ApprovedModel]) -> list[Problem]:
    """Offered models that the release does not list, or that are no longer approved."""
    problems: list[Problem] = []
    for position, group in enumerate(settings.models.groups):
        key = f"{PREFIX}models.groups[{position}].models"
        for model in group.models:
            if model not in release.models:
                allowed = f"models of release {release.version}: {', '.join(release.models)}"
                fix = "offer one of these, or run a release that lists it"
                problems.append(Problem(key, shown(model), allowed, fix))
            elif model not in approved:
                problems.append(_unapproved(key, model, approved, "stop offering it"))
    return problems
