"""Arguments of ``Data``: sizes and retention of its stores. All durations are in days."""

import pulumi
from pydantic import Field, field_validator, model_validator

from components.args import Args, Input
from components.common.aws_limits import (
    BACKUP_VAULT_ARN,
    CACHE_REPLICAS,
    CACHE_SNAPSHOT_DAYS,
    CAPACITY_STEP,
    CAPACITY_UNITS,
    DATABASE_BACKUP_DAYS,
    DATABASE_INSTANCES,
    KMS_KEY_ARN,
    LEAST_BACKUP_DAYS,
    LEAST_MAXIMUM_UNITS,
    RESTORE_TEST_MONTHS,
    UPLOAD_LOG_DAYS,
)


class DataDatabaseArgs(Args):
    """Aurora PostgreSQL Serverless v2."""

    engine_version: str = "16"
    """The major version. AWS installs minor versions in the maintenance window. A new major version needs a planned
    upgrade."""
    minimum_capacity_units: float = Field(default=1, ge=CAPACITY_UNITS[0], le=CAPACITY_UNITS[1])
    """Aurora capacity units (about 2 GiB of memory each) that are always provisioned, in steps of 0.5."""
    maximum_capacity_units: float = Field(default=4, ge=LEAST_MAXIMUM_UNITS, le=CAPACITY_UNITS[1])
    """The capacity to which each instance can scale. AWS bills the capacity in use."""
    instances: int = Field(default=2, ge=1, le=DATABASE_INSTANCES)
    """One writer and its readers, each in a different zone. With one instance, the loss of its zone is an outage."""
    backup_retention_days: int = Field(default=7, ge=DATABASE_BACKUP_DAYS[0], le=DATABASE_BACKUP_DAYS[1])
    """How far back a point-in-time restore can go (AWS: 1 to 35)."""
    snapshot_identifier: str | None = None
    """The name or ARN of a cluster snapshot from which the database is created. Changing it replaces the database.
    Omitted: an empty database."""

    @model_validator(mode="after")
    def _units_are_in_order(self) -> "DataDatabaseArgs":
        for name in ("minimum_capacity_units", "maximum_capacity_units"):
            if getattr(self, name) % CAPACITY_STEP:
                raise ValueError(f"{name} is {getattr(self, name)}: Aurora capacity is in steps of {CAPACITY_STEP}")
        if self.minimum_capacity_units > self.maximum_capacity_units:
            raise ValueError(
                f"minimum_capacity_units ({self.minimum_capacity_units}) is more than maximum_capacity_units "
                f"({self.maximum_capacity_units}): lower it, or raise the maximum"
            )
        return self


class DataCacheArgs(Args):
    """Valkey with cluster mode disabled."""

    engine_version: str = "8.0"
    """Major and minor version of Valkey."""
    node_type: str = "cache.t4g.small"
    """The node type of every node."""
    replicas: int = Field(default=1, ge=0, le=CACHE_REPLICAS)
    """Replicas of the primary, in other zones. One of them takes over if the primary fails. With none, the loss of the
    node or of its zone is an outage of the cache."""
    snapshot_retention_days: int = Field(default=1, ge=1, le=CACHE_SNAPSHOT_DAYS)
    """How long the daily snapshot is kept (AWS: at most 35)."""


class DataUploadsArgs(Args):
    """The bucket of uploaded files."""

    deleted_file_days: int = Field(default=30, ge=1)
    """How long a deleted or overwritten file can be restored."""
    access_log_days: int = Field(default=30, ge=1, le=UPLOAD_LOG_DAYS)
    """How long the S3 access log is kept. It contains object keys, which end in the names of uploaded files."""
    access_log_reader_arns: Input[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """The roles that may read the S3 access log. Every other principal is denied, even if another policy allows it. ``*`` and
    ``?`` are wildcards. Omitted: no principal can read it."""


class DataArgs(Args):
    """Arguments of ``Data``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    subnet_ids: pulumi.Output[list[str]]
    """The private subnets, one in each zone."""
    availability_zones: list[str] = Field(min_length=2)
    """The subnets' zones by name. The database's instances are placed in them in this order."""
    client_security_group_id: pulumi.Output[str]
    """The tasks' security group, the only one that the stores allow. It gets an egress rule to each store."""
    task_role_name: pulumi.Output[str]
    """The task role, which gets permission to log in to the database and to access the bucket's objects."""
    execution_role_name: pulumi.Output[str]
    """The execution role, which gets permission to read the stores' secrets."""
    log_key_arn: pulumi.Output[str]
    """The key of the stores' log groups; its policy must allow CloudWatch Logs. The data has a separate key."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic that receives the database's events."""
    log_retention_days: int = 90
    """How long the stores' logs are kept."""
    backup_days: int = Field(default=35, ge=LEAST_BACKUP_DAYS)
    """How long AWS Backup keeps its daily copies of database and bucket."""
    copy_vault_arn: str | None = Field(default=None, pattern=BACKUP_VAULT_ARN)
    """A vault in another region of this account, or in this region of another account, to which each copy is copied and kept
    for as long. Omitted: they stay in the region and the account."""
    copy_key_arn: str | None = Field(default=None, pattern=KMS_KEY_ARN)
    """The key of that vault, if it is in another region. Omitted: the vault is in another account, or there is none."""
    restore_test_months: int = 1
    """AWS Backup restores the newest copy of database and bucket every so many months, and deletes what it restored: 1, 2, 3, 4,
    6 or 12. 0: never, so nothing shows that a copy can be restored; the guardrails pack reports it."""
    database: DataDatabaseArgs = DataDatabaseArgs()
    """The database's size. Omitted: two instances of 1 to 4 capacity units."""
    cache: DataCacheArgs = DataCacheArgs()
    """The cache's size. Omitted: a primary and a replica of 1.4 GiB."""
    uploads: DataUploadsArgs = Field(default_factory=DataUploadsArgs)
    """The bucket's lifecycle. Omitted: a deleted file can be restored for 30 days."""
    allow_deletion: bool = False
    """True: database, bucket and the stores' security groups may be deleted or replaced; the database leaves a final
    snapshot. The guardrails pack reports it."""
    tags: dict[str, str]
    """Tags of every resource."""

    @field_validator("restore_test_months")
    @classmethod
    def _divides_a_year(cls, value: int) -> int:
        if value not in RESTORE_TEST_MONTHS:
            raise ValueError(f"one of {', '.join(map(str, RESTORE_TEST_MONTHS))}, not {value}")
        return value

    @model_validator(mode="after")
    def _copies_are_elsewhere(self) -> "DataArgs":
        if self.copy_vault_arn is not None:
            region, account = self.copy_vault_arn.split(":")[3:5]
            if (region == self.region) == (account == self.account_id):
                raise ValueError(
                    f"copy_vault_arn is {self.copy_vault_arn}: name a vault in another region of account {self.account_id}, or in "
                    f"{self.region} of another account, because AWS Backup copies a database to one or the other"
                )
            if (region != self.region) != (self.copy_key_arn is not None):
                raise ValueError(
                    f"copy_key_arn is {self.copy_key_arn}: a vault in another region needs the ARN of its key, and one in another "
                    "account must have none"
                )
        return self

    @model_validator(mode="after")
    def _every_instance_has_a_zone(self) -> "DataArgs":
        if self.database.instances > len(self.availability_zones):
            raise ValueError(
                f"database.instances is {self.database.instances}, with {len(self.availability_zones)} availability "
                "zones: at most one in each"
            )
        return self
