"""A running container: its process, its log stream and its health."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from local.processes import waited
from local.task import launch
from local.task.definition import Container, HealthCheck
from local.task.image import BUNDLE, Image, compiled
from local.task.surroundings import Surroundings
from local.wiring import Node, program

UNKNOWN, HEALTHY, UNHEALTHY = "UNKNOWN", "HEALTHY", "UNHEALTHY"
TEMPORARY = "/tmp"  # noqa: S108 - every image has it
LAST_LINES = 12
"""The number of log lines in the explanation of a container's end."""
NO_CHECK = HealthCheck(("true",))
PROBE_GRACE_SECONDS = 1.0
"""Extra seconds for the start of the check's program, which do not count towards the timeout on Fargate."""


@dataclass
class Running:
    """One started container of a task. The task's thread creates and closes it."""

    container: Container
    process: subprocess.Popen[bytes]
    spec: Mapping[str, Any]
    folder: Path
    """The task's folder."""
    code: int | None = None
    """The exit code; 128 plus the signal's number if a signal ended the container."""
    health: str = UNKNOWN
    last: deque[str] = field(default_factory=lambda: deque[str](maxlen=LAST_LINES))
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float = 0
    """When its end was seen; 0 before that."""
    failures: int = 0
    """The number of consecutive failed health checks that count."""
    probes: list[str] = field(default_factory=list[str])
    """The reasons for the last failed checks."""

    def poll(self) -> int | None:
        """Return the exit code once the container has ended."""
        if self.code is None:
            code = self.process.poll()
            self.code = code if code is None or code >= 0 else 128 - code
            if code is not None:
                self.ended_at = time.monotonic()
        return self.code

    @property
    def ran(self) -> float:
        """Seconds from its start to its end."""
        return self.ended_at - self.started_at

    @property
    def leader(self) -> int | None:
        """The host's process id of the container's process 1."""
        with contextlib.suppress(OSError, ValueError):
            return int(Path(self.spec["started"]).read_text())
        return None

    @property
    def age(self) -> float:
        """Seconds since its start, without those for which it waited for a processor.

        A task on Fargate has its own processors. Here every task has the same few, so a start takes longer the more of
        them start at once, and a start period that is enough there would be over too early.
        """
        leader = self.leader
        return time.monotonic() - self.started_at - (waited(leader) if leader else 0)

    def terminate(self) -> None:
        """Send SIGTERM, as ECS does to stop a container."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL: a crash, or the end of the stop timeout."""
        leader = self.leader
        with contextlib.suppress(ProcessLookupError):
            if leader:
                os.kill(leader, signal.SIGKILL)
            else:
                self.process.kill()

    def execute(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run a command in the container as its user. Returns exit code and output."""
        leader = self.leader
        if leader is None:
            return 1, f"container {self.container.name} has not started yet"
        file = self.folder / f"exec-{uuid.uuid4().hex}"
        _write(file, {**self.spec, "process": leader, "command": list(command)})
        done = subprocess.run(  # noqa: S603 - this package's program and the graph's command
            [*launch.COMMAND, "exec", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            timeout=seconds,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace").strip()

    def probe(self) -> bool:
        """Run the health check once. Returns whether it succeeded."""
        check = self.container.health or NO_CHECK
        try:
            code, said = self.execute(check.command, check.timeout + PROBE_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.probes.append(f"no answer within {check.timeout:g} s")
            return False
        if code:
            self.probes.append(said.splitlines()[-1] if said else f"exit code {code}")
        return code == 0

    def count(self, *, succeeded: bool) -> None:
        """Apply the result of a health check: failures before the first success do not count during the start
        period."""
        check = self.container.health or NO_CHECK
        if succeeded:
            self.failures, self.health = 0, HEALTHY
            return
        if self.health == UNKNOWN and self.age < check.start_period:
            return
        self.failures += 1
        if self.failures >= check.retries:
            self.health = UNHEALTHY

    def explained(self) -> str:
        """Return how the container ended, with its last log lines."""
        said = f": {' | '.join(self.last)}" if self.last else " without output"
        return f"container {self.container.name} ended with exit code {self.code}{said}"


def watch(running: Running, stopping: threading.Event, quick: float | None, changed: Callable[[], None]) -> None:
    """Check a container's health until it ends: the body of a thread. ``quick``: see ``Surroundings.probe_seconds``."""
    check = running.container.health or NO_CHECK

    def pause() -> float:
        # A failure that counts comes no sooner after the one before than on Fargate.
        starts = running.health == UNKNOWN and running.age < check.start_period
        return quick if quick and starts else check.interval

    while not stopping.wait(pause()) and running.poll() is None:
        before = running.health
        if running.leader is not None:
            running.count(succeeded=running.probe())
        if running.health != before:
            changed()


@contextlib.contextmanager
def started(  # noqa: PLR0917 - one container of one task
    container: Container,
    image: Image,
    environment: Mapping[str, str],
    node: Node,
    around: Surroundings,
    folder: Path,
    write: Callable[[str], None],
) -> Generator[Running]:
    """Run a container until the block ends. ``folder`` belongs to its task: volumes, root file system and
    specification."""
    compiled(image)
    spec = specification(container, image, environment, node, around, folder)
    file = folder / f"{container.name}.json"
    _write(file, spec)
    # A container that is started again is not the process that it was.
    Path(spec["started"]).unlink(missing_ok=True)
    command = [*launch.COMMAND, "run", str(file)]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    with logged(container, node, around, command, environment, write) as (process, last):
        yield Running(container, process, spec, folder, last=last)


@contextlib.contextmanager
def logged(  # noqa: PLR0917 - one container of one task
    container: Container,
    node: Node,
    around: Surroundings,
    command: Sequence[str],
    environment: Mapping[str, str],
    write: Callable[[str], None],
    directory: Path | None = None,
) -> Generator[tuple[subprocess.Popen[bytes], deque[str]]]:
    """A container's program until the block ends, and the last lines of what it writes; ``write`` takes all of them."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    reading, writing = os.pipe()
    thread: threading.Thread | None = None
    stop = container.stop_seconds
    try:
        started_here = program(
            around.wiring, node.host, command,
            environment=environment, output=writing, directory=directory, stop_seconds=stop,
            orphaned="KILL",  # a program that has process id 1 and is still starting ignores SIGTERM
        )  # fmt: skip
        with started_here as process:
            os.close(writing)
            writing = -1
            thread = threading.Thread(target=_pump, args=(os.fdopen(reading, "rb"), write, last), daemon=True)
            thread.start()
            yield process, last
    finally:
        if writing >= 0:
            os.close(writing)
        if thread is None:
            os.close(reading)
        else:
            thread.join(5)


def _pump(reading: IO[bytes], write: Callable[[str], None], last: deque[str]) -> None:
    with reading:
        for line in reading:
            text = line.decode(errors="replace").rstrip("\r\n")
            last.append(text)
            write(text)


def _write(file: Path, spec: Mapping[str, Any]) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(spec), encoding="utf-8")


def specification(  # noqa: PLR0917 - one container of one task
    container: Container,
    image: Image,
    environment: Mapping[str, str],
    node: Node,
    around: Surroundings,
    folder: Path,
) -> dict[str, Any]:
    """Return the specification from which ``launch.py`` starts the container."""
    user, group, home = _user(container.user or image.user, image)
    root = folder / f"root-{container.name}"
    root.mkdir(exist_ok=True)
    name = f"ip-{node.address.replace('.', '-')}.{around.stack.region}.compute.internal"
    entry_point = container.entry_point or image.entry_point
    # A declared entry point leaves the image's command out, as Docker does.
    command = container.command or (() if container.entry_point else image.command)
    trust = folder / "authorities.pem"
    trust.write_text(around.trust, encoding="utf-8")
    return {
        "root": str(root),
        "started": str(folder / f"started-{container.name}"),
        "folders": ["/etc", "/home", "/root", "/run", "/srv", TEMPORARY, "/usr", "/var", *_directory(container, image)],
        "binds": [list(one) for one in image.binds],
        "files": {**_etc(image, node, name, around), "/etc/ssl/certs/ca-certificates.crt": around.trust},
        "links": dict(image.links),
        "over": [[str(trust), one] for one in image.bundles if one != BUNDLE],
        "volumes": [
            {"source": str(folder / "volumes" / one.volume), "target": one.path, "read_only": one.read_only}
            for one in sorted(container.mounts, key=lambda one: one.path)
        ],
        "read_only": container.read_only,
        "host_name": name,
        "limits": {key: list(value) for key, value in container.limits.items()},
        "capabilities": list(container.capabilities),
        "user": user,
        "group": group,
        "init": container.init,
        "directory": container.directory or image.directory,
        "command": [*entry_point, *command],
        "environment": {**image.environment, "HOSTNAME": name, **({"HOME": home} if home else {}), **environment},
    }


def _directory(container: Container, image: Image) -> list[str]:
    """Docker makes a working directory that the image does not have, where the root can be written."""
    return [image.directory] if container.read_only else [container.directory or image.directory]


def _user(text: str, image: Image) -> tuple[int, int, str]:
    """User, group and, where the image's environment does not say it, home of ``user[:group]``."""
    name, _, group = text.partition(":")
    known = image.accounts.get(name) or next((one for one in image.accounts.values() if str(one[0]) == name), None)
    home = "" if "HOME" in image.environment else known[2] if known else "/"
    user = known[0] if known else int(name)
    return user, int(group) if group else known[1] if known else 0, home


def _etc(image: Image, node: Node, name: str, around: Surroundings) -> dict[str, str]:
    accounts = sorted(image.accounts.items(), key=lambda one: one[1][0])
    short = name.partition(".")[0]
    hosts = {"127.0.0.1": "localhost", node.address: f"{name} {short}"}
    return {
        "/etc/passwd": "".join(f"{one}:x:{u}:{g}::{home}:/usr/sbin/nologin\n" for one, (u, g, home) in accounts),
        "/etc/group": "".join(f"{one}:x:{g}:\n" for one, (_, g, _) in accounts),
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": "".join(f"{address} {text}\n" for address, text in hosts.items())
        + "".join(f"{address} {one}\n" for one, address in sorted(around.hosts.items())),
        "/etc/resolv.conf": f"search {around.stack.region}.compute.internal\nnameserver {around.resolver}\n",
    }
