"""What the gateway writes: a line of numbers for each call, and nothing that a user or a model wrote."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from typing import Any

from components.gateway.task_definition import CONTAINERS, TRANSLATOR
from local.aws.chat import Behaviour
from local.task.services import TASK_DEFINITION
from tests.gateway.program import CONVERSE, MESSAGES
from tests.gateway.test_translation import tool
from tests.gateway.world import StreamError, World

CANARY = "marmalade-astronaut"
ARRIVES_SECONDS = 10
QUIET_SECONDS = 1.5
"""LiteLLM writes after the answer, and the log driver collects lines for half a second."""


def lines(world: World) -> list[dict[str, Any]]:
    """The metrics in the log."""
    return [json.loads(one) for one in world.logs(TRANSLATOR) if one.startswith('{"_aws"')]


def settled(world: World) -> int:
    """How many there are once the calls so far have theirs."""
    count = -1
    while count != (count := len(lines(world))):
        time.sleep(QUIET_SECONDS)
    return count


def after(world: World, count: int, more: int, *, having: str = "Calls") -> list[dict[str, Any]]:
    """The lines after the first ``count`` in which a metric is not zero, once there are so many more."""
    deadline = time.monotonic() + ARRIVES_SECONDS
    while len(found := [line for line in lines(world)[count:] if line.get(having)]) < more:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return found


def provoke(world: World) -> None:
    """Everything that could put a prompt into a log: answers, errors of each kind, cut streams, wrong bodies."""
    for model in (CONVERSE, MESSAGES):
        assert CANARY in world.ask(f"{CANARY} one", model).text
        assert CANARY in "".join(
            choice["delta"].get("content") or ""
            for _, one in world.stream(f"{CANARY} two", model)
            for choice in one["choices"]
        )
        world.ask(f"{CANARY} weather", model, tools=[tool()], user=CANARY, metadata={"a": CANARY})
        for status in (400, 429, 500, 503):
            world.bedrock.behave(model, Behaviour(status=status))
            assert world.ask(f"{CANARY} three", model).status >= 400
        world.bedrock.behave(model, Behaviour(breaks_after=2))
        with contextlib.suppress(OSError, ValueError, StreamError):
            list(world.stream(f"{CANARY} four five six", model))
        world.bedrock.behave(model, Behaviour(hangs_after=0, requests=2))
        world.ask(f"{CANARY} silent", model)
        world.bedrock.behave(model, None)
        assert world.ask([{"type": "text", "text": CANARY}, {"type": CANARY}], model).status
        image = {"type": "image_url", "image_url": {"url": f"data:image/{CANARY};base64,{CANARY}"}}
        assert world.ask([image], model).status
        assert world.ask(CANARY, model, temperature=CANARY).status
        assert (
            world.ask(CANARY, model, guardrailConfig={"guardrailIdentifier": CANARY, "guardrailVersion": "1"}).status
            >= 400
        )
        assert world.ask(CANARY, model, tools=[{"type": CANARY}]).status
        assert world.post({"model": model, "messages": CANARY}).status >= 400
    assert world.ask("hello", CANARY).status >= 400
    assert world.post(f'{{"model": "{CANARY}", '.encode()).status >= 400
    assert world.post({"model": CONVERSE, CANARY: CANARY, "messages": [{"role": CANARY, "content": CANARY}]}).status


def test_no_log_has_a_prompt_an_answer_or_a_name_that_a_caller_wrote(gateway: World) -> None:
    before = settled(gateway)
    provoke(gateway)
    assert settled(gateway) > before + 20
    encoded = base64.b64encode(CANARY.encode()).decode()[:20]
    texts = {name: "\n".join(gateway.logs(name)) for name in CONTAINERS}
    texts["interface"] = gateway.interface_log.read_text(encoding="utf-8")
    assert all(texts.values())
    for name, text in texts.items():
        found = [line for line in text.splitlines() if CANARY in line or encoded in line]
        assert found == [], (name, found[:3])


def test_no_secret_is_in_a_log_or_in_the_definition(gateway: World) -> None:
    key = gateway.secret("gateway-key-secret-version")
    private = gateway.secret("gateway-private-key-secret-version")
    texts = [*(line for name in CONTAINERS for line in gateway.logs(name))]
    texts.append(str(gateway.stack.one(TASK_DEFINITION)["containerDefinitions"]))
    assert key.startswith("sk-")
    for text in texts:
        assert key not in text
        assert private.splitlines()[1] not in text


def test_usage_is_a_metric_of_the_model(gateway: World) -> None:
    before = settled(gateway)
    gateway.ask("why is the sky blue")
    list(gateway.stream("tell me"))
    whole, stream = after(gateway, before, 2)
    assert (whole["model"], whole["environment"]) == (CONVERSE, "test")
    assert (whole["Calls"], whole["Failures"], whole["InputTokens"], whole["OutputTokens"]) == (1, 0, 5, 7)
    assert (stream["Calls"], stream["InputTokens"], stream["OutputTokens"]) == (1, 2, 4)


def test_errors_are_metrics_by_who_caused_them(gateway: World) -> None:
    for status, name in ((429, "Throttles"), (500, "Failures"), (400, "Refusals")):
        before = settled(gateway)
        gateway.bedrock.behave(CONVERSE, Behaviour(status=status, requests=2))
        gateway.ask("hello")
        # On a busy machine the line of an earlier call, which was answered, can come later than the silence that ``settled`` waits for.
        found = after(gateway, before, 1, having=name)
        assert found
        assert found[0][name] == 1, (status, found)
        assert found[0]["Failures"] == int(name == "Failures")
        gateway.bedrock.behave(CONVERSE, None)


def test_a_line_has_the_embedded_metric_format(gateway: World) -> None:
    gateway.ask("hello")
    for line in lines(gateway):
        assert problems(line) == [], line


def problems(line: dict[str, Any]) -> list[str]:
    """What CloudWatch would not extract, by the format's specification."""
    found: list[str] = []
    if not isinstance(line["_aws"]["Timestamp"], int):
        found.append("Timestamp is not a number of milliseconds")
    for one in line["_aws"]["CloudWatchMetrics"]:
        names = [metric["Name"] for metric in one["Metrics"]]
        found += [f"{name} is not a number" for name in names if not isinstance(line.get(name), int | float)]
        sets = one["Dimensions"]
        found += [
            f"{name} is not text" for names in sets for name in names if not line.get(name) or len(line[name]) > 1024
        ]
        if not re.fullmatch(r"[A-Za-z0-9._/#:-]{1,255}", one["Namespace"]) or one["Namespace"].startswith("AWS/"):
            found.append(one["Namespace"])
    return found
