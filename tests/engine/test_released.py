"""A consumer upgrades from the last release: no argument is lost, and nothing with state is replaced. Needs no Pulumi CLI."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import cast

import pytest

from preflight.recording.recorder import Recording
from preflight.sdk.wire import Json, unwrap
from tests.engine import released
from tests.engine.package_schema import PINNED

RENAMED_TYPES: Mapping[str, str] = {}
"""Type of the last release → its name now, other than without the suffix ``Args``. Each needs an entry in the changelog."""
REMOVED: frozenset[str] = frozenset()
"""Places that were deprecated in the last release and are gone now."""


def schema(text: str) -> dict[str, Json]:
    return cast("dict[str, Json]", json.loads(text))


@pytest.fixture(scope="module")
def recording() -> Recording:
    return released.recorded()


def type_now(token: str) -> str:
    return RENAMED_TYPES.get(token, token.removesuffix("Args"))


def kind(spec: Mapping[str, Json]) -> str:
    """What a property holds, without the question whether it is plain."""
    if "$ref" in spec:
        prefix, separator, name = str(spec["$ref"]).rpartition("/")
        return f"{prefix}{separator}{type_now(name)}"
    inner = spec.get("items") or spec.get("additionalProperties")
    return f"{spec['type']} of {kind(inner)}" if inner else str(spec["type"])


def broken(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    """What a program that was written for the old schema can no longer do."""
    for token, entry in old["resources"].items():
        now = new["resources"].get(token)
        if now is None:
            yield f"{token}: removed"
            continue
        yield from _inputs(token, entry["inputProperties"], now["inputProperties"])
        yield from _required(token, entry.get("requiredInputs", []), now.get("requiredInputs", []))
        for name, spec in entry.get("properties", {}).items():
            if kind(now["properties"].get(name, {"type": "nothing"})) != kind(spec):
                yield f"{token}: output {name} is no {kind(spec)}"
    for token, entry in old["types"].items():
        now = new["types"].get(type_now(token))
        if now is None:
            yield f"{token}: removed"
            continue
        yield from _inputs(token, entry.get("properties", {}), now.get("properties", {}))
        yield from _required(token, entry.get("required", []), now.get("required", []))
        values = {one["value"] for one in now.get("enum", [])}
        yield from (f"{token}: no value {one['value']}" for one in entry.get("enum", []) if one["value"] not in values)


def _inputs(token: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for name, spec in old.items():
        now = new.get(name)
        if now is None:
            yield f"{token}: input {name} was removed"
        elif kind(now) != kind(spec):
            yield f"{token}: input {name} is {kind(now)}, not {kind(spec)}"
        elif now.get("plain") and not spec.get("plain"):
            yield f"{token}: input {name} accepts no output any more"


def _required(token: str, old: list[str], new: list[str]) -> Iterator[str]:
    yield from (f"{token}: {name} is required now" for name in sorted(set(new) - set(old)))


def test_a_program_that_was_written_for_the_last_release_still_works() -> None:
    lost = set(broken(schema(released.SCHEMA.read_text()), schema(PINNED.read_text())))

    assert sorted(lost - REMOVED) == [], "keep it and deprecate it for a release, with deprecationMessage in its text"
    assert sorted(REMOVED - lost) == []


def test_a_lost_argument_output_or_value_is_found() -> None:
    old = schema(PINNED.read_text())
    new = copy.deepcopy(old)
    edge = new["resources"]["ai-interface:index:Edge"]
    del edge["inputProperties"]["idleTimeoutSeconds"]
    edge["inputProperties"]["vpcId"]["plain"] = True
    edge["inputProperties"]["hostNames"] = {"type": "string"}
    edge["requiredInputs"].append("paths")
    del edge["properties"]["dnsName"]
    new["types"]["ai-interface:index:TlsPolicy"]["enum"].pop()
    del new["types"]["ai-interface:index:Oidc"]
    del new["resources"]["ai-interface:index:Firewall"]

    assert len(list(broken(old, new))) == 8
    assert list(broken(old, old)) == []


def test_everything_with_state_is_found_by_the_engine_and_kept(recording: Recording) -> None:
    known, now = released.known_as(recording), released.stateful(recording)

    assert len(_released()) > 30
    assert [urn for urn in _released() if urn not in known] == [], "a rename needs an alias"
    assert [urn for urn, inputs in _released().items() if _replaced(inputs, now[known[urn]])] == []


def test_a_renamed_component_without_an_alias_is_found(recording: Recording) -> None:
    renamed = dataclasses.replace(
        recording,
        resources=[
            dataclasses.replace(
                one,
                urn=one.urn.replace("index:Edge", "index:Front"),
                parent=one.parent.replace("index:Edge", "index:Front"),
            )
            for one in recording.resources
        ],
    )
    lost = [urn for urn in _released() if urn not in released.known_as(renamed)]

    assert len(lost) == 2, "the load balancer and its bucket of logs"
    aliased = dataclasses.replace(
        renamed,
        resources=[
            dataclasses.replace(one, aliases=(one.urn.replace("index:Front", "index:Edge"),))
            if one.type.startswith("ai-interface:")
            else one
            for one in renamed.resources
        ],
    )
    assert [urn for urn in _released() if urn not in released.known_as(aliased)] == []


def test_a_changed_physical_name_is_found(recording: Recording) -> None:
    (urn,) = [urn for urn in _released() if urn.endswith("::service-cluster")]

    assert _replaced(_released()[urn], {"name": "another"})


def _released() -> dict[str, dict[str, Json]]:
    return dict(json.loads(line) for line in released.RESOURCES.read_text().splitlines())


def _replaced(before: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    return sorted(key for key in {*before, *now} if unwrap(before.get(key)) != unwrap(now.get(key)))
