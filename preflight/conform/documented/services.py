"""ECS, the database, the cache, buckets, secrets, backups, images and the models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from preflight.conform.documented.model import (
    BrokenConstraint,
    Constraint,
    DocumentedRule,
    Entries,
    Json,
    Measured,
    Number,
    Numbers,
    Shared,
    Text,
    at,
    document,
    listed,
    mapping,
)
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import mask, unwrap

TASK, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
CLUSTER, CACHE = "aws:rds/cluster:Cluster", "aws:elasticache/replicationGroup:ReplicationGroup"
PLAN, VAULT = "aws:backup/plan:Plan", "aws:backup/vault:Vault"
ECS_QUOTAS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"
TASK_PARAMETERS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
HEALTH_CHECK = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"
RESTART_POLICY = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html"
BACKUP_RULE = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html"
AURORA_LIMITS = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html"
ALL_PERCENT = 100
TASK_BYTES = 64 * 1024
"""ECS: a task definition is at most 64 KiB."""


def containers(task: RecordedResource) -> list[dict[str, Json]]:
    """The containers of a task definition; none if they are unknown."""
    return [mapping(one) for one in listed(document(mask(task.inputs.get("containerDefinitions"))))]


def _named(container: dict[str, Json], key: str) -> str:
    return f"containerDefinitions[{container.get('name')}].{key}"


def _task_size(recording: Recording) -> Numbers:
    for task in recording.of_type(TASK):
        text = unwrap(task.inputs.get("containerDefinitions"))
        yield task, "containerDefinitions", len(text.encode("utf-8")) if isinstance(text, str) else 0


def _container_count(recording: Recording) -> Numbers:
    for task in recording.of_type(TASK):
        yield task, "containerDefinitions", len(containers(task))


def _dependencies(recording: Recording) -> Iterator[BrokenConstraint]:
    for task in recording.of_type(TASK):
        by_name = {str(one.get("name")): one for one in containers(task)}
        for container in by_name.values():
            for need in map(mapping, listed(container.get("dependsOn"))):
                name, condition = str(need.get("containerName")), str(need.get("condition"))
                if trouble := _unmet(by_name.get(name), name, condition):
                    yield BrokenConstraint(task, _named(container, "dependsOn"), trouble)


def _unmet(other: dict[str, Json] | None, name: str, condition: str) -> str:
    """The reason why a container that waits for this condition never starts; empty if it can start."""
    if other is None or condition not in ("START", "COMPLETE", "SUCCESS", "HEALTHY"):
        return f"{condition} of {name}"
    if condition in ("COMPLETE", "SUCCESS") and other.get("essential", True):
        return f"{condition} of {name}, which is essential"
    if condition == "HEALTHY" and not other.get("healthCheck"):
        return f"HEALTHY of {name}, which has no health check"
    return ""


def _rebalancing(recording: Recording) -> Iterator[BrokenConstraint]:
    for service in recording.of_type(SERVICE):
        percent = service.inputs.get("deploymentMaximumPercent", 200)
        if service.inputs.get("availabilityZoneRebalancing") == "ENABLED" and percent <= ALL_PERCENT:
            yield BrokenConstraint(service, "availabilityZoneRebalancing", f"ENABLED with {percent} percent")


def _of_containers(key: str) -> Callable[[Recording], Numbers]:
    """A number of every container, by a key such as ``stopTimeout`` or ``healthCheck.interval``."""

    def numbers(recording: Recording) -> Numbers:
        for task in recording.of_type(TASK):
            for container in containers(task):
                for _, value in at(container, key):
                    yield task, _named(container, key), value

    return numbers


def _backup_windows(which: str) -> Callable[[Recording], Numbers]:
    def numbers(recording: Recording) -> Numbers:
        for plan in recording.of_type(PLAN):
            for position, rule in enumerate(map(mapping, listed(plan.inputs.get("rules")))):
                start, complete = rule.get("startWindow", 480), rule.get("completionWindow", 10080)
                yield plan, f"rules[{position}].{which}", start if which == "startWindow" else complete - start

    return numbers


def _container_range(key: str, least: float, most: float, source: str, unit: str = "s") -> Measured:
    return Measured(
        name=f"container-{key.replace('healthCheck.', 'health-check-').replace('Policy.', '-').lower()}",
        source=source,
        wanted=f"{least:g} to {most:g} {unit}".strip(),
        fix="choose a value within the range",
        numbers=_of_containers(key),
        unit=unit,
        least=least,
        most=most,
    )


CONSTRAINTS: tuple[Constraint, ...] = (
    Measured(
        name="task-definition-size",
        source=ECS_QUOTAS,
        wanted=f"at most {TASK_BYTES} bytes",
        fix="shorten the container definitions, for example by declaring fewer upstreams",
        numbers=_task_size,
        unit="bytes",
        most=TASK_BYTES,
    ),
    Measured(
        name="containers-per-task",
        source=ECS_QUOTAS,
        wanted="at most 10 containers",
        fix="remove containers",
        numbers=_container_count,
        unit="containers",
        most=10,
    ),
    DocumentedRule(
        name="container-dependencies",
        source=TASK_PARAMETERS,
        wanted="containers of the same task: COMPLETE and SUCCESS of one that is not essential, HEALTHY of one with a "
        "health check",
        fix="change the condition, or the container that it refers to",
        find=_dependencies,
    ),
    _container_range("stopTimeout", 0, 120, TASK_PARAMETERS),
    _container_range("startTimeout", 2, 120, TASK_PARAMETERS),
    _container_range("restartPolicy.restartAttemptPeriod", 60, 1800, RESTART_POLICY),
    _container_range("healthCheck.interval", 5, 300, HEALTH_CHECK),
    _container_range("healthCheck.timeout", 2, 60, HEALTH_CHECK),
    _container_range("healthCheck.retries", 1, 10, HEALTH_CHECK, "retries"),
    _container_range("healthCheck.startPeriod", 0, 300, HEALTH_CHECK),
    Number(
        name="ephemeral-storage",
        source=TASK_PARAMETERS,
        wanted="21 to 200 GiB",
        fix="choose a size within the range, or omit it for the default of 20 GiB",
        types={TASK: ("ephemeralStorage.sizeInGib",)},
        least=21,
        most=200,
    ),
    Text(
        name="task-family",
        source=TASK_PARAMETERS,
        wanted="at most 255 letters, digits, - and _",
        fix="shorten the family",
        types={TASK: ("family",), SERVICE: ("name",), "aws:ecs/cluster:Cluster": ("name",)},
        pattern=r"[A-Za-z0-9_-]+",
        most=255,
    ),
    DocumentedRule(
        name="zone-rebalancing",
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html",
        wanted="a maximum percent above 100, because zone rebalancing starts tasks before it stops others",
        fix="raise deploymentMaximumPercent, or set availabilityZoneRebalancing to DISABLED",
        find=_rebalancing,
    ),
    Entries(
        name="target-groups-per-service",
        source=ECS_QUOTAS,
        wanted="at most 5 target groups of one service",
        fix="remove target groups",
        types={SERVICE: ("loadBalancers",)},
        most=5,
    ),
    Entries(
        name="subnets-per-service",
        source=ECS_QUOTAS,
        wanted="at most 16 subnets of one service",
        fix="remove subnets",
        types={SERVICE: ("networkConfiguration.subnets",)},
        most=16,
    ),
    Shared(
        name="scaling-policies-per-target",
        source="https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html",
        wanted="at most 50 scaling policies of one target",
        fix="remove policies",
        type="aws:appautoscaling/policy:Policy",
        owner="resourceId",
        most=50,
    ),
    Text(
        name="database-identifier",
        source=AURORA_LIMITS,
        wanted="1 to 63 letters, digits and hyphens, starting with a letter, without a hyphen at the end or two in a row",
        fix="shorten the identifier",
        types={
            CLUSTER: ("clusterIdentifier",),
            "aws:rds/clusterInstance:ClusterInstance": ("=identifier",),
        },
        pattern=r"[A-Za-z](?!.*--)[A-Za-z0-9-]*(?<!-)",
        most=63,
    ),
    Text(
        name="database-name",
        source="https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html",
        wanted="1 to 63 letters, digits and _, beginning with a letter or _",
        fix="choose another name",
        types={CLUSTER: ("databaseName",)},
        pattern=r"[A-Za-z_][A-Za-z0-9_]*",
        most=63,
    ),
    Text(
        name="database-final-snapshot",
        source="https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBCluster.html",
        wanted="1 to 255 letters, digits and hyphens, starting with a letter, without a hyphen at the end or two in a row",
        fix="shorten the identifier",
        types={CLUSTER: ("finalSnapshotIdentifier",)},
        pattern=r"[A-Za-z](?!.*--)[A-Za-z0-9-]*(?<!-)",
        most=255,
    ),
    Text(
        name="cache-identifier",
        source="https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
        wanted="1 to 40 letters, digits and hyphens, starting with a letter, without a hyphen at the end or two in a row",
        fix="shorten the identifier; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={CACHE: ("=replicationGroupId",)},
        pattern=r"[A-Za-z](?!.*--)[A-Za-z0-9-]*(?<!-)",
        most=40,
    ),
    Text(
        name="cache-password",
        source="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html",
        wanted="16 to 128 letters, digits and the special characters !, &, #, $, ^, <, > and -",
        fix="generate the password from letters and digits",
        types={CACHE: ("authToken",)},
        pattern=r"[A-Za-z0-9!&#$^<>-]+",
        least=16,
        most=128,
    ),
    Text(
        name="bucket-name",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
        wanted="3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={"aws:s3/bucket:Bucket": ("=bucket",)},
        pattern=r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?!.*\.\.)[a-z0-9.-]*[a-z0-9](?<!-s3alias)(?<!--ol-s3)",
        least=3,
        most=63,
    ),
    Entries(
        name="lifecycle-rules",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
        wanted="at most 1000 rules of one bucket",
        fix="join rules",
        types={"aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("rules",)},
        most=1000,
    ),
    Text(
        name="secret-size",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html",
        wanted="at most 65536 bytes",
        fix="split the value between several secrets",
        types={"aws:secretsmanager/secretVersion:SecretVersion": ("secretString",)},
        most=65536,
        measure="bytes",
    ),
    Text(
        name="secret-name",
        source="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
        wanted="1 to 512 letters, digits and /_+=.@-",
        fix="choose another name",
        types={"aws:secretsmanager/secret:Secret": ("=name",)},
        pattern=r"[A-Za-z0-9/_+=.@-]+",
        most=512,
    ),
    Text(
        name="backup-vault-name",
        source="https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html",
        wanted="2 to 50 letters, digits, - and _",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={VAULT: ("=name",)},
        pattern=r"[a-zA-Z0-9_-]+",
        least=2,
        most=50,
    ),
    Measured(
        name="backup-start-window",
        source=BACKUP_RULE,
        wanted="a start window of at least 60 minutes",
        fix="lengthen the start window",
        numbers=_backup_windows("startWindow"),
        unit="minutes",
        least=60,
    ),
    Measured(
        name="backup-completion-window",
        source=BACKUP_RULE,
        wanted="a completion window at least 60 minutes longer than the start window",
        fix="lengthen the completion window",
        numbers=_backup_windows("completionWindow"),
        unit="minutes after the start window",
        least=60,
    ),
    Text(
        name="repository-name",
        source="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
        wanted="2 to 256 lower-case letters, digits and ._-/, beginning with a letter or digit",
        fix="choose another name",
        types={"aws:ecr/repository:Repository": ("name",)},
        pattern=r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
        least=2,
        most=256,
    ),
)
