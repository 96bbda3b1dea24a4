"""A task definition as ECS reads it: containers, their dependencies, their environment, and the properties that the
twin does not implement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from local.stack import Resource, Stack, items
from local.task.services import task_definition

DEFAULT_CAPABILITIES = (  # noqa: SIM905 - a list of words
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT"
).split()
"""The capabilities that Docker gives a container by default (ECS API reference, KernelCapabilities)."""
ADDABLE = ("SYS_PTRACE",)
"""The only capability that Fargate lets a task add (ECS API reference, KernelCapabilities)."""
NOFILE = (65535, 65535)
"""Fargate's default limit of open files (ECS developer guide, task definition parameters, resource limits)."""
STOP_SECONDS, MOST_STOP_SECONDS = 30, 120
"""The default time between SIGTERM and SIGKILL, and the maximum on Fargate."""
RESTART_SECONDS = 300
"""How long a container with a restart policy must have run before a restart, by default (ECS API reference,
ContainerRestartPolicy)."""
EMULATED = frozenset(
    [
        "command",
        "dependsOn",
        "entryPoint",
        "environment",
        "essential",
        "healthCheck",
        "image",
        "linuxParameters",
        "logConfiguration",
        "mountPoints",
        "name",
        "portMappings",
        "readonlyRootFilesystem",
        "restartPolicy",
        "secrets",
        "stopTimeout",
        "ulimits",
        "user",
        "workingDirectory",
    ]
)
CONDITIONS = ("START", "SUCCESS", "COMPLETE", "HEALTHY")


class InvalidTaskDefinitionError(Exception):
    """A task definition that ECS would refuse to register; the message states the container, the property and the
    reason."""


@dataclass(frozen=True)
class HealthCheck:
    """A container's health check; times are in seconds."""

    command: tuple[str, ...]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0


@dataclass(frozen=True)
class Mount:
    """A volume of the task in a container."""

    volume: str
    path: str
    read_only: bool


@dataclass(frozen=True)
class Container:
    """One container definition."""

    name: str
    image: str
    command: tuple[str, ...]
    """Entry point and command as declared; the image provides either one that is not."""
    entry_point: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """Variable → ``valueFrom``, an ARN with an optional JSON key, stage and version."""
    user: str
    directory: str
    read_only: bool
    mounts: tuple[Mount, ...]
    after: tuple[tuple[str, str], ...]
    """The containers and conditions that this one waits for."""
    health: HealthCheck | None
    essential: bool
    restart_seconds: float | None
    """How long it must have run before it is started again after it ended by itself; ``None``: it is not."""
    stop_seconds: float
    limits: Mapping[str, tuple[int, int]]
    capabilities: tuple[str, ...]
    init: bool
    ports: tuple[int, ...]
    log_driver: str
    """``awslogs``, or empty."""
    declared: Mapping[str, Any]
    """The definition as recorded."""
    not_emulated: tuple[str, ...]
    """Declared properties that have no effect in the twin."""


@dataclass(frozen=True)
class Definition:
    """A task definition."""

    resource: Resource
    family: str
    arn: str
    task_role: str
    execution_role: str
    volumes: tuple[str, ...]
    containers: tuple[Container, ...]

    @classmethod
    def of(cls, resource: Resource) -> Definition:
        """Read a recorded task definition. Raises ``InvalidTaskDefinitionError`` for one that ECS refuses."""
        found = tuple(
            _container(one) for one in cast("list[dict[str, Any]]", resource.document("containerDefinitions"))
        )
        made = cls(
            resource,
            str(resource["family"]),
            str(resource["arn"]),
            str(resource.get("taskRoleArn", "")),
            str(resource.get("executionRoleArn", "")),
            tuple(str(one["name"]) for one in items(resource.get("volumes"))),
            found,
        )
        made._check()
        return made

    def not_emulated(self) -> list[str]:
        """The declared container properties that the twin does not implement, as ``container: property``."""
        return [f"{one.name}: {name}" for one in self.containers for name in one.not_emulated]

    def container(self, name: str) -> Container | None:
        """Return the container with this name."""
        return next((one for one in self.containers if one.name == name), None)

    def _check(self) -> None:
        if self.resource.get("networkMode") != "awsvpc":
            raise InvalidTaskDefinitionError(f"{self.resource.name}: Fargate needs networkMode awsvpc")
        if not any(one.essential for one in self.containers):
            raise InvalidTaskDefinitionError(f"{self.resource.name}: no container is essential")
        taken: dict[int, str] = {}
        for one in self.containers:
            for problem in self._problems(one):
                raise InvalidTaskDefinitionError(f"{self.resource.name}, container {one.name}: {problem}")
            for port in one.ports:
                if port in taken:
                    raise InvalidTaskDefinitionError(
                        f"{self.resource.name}: the containers {taken[port]} and {one.name} both use port {port}"
                    )
                taken[port] = one.name

    def _problems(self, container: Container) -> list[str]:
        return [
            *(f"mountPoints names the volume {one.volume}, which volumes does not declare" for one in container.mounts
              if one.volume not in self.volumes),
            *(f"dependsOn names {name}, which is not a container of the task" for name, _ in container.after
              if not self.container(name)),
            *(f"dependsOn has the condition {one}: ECS supports {', '.join(CONDITIONS)}" for _, one in container.after
              if one not in CONDITIONS),
            *(f"dependsOn waits for {name} to be HEALTHY, but it has no healthCheck" for name, one in container.after
              if one == "HEALTHY" and (found := self.container(name)) and not found.health),
            *(f"dependsOn waits for the end of {name}, but it is essential" for name, one in container.after
              if one in {"SUCCESS", "COMPLETE"} and (found := self.container(name)) and found.essential),
            *([f"stopTimeout is {container.stop_seconds:g}: Fargate's maximum is {MOST_STOP_SECONDS}"]
              if container.stop_seconds > MOST_STOP_SECONDS else []),
        ]  # fmt: skip


def definition(stack: Stack, service: Resource | None = None) -> Definition:
    """Return the task definition of a service, the interface's if none is given: see ``services.task_definition``."""
    return Definition.of(task_definition(stack, service))


def _container(given: Mapping[str, Any]) -> Container:
    linux: Mapping[str, Any] = given.get("linuxParameters") or {}
    capabilities: Mapping[str, Any] = linux.get("capabilities") or {}
    log: Mapping[str, Any] = given.get("logConfiguration") or {}
    driver = str(log.get("logDriver", ""))
    name = str(given["name"])
    if driver not in {"", "awslogs"}:
        raise InvalidTaskDefinitionError(f"container {name}: the twin supports the log driver awslogs, not {driver}")
    added: list[str] = capabilities.get("add") or []
    if unknown := set(added) - set(ADDABLE):
        raise InvalidTaskDefinitionError(
            f"container {name}: Fargate does not support adding the capability {', '.join(sorted(unknown))}"
        )
    dropped: set[str] = set(capabilities.get("drop") or [])
    kept = () if "ALL" in dropped else (one for one in DEFAULT_CAPABILITIES if one not in dropped)
    ignored = {key for key, value in given.items() if key not in EMULATED and value not in (None, "", [], {}, False)}
    ignored |= {f"linuxParameters.{key}" for key in linux if key not in {"capabilities", "initProcessEnabled"}}
    return Container(
        name=name,
        image=str(given["image"]),
        command=tuple(given.get("command") or ()),
        entry_point=tuple(given.get("entryPoint") or ()),
        environment={str(one["name"]): str(one["value"]) for one in given.get("environment") or ()},
        secrets={str(one["name"]): str(one["valueFrom"]) for one in given.get("secrets") or ()},
        user=str(given.get("user") or ""),
        directory=str(given.get("workingDirectory") or ""),
        read_only=bool(given.get("readonlyRootFilesystem")),
        mounts=tuple(
            Mount(str(one["sourceVolume"]), str(one["containerPath"]), bool(one.get("readOnly")))
            for one in given.get("mountPoints") or ()
        ),
        after=tuple((str(one["containerName"]), str(one["condition"])) for one in given.get("dependsOn") or ()),
        health=_health(given.get("healthCheck")),
        essential=bool(given.get("essential", True)),
        restart_seconds=_restart(given.get("restartPolicy")),
        stop_seconds=float(given.get("stopTimeout") or STOP_SECONDS),
        limits={
            "nofile": NOFILE,
            **{str(one["name"]): (int(one["softLimit"]), int(one["hardLimit"])) for one in given.get("ulimits") or ()},
        },
        capabilities=(*kept, *added),
        init=bool(linux.get("initProcessEnabled")),
        ports=tuple(int(one["containerPort"]) for one in given.get("portMappings") or ()),
        log_driver=driver,
        declared=given,
        not_emulated=tuple(sorted(ignored)),
    )


def _restart(given: Mapping[str, Any] | None) -> float | None:
    """``ignoredExitCodes`` is refused: nothing here needs it."""
    if not given or not given.get("enabled"):
        return None
    if unknown := set(given) - {"enabled", "restartAttemptPeriod"}:
        raise InvalidTaskDefinitionError(f"restartPolicy: the twin does not support {', '.join(sorted(unknown))}")
    return float(given.get("restartAttemptPeriod") or RESTART_SECONDS)


def _health(given: Mapping[str, Any] | None) -> HealthCheck | None:
    if not given or given["command"] in (None, [], ["NONE"]):
        return None
    kind, *rest = given["command"]
    command = {"CMD": rest, "CMD-SHELL": ["/bin/sh", "-c", *rest]}.get(kind, [kind, *rest])
    return HealthCheck(
        tuple(command),
        float(given.get("interval") or 30),
        float(given.get("timeout") or 5),
        int(given.get("retries") or 3),
        float(given.get("startPeriod") or 0),
    )
