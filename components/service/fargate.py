"""The common parts of every Fargate service: checks of its arguments, and the basics of a container definition."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.common.aws_limits import Architecture
from components.service.scaling import FULL_PERCENT, lost_zone_shortage

PROXY_USER = 65532
"""``nonroot`` of distroless images."""

Definition = dict[str, Any]


def pinned_image(image: str) -> str:
    """The image. Raises ``ValueError`` unless it is named by digest."""
    if "@sha256:" not in image:
        raise ValueError(f"{image!r} is not pinned: write repository@sha256:digest, because a tag can be moved")
    return image


def fargate_architecture(architecture: str) -> str:
    """The architecture. Raises ``ValueError`` if Fargate does not run it."""
    if architecture not in list(Architecture):
        raise ValueError(f"architecture {architecture!r}: Fargate runs {' and '.join(Architecture)}")
    return architecture


def check_capacity(tasks: range, availability_zones: int, cpu_percent: int, full: int = FULL_PERCENT) -> None:
    """Raise ``ValueError`` if the range of the number of tasks is empty, or if the service does not survive the loss of
    a zone at some number of tasks. ``full``: the CPU utilization of a fully loaded task (``scaling.full_percent``)."""
    if not tasks:
        raise ValueError(f"maximum_tasks {tasks.stop - 1} is less than minimum_tasks {tasks.start}")
    if shortage := lost_zone_shortage(tasks, availability_zones, cpu_percent, full):
        raise ValueError(shortage)


def locked_down(name: str, *, log_group: str, region: str, stop_seconds: int) -> Definition:
    """A container without capabilities, writable file system or privileges, with its log."""
    return {
        "name": name,
        "readonlyRootFilesystem": True,
        "privileged": False,
        "linuxParameters": {"capabilities": {"add": [], "drop": ["ALL"]}, "initProcessEnabled": False},
        "stopTimeout": stop_seconds,
        "environment": [],
        "mountPoints": [],
        "portMappings": [],
        "systemControls": [],
        "volumesFrom": [],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": name,
                "max-buffer-size": "8m",
                # A full log buffer must never block the service.
                "mode": "non-blocking",
            },
        },
    }


def envoy_container(port: int | None, memory_mebibytes: int) -> Definition:
    """How every Envoy runs: as a user other than root, on one open port (``None``: on loopback only), with enough file
    descriptors."""
    return {
        "essential": True,
        "user": f"{PROXY_USER}:{PROXY_USER}",
        "memory": memory_mebibytes,
        "portMappings": [{"containerPort": port, "hostPort": port, "protocol": "tcp"}] if port is not None else [],
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
    }


def health_check(command: Sequence[str], start_seconds: int) -> Definition:
    """The health check of a container that needs ``start_seconds`` to start."""
    return {"command": ["CMD", *command], "interval": 15, "timeout": 5, "retries": 4, "startPeriod": start_seconds}


def environment_variables(variables: Mapping[str, str]) -> list[Definition]:
    """The variables in the form of a container definition."""
    return [{"name": name, "value": value} for name, value in sorted(variables.items())]


def secret_variables(variables: Mapping[str, str], references: Mapping[str, str]) -> list[Definition]:
    """Variables whose values are secrets (variable → secret, secret → ``valueFrom``). Raises ``ValueError`` if a secret
    is unknown."""
    if missing := sorted(set(variables.values()) - set(references)):
        raise ValueError(f"unknown secrets: {', '.join(missing)}; available: {', '.join(sorted(references))}")
    return [{"name": name, "valueFrom": references[secret]} for name, secret in sorted(variables.items())]
