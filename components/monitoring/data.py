"""Alarms on database, cache and backups, each with a destination and a runbook entry.

They evaluate AWS's metrics, not the data itself. The database's events (failover, restart, maintenance) are sent by the
subscriptions that ``Data`` creates.
"""

import json
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.common.aliases import formerly
from components.common.aws_limits import CACHE_REPLICAS, LEAST_MAXIMUM_UNITS
from components.monitoring.alarm import LESS, AlarmSpec, Series, make_alarms

GIBIBYTE = 1024**3
MEMORY_OF_A_UNIT = 2 * GIBIBYTE
"""About 2 GiB for each capacity unit (Aurora user guide)."""
LASTING: dict[str, Any] = {"periods": 15, "periods_to_alarm": 15}
"""For values that may be high briefly: 15 consecutive minutes."""
PERCENT = 80
"""The percentage of a limit at which an alarm fires, early enough to act."""


class DataAlarmsArgs(Args):
    """Arguments of ``DataAlarms``."""

    environment: str
    """Part of the alarms' names."""
    database_cluster_id: pulumi.Output[str]
    """The database's identifier in CloudWatch."""
    maximum_capacity_units: float = Field(ge=LEAST_MAXIMUM_UNITS)
    """The capacity to which the database's instances can scale. The memory threshold is derived from it."""
    database_connections: int = Field(ge=1)
    """The maximum number of connections that all tasks together may open outside a deployment. The threshold is below
    it, because a threshold derived from the database's connection limit would never be reached."""
    database_gibibytes: int = Field(default=100, ge=1)
    """An alarm fires above this amount of data. The database continues to work: storage grows automatically, and so
    does its cost."""
    cache_nodes: int = Field(ge=1, le=1 + CACHE_REPLICAS)
    """The number of cache nodes."""
    cache_node_ids: pulumi.Output[list[str]]
    """The cache nodes' identifiers in CloudWatch."""
    cache_connections: int = Field(default=5000, ge=1)
    """An alarm fires above this number of connections to one node (ElastiCache accepts 65,000)."""
    backup_vault_arn: pulumi.Output[str]
    """The vault whose failed backup jobs trigger an alarm message."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic that every alarm notifies."""
    runbook_url: str
    """Each alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class DataAlarms(pulumi.ComponentResource):
    """Alarms on low capacity, low memory, too many connections, replica lag and failed backups."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""

    def __init__(self, name: str, args: DataAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = DataAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:DataAlarms", name, {}, formerly("ai-interface:index:StateAlarms", opts))
        specs = [*_database(args), *_cache(args)]
        child = pulumi.ResourceOptions(parent=self)
        alarms = make_alarms(name, specs, args, child)
        self.alarm_arns = pulumi.Output.all(*(alarm.arn for alarm in alarms.values())).apply(
            lambda arns: sorted(str(one) for one in arns)
        )
        self._failed_backups(name, args, child)
        self.register_outputs({"alarmArns": self.alarm_arns})

    def _failed_backups(self, name: str, args: DataAlarmsArgs, child: pulumi.ResourceOptions) -> None:
        # There is no metric for a missed backup.
        rule = aws.cloudwatch.EventRule(
            f"{name}-backup-failed",
            description="A nightly backup of the database or the uploads failed",
            event_pattern=args.backup_vault_arn.apply(backup_failed_pattern),
            tags=args.tags,
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-backup-failed-target",
            rule=rule.name,
            arn=args.alarm_topic_arn,
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"resource": "$.detail.resourceArn", "state": "$.detail.state"},
                input_template=json.dumps(
                    f"ai-interface {args.environment}: the nightly backup of <resource> is <state>. "
                    f"What to do: {args.runbook_url}#backup-failed"
                ),
            ),
            opts=child,
        )


def backup_failed_pattern(vault_arn: str) -> str:
    """EventBridge pattern of backup jobs for this vault that did not complete."""
    pattern = {
        "source": ["aws.backup"],
        "detail-type": ["Backup Job State Change"],
        "detail": {"backupVaultArn": [vault_arn], "state": ["ABORTED", "EXPIRED", "FAILED"]},
    }
    return json.dumps(pattern, sort_keys=True)


def _database(args: DataAlarmsArgs) -> list[AlarmSpec]:
    cluster: dict[str, pulumi.Input[str]] = {"DBClusterIdentifier": args.database_cluster_id}
    units = args.maximum_capacity_units

    def spec(role: str, sentence: str, metric: str, statistic: str, threshold: float) -> AlarmSpec:
        return AlarmSpec(
            role=role,
            sentence=sentence,
            namespace="AWS/RDS",
            metric=metric,
            statistic=statistic,
            threshold=threshold,
            dimensions=cluster,
        )

    return [
        replace(
            spec(
                "database-capacity",
                "The database uses nearly all of its maximum capacity",
                "ACUUtilization",
                "Maximum",
                90,
            ),
            **LASTING,
        ),
        replace(
            spec("database-cpu", "The database uses nearly all of its CPU", "CPUUtilization", "Maximum", 90), **LASTING
        ),
        replace(
            spec(
                "database-memory",
                "The database is short of memory at its maximum capacity",
                "FreeableMemory",
                "Minimum",
                units * MEMORY_OF_A_UNIT // 10,
            ),
            comparison=LESS,
            **LASTING,
        ),
        # During a deployment, old and new tasks have connections, with the default deregistration delay for less than
        # this time.
        replace(
            spec(
                "database-connections",
                f"The tasks hold more than {PERCENT} percent of the connections that they may open to the database",
                "DatabaseConnections",
                "Maximum",
                args.database_connections * PERCENT // 100,
            ),
            **LASTING,
        ),
        replace(
            spec(
                "database-storage",
                f"The database holds more than {args.database_gibibytes} GiB",
                "VolumeBytesUsed",
                "Average",
                args.database_gibibytes * GIBIBYTE,
            ),
            period_seconds=3600,
            periods=1,
            periods_to_alarm=1,
        ),
        spec(
            "database-replication",
            "A database reader is more than two seconds behind the writer",
            "AuroraReplicaLagMaximum",
            "Maximum",
            2000,
        ),
    ]


def _cache(args: DataAlarmsArgs) -> list[AlarmSpec]:
    nodes = [
        Series(dimensions={"CacheClusterId": args.cache_node_ids.apply(lambda ids, number=number: ids[number])})
        for number in range(args.cache_nodes)
    ]

    def spec(role: str, sentence: str, metric: str, statistic: str, threshold: float) -> AlarmSpec:
        return AlarmSpec(
            role=role,
            sentence=sentence,
            namespace="AWS/ElastiCache",
            metric=metric,
            statistic=statistic,
            threshold=threshold,
            series=nodes,
        )

    return [
        replace(
            spec("cache-cpu", "A cache node uses nearly all of its CPU", "EngineCPUUtilization", "Maximum", 90),
            **LASTING,
        ),
        spec(
            "cache-memory",
            f"The memory of a cache node is {PERCENT} percent full",
            "DatabaseMemoryUsagePercentage",
            "Maximum",
            PERCENT,
        ),
        spec(
            "cache-connections",
            f"A cache node has more than {args.cache_connections} connections",
            "CurrConnections",
            "Maximum",
            args.cache_connections,
        ),
        replace(
            spec("cache-evictions", "The cache evicts entries because it is full", "Evictions", "Sum", 0),
            period_seconds=300,
            periods=1,
            periods_to_alarm=1,
        ),
        spec(
            "cache-replication",
            "A cache replica is more than five seconds behind the primary",
            "ReplicationLag",
            "Maximum",
            5,
        ),
    ]
