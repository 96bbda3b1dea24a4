"""The settings and the components behind them agree: on the bounds of a number, and on defaults that both have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import annotated_types
import pytest
from pydantic import BaseModel, ValidationError

from assembly.task import proxy_limits
from components.data.args import DataArgs, DataCacheArgs, DataDatabaseArgs, DataUploadsArgs
from components.edge.args import EdgeArgs, MachineClientsArgs, OidcArgs
from components.interface import (
    AIInterfaceArgs,
    InterfaceEdgeArgs,
    InterfaceGatewayArgs,
    InterfaceMachineClientsArgs,
    InterfaceObjectivesArgs,
    InterfacePathsArgs,
    InterfacePromptRecordsArgs,
    InterfaceRetentionArgs,
    InterfaceSizeArgs,
    InterfaceTimeoutsArgs,
)
from components.models.recording import PromptRecordingArgs
from components.monitoring.data import DataAlarmsArgs
from components.monitoring.models import ModelAlarmsArgs
from components.proxy.settings import ProxyLimits
from components.service.component import InterfaceServiceArgs
from components.service.tools import ToolsArgs
from components.waf.args import FirewallLimitsArgs
from settings.data import Cache, Data, Database, Uploads
from settings.edge import Edge, Paths
from settings.identity import Identity, MachineClients
from settings.limits import Limits, RateLimits, Timeouts
from settings.models import Gateway, Models, PromptRecords
from settings.objectives import Objectives
from settings.retention import Retention
from settings.sections import Capacity
from settings.tools import Tools

PAIRS: list[tuple[type[BaseModel], type[BaseModel], dict[str, str]]] = [
    (Database, DataDatabaseArgs, {}),
    (Database, DataAlarmsArgs, {}),
    (Cache, DataCacheArgs, {}),
    (Uploads, DataUploadsArgs, {}),
    (Data, DataArgs, {}),
    (Capacity, InterfaceServiceArgs, {}),
    (Capacity, DataAlarmsArgs, {}),
    (RateLimits, FirewallLimitsArgs, {}),
    (Limits, FirewallLimitsArgs, {}),
    (Timeouts, InterfaceServiceArgs, {}),
    (Timeouts, EdgeArgs, {"edge_idle_seconds": "idle_timeout_seconds"}),
    (Retention, EdgeArgs, {"edge_access_log_days": "access_log_retention_days"}),
    (Edge, EdgeArgs, {}),
    (Identity, OidcArgs, {}),
    (MachineClients, MachineClientsArgs, {}),
    (Models, ModelAlarmsArgs, {}),
    (PromptRecords, PromptRecordingArgs, {"days": "record_prompts_for_days"}),
    (Capacity, InterfaceSizeArgs, {}),
    (Edge, InterfaceEdgeArgs, {}),
    (Gateway, InterfaceGatewayArgs, {}),
    (MachineClients, InterfaceMachineClientsArgs, {}),
    (Models, AIInterfaceArgs, {}),
    (Objectives, InterfaceObjectivesArgs, {}),
    (Paths, InterfacePathsArgs, {}),
    (PromptRecords, InterfacePromptRecordsArgs, {}),
    (Retention, InterfaceRetentionArgs, {"edge_access_log_days": "access_log_days"}),
    (Timeouts, InterfaceTimeoutsArgs, {}),
    (Tools, ToolsArgs, {}),
]
"""Settings, the arguments that they become, and the fields whose names differ. Fields of one name belong together.

``TokenClaim.values`` is missing: ``MachineClients`` counts them, with the same constant and with a fix of its own."""
Bounds = dict[str, float]
KINDS = (
    (annotated_types.Ge, "ge", 1),
    (annotated_types.Le, "le", -1),
    (annotated_types.MinLen, "min_length", 1),
    (annotated_types.MaxLen, "max_length", -1),
)


def bounds(metadata: list[Any]) -> Bounds:
    """The limits that a field has, by kind."""
    return {name: float(getattr(item, name)) for item in metadata for kind, name, _ in KINDS if isinstance(item, kind)}


def all_bounds(model: type[BaseModel], field: str) -> Bounds:
    return bounds(model.model_fields[field].metadata)


def pairs() -> Iterator[tuple[type[BaseModel], str, type[BaseModel], str]]:
    for settings, arguments, renamed in PAIRS:
        for name in settings.model_fields:
            other = renamed.get(name, name)
            if other in arguments.model_fields and all_bounds(arguments, other):
                yield settings, name, arguments, other


DIFFERENT_DEFAULTS = {
    "InterfaceServiceArgs.minimum_tasks": "a component used alone runs one task; an environment runs one in each of two zones",
    "InterfaceServiceArgs.maximum_tasks": "a component used alone keeps its size; an environment scales out",
}
"""Arguments whose default differs from the setting's, and why."""


def defaults() -> Iterator[tuple[str, object, str, object]]:
    """Every number, text or switch that has a default on both sides. ``None`` leaves the choice to the other side."""
    for settings, arguments, renamed in PAIRS:
        for name, field in settings.model_fields.items():
            other = renamed.get(name, name)
            if other not in arguments.model_fields:
                continue
            one, two = field.default, arguments.model_fields[other].default
            if isinstance(one, int | float | str) and isinstance(two, int | float | str):
                yield f"{settings.__name__}.{name}", one, f"{arguments.__name__}.{other}", two


def narrower(settings: Bounds, arguments: Bounds) -> list[str]:
    """Limits of the arguments that the settings exceed, or do not have."""
    return [
        f"{name}: {settings.get(name)} in the settings, {arguments[name]} in the component"
        for _, name, sign in KINDS
        if name in arguments
        # No argument can have fewer than no entries, whatever the settings say.
        and not (name == "min_length" and arguments[name] == 0)
        and (name not in settings or sign * settings[name] < sign * arguments[name])
    ]


def test_enough_pairs_are_compared() -> None:
    compared = {f"{settings.__name__}.{name}" for settings, name, _, _ in pairs()}
    assert {
        *("Database.maximum_capacity_units", "Cache.replicas", "Uploads.access_log_days", "Data.backup_days"),
        *("Timeouts.stop_seconds", "Timeouts.edge_idle_seconds", "Retention.edge_access_log_days"),
        *("RateLimits.pages_per_five_minutes", "Identity.session_timeout_seconds", "PromptRecords.days"),
        *("Capacity.ephemeral_gibibytes", "Edge.client_cidr_blocks", "MachineClients.claims"),
    } <= compared


@pytest.mark.parametrize(
    ("settings", "name", "arguments", "other"), list(pairs()), ids=lambda value: str(getattr(value, "__name__", value))
)
def test_the_settings_accept_nothing_that_a_component_refuses(
    settings: type[BaseModel], name: str, arguments: type[BaseModel], other: str
) -> None:
    assert narrower(all_bounds(settings, name), all_bounds(arguments, other)) == []


def test_enough_defaults_are_compared() -> None:
    compared = {setting for setting, *_ in defaults()}
    assert {"Timeouts.edge_idle_seconds", "Retention.edge_access_log_days", "Models.tokens_per_hour"} <= compared


@pytest.mark.parametrize(("setting", "one", "argument", "two"), list(defaults()))
def test_a_component_used_alone_has_the_defaults_of_the_settings(
    setting: str, one: object, argument: str, two: object
) -> None:
    if argument in DIFFERENT_DEFAULTS:
        assert one != two, f"{setting} and {argument} have the same default: remove the row of DIFFERENT_DEFAULTS"
    else:
        assert one == two, f"{setting} and {argument} have different defaults: change both"


def test_every_declared_difference_of_defaults_is_compared() -> None:
    assert DIFFERENT_DEFAULTS.keys() <= {argument for _, _, argument, _ in defaults()}


@pytest.mark.parametrize("units", [1, 1.5, 256])
def test_a_database_of_any_size_that_the_settings_accept_can_be_made(units: float) -> None:
    size = {"minimum_capacity_units": 0.5, "maximum_capacity_units": units}
    accepted = Database.model_validate(size)
    assert DataDatabaseArgs.model_validate(accepted.model_dump(include=set(size))).maximum_capacity_units == units


@pytest.mark.parametrize("model", [Database, DataDatabaseArgs])
def test_both_refuse_a_maximum_that_aurora_refuses(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="maximum_capacity_units"):
        model.model_validate({"minimum_capacity_units": 0.5, "maximum_capacity_units": 0.5})


def test_a_proxy_used_alone_has_the_limits_of_an_environment_with_default_settings() -> None:
    session_timeout_seconds = Identity.model_fields["session_timeout_seconds"].default

    assert proxy_limits(Limits(), session_timeout_seconds) == ProxyLimits()
