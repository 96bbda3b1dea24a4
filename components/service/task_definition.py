"""The task's container definitions as a pure function, and the check of their size. This module creates no resources.
The start order is ``prepare`` (exits 0), then ``proxy``, then ``interface``, and ``cleaner`` if the application has
``disposable_directories``. ECS stops them in reverse order, so the proxy stops after the application."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import cleaner
from components.applications.application import ApplicationArgs, SchemaArgs, volume_name
from components.common.aws_limits import PROXY_PORT
from components.prepare import DATABASE_SCRIPT, PLAN_VARIABLE, SCRIPT
from components.service.fargate import (
    Definition,
    environment_variables,
    envoy_container,
    health_check,
    locked_down,
    secret_variables,
)

PREPARE, PROXY, INTERFACE, CLEANER = "prepare", "proxy", "interface", "cleaner"

_CLEANER_MEBIBYTES = 64
_CLEANER_STOP_SECONDS = 5
"""It ends at once, except while it starts, when it would ignore SIGTERM."""
_CLEANER_RESTART_SECONDS = 60
"""How long the cleaner must have run before ECS starts it again (ECS: 60 to 1800)."""

MAXIMUM_BYTES = 64 * 1024
"""AWS limits a task definition to 64 KiB, including environment and commands."""

ALL_CAPABILITIES_BUT_CHOWN = (
    "AUDIT_WRITE",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
"""The default capabilities of a container, except CHOWN. Fargate lets a task drop capabilities but not add them, so
dropping ALL and adding CHOWN back is not possible there."""


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """All inputs of the container definitions, with known values."""

    application: ApplicationArgs
    proxy_image: str
    interface_image: str
    proxy_arguments: Sequence[str]
    proxy_secrets: Mapping[str, str]
    """Variable → name of a secret in ``secret_references``."""
    proxy_memory_mebibytes: int
    secret_references: Mapping[str, str]
    """Secret → ``valueFrom``."""
    data_values: Mapping[str, str]
    """Addresses of the data stores. The application's ``value_environment`` refers to its keys."""
    release: str
    schemas: Sequence[SchemaArgs]
    """The database schemas of all known releases."""
    log_group_names: Mapping[str, str]
    region: str
    stop_seconds: int


def container_definitions(plan: TaskPlan) -> str:
    """The definitions as JSON, in the order in which the containers start."""
    made = definitions(plan)
    text = encoded(made)
    check_size(text, made)
    return text


def definitions(plan: TaskPlan) -> list[Definition]:
    """The containers in start order, without a check of their size."""
    started = [_prepare(plan), _proxy(plan), _interface(plan)]
    return [*started, _cleaner(plan)] if plan.application.disposable_directories else started


def encoded(made: Sequence[Definition]) -> str:
    """Container definitions in the form that AWS receives."""
    return json.dumps(made, sort_keys=True, separators=(",", ":"))


def check_size(text: str, definitions: Sequence[Definition]) -> None:
    """Raise ``ValueError`` if AWS would refuse the size, with each container's share."""
    size = len(text.encode())
    if size < MAXIMUM_BYTES:
        return
    sizes = {str(one["name"]): len(json.dumps(one, separators=(",", ":")).encode()) for one in definitions}
    shares = ", ".join(f"{name} {size_} bytes" for name, size_ in sizes.items())
    raise ValueError(
        f"the container definitions are {size} bytes ({shares}); AWS accepts less than {MAXIMUM_BYTES}. "
        "Shorten the content of the largest one: model groups, allowed people or application environment."
    )


def _prepare(plan: TaskPlan) -> Definition:
    application = plan.application
    script = DATABASE_SCRIPT if application.database else SCRIPT
    return {
        **_common(plan, PREPARE),
        **_run(application.prepare_command or ["python3", "-I", "-c", script]),
        "image": plan.interface_image,
        "essential": False,
        "user": "0:0",
        "linuxParameters": {"capabilities": {"add": [], "drop": list(ALL_CAPABILITIES_BUT_CHOWN)}},
        "environment": _environment(
            {**application.prepare_environment, PLAN_VARIABLE: _instructions(plan)},
            application.prepare_value_environment,
            plan.data_values,
        ),
        "secrets": secret_variables(application.prepare_secret_environment, plan.secret_references),
        "mountPoints": _mounts(application, files_read_only=False),
    }


def _instructions(plan: TaskPlan) -> str:
    application = plan.application
    instructions: dict[str, Any] = {
        "owner": [application.user, application.group],
        "directories": sorted(application.writable_directories),
        "seeds": application.seeds,
        "files": application.files,
    }
    if application.database:
        if not application.writable_directories:
            raise ValueError("an application with a database needs a writable directory: prepare uses the first one")
        if plan.release not in {schema.release for schema in plan.schemas}:
            raise ValueError(f"release {plan.release} has a database but no declared schema")
        instructions["database"] = {
            **application.database.model_dump(),
            "release": plan.release,
            "schemas": {schema.release: [schema.revision, schema.compatible_with] for schema in plan.schemas},
            "scratch": min(application.writable_directories),
        }
    return json.dumps(instructions, sort_keys=True, separators=(",", ":"))


def _proxy(plan: TaskPlan) -> Definition:
    return {
        **_common(plan, PROXY),
        **envoy_container(PROXY_PORT, plan.proxy_memory_mebibytes),
        "image": plan.proxy_image,
        "command": list(plan.proxy_arguments),
        "secrets": secret_variables(plan.proxy_secrets, plan.secret_references),
        "dependsOn": [{"containerName": PREPARE, "condition": "SUCCESS"}],
    }


def _interface(plan: TaskPlan) -> Definition:
    application = plan.application
    definition: Definition = {
        **_common(plan, INTERFACE),
        "image": plan.interface_image,
        "essential": True,
        "user": f"{application.user}:{application.group}",
        "environment": _environment(application.environment, application.value_environment, plan.data_values),
        "secrets": secret_variables(application.secret_environment, plan.secret_references),
        "mountPoints": _mounts(application, files_read_only=True),
        # The proxy's loopback listener must be ready when the application requests its models.
        "dependsOn": [
            {"containerName": PREPARE, "condition": "SUCCESS"},
            {"containerName": PROXY, "condition": "START"},
        ],
    }
    if application.command:
        definition |= _run(application.command)
    if application.working_directory:
        definition["workingDirectory"] = application.working_directory
    if application.health_command:
        definition["healthCheck"] = health_check(application.health_command, application.start_seconds)
    return definition


def _cleaner(plan: TaskPlan) -> Definition:
    application = plan.application
    needed = {application.volume_of(one) for one in application.disposable_directories}
    return {
        # Like prepare's, its log is one of this project's code.
        **_common(plan, CLEANER, log=PREPARE),
        **_run(["python3", "-I", "-c", cleaner.SCRIPT]),
        "image": plan.interface_image,
        # Without it, the application works until the disk is full, and the alarm on the disk fires before.
        "essential": False,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": _CLEANER_RESTART_SECONDS},
        "user": f"{application.user}:{application.group}",
        "memory": _CLEANER_MEBIBYTES,
        "stopTimeout": min(plan.stop_seconds, _CLEANER_STOP_SECONDS),
        "secrets": [],
        "environment": environment_variables({cleaner.PLAN_VARIABLE: cleaner.plan(application.disposable_directories)}),
        "mountPoints": [one for one in _mounts(application, files_read_only=True) if one["containerPath"] in needed],
        "dependsOn": [{"containerName": PREPARE, "condition": "SUCCESS"}],
    }


def _run(command: Sequence[str]) -> Definition:
    # Otherwise the image's entry point would run before the command.
    return {"entryPoint": [command[0]], "command": list(command[1:])}


def _common(plan: TaskPlan, name: str, *, log: str = "") -> Definition:
    group = plan.log_group_names[log or name]
    return locked_down(name, log_group=group, region=plan.region, stop_seconds=plan.stop_seconds)


def _mounts(application: ApplicationArgs, *, files_read_only: bool) -> list[Definition]:
    read_only = application.file_directories if files_read_only else set[str]()
    return [
        {"containerPath": directory, "sourceVolume": volume_name(directory), "readOnly": directory in read_only}
        for directory in application.volume_directories
    ]


def _environment(
    variables: Mapping[str, str], references: Mapping[str, str], data_values: Mapping[str, str]
) -> list[Definition]:
    if missing := sorted(set(references.values()) - set(data_values)):
        there = ", ".join(sorted(data_values)) or "none, because the service has no data stores"
        raise ValueError(f"unknown data values: {', '.join(missing)}; available: {there}")
    if twice := sorted(set(references) & set(variables)):
        raise ValueError(f"set both as a plain variable and from a data value: {', '.join(twice)}")
    return environment_variables({**variables, **{name: data_values[key] for name, key in references.items()}})
