"""The longest chain of resources that wait for each other: computed on both graphs, no command line needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.deploy import STACKS, Step, longest_chain, typical_times, unexplained
from preflight.wire import Wire
from tests.engine.harness import REPOSITORY

TIMES = {"t:Slow": 100, "t:Quick": 1}


def _resource(name: str, type_: str, *dependencies: str, parent: str = "") -> Wire:
    custom = type_ != "t:Component"
    urns = [f"urn::::::{other}" for other in dependencies]
    return {"urn": f"urn::::::{name}", "type": type_, "custom": custom, "parent": parent, "dependencies": urns}


def test_the_slowest_chain_wins_over_the_longest() -> None:
    resources = [
        _resource("a", "t:Quick"),
        _resource("b", "t:Quick", "a"),
        _resource("c", "t:Quick", "b"),
        _resource("slow", "t:Slow"),
    ]
    assert [step.name for step in longest_chain(resources, TIMES)] == ["slow"]


def test_a_child_waits_for_what_its_component_depends_on() -> None:
    resources = [
        _resource("slow", "t:Slow"),
        _resource("component", "t:Component", "slow"),
        _resource("child", "t:Quick", parent="urn::::::component"),
    ]
    assert [step.name for step in longest_chain(resources, TIMES)] == ["slow", "child"]


def test_a_type_without_a_time_counts_as_one_call() -> None:
    assert longest_chain([_resource("other", "t:Other")], TIMES) == [Step("other", "t:Other", 3)]


def test_slow_resources_in_a_row_need_a_reason() -> None:
    chain = [Step("a", "t:Slow", 100), Step("b", "t:Quick", 1), Step("c", "t:Slow", 100)]
    assert unexplained(chain) == ["a before c"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_chain_of_each_environment_is_explained(stack: str) -> None:
    command = [sys.executable, "-m", "preflight", "graph", stack, "--format", "json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S603
    chain = longest_chain(json.loads(done.stdout)["resources"], typical_times())
    assert "aws:ecs/service:Service" in {step.type for step in chain}
    assert unexplained(chain) == []
