"""One task: its containers in order, in one network namespace, until it is stopped or an essential container ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from local.aws.sessions import RefusedError
from local.computed import with_real
from local.task import plain
from local.task.container import HEALTHY, UNHEALTHY, UNKNOWN, Running, started, watch
from local.task.definition import Container, Definition
from local.task.image import Image, ImageError
from local.task.replaced import with_authorities
from local.task.surroundings import CREDENTIALS_ADDRESS, EcsAgent, Surroundings
from local.wiring import NAMESPACES, Namespaces, Node

PROVISIONING, PENDING, RUNNING, STOPPING, STOPPED = "PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED"
"""The statuses of an ECS task, in order, without the intermediate ones that take no time here."""
TICK_SECONDS = 0.05
Asked = TypeVar("Asked")
Got = TypeVar("Got")
FAILED_TO_START, ESSENTIAL_EXITED = "TaskFailedToStart", "EssentialContainerExited"
"""ECS's stop codes; the caller of ``stop`` passes ``ServiceSchedulerInitiated`` or ``UserInitiated``."""


DEFAULT_DISK_GIBIBYTES = 20
"""Fargate's ephemeral storage of a task that declares none."""


def _size(file: Path) -> int:
    """The size of a file; 0 for one that was removed meanwhile."""
    with contextlib.suppress(OSError):
        return file.lstat().st_size
    return 0


@dataclass
class Task:
    """A task of a definition on a node. ``start`` returns immediately; a separate thread runs the task."""

    definition: Definition
    node: Node
    around: Surroundings
    group: str = ""
    """``service:<name>`` if a service started it."""
    changed: Callable[[Task], None] = lambda _: None
    """Called by the task's thread after each change of status or health."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: str = PROVISIONING
    stop_code: str = ""
    stopped_reason: str = ""
    """ECS's stop reason."""
    cause: str = ""
    """The cause of the failure: container, property and problem. Empty for a task that was stopped on request."""
    containers: dict[str, Running] = field(default_factory=dict[str, Running])
    started_at: float = 0
    """When its containers were running, in seconds since the epoch; 0 before that."""
    _wanted: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _environments: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    _images: dict[str, Image] = field(default_factory=dict[str, Image])
    _writers: dict[str, Callable[[str], None]] = field(default_factory=dict[str, Callable[[str], None]])

    def start(self) -> Task:
        """Start the task and return it."""
        self._thread = threading.Thread(target=self._run, name=f"task {self.id[:8]}", daemon=True)
        self._thread.start()
        return self

    def stop(self, reason: str, code: str = "UserInitiated") -> None:
        """Request the stop and return immediately."""
        if not self._wanted.is_set():
            self.stop_code, self.stopped_reason = self.stop_code or code, self.stopped_reason or reason
            self._wanted.set()

    def join(self, seconds: float) -> bool:
        """Wait until the task has stopped. Returns whether it has."""
        return self._ended.wait(seconds)

    def wait(self, seconds: float, *, healthy: bool = True) -> bool:
        """Wait until the task runs (and is healthy if a container has a check) or has stopped. Returns whether it
        runs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.status != STOPPED:
            if self.status == RUNNING and (not healthy or self.health != UNKNOWN):
                return True
            time.sleep(TICK_SECONDS)
        return False

    @property
    def arn(self) -> str:
        """The task's ARN, which contains the cluster's name."""
        prefix = self.definition.arn.partition(":task-definition/")[0]
        cluster = self.group.partition(":")[2] or "default"
        return f"{prefix}:task/{cluster}/{self.id}"

    @property
    def age(self) -> float:
        """Seconds for which its containers have run, by the one that waited longest for a processor; 0 before."""
        if not self.started_at:
            return 0
        lasting = [one for one in list(self.containers.values()) if one.container.restart_seconds is None]
        return max(0.0, min((one.age for one in lasting), default=0.0))

    @property
    def disk_percent(self) -> float:
        """The share of its ephemeral storage that the files of its volumes take."""
        storage: Mapping[str, float] = self.definition.resource.get("ephemeralStorage") or {}
        folders = {one.folder / "volumes" for one in list(self.containers.values())}
        taken = sum(_size(Path(place, name)) for one in folders for place, _, names in os.walk(one) for name in names)
        return 100 * taken / (storage.get("sizeInGib", DEFAULT_DISK_GIBIBYTES) * 1024**3)

    @property
    def health(self) -> str:
        """``HEALTHY`` once every essential container with a check is healthy; ``UNKNOWN`` before that, or if none has a
        check."""
        known = [
            self.containers[one.name].health if one.name in self.containers else UNKNOWN
            for one in self.definition.containers
            if one.health and one.essential
        ]
        if UNHEALTHY in known:
            return UNHEALTHY
        if not known:
            return HEALTHY if self.status == RUNNING else UNKNOWN
        return UNKNOWN if UNKNOWN in known else HEALTHY

    def _set(self, status: str) -> None:
        self.status = status
        self.changed(self)

    def _fail(self, code: str, reason: str, cause: str) -> None:
        if not self._wanted.is_set():
            self.stop_code, self.stopped_reason, self.cause = code, reason, cause
            self._wanted.set()

    def _run(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="twin-task-"))
        folder.chmod(0o755)
        try:
            with contextlib.ExitStack() as held:
                self._set(PENDING)
                try:
                    self._provision(folder, held)
                except (ImageError, RefusedError) as problem:
                    self._fail(FAILED_TO_START, str(problem), f"task definition {self.definition.family}: {problem}")
                self._supervise(folder, held)
                self._set(STOPPING)
                self._stop()
        except Exception as problem:
            self._fail(FAILED_TO_START, f"the twin could not run the task: {problem!r}", repr(problem))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._set(STOPPED)
            self._ended.set()

    def _provision(self, folder: Path, held: contextlib.ExitStack) -> None:
        """Images, secrets, log streams, volumes and credentials: all of it before any container starts."""
        definition, around = self.definition, self.around
        self._address()
        agent = around.agents(around.stack, definition, self.node, self.id)
        for one in definition.containers:
            self._images[one.name] = around.images.pull(one.image)
            self._refusing(agent.pull, one.image, f"CannotPullContainerError: container {one.name}")
        for name in definition.volumes:
            volume = folder / "volumes" / name
            volume.mkdir(parents=True)
            # Fargate's volumes: of root, and only root may write (ECS developer guide, bind mounts).
            volume.chmod(0o755)
        served: Mapping[str, str] = held.enter_context(agent.credentials()) if definition.task_role else {}
        for one in definition.containers:
            secrets = {key: self._secret(agent, one, key, text) for key, text in one.secrets.items()}
            plain = {key: self._real(text) for key, text in one.environment.items()}
            self._environments[one.name] = {**served, **plain, **secrets}
        for one in definition.containers:
            if one.log_driver:
                what = f"ResourceInitializationError: failed to validate logger args: container {one.name}"
                enter = self._refusing(lambda declared: held.enter_context(agent.stream(declared)), one.declared, what)
                self._writers[one.name] = enter

    def _real(self, text: str) -> str:
        return with_authorities(with_real(text, self.around.replaced), self.around.authorities)

    def _secret(self, agent: EcsAgent, container: Container, name: str, value_from: str) -> str:
        what = "ResourceInitializationError: unable to pull secrets or registry auth: "
        what += f"container {container.name}, secret {name}, valueFrom {value_from}"
        if not self.definition.execution_role:
            raise RefusedError(f"{what}: the task definition has no executionRoleArn")
        return self._refusing(agent.secret, value_from, what)

    @staticmethod
    def _refusing(ask: Callable[[Asked], Got], asked: Asked, what: str) -> Got:
        try:
            return ask(asked)
        except RefusedError as problem:
            raise RefusedError(f"{what}: {problem}") from None

    def _address(self) -> None:
        """The link-local address at which only this task's containers find its agent."""
        if isinstance(self.around.wiring, Namespaces):
            namespace = self.around.wiring.names[self.node.host]
            if not (NAMESPACES / namespace).exists():
                raise RefusedError(f"the node {self.node.host} has no network namespace {namespace}")
            command = ["ip", "-n", namespace, "address", "replace", f"{CREDENTIALS_ADDRESS}/32", "dev", "lo"]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - iproute2

    def _supervise(self, folder: Path, held: contextlib.ExitStack) -> None:
        """Start the containers that can start, until the task is stopped or cannot continue."""
        while not self._wanted.wait(TICK_SECONDS):
            for one in self.definition.containers:
                due = one.name not in self.containers and self._may_start(one)
                if (due or self._restarts(one)) and not self._wanted.is_set():
                    self._start(one, folder, held)
            self._look()
            if self.status == PENDING and len(self.containers) == len(self.definition.containers):
                self.started_at = time.time()
                self._set(RUNNING)

    def _start(self, container: Container, folder: Path, held: contextlib.ExitStack) -> None:
        name = container.name
        begin = started if self.around.wiring.isolated else plain.started
        running = held.enter_context(
            begin(
                replace(container, command=tuple(map(self._real, container.command))),
                self._images[name],
                self._environments[name],
                self.node,
                self.around,
                folder,
                self._writers.get(name, lambda _: None),
            )
        )
        self.containers[name] = running
        if container.health:
            arguments = (running, self._ended, self.around.probe_seconds, lambda: self.changed(self))
            thread = threading.Thread(target=watch, args=arguments, name=f"health of {name}", daemon=True)
            thread.start()

    def _may_start(self, container: Container) -> bool:
        return all(self._met(name, condition, container) for name, condition in container.after)

    def _met(self, name: str, condition: str, container: Container) -> bool:
        found = self.containers.get(name)
        if found is None:
            return False
        code = found.poll()
        if condition == "START":
            return True
        if condition == "HEALTHY":
            return found.health == HEALTHY
        if code is not None and condition == "SUCCESS" and code:
            self._fail(
                FAILED_TO_START,
                f"dependsOn: {name} did not exit with code 0 (condition SUCCESS)",
                f"container {container.name} is not started, since it depends on the success of {name}: "
                + found.explained(),
            )
            return False
        return code is not None

    def _restarts(self, container: Container) -> bool:
        """Whether a container ended by itself and its restart policy starts it again."""
        running, least = self.containers.get(container.name), container.restart_seconds
        return running is not None and least is not None and running.poll() is not None and running.ran >= least

    def _look(self) -> None:
        for one in self.definition.containers:
            running = self.containers.get(one.name)
            if running is None or not one.essential or self._restarts(one):
                continue
            if running.poll() is not None:
                time.sleep(TICK_SECONDS)  # for the end of its log
                self._fail(ESSENTIAL_EXITED, "Essential container in task exited", running.explained())

    def unhealthy(self) -> str:
        """Return which health check failed and how; empty if none did. ECS stops a task for this reason only if it
        belongs to a service."""
        for name, one in list(self.containers.items()):
            if one.container.essential and one.health == UNHEALTHY:
                return f"container {name}: {one.failures} health checks in a row failed: {one.probes[-1]}"
        return ""

    def _stop(self) -> None:
        """Stop the running containers, dependent ones first, each with its own stop timeout."""
        left = dict(self.containers)
        while left:
            needed = {name for one in left.values() for name, _ in one.container.after}
            now = [one for name, one in left.items() if name not in needed] or list(left.values())
            for one in now:
                one.terminate()
            since = time.monotonic()
            for one in now:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    one.process.wait(max(0.0, since + one.container.stop_seconds - time.monotonic()))
                if one.poll() is None:
                    one.kill()
                    one.process.wait()
                    one.poll()
                del left[one.container.name]
