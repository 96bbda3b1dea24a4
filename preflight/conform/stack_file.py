"""Facts of a stack file that the graph lacks: the application with its variables, and the users behind one address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from components.applications import ApplicationArgs, Deployment, Preset, default_preset, find_preset, preset_names
from policies.guardrails.topology.graph.values import as_mapping

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ai-interface:"


def declared(stack: str, *path: str) -> object:
    """The value of a key of the stack file, by its path without the namespace; ``None`` if file or key is absent."""
    file = ROOT / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        return None
    content = _parsed(file.read_text(encoding="utf-8"))
    value: object = (as_mapping(content.get("config")) or {}).get(PREFIX + path[0])
    for name in path[1:]:
        value = (as_mapping(value) or {}).get(name)
    return value


@cache
def _parsed(text: str) -> Mapping[str, object]:
    """The content of a stack file. A check reads some forty values of the same few files."""
    return as_mapping(yaml.safe_load(text)) or {}


def preset_of(stack: str) -> Preset:
    """The preset that the stack file selects; the program itself refuses an unknown one."""
    name = declared(stack, "application")
    return find_preset(name) if isinstance(name, str) and name in preset_names() else default_preset()


@dataclass(frozen=True)
class Declared:
    """The names of the variables that a preset gives its containers, plain ones and those from secrets."""

    preset: str
    always: frozenset[str]
    """Variables that every application has."""
    shared: frozenset[str]
    """Further variables of an application with a database, a cache and a bucket."""
    prepared: frozenset[str]
    """Variables of ``prepare``, if it prepares a database."""
    agreed: frozenset[str]
    """Variables that both receive from the same output of the database."""
    words: frozenset[str]
    """Further arguments of an application with shared data."""


def declared_variables(preset: Preset) -> Declared:
    """The variables of a preset. Which ones there are does not depend on the values of the deployment."""
    without, shared = _container(preset, shared=False), _container(preset, shared=True)
    always, both = _variables(without), _variables(shared)
    values = shared.value_environment
    return Declared(
        preset.name,
        always,
        both - always,
        frozenset((*shared.prepare_environment, *shared.prepare_value_environment, *shared.prepare_secret_environment)),
        frozenset(name for name, value in shared.prepare_value_environment.items() if values.get(name) == value),
        frozenset(shared.command) - frozenset(without.command),
    )


def _container(preset: Preset, *, shared: bool) -> ApplicationArgs:
    deployment = Deployment(
        origin="https://any.example", model_base_urls=["http://127.0.0.1:1/any/v1"], session_seconds=1,
        upload_mebibytes=1, model_deadline_seconds=1, region="eu-west-1", shared_data=shared,
        database_connections=preset.least_database_connections,
    )  # fmt: skip
    return preset.application(deployment)


def _variables(made: ApplicationArgs) -> frozenset[str]:
    return frozenset((*made.environment, *made.value_environment, *made.secret_environment))
