"""The tables of ``docs/restore.md``: what each failure loses, and how long it lasts, from the graphs of the environments.

RPO is the time before the failure of which users' data may be lost, RTO the time until users can work again. Both follow from the
settings, except for durations of AWS and of people, which are marked as estimates with their source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.conform.documented.model import listed, mapping
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap

CLUSTER, INSTANCE = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
PLAN, LOCK = "aws:backup/plan:Plan", "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
CACHE, TARGETS = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:lb/targetGroup:TargetGroup"
SCALING, SERVICE = "aws:appautoscaling/target:Target", "aws:ecs/service:Service"
NETWORK = "aws:ec2/subnet:Subnet"
_DAILY = re.compile(r"^cron\(\d+ \d+ (\*|\?) \* (\*|\?) \*\)$")
_HOURS = 24
"""Between two nightly copies."""
_RESTORABLE_MINUTES = 5
"""How old the latest time of a restore to a point in time is at most
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Managing.Backups.html)."""
_FAILOVER = "about a minute (AWS: usually less)"
_NEW_INSTANCE = "about 10 minutes, until Aurora has a new instance"
"""https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html"""
_RESTORE = "about an hour (estimate: a cluster from a snapshot, instances, new tasks), after the decision"


@dataclass(frozen=True)
class Objective:
    """One failure in one environment."""

    failure: str
    rpo: str
    rto: str
    how: str
    """The means: the service itself, or the section with the steps."""


@dataclass(frozen=True)
class Recoverable:
    """The numbers of one graph that decide about recovery."""

    tasks: int
    zones: int
    """Zones with subnets of the tasks."""
    unhealthy_seconds: int
    """Until the load balancer stops using a task that does not answer."""
    start_seconds: int
    """Until a new task serves, at most: the service's grace period."""
    database_instances: int
    cache_nodes: int
    point_in_time_days: int
    nightly_days: int
    nightly_hours: float
    """The longest time between the states of two nightly copies: a day, and the windows for the start and the end of a job."""
    version_days: int
    """Versions of deleted and overwritten files."""
    locked_days: int
    account: str
    copies: tuple[str, ...]
    """ARNs of the vaults in other regions or accounts to which each copy goes."""


def section(recordings: Mapping[str, Recording]) -> str:
    """The generated section: one table for each environment, the last one first."""
    lines: list[str] = []
    for stack in sorted(recordings):
        lines += [
            f"### {stack}",
            "",
            "| Failure | Lost at most (RPO) | Until users work again (RTO) | Recovery |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {one.failure} | {one.rpo} | {one.rto} | {one.how} |" for one in objectives(facts(recordings[stack]))
        ]
        lines.append("")
    return "\n".join(lines)


def facts(recording: Recording) -> Recoverable:
    """The facts of one stack. Raises ``PreflightError`` for a plan whose copies are not daily."""
    (rule,) = listed(_one(recording, PLAN)["rules"])
    if not _DAILY.match(str(rule["schedule"])):
        raise PreflightError(
            f"the backup plan of {recording.stack} runs at {rule['schedule']}: docs/restore.md states objectives for a copy every "
            "day.\nfix: extend preflight/reference/recovery.py, which derives them"
        )
    check = mapping(_one(recording, TARGETS)["healthCheck"])
    bucket = next(one for one in recording.of_type(LIFECYCLE) if "uploads" in one.name and "access" not in one.name)
    versions = [mapping(one.get("noncurrentVersionExpiration")) for one in listed(_plain(bucket.inputs)["rules"])]
    subnets = listed(mapping(_named(recording, SERVICE, "interface")["networkConfiguration"])["subnets"])
    scaling = [
        _plain(one.inputs) for one in recording.of_type(SCALING) if str(one.inputs["resourceId"]).endswith("/interface")
    ]
    service = _named(recording, SERVICE, "interface")
    return Recoverable(
        tasks=int(scaling[0]["minCapacity"]) if scaling else int(service["desiredCount"]),
        zones=len(subnets),
        unhealthy_seconds=int(check["interval"]) * int(check["unhealthyThreshold"]),
        start_seconds=int(service["healthCheckGracePeriodSeconds"]),
        database_instances=len(recording.of_type(INSTANCE)),
        cache_nodes=int(_one(recording, CACHE)["numCacheClusters"]),
        point_in_time_days=int(_one(recording, CLUSTER)["backupRetentionPeriod"]),
        nightly_days=int(mapping(rule["lifecycle"])["deleteAfter"]),
        nightly_hours=_HOURS + (int(rule["startWindow"]) + int(rule["completionWindow"])) / 60,
        version_days=int(next(one["noncurrentDays"] for one in versions if one)),
        locked_days=int(_one(recording, LOCK)["minRetentionDays"]),
        account=str(recording.of_type(PLAN)[0].outputs["arn"]).split(":")[4],
        copies=tuple(sorted(str(one["destinationVaultArn"]) for one in listed(rule.get("copyActions")))),
    )


def objectives(found: Recoverable) -> Iterator[Objective]:
    """Every failure that the runbook covers, from the smallest to the largest."""
    nightly = f"{found.nightly_hours:g} hours"
    yield Objective("a task", "the requests in it", _of_a_task(found), "ECS replaces it")
    yield Objective("a zone", "the requests in it", _of_a_zone(found), "[a zone is lost](incidents.md#a-zone-is-lost)")
    yield Objective(
        "the database's writer", "nothing that was committed", _of_the_writer(found), "Aurora; the tasks connect again"
    )
    yield Objective(
        "the cache's primary",
        "messages between tasks; no chat",
        "about a minute" if found.cache_nodes > 1 else "until its node has been replaced, minutes",
        "ElastiCache",
    )
    yield Objective(
        f"wrong or deleted rows, noticed within {found.point_in_time_days} days",
        f"{_RESTORABLE_MINUTES} minutes before the damage, and everything after the chosen time",
        _RESTORE,
        "[a point in time](#the-database-to-a-point-in-time)",
    )
    if found.nightly_days > found.point_in_time_days:
        yield Objective(
            f"the same, noticed within {found.nightly_days} days",
            f"{nightly} before the damage, and everything after that copy",
            _RESTORE,
            "[a snapshot](#the-database-from-a-snapshot)",
        )
    yield Objective(
        f"a deleted or overwritten file, within {found.version_days} days",
        "nothing",
        "minutes",
        "[one file](#one-file-that-was-deleted-today)",
    )
    yield Objective(
        "a deleted bucket, or all of its files",
        f"{nightly} before the deletion",
        "hours: AWS Backup restores each object (not measured)",
        "[uploaded files](#uploaded-files-from-last-night)",
    )
    yield from _of_account_and_region(found, nightly)


def _of_account_and_region(found: Recoverable, nightly: str) -> Iterator[Objective]:
    elsewhere = f"{nightly} before it, and the time of the copy to {' and '.join(_place(one) for one in found.copies)}"
    restore = "hours, not measured: a new environment from the copies"
    other_account = any(arn.split(":")[4] != found.account for arn in found.copies)
    yield Objective(
        "a compromised account, whose attacker may remove the vault's lock",
        elsewhere if other_account else "everything: every copy is in the account",
        restore if other_account else "not possible",
        "[credentials have leaked](incidents.md#credentials-have-leaked)",
    )
    yield Objective(
        f"the same, whose attacker may not: copies of the last {found.locked_days} days cannot be deleted",
        nightly,
        restore,
        "[credentials have leaked](incidents.md#credentials-have-leaked)",
    )
    yield Objective(
        "the region",
        elsewhere if found.copies else "nothing when the region is back; otherwise everything",
        restore if found.copies else "until the region is back",
        "[the region is lost](incidents.md#the-region-is-lost)",
    )


def _of_a_task(found: Recoverable) -> str:
    if found.tasks > 1:
        return f"at once for new requests to the other {found.tasks - 1}; {found.unhealthy_seconds} s until none goes to it"
    return f"up to {found.start_seconds} s, until a new task serves: there is no other"


def _of_a_zone(found: Recoverable) -> str:
    parts: list[str] = []
    if found.zones > 1 and found.tasks > 1:
        parts.append(f"{found.unhealthy_seconds} s for the tasks")
    else:
        parts.append(f"up to {found.start_seconds} s after ECS has noticed, in another zone")
    parts.append(
        f"{_FAILOVER} for the database" if found.database_instances > 1 else "the database: until the zone is back"
    )
    return "; ".join(parts)


def _of_the_writer(found: Recoverable) -> str:
    return _FAILOVER if found.database_instances > 1 else _NEW_INSTANCE


def _place(arn: str) -> str:
    _, _, _, region, account, *_ = arn.split(":")
    return f"{region} ({account})"


def _one(recording: Recording, type_: str) -> Mapping[str, Any]:
    (resource,) = recording.of_type(type_)
    return _plain(resource.inputs)


def _named(recording: Recording, type_: str, name: str) -> Mapping[str, Any]:
    return next(_plain(one.inputs) for one in recording.of_type(type_) if one.inputs.get("name") == name)


def _plain(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(unwrap(dict(inputs)))
