"""The application that the settings select: an unknown one, or settings with which it does not work, are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

import assembly.task
from components.applications import Preset, catalogue, default_preset, preset_names
from settings import SettingsError
from tests.settings.stack_files import own_values, parse

NAMES_NONE = {key: value for key, value in own_values().items() if key != "application"}


def test_a_stack_that_names_none_runs_the_default() -> None:
    assert assembly.preset(parse(NAMES_NONE)) is default_preset()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("open-web-ui", "did you mean open-webui?"),
        ("grafana", "write one of these names, or add a preset (CONTRIBUTING.md)"),
    ],
)
def test_an_unknown_application_is_refused_with_those_that_exist(name: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        assembly.preset(parse({**own_values(), "application": name}))
    assert [(p.key, p.value, p.allowed, p.fix) for p in caught.value.problems] == [
        (
            "ai-interface:application",
            f'"{name}"',
            f"a preset in components/applications/presets/: {', '.join(preset_names())}",
            fix,
        )
    ]


def test_an_application_gets_the_connections_that_its_pools_need(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse(NAMES_NONE)
    needed = settings.capacity.database_connections + 1
    demanding = replace(default_preset(), least_database_connections=needed)

    def found(name: str) -> Preset:
        return replace(demanding, name=name)

    monkeypatch.setattr(assembly.task, "find_preset", found)

    with pytest.raises(SettingsError) as caught:
        assembly.preset(settings)

    (problem,) = caught.value.problems
    assert (problem.key, problem.fix) == ("ai-interface:capacity.databaseConnections", f"set it to {needed} or more")
    assert catalogue.DEFAULT in problem.allowed
