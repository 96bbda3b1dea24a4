"""The synthetic chat's task, as its schedule starts it: real Envoy, the roles and endpoints of the graph, and a model that answers,
fails or is silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.synthetic.settings import ANSWER_TOKENS, METRICS_NAMESPACE, NAME, PROMPT, PROXY
from local.aws.chat import Behaviour
from local.aws.embedded_metrics import extract
from local.aws.endpoints import Bedrock
from local.messages import messages
from local.stack import Resource
from local.task.definition import Definition
from local.task.services import TASK_DEFINITION
from local.task.task import STOPPED, Task
from tests.local.around import World, end, until
from tests.local.failures import NOW, Failure, simulated

SCHEDULE = "aws:scheduler/schedule:Schedule"
RUN_SECONDS = 60
"""How long one run may take here."""


def scheduled(world: World) -> Resource:
    """The task definition that the schedule starts."""
    wanted = world.stack.one(SCHEDULE)["target"]["ecsParameters"]["taskDefinitionArn"]
    (found,) = [one for one in world.stack.all(TASK_DEFINITION) if one["arn"] == wanted]
    return found


def log_of(world: World, container: str) -> list[str]:
    """What CloudWatch has of a container."""
    definition = Definition.of(scheduled(world)).container(container)
    assert definition
    return world.endpoints.logs.of(definition.declared["logConfiguration"]["options"]["awslogs-group"])


def run(world: World, changed: Resource | None = None) -> tuple[int | None, dict[str, Any]]:
    """One run: the exit code and the line that it logs. ``changed``: another task definition than the scheduled one."""
    before = log_of(world, NAME)
    task = Task(Definition.of(changed or scheduled(world)), world.nodes["task-1"], world.around).start()
    try:
        assert until(RUN_SECONDS, lambda: task.status == STOPPED), task.status
    finally:
        end(task)
    lines = [one for one in log_of(world, NAME) if one not in before]
    assert len(lines) == 1, (lines, task.stopped_reason, log_of(world, PROXY)[-3:])
    return task.containers[NAME].code, json.loads(lines[0])


@pytest.fixture
def bedrock(prod: World) -> Iterator[Bedrock]:
    """The only region's, whose models answer again after each test."""
    found = prod.endpoints.bedrock[prod.stack.region]
    yield found
    found.behaviours.of.clear()
    found.behaviours.default = Behaviour()
    prod.refusals.entries.clear()


def test_it_gets_an_answer_by_the_real_way_and_says_when_the_first_token_came(prod: World, bedrock: Bedrock) -> None:
    bedrock.behaviours.default = Behaviour(first_word_seconds=0.5)
    code, line = run(prod)

    (chat,) = line["chats"]
    assert (code, line["Runs"], line["Failures"]) == (0, 1, 0)
    assert (chat["outcome"], chat["status"], chat["group"]) == ("answered", 200, "general")
    assert 500 <= chat["first_token_ms"] <= chat["total_ms"] < 10_000
    assert line["FirstToken"] == [chat["first_token_ms"]]
    assert prod.refusals.of("bedrock") == []


def test_its_log_has_neither_the_question_nor_the_answer(prod: World, bedrock: Bedrock) -> None:
    run(prod)

    written = "\n".join([*log_of(prod, NAME), *log_of(prod, PROXY)])
    assert PROMPT not in written
    assert "You said" not in written
    call = next(json.loads(one) for one in log_of(prod, PROXY) if one.startswith("{"))
    assert (call["side"], call["route"], call["status"], call["user"]) == ("models", "general", 200, None)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Behaviour(status=503), "refused"),
        (Behaviour(status=429), "refused"),
        (Behaviour(breaks_after=1), "cut"),
    ],
    ids=("an outage", "a throttle", "an answer that breaks off"),
)
def test_a_model_that_fails_is_a_failed_run(prod: World, bedrock: Bedrock, behaviour: Behaviour, outcome: str) -> None:
    bedrock.behaviours.default = behaviour

    code, line = run(prod)

    assert (code, line["Failures"], line["FirstToken"]) == (1, 1, [])
    assert [one["outcome"] for one in line["chats"]] == [outcome]


def test_a_dead_model_pages_once_after_three_runs_without_any_user(prod: World, bedrock: Bedrock) -> None:
    bedrock.behaviours.default = Behaviour(status=503)
    _, line = run(prod)
    quiet = Failure(
        name="no users",
        raises="",
        case="prod",
        metrics={"RequestCount": None, "Requests": None, "ModelCalls": None, "ModelFirstByte": None},
        minutes=30,
    )
    metrics = simulated(prod.stack, quiet)
    metrics.data = [one for one in metrics.data if one.namespace != METRICS_NAMESPACE or one.at <= NOW]
    for number in range(1, 5):
        at = NOW + number * 300
        extract(json.dumps({**line, "_aws": {**line["_aws"], "Timestamp": at * 1000}}), metrics)

    sent = messages(prod.stack, metrics, NOW, NOW + 1500)

    assert [(one.alarm, one.topic) for one in sent] == [("chats-failing", "operations-alarms")]
    assert sent[0].at >= 900


def test_its_task_asks_no_more_than_its_role_may(prod: World, bedrock: Bedrock) -> None:
    """The second model of the group is refused: the task's role names only the one that is asked."""
    task = scheduled(prod)
    definitions = json.loads(task["containerDefinitions"])
    probe = next(one for one in definitions if one["name"] == NAME)
    plan = json.loads(probe["environment"][0]["value"])
    assert (plan["tokens"], plan["groups"]) == (ANSWER_TOKENS, [["general", "openai.gpt-oss-120b-1:0"]])
    plan["groups"] = [["general", "openai.gpt-oss-20b-1:0"]]
    probe["environment"][0]["value"] = json.dumps(plan)
    other = prod.stack.changed(task, containerDefinitions=json.dumps(definitions))
    _, line = run(prod, next(one for one in other.all(TASK_DEFINITION) if one.name == task.name))

    (chat,) = line["chats"]
    assert (chat["outcome"], chat["status"]) == ("refused", 403)
