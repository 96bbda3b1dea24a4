"""The cache: Valkey with cluster mode disabled, TLS and a password.

Open WebUI's WebSocket layer does not support cluster mode, so neither cluster mode nor the serverless cache is used.
Only the engine log is kept, because the slow log contains commands with their values.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.common.aws_limits import CACHE_PORT
from components.common.log_delivery import delivery_policy
from components.data.store import StoreContext, guarded_group

PORT = CACHE_PORT
SNAPSHOT_WINDOW, MAINTENANCE_WINDOW = "02:00-03:00", "sun:03:30-sun:04:30"
"""UTC. They must not overlap."""


@dataclass(frozen=True)
class Cache:
    """Outputs for other components."""

    group: aws.elasticache.ReplicationGroup
    url: pulumi.Output[str]
    """Contains the password: secret."""
    log_group: aws.cloudwatch.LogGroup


def make_cache(context: StoreContext, password: pulumi.Output[str]) -> Cache:
    """A primary and its replicas."""
    name, args, key, child = f"{context.name}-cache", context.args, context.key, context.child
    chosen = args.cache
    log, permission = _log(context)
    subnets = aws.elasticache.SubnetGroup(
        name,
        description=f"ai-interface {args.environment}: private subnets",
        subnet_ids=args.subnet_ids,
        tags=args.tags,
        opts=child,
    )
    group = aws.elasticache.ReplicationGroup(
        name,
        description=f"ai-interface {args.environment}: messages between tasks",
        engine="valkey",
        engine_version=chosen.engine_version,
        # The parameter group must match: AWS has a different one for cluster mode.
        parameter_group_name=f"default.valkey{chosen.engine_version.partition('.')[0]}",
        cluster_mode="disabled",
        node_type=chosen.node_type,
        num_cache_clusters=1 + chosen.replicas,
        # AWS refuses both without a replica.
        automatic_failover_enabled=chosen.replicas > 0,
        multi_az_enabled=chosen.replicas > 0,
        port=PORT,
        network_type="ipv4",
        subnet_group_name=subnets.name,
        security_group_ids=[guarded_group(context, "cache", PORT).id],
        at_rest_encryption_enabled=True,
        kms_key_id=key.arn,
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
        auth_token=password,
        # The previous password stays valid until the next change, so tasks that still use it stay connected.
        auth_token_update_strategy="ROTATE",  # noqa: S106 - the strategy, not a token
        snapshot_retention_limit=chosen.snapshot_retention_days,
        snapshot_window=SNAPSHOT_WINDOW,
        maintenance_window=MAINTENANCE_WINDOW,
        auto_minor_version_upgrade=True,
        apply_immediately=True,
        log_delivery_configurations=[
            aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs(
                destination=log.name, destination_type="cloudwatch-logs", log_format="json", log_type="engine-log"
            )
        ],
        tags=args.tags,
        opts=context.after(permission),
    )
    url = pulumi.Output.concat("rediss://default:", password, "@", group.primary_endpoint_address, f":{PORT}/0")
    return Cache(group, pulumi.Output.secret(url), log)


def _log(context: StoreContext) -> tuple[aws.cloudwatch.LogGroup, aws.cloudwatch.LogResourcePolicy]:
    name, args, child = f"{context.name}-cache-engine", context.args, context.child
    log = aws.cloudwatch.LogGroup(
        name,
        name=f"/ai-interface/{args.environment}/cache",
        retention_in_days=args.log_retention_days,
        kms_key_id=args.log_key_arn,
        tags=args.tags,
        opts=child,
    )
    permission = aws.cloudwatch.LogResourcePolicy(
        name,
        policy_name=f"ai-interface-{args.environment}-cache",
        policy_document=log.arn.apply(lambda arn: delivery_policy(arn, args.account_id, args.region)),
        opts=child,
    )
    return log, permission
