"""``AIInterface`` creates what the project's own program creates from the same settings, for every key of the settings.

The edits of ``tests/preflight/changes`` have one for every key (a test there fails without one). They are packed into as few stacks
as the settings' checks allow. Each is recorded twice, by ``__main__.py`` and by the component, and the graphs are compared whole:
every resource with its inputs, options and dependencies. A key that the component has no argument for is a difference.
"""

from __future__ import annotations

import json
import runpy
from functools import cache
from typing import Any

import pytest

import assembly
from components.host.provider import PackageProvider
from components.package import COMPONENTS, NAME, VERSION
from preflight.fakes.fakes import FakeAnswer
from preflight.recording.recorder import RecordedResource, Recording, RecordingMonitor, record
from preflight.sdk.wire import Json, Wire, unwrap
from releases.acceptance import accepted
from settings import SettingsError, StackSettings
from settings.stack import PREFIX
from tests.components.interface.translated import translated
from tests.preflight.changes.edits import EDITS
from tests.preflight.changes.leaves import NOTHING_AT_AWS
from tests.settings.stack_files import OPEN_WEBUI, ROOT, Values, changed, parse, stack_file

OWN = "zq"
"""The component's logical name, a text that occurs nowhere else."""
STACKS = 12
"""The number of ``packed()`` stacks."""
DECLARED: dict[str, str] = {}
"""Differences that are meant, as ``differences`` prints them, and why. The stack's transformations are applied to both: they give
the deploy role its permissions and the roles their boundary, which is a program's own decision."""


class AsTheProgram(RecordingMonitor):
    """AWS's values as for the program's resource: the fakes make them from names."""

    def answer(self, request: Json, urn: str, inputs: Wire) -> FakeAnswer:
        """The answer to the same resource of the program."""
        same = type(request)()
        same.CopyFrom(request)
        same.name, same.parent = request.name.removeprefix(f"{OWN}-"), _as_the_program(request.parent)
        return super().answer(same, _as_the_program(urn), inputs)


def _as_the_program(urn: str) -> str:
    return urn.replace("ai-interface:index:AIInterface$", "").replace(f"::{OWN}-", "::")


def both(values: Values, stack: str = "staging", *, without: str = "") -> tuple[Recording, Recording]:
    """The graph of the project's program, and that of the component, which does not get the argument ``without``."""
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    program = record(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack=stack, config=config)
    return program, record(lambda: interface(without), stack=stack, config=config, monitored=AsTheProgram)


def interface(without: str) -> None:
    """A program with the component only."""
    settings = StackSettings.load()
    release, prompts = accepted(settings)
    assembly.bound_roles(settings)
    assembly.serve_the_deployment(settings)
    values = translated(settings, release, prompts)
    given = {name: one for name, one in values.items() if one is not None and name != without}
    PackageProvider(COMPONENTS, NAME, VERSION).construct(OWN, "ai-interface:index:AIInterface", given)


def case(stack: str) -> Values:
    """A committed stack with the default application."""
    return {**stack_file(stack), **OPEN_WEBUI}


def parsed(values: Values) -> StackSettings:
    """The settings of a stack file's values, checked as the program checks them before it creates anything."""
    own_keys = {key.removeprefix(PREFIX): one for key, one in values.items() if key.startswith(PREFIX)}
    settings = parse(own_keys, region=values["aws:region"], accounts=values["aws:allowedAccountIds"])
    accepted(settings)
    return settings


@cache
def packed() -> tuple[tuple[str, Values], ...]:
    """Stacks that contain every edit: the titles of its edits, and the stack file's values."""
    bins: list[tuple[list[str], set[str], Values]] = []
    for edit in EDITS:
        if edit.key in NOTHING_AT_AWS:
            continue
        wanted = {**edit.running, **edit.changes}
        paths = {path.split("[")[0] for path in wanted}
        for titles, taken, values in bins:
            if any(_overlap(one, other) for one in paths for other in taken):
                continue
            trial = _with(values, wanted)
            if trial is not None:
                titles.append(edit.title)
                taken.update(paths)
                values.clear()
                values.update(trial)
                break
        else:
            alone = _with(case("staging"), wanted)
            assert alone is not None, edit.title
            bins.append(([edit.title], paths, alone))
    return tuple((", ".join(titles), values) for titles, _, values in bins)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _with(values: Values, wanted: Values) -> Values | None:
    try:
        trial = changed(values, wanted)
        parsed(trial)
    except (SettingsError, KeyError, IndexError, TypeError):
        return None
    return trial


def own(r: RecordedResource) -> bool:
    """Whether it is one of AWS or TLS, not a component or a provider."""
    return r.custom and not r.type.startswith("pulumi:")


def resources(recording: Recording) -> dict[str, dict[str, str]]:
    """Type and name → inputs, options and dependencies as text, without the component's name."""

    def shown(value: Any) -> str:  # noqa: ANN401 - any value of the wire
        return json.dumps(unwrap(value), sort_keys=True).replace(f"{OWN}-", "")

    return {
        f"{r.type}::{r.name.removeprefix(f'{OWN}-')}": {
            **{key: shown(value) for key, value in r.inputs.items()},
            "(options)": shown(
                [
                    r.protect,
                    sorted(r.ignore_changes),
                    sorted(r.replace_on_changes),
                    r.delete_before_replace,
                    r.retain_on_delete,
                ]
            ),
            "(dependencies)": shown(sorted(_as_the_program(urn) for urn in r.dependencies)),
        }
        for r in recording.resources
        if own(r)
    }


def differences(program: Recording, component: Recording) -> list[str]:
    """What one of the two graphs has and the other has not, sorted."""
    one, other = resources(program), resources(component)
    found = [f"only the program has {name}" for name in set(one) - set(other)]
    found += [f"only the component has {name}" for name in set(other) - set(one)]
    found += [
        f"{name}.{key}: {one[name].get(key)} in the program, {other[name].get(key)} in the component"
        for name in set(one) & set(other)
        for key in {*one[name], *other[name]}
        if one[name].get(key) != other[name].get(key)
    ]
    return sorted(text for text in found if text not in DECLARED)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_it_creates_what_the_program_creates_from_a_committed_stack(stack: str) -> None:
    program, component = both(case(stack), stack)

    assert len(resources(program)) > 200
    assert differences(program, component) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STACKS))
def test_it_creates_what_the_program_creates_with_every_setting_at_another_value(number: int) -> None:
    titles, values = packed()[number]

    assert differences(*both(values)) == [], titles


def test_every_edit_is_in_a_stack() -> None:
    assert len(packed()) == STACKS
    titles = {title for together, _ in packed() for title in together.split(", ")}

    assert {edit.title for edit in EDITS if edit.key not in NOTHING_AT_AWS} == titles


@pytest.mark.parametrize("argument", ["timeouts", "machineClients", "tools"])
def test_an_argument_that_is_not_passed_is_a_difference(argument: str) -> None:
    """The comparison can fail: these were the arguments that the component lacked."""
    _, values = packed()[0]

    assert differences(*both(values, without=argument)) != []
