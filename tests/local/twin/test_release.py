"""A release while people use the interface, and the way back."""

from __future__ import annotations

import threading
from typing import Any

from local.task.services import task_definition
from local.twin import Twin
from local.visitor import Visitor
from releases.manifest import versions
from tests.local.around import stack_with, until

SECONDS = 180
RELEASE = "ai-interface:release"


def _release(twin: Twin) -> str:
    return str(task_definition(twin.stack)["tags"]["release"])


def test_a_release_is_deployed_and_rolled_back_with_a_stream_open(twin: Twin) -> None:
    person = Visitor(twin, twin.people.member.subject).log_in()
    chat = person.json("POST", "/api/v1/chats/new", {"chat": {"title": "kept"}})["id"]
    other = next(one for one in versions() if one != _release(twin))
    answers: list[str] = []

    def ask() -> None:
        answers.append(Visitor(twin, twin.people.member.subject).log_in().answer(" ".join(["word"] * 400)))

    asking = threading.Thread(target=ask)
    asking.start()
    assert until(30, lambda: any(one.outstanding for one in _views(twin)))
    before = {task.id for task in twin.service.tasks}
    twin.service.deploy(stack_with(twin.stack.name, other))
    assert twin.service.wait(SECONDS), twin.causes()
    assert not before & {task.id for task in twin.service.tasks if task.status == "RUNNING"}
    asking.join(SECONDS)
    assert [answer.split().count("word") for answer in answers] == [400]
    assert person.json("GET", f"/api/v1/chats/{chat}")["title"] == "kept"

    twin.service.deploy(twin.stack)
    assert twin.service.wait(SECONDS), twin.causes()
    assert person.json("GET", f"/api/v1/chats/{chat}")["title"] == "kept"
    assert person.answer("back again?")


def _views(twin: Twin) -> list[Any]:
    return [view for one in twin.service.primary.live if one.target for view in one.target.views.values()]
