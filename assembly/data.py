"""Arguments of database, cache, uploads and backups, and of their alarms."""

from assembly.common import tags
from assembly.task import preset
from components.data import Data, DataArgs, DataCacheArgs, DataDatabaseArgs, DataUploadsArgs, UploadsAccessArgs
from components.monitoring import DataAlarmsArgs, Operations
from components.network import PrivateEndpoints, PrivateNetwork
from components.service import InterfaceService, WorkloadIdentity
from settings import StackSettings


def data(
    settings: StackSettings, network: PrivateNetwork, operations: Operations, workload: WorkloadIdentity
) -> DataArgs:
    """Database, cache, uploads and backups."""
    chosen = settings.data
    return DataArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        vpc_id=network.vpc_id,
        subnet_ids=network.private_subnet_ids,
        availability_zones=list(settings.network.availability_zones),
        client_security_group_id=workload.security_group_id,
        task_role_name=workload.task_role_name,
        execution_role_name=workload.execution_role_name,
        log_key_arn=operations.key_arn,
        alarm_topic_arn=operations.ticket_topic_arn,
        log_retention_days=settings.retention.application_log_days,
        backup_days=chosen.backup_days,
        restore_test_months=chosen.restore_test_months,
        copy_vault_arn=chosen.copy_vault_arn,
        copy_key_arn=chosen.copy_key_arn,
        database=DataDatabaseArgs(
            minimum_capacity_units=chosen.database.minimum_capacity_units,
            maximum_capacity_units=chosen.database.maximum_capacity_units,
            instances=chosen.database.instances,
            backup_retention_days=chosen.database.backup_retention_days,
            snapshot_identifier=chosen.database.snapshot_identifier,
        ),
        cache=DataCacheArgs(
            node_type=chosen.cache.node_type,
            replicas=chosen.cache.replicas,
            snapshot_retention_days=chosen.cache.snapshot_retention_days,
        ),
        uploads=DataUploadsArgs(
            deleted_file_days=chosen.uploads.deleted_file_days,
            access_log_days=chosen.uploads.access_log_days,
            access_log_reader_arns=list(chosen.uploads.access_log_reader_arns),
        ),
        allow_deletion=settings.allow_deletion,
        tags=tags(settings),
    )


def uploads_access(data: Data, endpoints: PrivateEndpoints) -> UploadsAccessArgs:
    """The policy that limits access to the uploaded files to the endpoint."""
    return UploadsAccessArgs(
        bucket_name=data.bucket_name,
        bucket_arn=data.bucket_arn,
        endpoint_id=endpoints.endpoint_ids["s3"],
        backup_role_arn=data.backup_role_arn,
    )


def data_alarms(
    settings: StackSettings, data: Data, service: InterfaceService, operations: Operations
) -> DataAlarmsArgs:
    """Alarms on database, cache and backups."""
    return DataAlarmsArgs(
        environment=settings.environment,
        database_cluster_id=data.database_cluster_id,
        maximum_capacity_units=settings.data.database.maximum_capacity_units,
        task_connections=settings.capacity.database_connections if preset(settings).connection_pools else 0,
        cluster_name=service.cluster_name,
        service_name=service.service_name,
        database_instances=settings.data.database.instances,
        cache_nodes=1 + settings.data.cache.replicas,
        cache_node_ids=data.cache_node_ids,
        backup_vault_arn=data.backup_vault_arn,
        backup_vault_name=data.backup_vault_name,
        restore_test_plan_arn=data.restore_test_plan_arn if settings.data.restore_test_months else None,
        pages_together=True,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )
