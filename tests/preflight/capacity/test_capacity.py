"""The capacity sheet, compared with numbers that are read from the recorded graph in another way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.__main__ import main
from preflight.capacity.facts import read
from preflight.capacity.limits import IDLE_PROXY_BYTES, STREAM_BYTES, Effect, Limit, Load, first, limits, stages
from preflight.capacity.sheet import connections, data, document, markdown, text
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from tests.database.deployed import STACKS, deployed
from tests.preflight.conform.editing import edited, with_text, with_value
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, environment, program
from tests.preflight.conform.planted import ACL
from tests.settings.stack_files import ROOT, own_values

TASK, TARGET, SERVICE = (
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:appautoscaling/target:Target",
    "aws:ecs/service:Service",
)
POLICY = "aws:appautoscaling/policy:Policy"


def _named(recording: Recording) -> dict[tuple[Load, str], Limit]:
    return {(one.load, one.name): one for one in limits(read(recording))}


def _text_of_the_task(recording: Recording) -> str:
    (task,) = [one for one in recording.of_type(TASK) if one.name == "service-task"]
    return str(task.inputs["containerDefinitions"])


def _policy(recording: Recording, name: str) -> float:
    (policy,) = [one for one in recording.of_type(POLICY) if one.name == name]
    return float(policy.inputs["targetTrackingScalingPolicyConfiguration"]["targetValue"])


@pytest.mark.parametrize("stack", STACKS)
def test_the_stages_follow_from_the_stack_file(stack: str) -> None:
    capacity, network = own_values(stack)["capacity"], own_values(stack)["network"]
    zones = len(network["availabilityZones"])
    fewest, most = capacity["minimumTasks"], capacity["maximumTasks"]

    assert [step.tasks for step in stages(read(deployed(stack).recording))] == [
        {"interface": tasks} for tasks in (fewest, fewest - -(-fewest // zones), most, most - -(-most // zones))
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_answers_are_limited_by_the_proxy_s_memory_before_its_breaker(stack: str) -> None:
    recording = deployed(stack).recording
    found = _named(recording)
    (proxy,) = [one for one in json.loads(_text_of_the_task(recording)) if one["name"] == "proxy"]
    made = yaml.safe_load(proxy["command"][proxy["command"].index("--config-yaml") + 1])
    breakers = {
        one["name"]: one["circuit_breakers"]["thresholds"][0]["max_requests"]
        for one in made["static_resources"]["clusters"]
    }
    monitor = made["overload_manager"]["resource_monitors"][0]["typed_config"]
    group = found[Load.CHATS, "calls of the model group general"]

    assert group.amount == breakers["group-general"]
    assert found[Load.CHATS, "requests to the application"].amount == breakers["application"]
    assert found[Load.CHATS, "connections from the load balancer"].amount == int(
        monitor["max_active_downstream_connections"]
    )
    memory = found[Load.CHATS, "memory of the proxy"]
    heap = int(made["overload_manager"]["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"])

    # Envoy refuses from 65 percent of its memory on.
    assert memory.amount == (heap * 65 // 100 - IDLE_PROXY_BYTES) // STREAM_BYTES < group.amount
    for step in stages(read(recording)):
        assert first(list(found.values()), Load.CHATS, step) == memory
        assert group.total(step.tasks["interface"]) == breakers["group-general"] * step.tasks["interface"]


@pytest.mark.parametrize("stack", STACKS)
def test_scaling_starts_where_the_policies_say(stack: str) -> None:
    recording = deployed(stack).recording
    found = _named(recording)
    requests = _policy(recording, "service-scaling-requests")

    assert found[Load.CHATS, "scaling on streams"].amount == _policy(recording, "service-scaling-streams")
    assert found[Load.REQUESTS, "scaling on requests"].amount == requests / 60
    # 240 static files, 120 pages, 20 model calls and 4 uploads of a first visit (the preset's arrival).
    assert found[Load.VISITS, "scaling on requests"].amount == requests / 384
    assert found[Load.CHATS, "scaling on streams"].effect is Effect.SCALES


@pytest.mark.parametrize("stack", STACKS)
def test_visits_from_one_address_follow_from_the_web_acl(stack: str) -> None:
    recording = deployed(stack).recording
    (acl,) = recording.of_type(ACL)
    rules = {rule["name"]: rule["statement"] for rule in acl.inputs["rules"]}
    found = _named(recording)

    for name, each in (("static", 240), ("pages", 120), ("model-calls", 20), ("uploads", 4)):
        limit = rules[f"rate-{name}-address"]["rateBasedStatement"]["limit"]
        assert found[Load.VISITS, f"from one address: rate-{name}-address"].amount == limit / each / 5


@pytest.mark.parametrize("stack", STACKS)
def test_uploads_fill_the_free_part_of_the_disk(stack: str) -> None:
    recording = deployed(stack).recording
    (task,) = [one for one in recording.of_type(TASK) if one.name == "service-task"]
    (largest,) = {
        int(number) for number in re.findall(r'RAG_FILE_MAX_SIZE", ?"value": ?"(\d+)', _text_of_the_task(recording))
    }
    free = task.inputs["ephemeralStorage"]["sizeInGib"] * 1024 * 0.3

    assert _named(recording)[Load.UPLOADS, "free disk"].amount == free // (2 * largest)


@pytest.mark.parametrize("stack", STACKS)
def test_connections_to_the_database_fit_during_a_deployment(stack: str) -> None:
    facts = read(deployed(stack).recording)
    capacity = own_values(stack)["capacity"]
    (database, _) = connections(facts)

    def number(cell: str) -> int:
        return int(cell.replace(",", ""))

    assert number(database[1]) == 30
    assert number(database[6]) == 30 * 2 * capacity["maximumTasks"] <= number(database[7])


def test_a_lower_breaker_breaks_first() -> None:
    lower = with_text(
        "max_active_downstream_connections: '4096'", "max_active_downstream_connections: '100'", "containerDefinitions"
    )
    found = limits(read(recording := edited(deployed("prod").recording, TASK, "service-task", lower)))

    one = first(found, Load.CHATS, stages(read(recording))[0])
    assert one is not None
    assert (one.name, one.total(3)) == ("connections from the load balancer", 300)


def test_a_smaller_disk_holds_fewer_uploads() -> None:
    smaller = with_value("ephemeralStorage", {"sizeInGib": 21})

    found = _named(edited(deployed("prod").recording, TASK, "service-task", smaller))
    assert found[Load.UPLOADS, "free disk"].amount == 21 * 1024 * 30 // 100 // 100


@pytest.mark.parametrize(
    ("case", "other", "container"), [(GATEWAY, "gateway", "gateway-proxy"), (EXTERNAL, "egress", "egress")]
)
def test_a_second_service_has_its_own_tasks(case: str, other: str, container: str) -> None:
    recording = program(case)
    facts = read(recording)
    one = _named(recording)[Load.CHATS, f"calls through {container}"]

    assert [step.tasks[other] for step in stages(facts)] == [2, 1, 4, 2]
    assert (one.service, one.amount) == (other, 1024)
    assert data(facts)["stages"][0]["tasks"] == {"interface": 2, other: 2}


def test_a_stack_without_the_service_is_one_message() -> None:
    recording = edited(deployed("prod").recording, SERVICE, "service-service", with_value("name", "another"))

    with pytest.raises(PreflightError, match="prod has no ECS service named interface"):
        read(recording)


@pytest.mark.parametrize("stack", STACKS)
def test_every_limit_is_in_every_format(stack: str) -> None:
    facts = read(deployed(stack).recording)
    as_data: list[dict[str, Any]] = data(facts)["limits"]

    assert [one["name"] for one in as_data] == [one.name for one in limits(facts)]
    for one in limits(facts):
        assert f"| {one.name} |" in markdown(facts)
        assert one.name in text(facts)


def test_the_document_has_every_environment() -> None:
    page = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")

    assert page == document(environment(stack) for stack in STACKS)


def test_the_command_prints_and_writes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "capacity.json"
    assert main(["-C", str(ROOT), "capacity", "prod"]) == 0
    assert capsys.readouterr().out == text(read(environment("prod")))
    assert main(["-C", str(ROOT), "capacity", "prod", "--format", "json", "--output", str(file)]) == 0
    assert json.loads(file.read_text(encoding="utf-8")) == data(read(environment("prod")))
