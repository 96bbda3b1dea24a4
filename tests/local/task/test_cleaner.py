"""The copies of uploads on a task's disk, on a task of prod: the cleaner as recorded, with shorter times."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from components.applications.open_webui_data import COPIES
from components.cleaner import PLAN_VARIABLE
from components.service.task_definition import CLEANER
from local.task.task import RUNNING, Task
from tests.local.around import World, declared, end, until, variables
from tests.local.people import Person

EVERY_SECONDS, KEEP_SECONDS = 0.2, 1.0
UPLOADS = 8
FORM = {"content-type": "multipart/form-data; boundary=b"}
HEAD = b'--b\r\ncontent-disposition: form-data; name="file"; filename="%d.txt"\r\ncontent-type: text/plain\r\n\r\n'


def _hurried(world: World, restart_after: int) -> dict[str, Any]:
    """The cleaner's properties with a plan that need not be waited for."""
    (plan,) = (json.loads(one["value"]) for one in variables(world.stack, CLEANER) if one["name"] == PLAN_VARIABLE)
    plan |= {"every": EVERY_SECONDS, "keep": KEEP_SECONDS, "spare": 0, "high": 100, "low": 100}
    return {
        "environment": [{"name": PLAN_VARIABLE, "value": json.dumps(plan)}],
        "restartPolicy": {**declared(world.stack, CLEANER)["restartPolicy"], "restartAttemptPeriod": restart_after},
    }


def _upload(person: Person, task: Task, number: int) -> str:
    body = HEAD % number + f"The text of file {number}.".encode() + b"\r\n--b--\r\n"
    status, made = person.ask(task.node, "POST", "/api/v1/files/?process=false", body, **FORM)
    assert status == 200, made
    return made["id"]


def _on_disk(task: Task) -> list[Path]:
    """The files that the application has in the declared folders, as this machine sees the volume."""
    data = task.containers["interface"].folder / "volumes" / "srv-data"
    return [one for path in COPIES for one in (data / Path(path).relative_to("/srv/data")).rglob("*") if one.is_file()]


@pytest.fixture
def ann(prod: World) -> Person:
    return Person(prod.stack, prod.wiring, prod.outside, "ann")


@pytest.fixture(scope="module")
def task(prod: World) -> Generator[Task]:
    with prod.task(cleaner=_hurried(prod, restart_after=1)) as started:
        assert started.wait(60), started.cause
        yield started


def test_without_it_every_upload_and_download_stays_on_the_disk(prod: World, ann: Person) -> None:
    with prod.task("task-2", cleaner={"command": ["-I", "-c", "import time; time.sleep(600)"]}) as task:
        assert task.wait(60), task.cause
        ann.sign_in(task.node)
        made = [_upload(ann, task, number) for number in range(UPLOADS)]
        assert len(_on_disk(task)) == UPLOADS
        for one in _on_disk(task):
            one.unlink()
        for one in made:
            assert ann.ask(task.node, "GET", f"/api/v1/files/{one}/content")[0] == 200
        assert len(_on_disk(task)) == UPLOADS


def test_with_it_none_stays_and_every_file_can_be_read(task: Task, ann: Person) -> None:
    ann.sign_in(task.node)
    made = [_upload(ann, task, number) for number in range(UPLOADS)]

    assert until(20, lambda: not _on_disk(task)), _on_disk(task)
    for number, one in enumerate(made):
        content = ann.ask(task.node, "GET", f"/api/v1/files/{one}/content")
        assert content == (200, f"The text of file {number}.")
    assert until(20, lambda: not _on_disk(task)), _on_disk(task)


def test_it_runs_as_the_application_and_sees_nothing_but_the_data_volume(prod: World, task: Task) -> None:
    wanted, application = declared(prod.stack, CLEANER), declared(prod.stack, "interface")
    assert wanted["user"] == application["user"]
    code = "import os; print(os.getuid(), [one for one in ('/home/app', '/srv/static', '/srv/trust') if os.path.exists(one)])"
    assert task.containers[CLEANER].execute(["python3", "-c", code], 20) == (
        0,
        f"{application['user'].split(':')[0]} []",
    )
    assert not wanted.get("secrets")


def test_its_log_says_how_much_it_removed(task: Task) -> None:
    lines = [json.loads(one) for one in task.containers[CLEANER].last]
    assert {line["event"] for line in lines} == {"removed"}
    assert sum(line["files"] for line in lines) >= UPLOADS


def test_the_task_outlives_its_end_and_it_starts_again(task: Task) -> None:
    before = task.containers[CLEANER]
    assert until(10, lambda: before.age > 1.5)
    before.kill()

    assert until(20, lambda: task.containers[CLEANER] is not before)
    assert until(20, lambda: task.containers[CLEANER].leader)
    assert task.status == RUNNING


def test_it_ends_at_once_when_the_task_stops(prod: World) -> None:
    with prod.task("task-2", interface={"command": ["-m", "http.server"], "healthCheck": None}) as task:
        assert until(60, lambda: task.status == RUNNING and task.containers[CLEANER].leader)
        assert until(20, lambda: task.containers[CLEANER].age > 1)
        running = task.containers[CLEANER]
        running.terminate()
        assert until(10, lambda: running.poll() is not None), "it would delay the end of the task until it is killed"
        assert running.code == 0
        end(task)
