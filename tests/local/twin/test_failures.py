"""What fails while prod runs, what users notice of it, and which alarm's metric it moves."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from local.alarms import moved
from local.aws.chat import Behaviour
from local.faults import kill, models_behave, other_client_secret, refusing, unplugged, zone_hosts
from local.signals import Metrics
from local.twin import Twin
from local.visitor import RequestRefusedError, Visitor
from tests.local.around import until

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


@pytest.fixture(scope="module")
def member(twin: Twin) -> Visitor:
    return Visitor(twin, twin.people.member.subject).log_in()


class Moved(dict[str, str]):
    """Alarms by the last word of their names, once the block has ended."""


@contextmanager
def alarms(twin: Twin) -> Generator[Moved]:
    """The alarms whose metric the block moves; gauges are measured at its end."""
    quiet = time.time()
    measure(twin)
    since = time.time()
    found = Moved()
    yield found
    measure(twin)
    data = Metrics(list(twin.metrics.since(quiet)))
    # An alarm's name is made of project, environment and what it is about.
    found.update({name.rpartition(" ")[2]: text for name, text in moved(twin.stack, data, since).items()})


def measure(twin: Twin) -> None:
    """Emit every gauge now."""
    for service in twin.services:
        service.measure()
    twin.database.measure()
    twin.cache.measure()


def test_a_killed_task_is_replaced_and_counted(twin: Twin, member: Visitor) -> None:
    tasks = {task.id for task in twin.service.tasks}
    with alarms(twin) as raised:
        kill(twin.service.tasks[0], "proxy")
        assert until(30, lambda: len(twin.service.tasks) < len(tasks) or {t.id for t in twin.service.tasks} != tasks)
        twin.service.measure()
        assert until(30, lambda: _answers(member))  # until the load balancer knows, it may still send a request there
    assert "tasks-missing" in raised
    assert until(60, twin.healthy)
    assert {task.id for task in twin.service.tasks} != tasks


def test_a_throttled_model_is_said_to_the_user_and_counted(twin: Twin, member: Visitor) -> None:
    with (
        alarms(twin) as raised,
        models_behave(twin, Behaviour(status=429)),
        pytest.raises(RequestRefusedError, match=r"429|[Tt]hrottl|503"),
    ):
        member.answer("anybody?")
    assert "model-throttled" in raised
    assert member.answer("and now?")


def test_a_dead_upstream_is_an_error_within_the_deadline_and_others_go_on(twin: Twin, member: Visitor) -> None:
    (endpoint,) = [one for one in twin.stack.all(ENDPOINT) if "bedrock-runtime" in one["serviceName"]]
    hosts = [node.name for node in twin.plan.of(endpoint.recorded.urn)]
    with refusing(twin, hosts):
        began = time.monotonic()
        with pytest.raises(RequestRefusedError):
            member.answer("anybody?")
        assert time.monotonic() - began < 60
        assert member.json("GET", "/api/v1/auths/")["email"] == twin.people.member.email
    assert until(60, lambda: _answers(member))


def _answers(member: Visitor) -> bool:
    try:
        return bool(member.answer("and now?"))
    except RequestRefusedError:
        return False


def test_the_database_fails_over_and_the_application_returns_by_itself(twin: Twin, member: Visitor) -> None:
    chat = member.json("POST", "/api/v1/chats/new", {"chat": {"title": "kept"}})["id"]
    # Long enough that the application connects again while the cluster's name has the previous writer's address.
    with alarms(twin):
        twin.database.failover(name_seconds=10)
    assert until(60, lambda: _title(member, chat) == "kept"), twin.causes()
    assert until(60, lambda: member.send("POST", "/api/v1/chats/new", {"chat": {"title": "new"}}).status == 200)
    assert until(60, twin.healthy)


def _title(member: Visitor, chat: str) -> str:
    answer = member.send("GET", f"/api/v1/chats/{chat}")
    return "" if answer.status != 200 else member.json("GET", f"/api/v1/chats/{chat}")["title"]


def test_a_lost_zone_costs_its_tasks_only(twin: Twin, member: Visitor) -> None:
    """The zone of a task that is neither the database's writer nor the cache's primary."""
    task = twin.service.tasks[-1]
    zone = twin.plan.node(task.node.host).zone
    hosts = [one for one in zone_hosts(twin, zone) if not one.startswith(("state-database", "state-cache"))]
    with alarms(twin) as raised, unplugged(twin, hosts):
        assert until(60, lambda: not twin.healthy())
        assert until(60, lambda: member.send("GET", "/api/v1/auths/").status == 200)
        assert until(130, lambda: _answers(member))  # the proxy's time for a silent model, twice
    assert "unhealthy-targets" in raised
    assert until(120, twin.healthy), twin.causes()


def test_an_expired_client_secret_stops_logins_and_not_sessions(twin: Twin, member: Visitor) -> None:
    with alarms(twin) as raised, other_client_secret(twin):
        with pytest.raises(RequestRefusedError, match=r"561|401|500"):
            Visitor(twin, twin.people.member.subject).log_in()
        assert member.json("GET", "/api/v1/auths/")["email"] == twin.people.member.email
    assert Visitor(twin, twin.people.member.subject).log_in().token
    assert "edge-errors" in raised


def test_a_rotated_master_secret_does_not_stop_the_next_task(twin: Twin) -> None:
    twin.rotate_master()
    tasks = {task.id for task in twin.service.tasks}
    twin.service.stop_task(twin.service.tasks[0])
    assert until(90, lambda: twin.healthy() and {task.id for task in twin.service.tasks} != tasks), twin.causes()
