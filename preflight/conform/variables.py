"""Each container has the variables that the application's preset reads, and the containers of a task agree on them.

An application without a variable uses its own default: a local database, another user, the public API. A container that
prepares one database for an application that uses another fails only after the first deployment has begun.

The application's preset declares the variables; those of the release's prompts are not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph
from preflight.conform.located import violated
from preflight.conform.reaching.calls import containers, variables_of
from preflight.conform.reaching.model import TASK_DEFINITION
from preflight.conform.stack_file import Declared, declared_variables, preset_of
from preflight.findings import Finding
from preflight.recording.recorder import Recording

RULE = "conform-variables"
PLAN = "PREPARE_PLAN"
"""The variable of the container that prepares the task's volumes and the database."""
_PLACE = "containerDefinitions[{}].environment[{}]"


@dataclass(frozen=True)
class _Container:
    name: str
    plain: Mapping[str, str]
    names: frozenset[str]
    """Names of all variables, plain and from secrets."""


def findings(recording: Recording) -> list[Finding]:
    """Variables that are missing or that differ, sorted; none for a stack without the preset's application."""
    graph = Graph.from_recorded(recording.resources)
    declared = declared_variables(preset_of(recording.stack))
    found = [
        one
        for task in graph.of_type(TASK_DEFINITION)
        for one in _of(partial(violated, recording.stack, RULE, task), containers(task) or [], declared)
    ]
    return sorted(found, key=lambda one: (one.urn, one.headline))


def _of(finding: partial[Finding], given: list[dict[str, Any]], declared: Declared) -> Iterator[Finding]:
    known = [_container(one) for one in given]
    for application, definition in zip(known, given, strict=True):
        if not definition.get("essential", True) or not _is_the_application(application, declared):
            continue
        shared = declared.shared if application.names & declared.shared else frozenset[str]()
        yield from _missing(finding, application, declared.always | shared, declared.preset)
        for other in known:
            if other is not application and _prepares_a_database(other):
                yield from _missing(finding, other, declared.prepared, declared.preset)
                yield from _differing(finding, application, other, declared)


def _is_the_application(one: _Container, declared: Declared) -> bool:
    """Whether most of the preset's variables are there; another program may share a few, such as ``HOME``."""
    return 2 * len(one.names & declared.always) > len(declared.always)


def _missing(finding: partial[Finding], one: _Container, wanted: frozenset[str], preset: str) -> Iterator[Finding]:
    for name in sorted(wanted - one.names):
        yield finding(
            f"{_PLACE.format(one.name, name)}: the variable is missing",
            found="no variable and no secret of this name",
            wanted=f"the value that the preset {preset} declares for the container",
            fix="pass the variable on from the preset to the task definition",
        )


def _differing(finding: partial[Finding], one: _Container, other: _Container, declared: Declared) -> Iterator[Finding]:
    for name in sorted(declared.agreed & one.plain.keys() & other.plain.keys()):
        if one.plain[name] != other.plain[name]:
            yield finding(
                f"{_PLACE.format(one.name, name)}: the containers of the task differ",
                found=f"{one.plain[name]}, and {other.plain[name]} in {other.name}",
                wanted="the same value in both containers",
                fix="take both from the same output of the database",
            )


def _container(given: Mapping[str, Any]) -> _Container:
    plain = variables_of(given)
    secrets = cast("list[dict[str, str]]", given.get("secrets") or [])
    return _Container(str(given.get("name")), plain, frozenset((*plain, *(one["name"] for one in secrets))))


def _prepares_a_database(one: _Container) -> bool:
    return bool(json.loads(one.plain.get(PLAN) or "{}").get("database"))
