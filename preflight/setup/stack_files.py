"""Writes the answers into the stack files."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from preflight.setup.commented_yaml import put, read, written
from preflight.setup.people import selector
from preflight.setup.questions import ENVIRONMENTS, OTHER, PARAMETER, UNVERIFIED, Answers, Kind, questions
from preflight.setup.sizes import SIZES
from settings.stack import PREFIX

BOOTSTRAP = "ai-interface-bootstrap:"
_PEOPLE = ("maintainers", "releaseManagers", "promptReviewers", "modelReviewers", "environmentApprovers")
_ENDPOINTS = ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "endSessionEndpoint")


def stack_values(environment: Kind, answers: Answers) -> dict[str, Any]:
    """Path in the stack file → value, for one environment."""
    size = SIZES[answers["size"]]
    models = [name.strip() for name in answers["models"].split(",") if name.strip()]
    region = answers["region"]
    return {
        "owner.team": answers["team"],
        "owner.contact": answers["contact"],
        "owner.onCall": answers["onCall"],
        **{f"owner.{role}": [answers["reviewers"]] for role in _PEOPLE},
        "domain.hostName": answers[_named("host", environment)],
        "domain.hostedZoneId": answers[_named("hostedZone", environment)],
        "network.availabilityZones": zones(region)[: size.zones[environment]],
        **_provider(answers),
        "identity.clientId": answers[_named("clientId", environment)],
        "identity.allowed": selector(answers["users"]),
        "identity.administrators": selector(answers["administrators"]),
        "models.groups.0.models": models,
        "models.groups.0.upstreams.0.region": region,
        **size.sections[environment],
    }


def _named(question: str, environment: Kind) -> str:
    """The key of a question that is asked for each environment."""
    return question if environment == "prod" else f"staging{question[0].upper()}{question[1:]}"


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
    helpers: Any = importlib.import_module("cfnlint.helpers")  # a second to import, and without type information
    return sorted(helpers.AVAILABILITY_ZONES.get(region, [f"{region}{letter}" for letter in "abc"]))


def with_values(text: str, prefix: str, values: Mapping[str, Any], provider: Mapping[str, Any]) -> str:
    """A stack file with these values; ``None`` removes a key. ``provider`` holds the keys of ``aws:``."""
    before = read(text)["config"].get("aws:allowedAccountIds")
    content = read(_with_account(text, before, provider["allowedAccountIds"]))
    config = content["config"]
    for name, value in provider.items():
        put(config, [f"aws:{name}"], value)
    for path, value in values.items():
        first, *rest = path.split(".")
        put(config, [f"{prefix}{first}", *rest], value)
    return written(content)


def _with_account(text: str, before: object, now: list[str]) -> str:
    """The account in comments too, such as the example of an ARN."""
    listed = cast("list[object]", before) if isinstance(before, list) else []
    return text.replace(str(listed[0]), now[0]) if len(listed) == 1 else text


def files(answers: Answers, committed: Mapping[str, str]) -> dict[str, str]:
    """File → its content with the answers. ``committed`` holds the files as they are now."""
    changed: dict[str, str] = {}
    for environment in ENVIRONMENTS:
        account = answers["stagingAccount" if environment == "staging" else "prodAccount"]
        provider = {"region": answers["region"], "allowedAccountIds": [account]}
        values = stack_values(environment, answers)
        name = f"Pulumi.{environment}.yaml"
        changed[name] = with_values(committed[name], PREFIX, values, provider)
        own = {
            "owner.team": answers["team"],
            "environments.0.hostedZoneId": values["domain.hostedZoneId"],
            "continuousIntegration.repository": answers["repository"],
        }
        name = f"bootstrap/Pulumi.{environment}.yaml"
        changed[name] = with_values(committed[name], BOOTSTRAP, own, provider)
    return changed
