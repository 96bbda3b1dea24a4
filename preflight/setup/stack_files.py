"""Writes the answers into the stack files."""

from __future__ import annotations

import functools
import importlib.util
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from preflight.setup import bootstrap_files, examples, marks, offered
from preflight.setup.commented_yaml import put, read, written
from preflight.setup.people import selector
from preflight.setup.question import ENVIRONMENTS, Answers, Kind
from preflight.setup.questions import OTHER, PARAMETER, UNVERIFIED, key_of, questions
from preflight.setup.sizes import SIZES
from settings.stack import PREFIX

_PEOPLE = ("maintainers", "releaseManagers", "promptReviewers", "modelReviewers", "environmentApprovers")
_ENDPOINTS = ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "endSessionEndpoint")


def stack_values(environment: Kind, answers: Answers) -> dict[str, Any]:
    """Path in the stack file → value, for one environment."""

    def own(question: str) -> str:
        return answers[key_of(question, environment)]

    size = SIZES[answers["size"]]
    models = [name.strip() for name in answers["models"].split(",") if name.strip()]
    region = answers["region"]
    return {
        "owner.team": answers["team"],
        "owner.contact": answers["contact"],
        "owner.onCall": answers["onCall"],
        "owner.runbook": answers["runbook"],
        **{f"owner.{role}": [answers["reviewers"]] for role in _PEOPLE},
        "domain.hostName": own("host"),
        "domain.hostedZoneId": own("hostedZone"),
        "network.cidrBlock": own("network"),
        "network.availabilityZones": zones(region)[: size.zones[environment]],
        **_provider(answers),
        "identity.clientId": own("clientId"),
        "identity.allowed": selector(own("users")),
        "identity.administrators": selector(own("administrators")),
        "models.groups.0.models": models,
        "models.groups.0.upstreams.0.region": region,
        **size.sections[environment],
        "use.people": size.people[environment],
    }


def _provider(answers: Answers) -> dict[str, Any]:
    kind = answers["provider"]
    if kind == OTHER:
        return {**{f"identity.{name}": answers.get(name) for name in _ENDPOINTS}, "identity.provider": None}
    asked = [question for question in questions(answers) if question.key.startswith(PARAMETER)]
    own: dict[str, Any] = {
        question.key.removeprefix(PARAMETER): question.value(answers[question.key]) for question in asked
    }
    if answers.get(UNVERIFIED) == "yes":
        own[UNVERIFIED] = True
    return {**{f"identity.{name}": None for name in _ENDPOINTS}, "identity.provider": {"kind": kind, **own}}


def zones(region: str) -> list[str]:
    """The region's availability zones, as AWS lists them."""
    return sorted(_zones().get(region, [f"{region}{letter}" for letter in "abc"]))


@functools.cache
def _zones() -> Mapping[str, Sequence[str]]:
    """Region → its zones. cfn-lint has the table in a module that needs nothing else of it: importing all of cfn-lint takes a second.

    :raises ModuleNotFoundError: it is not installed
    """
    package = importlib.util.find_spec("cfnlint")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'cfnlint'", name="cfnlint")
    return runpy.run_path(str(Path(package.origin).with_name("helpers.py")))["AVAILABILITY_ZONES"]


def with_values(text: str, prefix: str, values: Mapping[str, Any], provider: Mapping[str, Any]) -> str:
    """A stack file with these values and without their marks; ``None`` removes a key. ``provider`` holds the keys of ``aws:``."""
    before = read(text)["config"].get("aws:allowedAccountIds")
    content = read(_with_account(text, before, provider["allowedAccountIds"]))
    config = content["config"]
    for name, value in provider.items():
        put(config, [f"aws:{name}"], value)
    for path, value in values.items():
        first, *rest = path.split(".")
        put(config, [f"{prefix}{first}", *rest], value)
    answered = {*(f"aws:{name}" for name in provider), *(f"{prefix}{path}" for path in values)}
    return marks.without(written(content), answered)


def _with_account(text: str, before: object, now: list[str]) -> str:
    """The account in comments too, such as the example of an ARN."""
    listed = cast("list[object]", before) if isinstance(before, list) else []
    return text.replace(str(listed[0]), now[0]) if len(listed) == 1 else text


def files(answers: Answers, committed: Mapping[str, str]) -> dict[str, str | None]:
    """File → its content with the answers; ``None`` for one that is removed. ``committed`` holds the files as they are now."""
    changed: dict[str, str | None] = {}
    profiles: dict[str, str] = {}
    for environment in ENVIRONMENTS:
        name = f"Pulumi.{environment}.yaml"
        values, provider = stack_values(environment, answers), _aws(environment, answers)
        text = marks.with_identity_page(with_values(committed[name], PREFIX, values, provider), answers["provider"])
        changed[name], renamed = offered.for_region(text, answers["region"])
        profiles |= renamed
    return {**changed, **_bootstrap(answers, committed), **examples.with_profiles(committed, profiles)}


def _aws(environment: Kind, answers: Answers) -> dict[str, Any]:
    return {"region": answers["region"], "allowedAccountIds": [answers[key_of("account", environment)]]}


def _bootstrap(answers: Answers, committed: Mapping[str, str]) -> dict[str, str | None]:
    """The file of each account, with the environments that are deployed there."""
    own = {
        environment: {
            **bootstrap_files.entry(committed, environment),
            "hostedZoneId": answers[key_of("hostedZone", environment)],
        }
        for environment in ENVIRONMENTS
    }
    shared = answers["stagingAccount"] == answers["prodAccount"]
    homes = {one: bootstrap_files.lists(committed, one) or bootstrap_files.file_of(one) for one in ENVIRONMENTS}
    texts = {one: committed.get(homes[one]) or committed[homes["staging"]] for one in ENVIRONMENTS}
    made: dict[str, str | None] = {}
    if shared:
        made[homes["staging"]] = bootstrap_files.with_entry(texts["staging"], own["prod"])
        if homes["prod"] != homes["staging"]:
            made[homes["prod"]] = None
    elif homes["prod"] == homes["staging"]:
        made[homes["staging"]] = bootstrap_files.without_entry(texts["staging"], "prod")
        made[bootstrap_files.file_of("prod")] = bootstrap_files.alone(texts["staging"], own["prod"])
    else:
        made |= {homes[one]: texts[one] for one in ENVIRONMENTS}
    for environment in ENVIRONMENTS:
        name = homes["staging"] if shared else homes[environment]
        if not shared and homes["prod"] == homes["staging"] and environment == "prod":
            name = bootstrap_files.file_of("prod")
        text = bootstrap_files.with_entry(str(made[name]), own[environment])
        values = {"owner.team": answers["team"], "continuousIntegration.repository": answers["repository"]}
        provider = _aws(environment, answers)
        answered = {f"{bootstrap_files.PREFIX}environments.hostedZoneId"}
        made[name] = marks.without(with_values(text, bootstrap_files.PREFIX, values, provider), answered)
    return made
