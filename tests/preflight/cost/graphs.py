"""The recorded graphs whose cost is estimated, and the estimate of one."""

from __future__ import annotations

import copy
import runpy
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import yaml

from preflight.cost import prices
from preflight.cost.estimate import CostLine, Estimate, estimate
from preflight.recording.recorder import Recording, record
from settings.use import Use
from tests.preflight.conform.graphs import ELSEWHERE, STACKS, VARIANTS, account, program
from tests.settings.stack_files import ROOT

EXAMPLE = ROOT / "examples" / "private-network"


@cache
def example() -> Recording:
    """The example project, with the settings of its stack file."""
    return record(
        lambda: runpy.run_path(str(EXAMPLE / "__main__.py"), run_name="__main__"),
        project="private-network",
        stack="dev",
        config=yaml.safe_load((EXAMPLE / "Pulumi.dev.yaml").read_text())["config"],
    )


def graphs() -> Iterator[Recording]:
    """Both committed stacks with their accounts, the variants with further types of resources, and the example."""
    for stack in STACKS:
        yield program(stack)
        yield account(stack)
    yield from map(program, VARIANTS)
    yield program(ELSEWHERE[0])
    yield example()


@cache
def estimated(stack: str) -> Estimate:
    """A committed stack with the default use."""
    return estimate(program(stack), prices.load(), Use())


def line(of: Estimate, what: str) -> CostLine:
    """The line with this name."""
    (found,) = [one for one in of.lines if one.what == what]
    return found


def with_input(stack: str, type_: str, name: str, value: object) -> Recording:
    """The stack with one input of its resources of one type replaced."""
    graph = copy.copy(program(stack))
    graph.resources = [
        replace(one, inputs={**one.inputs, name: value}) if one.type == type_ else one for one in graph.resources
    ]
    return graph
