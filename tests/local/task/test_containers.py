"""What a container of prod's task finds inside: user, rights, file system, process table, network and names."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest

from components.data.certificates import database_authority
from local.task.definition import definition
from local.task.launch import CAPABILITIES
from local.task.task import ESSENTIAL_EXITED, FAILED_TO_START, STOPPED, Task
from tests.local.around import World, declared, failed, until, variables

LOOK = """
import json, os, pathlib, socket, ssl
def status(key):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(key))
def writes(path):
    try:
        pathlib.Path(path, "probe").write_text("")
    except OSError as problem:
        return problem.strerror
    return ""
print(json.dumps({
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "capabilities": [int(status("CapEff"), 16), int(status("CapBnd"), 16)],
    "written": {path: writes(path) for path in PATHS},
    "first": pathlib.Path("/proc/1/cmdline").read_text().split("\\0"),
    "resolver": pathlib.Path("/etc/resolv.conf").read_text(),
    "directory": os.readlink("/proc/1/cwd"),
    "modes": {path: oct(os.stat(path).st_mode & 0o777) for path in PATHS},
    "root": os.listdir("/"),
    "name": socket.gethostname(),
    "authorities": len(ssl.create_default_context().get_ca_certs()),
}))
"""


@pytest.fixture(scope="module")
def task(prod: World) -> Generator[Task]:
    with prod.task() as started:
        assert started.wait(60), started.cause
        yield started


@pytest.fixture(scope="module")
def inside(task: Task) -> dict[str, Any]:
    paths = [*(one.path for one in task.definition.containers[2].mounts), "/", "/app/backend", "/usr/local/bin"]
    code, said = task.containers["interface"].execute(["python3", "-c", f"PATHS = {paths!r}\n{LOOK}"], 20)
    assert code == 0, said
    return json.loads(said)


def test_it_is_the_declared_user_without_any_right(prod: World, inside: dict[str, Any]) -> None:
    user, group = (int(one) for one in declared(prod.stack, "interface")["user"].split(":"))

    assert inside["user"] == [user, group, [group]]
    assert inside["capabilities"] == [0, 0]


def test_prepare_keeps_only_the_capability_that_hands_over_volumes(prod: World) -> None:
    wanted = definition(prod.stack).container("prepare")
    assert wanted
    assert wanted.capabilities == ("CHOWN",)
    code = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])"
    with prod.task("task-2", prepare={"command": ["-c", code]}) as task:
        assert until(60, lambda: task.containers and task.containers["prepare"].poll() is not None)
    shown = next(line for line in task.containers["prepare"].last if line.startswith("["))
    bit = 1 << CAPABILITIES.index("CHOWN")
    inheritable, permitted, effective, bounding, ambient = (int(one, 16) for one in json.loads(shown.replace("'", '"')))
    assert (inheritable, permitted, effective, bounding, ambient) == (0, bit, bit, bit, 0)


def test_it_writes_to_the_declared_volumes_and_nowhere_else(prod: World, inside: dict[str, Any]) -> None:
    read_only = {one["containerPath"]: one["readOnly"] for one in declared(prod.stack, "interface")["mountPoints"]}

    for path, problem in inside["written"].items():
        assert problem == ("" if read_only.get(path) is False else "Read-only file system"), path
    assert {inside["modes"][path] for path, ro in read_only.items() if not ro} == {"0o700"}


def test_its_process_table_directory_and_root_are_its_own(prod: World, inside: dict[str, Any]) -> None:
    assert inside["first"][:4] == ["python3", *declared(prod.stack, "interface")["command"][:3]]
    assert inside["directory"] == declared(prod.stack, "interface")["workingDirectory"]
    assert {"work", "boot", "mnt"}.isdisjoint(inside["root"])


def test_it_trusts_the_public_authority_and_asks_the_networks_resolver(prod: World, inside: dict[str, Any]) -> None:
    assert inside["authorities"] == 1
    assert f"nameserver {prod.around.resolver}" in inside["resolver"].splitlines()
    assert inside["name"] == f"ip-{prod.nodes['task-1'].address.replace('.', '-')}.{prod.stack.region}.compute.internal"


def test_the_proxys_image_has_no_shell_and_no_python(task: Task) -> None:
    assert task.containers["proxy"].execute(["sh", "-c", "true"], 10)[0] == 127
    assert task.containers["proxy"].execute(["python3", "-c", ""], 10)[0] == 127
    assert task.containers["proxy"].execute(["/usr/local/bin/envoy", "--version"], 10)[0] == 0


def test_containers_share_loopback_and_nothing_else_does(prod: World, task: Task) -> None:
    listens = "import socket; socket.create_connection(('127.0.0.1', 9080), 2)"

    assert task.containers["interface"].execute(["python3", "-c", listens], 10)[0] == 0
    with prod.wiring.open(prod.outside.host) as opened, pytest.raises(OSError, match="refused"):
        opened.connect((task.node.address, 9080))


def test_open_files_are_limited_as_declared(prod: World, task: Task) -> None:
    (limit,) = declared(prod.stack, "proxy")["ulimits"]
    ask = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])"
    own = int(task.containers["interface"].execute(["python3", "-c", ask], 10)[1])

    assert task.containers["proxy"].spec["limits"][limit["name"]] == [limit["softLimit"], limit["hardLimit"]]
    assert own <= 65535


def test_a_task_stops_whoever_depends_first_and_kills_after_the_stop_timeout(prod: World) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    changes = {"interface": {"command": ["-c", deaf], "stopTimeout": 1, "healthCheck": None}}
    with prod.task("task-2", **changes) as task:
        assert task.wait(60), task.cause
        assert until(60, lambda: task.containers["interface"].last)
        task.stop("enough")
        assert task.join(20)

    assert [task.containers[one].code for one in ("interface", "proxy")] == [128 + 9, 0]
    assert (task.status, task.stop_code, task.stopped_reason, task.cause) == (STOPPED, "UserInitiated", "enough", "")


def test_a_task_ends_with_an_essential_container(prod: World, task: Task) -> None:
    with prod.task("task-2") as other:
        assert other.wait(60), other.cause
        other.containers["proxy"].kill()
        failed(other)

    assert (other.stop_code, other.containers["proxy"].code) == (ESSENTIAL_EXITED, 128 + 9)
    assert "container proxy ended with exit code 137" in other.cause
    assert task.status != STOPPED


BREAKS: dict[str, tuple[Callable[[World], dict[str, dict[str, Any]]], str, str]] = {
    "a secret's version": (
        lambda w: {"proxy": {"secrets": _secrets(w, "proxy", "PROXY_CERTIFICATE", lambda arn: arn[:-1] + "0")}},
        FAILED_TO_START,
        "container proxy, secret PROXY_CERTIFICATE, valueFrom arn:aws:secretsmanager:",
    ),
    "a secret's name": (
        lambda w: {
            "prepare": {"secrets": _secrets(w, "prepare", "DATABASE_MASTER_PASSWORD", lambda a: a.replace("rds!", ""))}
        },
        FAILED_TO_START,
        "container prepare, secret DATABASE_MASTER_PASSWORD",
    ),
    "a missing variable of prepare": (
        lambda w: {"prepare": {"environment": variables(w.stack, "prepare", DATABASE_HOST=None)}},
        FAILED_TO_START,
        "these variables are empty: DATABASE_HOST",
    ),
    "a missing secret of the interface": (
        lambda w: {"interface": {"secrets": []}},
        ESSENTIAL_EXITED,
        "Required environment variable not found. Terminating now. (WEBUI_SECRET_KEY)",
    ),
    "a missing variable of the interface": (
        lambda w: {"interface": {"environment": variables(w.stack, "interface", DATABASE_HOST=None)}},
        ESSENTIAL_EXITED,
        "Pgvector requires setting PGVECTOR_DB_URL or using Postgres",
    ),
    "a volume's path": (
        lambda w: {"interface": {"mountPoints": _mounts(w, "interface", "/srv/data", "/srv/datum")}},
        ESSENTIAL_EXITED,
        "Read-only file system",
    ),
    "the place of the module that logs in": (
        lambda w: {"interface": {"environment": variables(w.stack, "interface", PYTHONPATH="/srv/trusted")}},
        ESSENTIAL_EXITED,
        "No module named iam_login",
    ),
    "the working directory": (
        lambda _: {"interface": {"workingDirectory": "/app/backed"}},
        ESSENTIAL_EXITED,
        "/app/backed",
    ),
    "the database's authority": (
        lambda w: {"prepare": {"environment": variables(w.stack, "prepare", PREPARE_PLAN=_other_authority(w))}},
        FAILED_TO_START,
        "the database's certificate is not from the expected authority",
    ),
    "a capability of prepare": (
        lambda w: {"prepare": {"linuxParameters": {"capabilities": {"add": [], "drop": ["ALL"]}}}},
        FAILED_TO_START,
        "container prepare ended with exit code 1",
    ),
    "an image's digest": (
        lambda w: {"interface": {"image": declared(w.stack, "interface")["image"][:-1] + "x"}},
        FAILED_TO_START,
        "CannotPullContainerError",
    ),
    "the log group": (
        lambda w: {"proxy": {"logConfiguration": _log(w, "proxy", "/ai-interface/prod/proxies")}},
        FAILED_TO_START,
        "container proxy: logs:CreateLogStream: ",
    ),
    "the user of the database": (
        lambda w: {"interface": {"environment": variables(w.stack, "interface", DATABASE_USER="interfaces")}},
        ESSENTIAL_EXITED,
        'password authentication failed for user "interfaces"',
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_one_wrong_value_ends_the_task_and_the_cause_names_it(prod: World, task: Task, name: str) -> None:
    change, code, cause = BREAKS[name]
    assert task.status != STOPPED

    with prod.task("task-2", **change(prod)) as broken:
        assert cause in failed(broken)

    assert (broken.status, broken.stop_code) == (STOPPED, code), broken.cause


def _secrets(world: World, container: str, name: str, change: Callable[[str], str]) -> list[dict[str, str]]:
    found = declared(world.stack, container)["secrets"]
    made = [{**one, "valueFrom": change(one["valueFrom"])} if one["name"] == name else one for one in found]
    assert made != found
    return made


def _mounts(world: World, container: str, path: str, other: str) -> list[dict[str, Any]]:
    found = declared(world.stack, container)["mountPoints"]
    assert path in [one["containerPath"] for one in found]
    return [{**one, "containerPath": other if one["containerPath"] == path else one["containerPath"]} for one in found]


def _log(world: World, container: str, group: str) -> dict[str, Any]:
    found = declared(world.stack, container)["logConfiguration"]
    return {**found, "options": {**found["options"], "awslogs-group": group}}


def _other_authority(world: World) -> str:
    """The plan with the authority of another region."""
    plan = next(one["value"] for one in variables(world.stack, "prepare") if one["name"] == "PREPARE_PLAN")
    own, other = (json.dumps(database_authority(region))[1:-1] for region in (world.stack.region, "us-east-1"))
    assert own in plan
    return plan.replace(own, other)
