"""The longest chain of dependent resources, computed on both graphs; this test needs no Pulumi CLI."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.deploy import STACKS, Step, longest_chain, slack, typical_times, unexplained, waited_for
from preflight.changes.times import SERVICE
from preflight.sdk.wire import Wire
from tests.engine.harness import REPOSITORY

SIDE_BY_SIDE = {
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:rds/clusterInstance:ClusterInstance",
}
PAGES = ("first-deployment.md", "add-an-environment.md")
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


def test_what_is_waited_for_is_found_through_others_and_through_components() -> None:
    resources = [
        _resource("far", "t:Quick"),
        _resource("near", "t:Quick", "far"),
        _resource("component", "t:Component", "near"),
        _resource("child", "t:Quick", parent="urn::::::component"),
        _resource("beside", "t:Quick"),
    ]
    assert waited_for(resources, "urn::::::child") == {"urn::::::near", "urn::::::far"}


@cache
def _graph(stack: str) -> list[Wire]:
    command = [sys.executable, "-m", "preflight", "graph", stack, "--format", "json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)["resources"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_chain_of_each_environment_is_explained(stack: str) -> None:
    chain = longest_chain(_graph(stack), typical_times())
    assert "aws:ecs/service:Service" in {step.type for step in chain}
    assert unexplained(chain) == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_page_for_newcomers_has_the_length_of_the_chain(stack: str) -> None:
    minutes = sum(step.seconds for step in longest_chain(_graph(stack), typical_times())) / 60
    stated = re.findall(r"([\d.]+) min(?: each|utes: the\n| for `up`)", "".join(map(_page, PAGES)))
    assert len(stated) >= 2
    assert {float(number) for number in stated} == {round(minutes, 1)}


def _page(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("stack", STACKS)
def test_database_cache_and_load_balancer_are_made_side_by_side(stack: str) -> None:
    graph = _graph(stack)
    slow = {r["urn"] for r in graph if r["type"] in SIDE_BY_SIDE}
    assert {r["type"] for r in graph if r["urn"] in slow} == SIDE_BY_SIDE
    assert {urn: waited_for(graph, urn) & slow for urn in sorted(slow)} == {urn: set[str]() for urn in sorted(slow)}


@pytest.mark.parametrize("stack", STACKS)
def test_the_service_waits_for_all_that_its_tasks_use_and_the_cluster_for_none_of_it(stack: str) -> None:
    graph = _graph(stack)
    (service,) = (one["urn"] for one in graph if one["type"] == SERVICE and one["name"] == "service-service")
    (cluster,) = (one["urn"] for one in graph if one["type"] == "aws:ecs/cluster:Cluster")
    data = [one for one in graph if one["parent"].endswith("::state")]
    reporting = {one["urn"] for one in data if one["type"] == "aws:rds/eventSubscription:EventSubscription"}
    assert len(reporting) == 3
    waited = waited_for(graph, service)
    assert {one["urn"] for one in data} - waited == reporting
    for component in ("endpoints", "models", "workload", "uploads", "edge", "firewall"):
        children = {one["urn"] for one in graph if one["parent"].endswith(f"::{component}") and one["custom"]}
        assert children, component
        assert children <= waited, component
    assert waited_for(graph, cluster) & {one["urn"] for one in data} == set()


def test_what_follows_a_service_does_not_wait_for_its_first_task() -> None:
    times = {SERVICE: 200, "t:Slow": 100}
    resources = [_resource("service", SERVICE), _resource("alarm", "t:Slow", "service")]
    assert [(step.name, step.seconds) for step in longest_chain(resources, times)] == [("service", 200), ("alarm", 100)]
    resources[0]["inputs"] = {"waitForSteadyState": False}
    assert [(step.name, step.seconds) for step in longest_chain(resources, times)] == [("service", 200)]
    assert slack(resources, times) == {"urn::::::service": 0, "urn::::::alarm": 97}
    times["t:Slow"] = 300
    assert [(step.name, step.seconds) for step in longest_chain(resources, times)] == [("service", 3), ("alarm", 300)]
    assert slack(resources, times)["urn::::::alarm"] == 0
