"""The sizes that ``init`` offers, each as sections of the stack files of staging and prod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """One size of both environments."""

    description: str
    zones: Mapping[str, int]
    """Environment → number of availability zones."""
    sections: Mapping[str, Mapping[str, Any]]
    """Environment → the values that it sets, by path in the stack file."""


def _sections(
    *, architecture: str, cpu: int, memory: int, tasks: tuple[int, int], units: tuple[float, float], node: str
) -> dict[str, Any]:
    return {
        "capacity.architecture": architecture,
        "capacity.cpuUnits": cpu,
        "capacity.memoryMebibytes": memory,
        "capacity.minimumTasks": tasks[0],
        "capacity.maximumTasks": tasks[1],
        "data.database.minimumCapacityUnits": units[0],
        "data.database.maximumCapacityUnits": units[1],
        "data.cache.nodeType": node,
    }


SIZES: Mapping[str, Size] = {
    "small": Size(
        "a team of about twenty: Graviton, two zones, two small tasks in prod and one in staging",
        {"staging": 2, "prod": 2},
        {
            "staging": _sections(
                architecture="ARM64", cpu=1024, memory=4096, tasks=(1, 2), units=(0.5, 2), node="cache.t4g.micro"
            ),
            "prod": _sections(
                architecture="ARM64", cpu=1024, memory=4096, tasks=(2, 4), units=(0.5, 4), node="cache.t4g.micro"
            ),
        },
    ),
    "standard": Size(
        "some hundred people: three zones in prod, three to nine tasks",
        {"staging": 2, "prod": 3},
        {
            "staging": _sections(
                architecture="X86_64", cpu=1024, memory=4096, tasks=(2, 4), units=(1, 4), node="cache.t4g.small"
            ),
            "prod": _sections(
                architecture="X86_64", cpu=2048, memory=8192, tasks=(3, 9), units=(2, 16), node="cache.t4g.medium"
            ),
        },
    ),
    "large": Size(
        "some thousand people: three zones in prod, six to twenty-four larger tasks, a cache that does not burst",
        {"staging": 2, "prod": 3},
        {
            "staging": _sections(
                architecture="X86_64", cpu=2048, memory=8192, tasks=(2, 4), units=(1, 8), node="cache.t4g.medium"
            ),
            "prod": _sections(
                architecture="X86_64", cpu=4096, memory=16_384, tasks=(6, 24), units=(4, 64), node="cache.m7g.large"
            ),
        },
    ),
}
"""Size → its values. Staging never has more than prod, which parity would refuse."""
