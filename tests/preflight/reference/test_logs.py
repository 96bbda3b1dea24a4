"""The table of logs has a row for each log of every stack, and says what its graph says."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import pytest

from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.reference.logs import BY_IAM, GROUP, KINDS, MASKING, NO_ONE, Log, logs, section
from tests.preflight.conform.graphs import STACKS, VARIANTS, environment, program

CASES = (*STACKS, *VARIANTS)


def _logs(case: str) -> list[Log]:
    return list(logs(program(case), case if case in STACKS else "staging"))


def _without(recording: Recording, type_: str) -> Recording:
    return dataclasses.replace(recording, resources=[one for one in recording.resources if one.type != type_])


@pytest.mark.parametrize("case", CASES)
def test_every_log_of_every_stack_has_a_row(case: str) -> None:
    found = _logs(case)
    assert found
    for one in found:
        assert one.kind.contains
        assert one.days, f"{one.name} is kept for ever"


def test_every_row_is_of_a_log_that_a_stack_has() -> None:
    names = {one.kind.name for case in CASES for one in _logs(case)}
    assert {kind.name for kind in KINDS} <= names


@pytest.mark.parametrize("stack", STACKS)
def test_logs_of_what_users_write_are_masked_and_those_of_the_network_are_not(stack: str) -> None:
    masked = {one.kind.name for one in logs(environment(stack), stack) if one.masked}
    groups = {one.kind.name for one in logs(environment(stack), stack) if one.readers == BY_IAM}
    assert groups - masked == {
        "*/dns",
        "*/flow",
        "/ai-interface/<environment>/findings",
        "/aws/ecs/containerinsights/ai-interface-<environment>/performance",
    }


@pytest.mark.parametrize("stack", STACKS)
def test_no_one_reads_the_two_logs_with_texts_of_users_unless_they_are_named(stack: str) -> None:
    buckets = {one.name: one.readers for one in logs(environment(stack), stack) if one.name.startswith("s3")}
    assert set(buckets.values()) == {NO_ONE}
    assert {"s3: edge-logs/access", "s3: state-uploads-access"} <= set(buckets)


def test_a_stack_without_masking_shows_it() -> None:
    rows = section({"staging": _without(environment("staging"), MASKING)}).splitlines()[2:]
    assert {row.split(" | ")[4] for row in rows} == {"no"}


def test_a_log_without_a_row_is_one_message() -> None:
    recording = copy.deepcopy(environment("staging"))
    group = recording.of_type(GROUP)[0]
    group.outputs["name"] = "/another/group"
    with pytest.raises(PreflightError, match="the log /another/group is in no row of KINDS"):
        section({"staging": recording})


def _another(change: Callable[[Log], Log]) -> Log:
    return change(Log("/ai-interface/<environment>/interface", 30, masked=True, readers=BY_IAM))


def test_another_environments_name_is_not_replaced() -> None:
    name = "/ai-interface/staging/interface"
    assert _another(lambda one: dataclasses.replace(one, name=name)).name == name
    (found,) = [one for one in logs(environment("staging"), "prod") if one.name == name]
    with pytest.raises(PreflightError):
        _ = found.kind
