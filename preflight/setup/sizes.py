"""The sizes that ``init`` offers, each as sections of the stack files of staging and prod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Availability that a size gives up, as the exception that the guardrails need for it."""

    policy: str
    urn: str
    """The resources, as a URN pattern."""
    reason: str


@dataclass(frozen=True, slots=True)
class Size:
    """One size of both environments."""

    description: str
    zones: Mapping[str, int]
    """Environment → number of availability zones."""
    people: Mapping[str, int]
    """Environment → the people for whom it is made, from whom its cost is estimated (``use.people``)."""
    sections: Mapping[str, Mapping[str, Any]]
    """Environment → the values that it sets, by path in the stack file; ``None`` is the default of the settings."""
    gives_up: tuple[GivenUp, ...] = ()
    """The same in both environments, so that staging and prod have one shape."""


_URN = "urn:pulumi:*::ai-interface::ai-interface:index:"
_ONE_OF_EACH = (
    GivenUp(
        "rds-databases-survive-a-zone",
        f"{_URN}Data$aws:rds/cluster:Cluster::*",
        "Size small: a reader would double the database's cost. If the only instance fails, the interface is down for about ten "
        "minutes; if its zone fails, until the zone is back or an instance is created in the other one. No data is lost: "
        "Aurora keeps six copies in three zones.",
    ),
    GivenUp(
        "elasticache-caches-survive-a-zone",
        f"{_URN}Data$aws:elasticache/replicationGroup:ReplicationGroup::*",
        "Size small: a replica would double the cache's cost. If the only node fails, open chats are interrupted until it has "
        "been replaced; it holds no chats.",
    ),
    GivenUp(
        "vpc-endpoints-survive-a-zone",
        f"{_URN}PrivateEndpoints$aws:ec2/vpcEndpoint:VpcEndpoint::*",
        "Size small: AWS bills each endpoint for each zone. If the first zone fails, no model answers and no task starts until the "
        "zone is back, or network.endpointZones is removed.",
    ),
)


def _sections(
    *,
    architecture: str,
    cpu: int,
    memory: int,
    tasks: tuple[int, int],
    units: tuple[float, float],
    node: str,
    one_of_each: bool = False,
) -> dict[str, Any]:
    return {
        "capacity.architecture": architecture,
        "capacity.cpuUnits": cpu,
        "capacity.memoryMebibytes": memory,
        "capacity.minimumTasks": tasks[0],
        "capacity.maximumTasks": tasks[1],
        "data.database.minimumCapacityUnits": units[0],
        "data.database.maximumCapacityUnits": units[1],
        "data.database.instances": 1 if one_of_each else None,
        "data.cache.nodeType": node,
        "data.cache.replicas": 0 if one_of_each else None,
        "network.endpointZones": 1 if one_of_each else None,
    }


SIZES: Mapping[str, Size] = {
    "small": Size(
        "a team of about twenty that accepts an outage of minutes when something fails, and of hours when a zone does: Graviton, "
        "one task, one database instance, one cache node, endpoints in one zone",
        {"staging": 2, "prod": 2},
        {"staging": 5, "prod": 20},
        {
            "staging": _sections(
                architecture="ARM64",
                cpu=1024,
                memory=4096,
                tasks=(1, 2),
                units=(0.5, 2),
                node="cache.t4g.micro",
                one_of_each=True,
            ),
            "prod": _sections(
                architecture="ARM64",
                cpu=1024,
                memory=4096,
                tasks=(1, 4),
                units=(0.5, 4),
                node="cache.t4g.micro",
                one_of_each=True,
            ),
        },
        _ONE_OF_EACH,
    ),
    "standard": Size(
        "some hundred people: three zones in prod, three to nine tasks",
        {"staging": 2, "prod": 3},
        {"staging": 20, "prod": 300},
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
        {"staging": 50, "prod": 2_000},
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
