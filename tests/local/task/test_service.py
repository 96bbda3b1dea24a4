"""The service of staging: placement, replacement, a release and a rollback, and what it emits."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import pytest

from local.signals import Metrics
from local.stack import Stack
from local.task.deployment import Deployment, InvalidServiceError
from local.task.service import DISK, NAMESPACE, Service
from local.task.services import SERVICE, task_definition
from local.task.task import RUNNING
from releases.manifest import versions
from tests.local.around import World, changed, declared, stack_of, stack_with, until, world
from tests.local.task.balancer import Group, Pool
from tests.tasks import TASK, interface_task

BEFORE, RELEASE = versions()[-2:]
SECONDS = 120


@dataclass
class Running:
    """The service and what is around it."""

    world: World
    service: Service
    group: Group
    metrics: Metrics
    alarms: set[str] = field(default_factory=set[str])


@pytest.fixture(scope="module")
def running() -> Generator[Running]:
    stack = stack_with("staging", BEFORE)
    with world(stack, tasks=5) as found:
        group, metrics, alarms = Group(stack, found.wiring, found.outside), Metrics(), set[str]()
        pool = Pool(stack, [node for name, node in found.nodes.items() if name.startswith("task-")])
        with Service(stack, found.around, pool, group, metrics, alarms.__contains__) as service:
            assert service.wait(SECONDS), service.causes
            yield Running(found, service, group, metrics, alarms)


def _said(service: Service) -> list[str]:
    return [one.text for one in service.events if one.kind == "service"]


def test_the_desired_tasks_run_in_different_zones_and_are_registered(running: Running) -> None:
    resource, service = running.world.stack.one(SERVICE), running.service

    assert [task.status for task in service.tasks] == [RUNNING] * resource["desiredCount"]
    assert len(running.group.healthy) == resource["desiredCount"]
    assert len({one.zone for one in running.group.targets}) == resource["desiredCount"]
    assert {one.port for one in running.group.targets} == {resource["loadBalancers"][0]["containerPort"]}
    assert _said(service)[-1] == f"(service {resource['name']}) has reached a steady state."


def test_the_alarms_on_missing_tasks_and_the_disk_read_what_is_emitted(running: Running) -> None:
    running.service.measure()

    alarms = running.world.stack.where("aws:cloudwatch/metricAlarm:MetricAlarm", namespace=NAMESPACE)
    read = {(str(one["metricName"]), frozenset(one["dimensions"].items())) for one in alarms}
    emitted = {(one.name, one.dimensions): one.value for one in running.metrics.data}
    assert read <= set(emitted)
    values = {name: emitted[name, dimensions] for name, dimensions in read}
    assert values["RunningTaskCount"] == running.world.stack.one(SERVICE)["desiredCount"]
    assert 0 < values[DISK] < 1


def test_a_killed_task_is_replaced_and_a_stopped_one_is_drained_first(running: Running) -> None:
    service, drained = running.service, len(running.group.drained)
    killed, stopped = service.tasks
    killed.containers["interface"].kill()

    assert until(SECONDS, lambda: killed not in service.tasks and len(running.group.healthy) == len(service.tasks) == 2)
    assert "container interface ended with exit code 137" in service.causes[-1]
    assert len(running.group.drained) == drained
    service.stop_task(stopped)
    assert until(
        SECONDS, lambda: stopped not in service.tasks and len(running.group.healthy) == len(service.tasks) == 2
    )
    assert len(running.group.drained) == drained + 1
    assert stopped.cause == ""


def test_a_release_replaces_every_task_and_keeps_the_least_healthy(running: Running) -> None:
    service, before = running.service, running.service.tasks
    running.group.watch()

    service.deploy(stack_with("staging", RELEASE))

    assert service.wait(SECONDS), service.causes
    assert not set(map(id, before)) & set(map(id, service.tasks))
    assert running.group.least >= service.primary.settings.least
    revision = running.world.database.server.ask(running.world.database.name, "SELECT version_num FROM alembic_version")
    plan = json.loads(
        next(
            one["value"]
            for one in declared(stack_with("staging", RELEASE), "prepare")["environment"]
            if one["name"] == "PREPARE_PLAN"
        )
    )
    assert revision == [(plan["database"]["schemas"][RELEASE][0],)]


def test_a_release_that_cannot_start_is_rolled_back_and_the_event_rule_matches(running: Running) -> None:
    service, before = running.service, running.service.tasks
    running.group.watch()
    broken = _broken(stack_with("staging", RELEASE))

    made = service.deploy(broken)

    assert until(SECONDS, lambda: made.rollout == "FAILED")
    assert service.wait(SECONDS)
    assert len(made.causes) >= made.threshold
    assert all("secret PROXY_CERTIFICATE" in one for one in made.causes)
    assert running.group.least >= service.primary.settings.least
    assert set(map(id, before)) == set(map(id, service.tasks))
    rules = running.world.stack.all("aws:cloudwatch/eventRule:EventRule")
    patterns = [json.loads(one["eventPattern"]) for one in rules]
    (pattern,) = [one for one in patterns if one["source"] == ["aws.ecs"]]
    assert [
        one for one in service.events
        if [one.kind] == pattern["detail-type"] and one.detail["eventName"] in pattern["detail"]["eventName"]
    ]  # fmt: skip


def test_an_alarm_of_the_service_rolls_a_release_back(running: Running) -> None:
    service = running.service
    before = service.primary.definition.arn
    alarm = running.world.stack.one(SERVICE)["alarms"]["alarmNames"][0]

    made = service.deploy(stack_with("staging", BEFORE))
    running.alarms.add(alarm)

    assert until(SECONDS, lambda: made.rollout == "FAILED")
    running.alarms.clear()
    assert alarm in made.reason
    assert service.wait(SECONDS), service.causes
    assert service.primary.rolls_back
    assert service.primary.definition.arn == before


def _broken(stack: Stack) -> Stack:
    """With another version of the proxy's certificate."""
    secrets = [
        {**one, "valueFrom": one["valueFrom"][:-1] + "0"} if one["name"] == "PROXY_CERTIFICATE" else one
        for one in declared(stack, "proxy")["secrets"]
    ]
    found = changed(stack, {"proxy": {"secrets": secrets}})
    return stack.changed(task_definition(stack), containerDefinitions=found.resource["containerDefinitions"])


def test_a_load_balancer_entry_with_another_port_is_refused() -> None:
    stack = stack_of("prod")
    service = stack.one(SERVICE)
    (entry,) = service["loadBalancers"]
    broken = stack.changed(service, loadBalancers=[{**entry, "containerPort": 8444}])

    with pytest.raises(InvalidServiceError, match="container proxy did not have a container port 8444 defined"):
        Deployment.of(broken)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"taskDefinition": "arn:other"}, "the stack has no task definition arn:other"),
        ({"cluster": "arn:other"}, "cluster arn:other is not in the stack"),
        ({"networkConfiguration": {"subnets": ["subnet-1"]}}, "the stack has no subnet-1"),
    ],
)
def test_a_service_that_ecs_would_not_create_is_refused(inputs: dict[str, object], message: str) -> None:
    stack = stack_of("prod")

    with pytest.raises(InvalidServiceError, match=message):
        Deployment.of(stack.changed(stack.one(SERVICE), **inputs))


def test_nor_is_one_that_names_another_than_the_only_task_definition() -> None:
    recording = stack_of("prod").recording
    own = interface_task(recording)
    only = [one for one in recording.resources if one.type != TASK or one.urn == own.urn]
    stack = Stack.of(replace(recording, resources=only))

    with pytest.raises(InvalidServiceError, match="taskDefinition arn:other is not"):
        Deployment.of(stack.changed(stack.one(SERVICE), taskDefinition="arn:other"))
