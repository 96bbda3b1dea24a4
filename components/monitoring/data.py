"""Alarms on database, cache and backups, each with a destination and a runbook entry.

They evaluate AWS's metrics, not the data itself. The database's events (failover, restart, maintenance) are sent by the
subscriptions that ``Data`` creates.
"""

import json
from dataclasses import replace
from typing import Any

import pulumi
from pydantic import Field

from components.args import Args
from components.common.aliases import formerly
from components.common.aws_limits import CACHE_REPLICAS, DATABASE_INSTANCES, LEAST_MAXIMUM_UNITS
from components.component import Component
from components.monitoring.alarm import LESS, AlarmSpec, Series, Severity, arns_of, make_alarms, names_of
from components.monitoring.events import EventMessage, make_event_message

GIBIBYTE = 1024**3
MEMORY_OF_A_UNIT = 2 * GIBIBYTE
"""About 2 GiB for each capacity unit (Aurora user guide)."""
LASTING: dict[str, Any] = {"periods": 15, "periods_to_alarm": 15}
"""For values that may be high briefly: 15 consecutive minutes."""
HOURS_WITHOUT_BACKUP = 26
"""A day, and the time by which the end of a nightly job varies."""
REFUSED_LOGINS = 5
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
    task_connections: int = Field(ge=0)
    """The maximum number of connections that one task may open. The alarm compares it with the running tasks: a number
    derived from the maximum number of tasks, or from the database's connection limit, is out of reach of fewer tasks. 0: the application opens none, and there is no alarm
    on them."""
    cluster_name: pulumi.Output[str]
    """The ECS cluster of the tasks that use the database."""
    service_name: pulumi.Output[str]
    """The ECS service of these tasks."""
    database_gibibytes: int = Field(default=100, ge=1)
    """An alarm fires above this amount of data. The database continues to work: storage grows automatically, and so
    does its cost."""
    database_instances: int = Field(ge=1, le=DATABASE_INSTANCES)
    """The number of database instances. With one, there is no reader whose lag could be measured."""
    cache_nodes: int = Field(ge=1, le=1 + CACHE_REPLICAS)
    """The number of cache nodes."""
    cache_node_ids: pulumi.Output[list[str]]
    """The cache nodes' identifiers in CloudWatch."""
    cache_connections: int = Field(default=5000, ge=1)
    """An alarm fires above this number of connections to one node (ElastiCache accepts 65,000)."""
    backup_vault_arn: pulumi.Output[str]
    """The vault whose failed backup jobs trigger a message."""
    backup_vault_name: pulumi.Output[str]
    """The vault that must receive a backup every day."""
    restore_test_plan_arn: pulumi.Output[str] | None = None
    """The plan of the restore tests, whose failed tests trigger a message. Omitted: there are no tests."""
    pages_together: bool = False
    """True: ``Pages`` sends the pages that several of these alarms would send for one cause. Without that component these alarms
    would be silent."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``page``."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of alarms of severity ``ticket``."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class DataAlarms(Component):
    """Alarms on low capacity, low memory, too many connections, replica lag and failed backups."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of all alarms, sorted."""
    alarm_names: pulumi.Output[list[str]]
    """The names of the alarms, sorted, for ``Pages``."""

    def __init__(self, name: str, args: DataAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = DataAlarmsArgs.model_validate(args)
        super().__init__("ai-interface:index:DataAlarms", name, args, formerly("ai-interface:index:StateAlarms", opts))
        specs = [*_database(args), *_cache(args), _backups(args), _failed_logins(args)]
        child = pulumi.ResourceOptions(parent=self)
        alarms = make_alarms(name, specs, args, child, together=args.pages_together)
        alarms |= make_event_message(name, _failed_backups(args), args, child)
        if args.restore_test_plan_arn is not None:
            message = _failed_restore_tests(args.restore_test_plan_arn)
            alarms |= make_event_message(name, message, args, child)
        self.alarm_arns, self.alarm_names = arns_of(alarms), names_of(alarms)
        self.register_outputs({"alarmArns": self.alarm_arns, "alarmNames": self.alarm_names})


def _failed_backups(args: DataAlarmsArgs) -> EventMessage:
    return EventMessage(
        role="backup-failed",
        description="A nightly backup of the database or the uploads failed",
        # The database can still be restored to any second, and the bucket keeps deleted files.
        severity=Severity.TICKET,
        pattern=args.backup_vault_arn.apply(backup_failed_pattern),
        inputs={"resource": "$.detail.resourceArn", "state": "$.detail.state"},
        text="the nightly backup of <resource> is <state>",
    )


def backup_failed_pattern(vault_arn: str) -> str:
    """EventBridge pattern of backup jobs for this vault that did not complete."""
    pattern = {
        "source": ["aws.backup"],
        "detail-type": ["Backup Job State Change"],
        "detail": {"backupVaultArn": [vault_arn], "state": ["ABORTED", "EXPIRED", "FAILED"]},
    }
    return json.dumps(pattern, sort_keys=True)


def _failed_restore_tests(plan_arn: pulumi.Output[str]) -> EventMessage:
    return EventMessage(
        role="restore-test-failed",
        description="A nightly copy of the database or the uploads could not be restored in a test",
        # Nothing is lost yet. The database can be restored to a point in time, which does not use these copies.
        severity=Severity.TICKET,
        pattern=plan_arn.apply(restore_test_failed_pattern),
        inputs={"job": "$.detail.restoreJobId", "kind": "$.detail.resourceType", "status": "$.detail.status"},
        text="the restore test of <kind> is <status> (restore job <job>)",
    )


def restore_test_failed_pattern(plan_arn: str) -> str:
    """EventBridge pattern of the plan's restore jobs that did not complete. A test that never starts has no job: the nightly check
    asks when the last one completed (``preflight due``)."""
    pattern = {
        "source": ["aws.backup"],
        "detail-type": ["Restore Job State Change"],
        "detail": {"restoreTestingPlanArn": [plan_arn], "status": ["ABORTED", "FAILED"]},
    }
    return json.dumps(pattern, sort_keys=True)


def _backups(args: DataAlarmsArgs) -> AlarmSpec:
    """A job that never starts sends no event, so its absence is measured: the metric of a vault without a completed job
    has no data (https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html)."""
    return AlarmSpec(
        role="backup-missing",
        sentence=f"No backup has been completed for {HOURS_WITHOUT_BACKUP} hours",
        severity=Severity.TICKET,
        namespace="AWS/Backup",
        metric="NumberOfBackupJobsCompleted",
        statistic="Sum",
        threshold=1,
        comparison=LESS,
        period_seconds=3600,
        periods=HOURS_WITHOUT_BACKUP,
        periods_to_alarm=None,
        missing_data="breaching",
        dimensions={"BackupVaultName": args.backup_vault_name},
    )


def _failed_logins(args: DataAlarmsArgs) -> AlarmSpec:
    """RDS writes one line for each login by IAM that it refuses, and nothing else, to this log
    (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html)."""
    group = pulumi.Output.concat("/aws/rds/cluster/", args.database_cluster_id, "/iam-db-auth-error")
    return AlarmSpec(
        role="database-logins-failing",
        sentence=f"The database refuses more than {REFUSED_LOGINS} logins by IAM in five minutes",
        severity=Severity.TICKET,
        namespace="AWS/Logs",
        metric="IncomingLogEvents",
        statistic="Sum",
        threshold=REFUSED_LOGINS,
        period_seconds=300,
        periods=1,
        periods_to_alarm=1,
        dimensions={"LogGroupName": group},
    )


def _database(args: DataAlarmsArgs) -> list[AlarmSpec]:
    cluster: dict[str, pulumi.Input[str]] = {"DBClusterIdentifier": args.database_cluster_id}
    units = args.maximum_capacity_units

    def spec(role: str, sentence: str, metric: str, statistic: str, threshold: float) -> AlarmSpec:
        return AlarmSpec(
            role=role,
            sentence=sentence,
            severity=Severity.PAGE,
            namespace="AWS/RDS",
            metric=metric,
            statistic=statistic,
            threshold=threshold,
            dimensions=cluster,
        )

    specs = [
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
        replace(
            spec(
                "database-storage",
                f"The database holds more than {args.database_gibibytes} GiB",
                "VolumeBytesUsed",
                "Average",
                args.database_gibibytes * GIBIBYTE,
            ),
            severity=Severity.TICKET,
            period_seconds=3600,
            periods=1,
            periods_to_alarm=1,
        ),
    ]
    if args.task_connections:
        connections = replace(
            spec(
                "database-connections",
                f"The tasks hold more than {PERCENT} percent of the connections that they may open to the database",
                "DatabaseConnections",
                "Maximum",
                PERCENT,
            ),
            series=[
                Series(),
                Series(
                    namespace="ECS/ContainerInsights",
                    metric="RunningTaskCount",
                    statistic="Maximum",
                    dimensions={"ClusterName": args.cluster_name, "ServiceName": args.service_name},
                ),
            ],
            expression=f"100 * m1 / (m2 * {args.task_connections})",
            label="Percent of the connections of the running tasks",
            **LASTING,
        )
        specs.append(connections)
    if args.database_instances > 1:
        lag = spec(
            "database-replication",
            "A database reader is more than two seconds behind the writer",
            "AuroraReplicaLagMaximum",
            "Maximum",
            2000,
        )
        specs.append(replace(lag, severity=Severity.TICKET))
    return specs


def _cache(args: DataAlarmsArgs) -> list[AlarmSpec]:
    nodes = [
        Series(dimensions={"CacheClusterId": args.cache_node_ids.apply(lambda ids, number=number: ids[number])})
        for number in range(args.cache_nodes)
    ]

    def spec(role: str, sentence: str, metric: str, statistic: str, threshold: float) -> AlarmSpec:
        return AlarmSpec(
            role=role,
            sentence=sentence,
            severity=Severity.TICKET,
            namespace="AWS/ElastiCache",
            metric=metric,
            statistic=statistic,
            threshold=threshold,
            series=nodes,
        )

    specs = [
        replace(
            spec("cache-cpu", "A cache node uses nearly all of its CPU", "EngineCPUUtilization", "Maximum", 90),
            severity=Severity.PAGE,
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
    ]
    if args.cache_nodes > 1:
        specs.append(
            spec(
                "cache-replication",
                "A cache replica is more than five seconds behind the primary",
                "ReplicationLag",
                "Maximum",
                5,
            )
        )
    return specs
