"""The database: Aurora PostgreSQL Serverless v2 with its own group, logs and monitoring.

Users and applications log in with IAM. RDS creates, stores and rotates the master password, and only ``prepare`` gets
it. Statements with their values are never logged, even if they fail (``PARAMETERS``). The Data API is disabled, because
it would bypass the network. Roles and extensions inside PostgreSQL are created by ``prepare``.
"""

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.common.aws_limits import DATABASE_PORT
from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, service_trust
from components.data.certificates import DATABASE_AUTHORITY
from components.data.database_roles import DatabaseRoles
from components.data.iam_documents import monitoring_policy
from components.data.store import StoreContext, guarded_group

PORT = DATABASE_PORT
DATABASE = "interface"
"""The application's database."""
ROLES = DatabaseRoles(master="interface_admin", application="interface")
"""The roles in PostgreSQL. RDS creates the master, which ``prepare`` uses, and cannot rename it: another name replaces
the cluster. ``prepare`` creates the others."""

LOGS = ("iam-db-auth-error", "postgresql")
"""The logs that RDS exports to CloudWatch Logs: the engine log, and errors of IAM logins."""

PARAMETERS = {
    "rds.force_ssl": "1",
    # Statements are never logged, whether they are slow, change data or fail.
    "log_statement": "none",
    "log_min_duration_sample": "-1",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # The DETAIL line of an error contains the row that violated a constraint.
    "log_error_verbosity": "terse",
    # Connections and disconnections, without statements.
    "log_connections": "1",
    "log_disconnections": "1",
    # Drivers write values into the statement's text. The views of running statements, and Performance Insights, which
    # reads them, keep this many bytes of it, which is PostgreSQL's minimum.
    "track_activity_query_size": "100",
}
"""Parameters of the cluster, which apply to every instance."""
_AT_A_RESTART = frozenset({"rds.force_ssl", "track_activity_query_size"})

MONITORING_SECONDS = 60
INSIGHTS_DAYS = 7
"""Performance Insights' history, free of charge at this length."""
BACKUP_WINDOW, MAINTENANCE_WINDOW = "02:00-03:00", "sun:03:30-sun:04:30"
"""UTC. They must not overlap."""


@dataclass(frozen=True)
class Database:
    """Outputs for other components."""

    cluster: aws.rds.Cluster
    instances: list[aws.rds.ClusterInstance]
    master_secret_arn: pulumi.Output[str]
    log_groups: dict[str, aws.cloudwatch.LogGroup]
    """Log → log group."""
    subnet_group: aws.rds.SubnetGroup
    """The private subnets."""


def make_database(context: StoreContext, lifetime: pulumi.Output[str]) -> Database:
    """The cluster and its instances. ``lifetime`` differs each time the environment is created."""
    logs = _log_groups(context)
    subnets = aws.rds.SubnetGroup(
        f"{context.name}-database",
        description=f"ai-interface {context.args.environment}: private subnets",
        subnet_ids=context.args.subnet_ids,
        tags=context.args.tags,
        opts=context.child,
    )
    cluster = _cluster(context, lifetime, subnets, list(logs.values()))
    role, permission = _monitoring_role(context)
    zones = context.args.availability_zones[: context.args.database.instances]
    instances = [_instance(context, zone, cluster, role, permission) for zone in zones]
    _events(context, cluster, instances)
    secret_arn = cluster.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
    return Database(cluster, instances, secret_arn, logs, subnets)


def cluster_identifier(environment: str, snapshot_identifier: str | None) -> str:
    """The cluster's identifier. RDS uses it in the names of the log groups, so it must be known before the cluster is
    created. A cluster that is created from a snapshot has a different identifier, because the previous cluster still
    exists."""
    if snapshot_identifier is None:
        return f"ai-interface-{environment}"
    return f"ai-interface-{environment}-{hashlib.sha256(snapshot_identifier.encode()).hexdigest()[:8]}"


def _log_groups(context: StoreContext) -> dict[str, aws.cloudwatch.LogGroup]:
    args = context.args
    cluster = cluster_identifier(args.environment, args.database.snapshot_identifier)
    # Created before the cluster: otherwise RDS creates them without encryption key and expiry.
    return {
        log: aws.cloudwatch.LogGroup(
            f"{context.name}-database-{log}",
            name=f"/aws/rds/cluster/{cluster}/{log}",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            tags=args.tags,
            opts=context.child,
        )
        for log in LOGS
    }


def _cluster(
    context: StoreContext,
    lifetime: pulumi.Output[str],
    subnets: aws.rds.SubnetGroup,
    log_groups: list[aws.cloudwatch.LogGroup],
) -> aws.rds.Cluster:
    name, args, key, child = f"{context.name}-database", context.args, context.key, context.child
    chosen = args.database
    parameters = aws.rds.ClusterParameterGroup(
        name,
        description=f"ai-interface {args.environment}: TLS only, no statements in logs",
        family=f"aurora-postgresql{chosen.engine_version}",
        parameters=[
            aws.rds.ClusterParameterGroupParameterArgs(
                name=parameter,
                value=value,
                apply_method="pending-reboot" if parameter in _AT_A_RESTART else "immediate",
            )
            for parameter, value in sorted(PARAMETERS.items())
        ],
        tags=args.tags,
        opts=child,
    )
    identifier = cluster_identifier(args.environment, chosen.snapshot_identifier)
    return aws.rds.Cluster(
        name,
        cluster_identifier=identifier,
        engine="aurora-postgresql",
        engine_mode="provisioned",
        engine_version=chosen.engine_version,
        database_name=DATABASE,
        master_username=ROLES.master,
        manage_master_user_password=True,
        master_user_secret_kms_key_id=key.arn,
        iam_database_authentication_enabled=True,
        enable_http_endpoint=False,
        port=PORT,
        network_type="IPV4",
        db_subnet_group_name=subnets.name,
        vpc_security_group_ids=[guarded_group(context, "database", PORT).id],
        db_cluster_parameter_group_name=parameters.name,
        serverlessv2_scaling_configuration=aws.rds.ClusterServerlessv2ScalingConfigurationArgs(
            min_capacity=chosen.minimum_capacity_units, max_capacity=chosen.maximum_capacity_units
        ),
        storage_encrypted=True,
        kms_key_id=key.arn,
        snapshot_identifier=chosen.snapshot_identifier,
        backup_retention_period=chosen.backup_retention_days,
        preferred_backup_window=BACKUP_WINDOW,
        preferred_maintenance_window=MAINTENANCE_WINDOW,
        copy_tags_to_snapshot=True,
        # After a deletion, point-in-time restores remain possible for the same retention period.
        delete_automated_backups=False,
        deletion_protection=not args.allow_deletion,
        skip_final_snapshot=False,
        # The name must be new each time; otherwise AWS refuses the deletion.
        final_snapshot_identifier=pulumi.Output.concat(identifier, "-final-", lifetime),
        enabled_cloudwatch_logs_exports=list(LOGS),
        # Changes apply immediately, not in the next maintenance window, so the result matches the preview.
        apply_immediately=True,
        tags=args.tags,
        opts=pulumi.ResourceOptions(
            parent=child.parent,
            depends_on=log_groups,
            # Pulumi refuses before it deletes anything; AWS would refuse only after half of the stack is deleted.
            protect=not args.allow_deletion,
        ),
    )


def _instance(
    context: StoreContext,
    zone: str,
    cluster: aws.rds.Cluster,
    monitoring: aws.iam.Role,
    permission: aws.iam.RolePolicy,
) -> aws.rds.ClusterInstance:
    return aws.rds.ClusterInstance(
        f"{context.name}-database-{zone}",
        cluster_identifier=cluster.id,
        engine=aws.rds.EngineType.AURORA_POSTGRESQL,
        # The cluster sets the engine version and whether tags are copied to snapshots; AWS accepts neither for an
        # instance.
        instance_class="db.serverless",
        availability_zone=zone,
        # Readers of this tier scale with the writer, so the one that takes over can handle the writer's load.
        promotion_tier=1,
        publicly_accessible=False,
        ca_cert_identifier=DATABASE_AUTHORITY,
        auto_minor_version_upgrade=True,
        monitoring_interval=MONITORING_SECONDS,
        monitoring_role_arn=monitoring.arn,
        performance_insights_enabled=True,
        performance_insights_kms_key_id=context.key.arn,
        performance_insights_retention_period=INSIGHTS_DAYS,
        apply_immediately=True,
        tags=context.args.tags,
        # RDS refuses a monitoring role that does not have permission to write to the log yet.
        opts=context.after(permission),
    )


def _monitoring_role(context: StoreContext) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    name, args, child = f"{context.name}-monitoring", context.args, context.child
    role = aws.iam.Role(
        name,
        assume_role_policy=service_trust(
            "monitoring.rds.amazonaws.com",
            {
                "StringEquals": {SOURCE_ACCOUNT: [args.account_id]},
                "ArnLike": {SOURCE_ARN: [f"arn:aws:rds:{args.region}:{args.account_id}:db:*"]},
            },
        ),
        tags=args.tags,
        opts=child,
    )
    policy = monitoring_policy(args.region, args.account_id)
    return role, aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=policy, opts=child)


def _events(context: StoreContext, cluster: aws.rds.Cluster, instances: list[aws.rds.ClusterInstance]) -> None:
    sources: dict[str, list[pulumi.Output[str]]] = {
        "db-cluster": [cluster.id],
        "db-instance": [instance.id for instance in instances],
        # Events of a parameter group contain no cluster, so events of the account's other groups are also sent.
        "db-parameter-group": [],
    }
    for source, ids in sources.items():
        aws.rds.EventSubscription(
            f"{context.name}-{source}-events",
            sns_topic=context.args.alarm_topic_arn,
            source_type=source,
            source_ids=ids or None,
            tags=context.args.tags,
            opts=context.child,
        )
