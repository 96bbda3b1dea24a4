"""Writes values into YAML files whose comments and order stay."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from preflight.setup.questions import ENVIRONMENTS, OTHER, PARAMETER, Answers, Kind, selector
from preflight.setup.sizes import SIZES
from settings.stack import PREFIX

BOOTSTRAP = "ai-interface-bootstrap:"
_PEOPLE = ("maintainers", "releaseManagers", "promptReviewers", "modelReviewers", "environmentApprovers")
_ENDPOINTS = ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "endSessionEndpoint")


def yaml() -> YAML:
    """The reader and writer that keeps comments, quotes and order."""
    made = YAML()
    made.preserve_quotes = True
    made.width = 4096
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def read(text: str) -> CommentedMap:
    """A file's content, with its comments."""
    return cast("CommentedMap", yaml().load(text))


def written(content: CommentedMap) -> str:
    """The text of a content that was read."""
    out = io.StringIO()
    yaml().dump(content, out)
    return out.getvalue()


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
    own = {key.removeprefix(PARAMETER): value for key, value in answers.items() if key.startswith(PARAMETER)}
    return {**{f"identity.{name}": None for name in _ENDPOINTS}, "identity.provider": {"kind": kind, **own}}


def zones(region: str) -> list[str]:
    """The region's availability zones, as AWS lists them."""
    from cfnlint.helpers import AVAILABILITY_ZONES  # noqa: PLC0415 - a second to import

    return sorted(AVAILABILITY_ZONES.get(region, [f"{region}{letter}" for letter in "abc"]))


def with_values(text: str, prefix: str, values: Mapping[str, Any], provider: Mapping[str, Any]) -> str:
    """A stack file with these values; ``None`` removes a key. ``provider`` holds the keys of ``aws:``."""
    content = read(text)
    config = cast("CommentedMap", content["config"])
    for name, value in provider.items():
        _put(config, [f"aws:{name}"], value)
    for path, value in values.items():
        first, *rest = path.split(".")
        _put(config, [f"{prefix}{first}", *rest], value)
    return written(content)


def _put(place: Any, path: list[str], value: object) -> None:  # noqa: ANN401 - a mapping or a list of YAML
    *way, last = path
    for step in way:
        if isinstance(place, CommentedSeq):
            place = place[int(step)]
            continue
        if place.get(step) is None:
            place[step] = CommentedMap()
        place = place[step]
    if value is None:
        place.pop(last, None)
    elif isinstance(place, CommentedSeq) or last in place:
        place[int(last) if isinstance(place, CommentedSeq) else last] = _styled(value)
    else:
        # At the end it would come after the blank line that belongs to the last key.
        place.insert(0, last, _styled(value))


def _styled(value: object) -> object:
    """Lists of plain values on one line."""
    if isinstance(value, Mapping):
        return CommentedMap({key: _styled(item) for key, item in cast("Mapping[str, object]", value).items()})
    if isinstance(value, list):
        items = cast("list[object]", value)
        sequence = CommentedSeq([_styled(item) for item in items])
        if not any(isinstance(item, Mapping) for item in items):
            sequence.fa.set_flow_style()
        return sequence
    return value


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
