"""The lighter parts of Pulumi's SDK, and one run for both modes, record what the SDK's own parts and a run for each mode record."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import output

from preflight.errors import ProgramError
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from preflight.sdk import lighter
from preflight.sdk.wire import UNKNOWN
from tests.preflight.sample import PROGRAM, sample_project

ROOT = Path(__file__).resolve().parents[3]
EITHER_WAY = """
import hashlib, json, sys
from pathlib import Path
from pulumi.runtime import rpc
from preflight.pulumi import program
from preflight.pulumi.project import Project
from preflight.pulumi.program import Run
from preflight.sdk import lighter

lightly = sys.argv[1] == "lighter"
if not lightly:
    lighter.install = lambda: None
project = Project.load(Path("."))
program.load(project)
runs = [Run(project.stack(name), preview) for name in project.stacks() for preview in (False, True)]
forked = []
fork = program._fork
program._fork = lambda project, runs: forked.append(len(runs)) or fork(project, runs)
if lightly:
    recordings = program.collect(program.start(project, runs))
else:
    recordings = {key: one for run in runs for key, one in program.collect(program.start(project, [run])).items()}
print(json.dumps([
    rpc.transfer_properties is lighter.transfer_properties,
    forked,
    {str(key): [len(one.resources), hashlib.sha256(repr(one).encode()).hexdigest()] for key, one in recordings.items()},
]))
"""
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just(UNKNOWN) | st.builds(output.Unknown)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)
MODES = PROGRAM + (
    "if pulumi.runtime.is_dry_run():\n    aws.sqs.Queue('asked')\n"
    "queue.arn.apply(lambda arn: aws.sqs.Queue('known', name=arn[-4:]))\n"
)


def recorded(way: str) -> tuple[bool, list[int], dict[str, list[object]]]:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", EITHER_WAY, way], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lightly, forked, found = json.loads(done.stdout)
    return lightly, forked, found


def test_every_environment_is_recorded_in_both_modes_as_by_the_sdk_s_own_parts_and_alone() -> None:
    lightly, forked, found = recorded("lighter")
    own, alone, expected = recorded("own")
    assert (lightly, own) == (True, False)
    assert forked == [2, 2], "one process for the two modes of a stack"
    assert alone == [1, 1, 1, 1]
    assert len(found) == 4
    assert found == expected


@given(VALUES)
def test_unknown_values_are_found_as_the_sdk_finds_them(value: object) -> None:
    original = _sdk_s_own(value)
    assert lighter.contains_unknowns(value) == original


def _sdk_s_own(value: object) -> bool:
    """The rule of ``pulumi.runtime.rpc.contains_unknowns``, which is replaced in a process that has loaded a program."""
    if isinstance(value, output.Unknown):
        return True
    inside: Iterable[object] = ()
    if isinstance(value, dict | list):
        inside = cast("dict[str, object]", value).values() if isinstance(value, dict) else cast("list[object]", value)
    return any(map(_sdk_s_own, inside))


def names(recording: Recording) -> set[str]:
    return {one.name for one in recording.resources if one.type.endswith("Queue")}


def test_a_program_that_asks_for_the_mode_gets_the_one_it_is_recorded_in(tmp_path: Path) -> None:
    project = Project.load(sample_project(tmp_path / "shop", MODES))
    stack = project.stack("blue")
    both = program.collect(program.start(project, [Run(stack, preview=False), Run(stack, preview=True)]))
    assert names(both["blue", False]) == {"jobs", "known"}
    assert names(both["blue", True]) == {"jobs", "asked"}
    assert [both["blue", mode].preview for mode in (False, True)] == [False, True]
    for mode in (False, True):
        alone = program.collect(program.start(project, [Run(stack, mode)]))
        assert alone["blue", mode] == both["blue", mode]


@pytest.mark.parametrize("when", ["", "queue.arn.apply(lambda _: undefined)\n"])
def test_an_error_in_both_modes_or_in_one_ends_both_processes_and_is_said_once(tmp_path: Path, when: str) -> None:
    project = Project.load(sample_project(tmp_path / "shop", PROGRAM + (when or "undefined\n")))
    stack = project.stack("blue")
    children = program.start(project, [Run(stack, preview=False), Run(stack, preview=True)])
    with pytest.raises(ProgramError) as error:
        program.collect(children)
    assert str(error.value).count("NameError: name 'undefined' is not defined") == 1
    (process_id,) = {child.process_id for child in children}
    with pytest.raises(ProcessLookupError):
        os.killpg(process_id, 0)


def test_runs_that_are_stopped_leave_no_process(tmp_path: Path) -> None:
    endless = PROGRAM + "import time\nqueue.urn.apply(lambda _: time.sleep(600))\n"
    project = Project.load(sample_project(tmp_path / "shop", endless))
    stack = project.stack("blue")
    children = program.start(project, [Run(stack, preview=False), Run(stack, preview=True)])
    (process_id,) = {child.process_id for child in children}
    assert reached(process_id, 2), "the process has not forked for the other mode"
    program.stop(children)
    assert reached(process_id, 0), "a process of the group is left"


def reached(group: int, number: int) -> bool:
    """Whether the group has that many running processes within a minute."""
    for _ in range(600):
        if len(members(group)) == number:
            return True
        time.sleep(0.1)
    return False


def members(group: int) -> list[str]:
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, leader = path.read_text().rpartition(")")[2].split()[:3]
            found += [path.parent.name] if int(leader) == group and state != "Z" else []
    return found


def test_a_registration_that_fails_fails_an_output_read_before_it_and_one_read_after_it() -> None:
    async def outcomes() -> list[object]:
        resource = object.__new__(pulumi.Resource)
        resolvers = lighter.transfer_properties(resource, ["before", "after", "urn"], custom=True)
        assert sorted(resolvers) == ["after", "before"]
        before, after = (cast("pulumi.Output[object]", resource.__dict__[name]) for name in ("before", "after"))
        waiting = asyncio.ensure_future(before.future())
        await asyncio.sleep(0)
        for resolve in resolvers.values():
            resolve(None, False, False, None, ValueError("refused"))
        found: list[object] = []
        for awaited in (waiting, after.future()):
            try:
                found.append(await awaited)
            except ValueError as error:
                found.append(error)
        return found

    assert list(map(repr, asyncio.run(outcomes()))) == ["ValueError('refused')"] * 2
