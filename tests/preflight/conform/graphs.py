"""The recorded graphs that the checks are held against, and a way to plant one fault in one of them."""

from __future__ import annotations

import copy
import dataclasses
import json
import runpy
from collections.abc import Iterator
from functools import cache

from preflight.recording.recorder import RecordedResource, Recording, record
from preflight.sdk.wire import Json
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape, recorded
from tests.bootstrap.program import run_bootstrap
from tests.settings.stack_files import ROOT, as_the_engine_passes_it

STACKS = ("staging", "prod")
SAMPLE = [SHAPES[0], SHAPES[3], SHAPES[7], SHAPES[-1], *ELSEWHERE]
"""Own VPC with a hosted zone; own certificate and machine clients; both in an existing VPC; three zones; elsewhere."""


@cache
def environment(stack: str) -> Recording:
    """The real program with a committed stack file."""
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        stack=stack,
        config=as_the_engine_passes_it(stack),
    )


@cache
def with_recorded_prompts() -> Recording:
    """Staging with the record of prompts, which is off by default and has resources of its own."""
    config = as_the_engine_passes_it("staging")
    models = json.loads(config["ai-interface:models"])
    reader = f"arn:aws:iam::{json.loads(config['aws:allowedAccountIds'])[0]}:role/reader"
    models["recordPrompts"] = {"days": 30, "readerArns": [reader]}
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        stack="staging",
        config={**config, "ai-interface:models": json.dumps(models)},
    )


@cache
def account(stack: str) -> Recording:
    """The real bootstrap program with a committed stack file."""
    return run_bootstrap(stack)


def sample_graphs() -> Iterator[Recording]:
    """The environments, the accounts, and the topologies that have resource types or properties of their own."""
    for stack in STACKS:
        yield environment(stack)
        yield account(stack)
    yield with_recorded_prompts()
    for shape in (SHAPES[1], SHAPES[-1]):
        yield recorded(shape)


def all_graphs() -> Iterator[Recording]:
    """Every environment, account and topology."""
    for stack in STACKS:
        yield environment(stack)
        yield account(stack)
    yield with_recorded_prompts()
    for shape in (*SHAPES, *ELSEWHERE):
        yield recorded(shape)


def graph(name: str | Shape) -> Recording:
    """One of them, by its name in a parametrized test."""
    if isinstance(name, Shape):
        return recorded(name)
    kind, _, stack = name.rpartition(" ")
    return account(stack) if kind else environment(stack)


def managed(recording: Recording) -> list[RecordedResource]:
    """The resources that the program manages."""
    return [resource for resource in recording.resources if resource.custom and not resource.external]


def with_input(recording: Recording, token: str, path: tuple[str | int, ...], value: object) -> Recording:
    """A copy in which one input of the first resource of a type that has it is another one.

    Where no resource states the input, the first that may have it gets it.
    """
    resources = list(recording.resources)
    able = [n for n, one in enumerate(resources) if one.type == token and _has(one.inputs, path)]
    if not able:
        raise LookupError(f"no {token} has {path}")
    number = next((n for n in able if _states(resources[n].inputs, path)), able[0])
    resources[number] = dataclasses.replace(resources[number], inputs=with_value(resources[number].inputs, path, value))
    return dataclasses.replace(recording, resources=resources)


def with_value(inputs: Json, path: tuple[str | int, ...], value: object) -> Json:
    """A copy of some inputs with another value at a path."""
    changed: Json = copy.deepcopy(inputs)
    place: Json = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def of_types(recording: Recording, *tokens: str) -> Recording:
    """The part of a recording that has these types, and its providers: a smaller one is judged sooner."""
    kept = [r for r in recording.resources if r.type in tokens or r.type.startswith("pulumi:providers:")]
    return dataclasses.replace(recording, resources=kept)


def _has(inputs: Json, path: tuple[str | int, ...]) -> bool:
    place = inputs
    for step in path[:-1]:
        try:
            place = place[step]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(place, dict | list)


def _states(inputs: Json, path: tuple[str | int, ...]) -> bool:
    place = inputs
    for step in path[:-1]:
        place = place[step]
    return path[-1] in place if isinstance(place, dict) else bool(place)
