"""What containers wait for, an init process and a crash, with the interface's image in every container."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from local.task.container import HEALTHY, UNKNOWN
from local.task.definition import Definition
from local.task.task import FAILED_TO_START, Task
from tests.local.around import World, changed, declared, end, failed, until

Run = Callable[..., Task]
SLEEP = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(60)"
ORPHAN = "import os, time; os.fork() and os._exit(0); os.closerange(0, 3); time.sleep(60)"


def _python(world: World, code: str, **more: object) -> dict[str, Any]:
    """A container of the interface's image that runs this code."""
    nothing: dict[str, Any] = {"secrets": [], "environment": [], "healthCheck": None, "dependsOn": None}
    image = declared(world.stack, "interface")["image"]
    return {**nothing, "image": image, "entryPoint": ["python3"], "command": ["-c", code], **more}


def _task(world: World, **containers: dict[str, Any]) -> Definition:
    return changed(world.stack, containers)


@pytest.fixture
def run(prod: World) -> Generator[Run]:
    """Start a task of these containers."""
    started: list[Task] = []

    def start(**containers: dict[str, Any]) -> Task:
        made = Task(_task(prod, **containers), prod.nodes["task-1"], prod.around).start()
        started.append(made)
        return made

    yield start
    for task in started:
        end(task)


def _check(code: str) -> dict[str, Any]:
    return {"command": ["CMD", "python3", "-c", code], "interval": 5, "timeout": 5, "retries": 2, "startPeriod": 60}


def test_a_container_waits_until_another_is_healthy_and_a_third_has_ended(prod: World, run: Run) -> None:
    ready = "import pathlib, sys; sys.exit(not pathlib.Path('/tmp/ready').exists())"
    mounts = declared(prod.stack, "interface")["mountPoints"]
    after = [{"containerName": "proxy", "condition": "HEALTHY"}, {"containerName": "prepare", "condition": "COMPLETE"}]
    writer = "import pathlib, time; time.sleep(0.5); pathlib.Path('/tmp/ready').touch(); raise SystemExit(3)"
    task = run(
        prepare=_python(prod, writer),
        proxy=_python(prod, SLEEP, user="0:0", mountPoints=mounts, healthCheck=_check(ready)),
        interface=_python(prod, SLEEP, dependsOn=after),
        cleaner={"dependsOn": []},
    )
    assert until(60, lambda: "proxy" in task.containers), task.cause
    assert (task.containers["proxy"].health, "interface" in task.containers) == (UNKNOWN, False)

    assert task.wait(60), task.cause

    assert task.containers["prepare"].code == 3
    assert task.containers["proxy"].health == HEALTHY
    assert task.health == HEALTHY


def test_a_success_that_does_not_come_ends_the_task(prod: World, run: Run) -> None:
    task = run(
        prepare=_python(prod, "print('no'); raise SystemExit(3)"),
        proxy=_python(prod, SLEEP),
        interface=_python(prod, SLEEP, dependsOn=[{"containerName": "prepare", "condition": "SUCCESS"}]),
    )

    assert failed(task).endswith("the success of prepare: container prepare ended with exit code 3: no")
    assert task.stop_code == FAILED_TO_START


def test_a_health_check_fails_after_its_retries_and_the_task_says_why(prod: World, run: Run) -> None:
    check = {**_check("raise SystemExit('never')"), "startPeriod": 0, "retries": 2}
    task = run(
        prepare=_python(prod, ""),
        proxy=_python(prod, SLEEP),
        interface=_python(prod, SLEEP, healthCheck=check),
    )
    assert until(60, task.unhealthy), task.cause

    assert task.unhealthy() == "container interface: 2 health checks in a row failed: never"
    interface = task.containers["interface"]
    assert interface.failures == 2
    # Failures that count are as far apart as on Fargate, whatever the pause is between those that do not.
    assert time.monotonic() - interface.started_at >= 2 * check["interval"]


def test_an_init_process_hands_sigterm_on_and_collects_orphans(prod: World, run: Run) -> None:
    inits = {"linuxParameters": {"capabilities": {"add": [], "drop": ["ALL"]}, "initProcessEnabled": True}}
    deaf = "import time; print('up', flush=True); time.sleep(60)"
    task = run(
        prepare=_python(prod, ""),
        proxy=_python(prod, deaf, **inits),
        interface=_python(prod, deaf, stopTimeout=2),
    )
    assert task.wait(60), task.cause
    proxy = task.containers["proxy"]
    assert until(60, lambda: proxy.last and task.containers["interface"].last), task.cause
    code, said = proxy.execute(["python3", "-c", "print(open('/proc/1/cmdline').read().split(chr(0))[-5])"], 20)
    assert (code, "launch.main()" in said) == (0, True), said
    assert proxy.execute(["python3", "-c", ORPHAN], 20)[0] == 0

    task.stop("enough")
    assert task.join(30)

    # Without init the program is process number 1, which ignores SIGTERM unless it handles it.
    assert (proxy.code, task.containers["interface"].code) == (128 + 15, 128 + 9)
