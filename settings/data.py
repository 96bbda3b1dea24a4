"""Size and retention of the data: database, cache, uploaded files and their backups."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, Strict, StringConstraints, field_validator, model_validator

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
from settings.edge import RoleArn
from settings.errors import check
from settings.values import Section, Whole

CapacityUnits = Annotated[
    float,
    Strict(),
    Field(
        ge=CAPACITY_UNITS[0],
        le=CAPACITY_UNITS[1],
        multiple_of=CAPACITY_STEP,
        allow_inf_nan=False,
        description=f"Aurora capacity units from {CAPACITY_UNITS[0]} to {CAPACITY_UNITS[1]}, in steps of {CAPACITY_STEP}",
    ),
]
MaximumUnits = Annotated[
    float,
    Strict(),
    Field(
        ge=LEAST_MAXIMUM_UNITS,
        le=CAPACITY_UNITS[1],
        multiple_of=CAPACITY_STEP,
        allow_inf_nan=False,
        description=f"Aurora capacity units from {LEAST_MAXIMUM_UNITS} to {CAPACITY_UNITS[1]}, in steps of {CAPACITY_STEP}",
    ),
]
NodeType = Annotated[
    str,
    StringConstraints(pattern=r"^cache\.[a-z][a-z0-9]{1,7}\.[a-z0-9]{5,8}$"),
    Field(description="an ElastiCache node type, for example cache.t4g.small"),
]
SnapshotIdentifier = Annotated[
    str,
    StringConstraints(
        pattern=r"^(arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:cluster-snapshot:)?((rds|awsbackup):)?[a-z][a-z0-9-]{0,254}$",
        max_length=400,
    ),
    Field(description="the name or ARN of a cluster snapshot, for example ai-interface-staging-final-0a1b2c3d"),
]


BackupVaultArn = Annotated[
    str,
    StringConstraints(pattern=BACKUP_VAULT_ARN),
    Field(
        description="the ARN of a backup vault, for example arn:aws:backup:eu-central-1:111122223333:backup-vault:ai-interface-copies"
    ),
]
KmsKeyArn = Annotated[
    str,
    StringConstraints(pattern=KMS_KEY_ARN),
    Field(
        description="the ARN of a KMS key, for example arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"
    ),
]

CONNECTIONS_OF_A_UNIT = 189
MOST_CONNECTIONS, MOST_WITH_A_SMALL_MINIMUM = 5000, 2000
SMALL_MINIMUM = 0.5
"""Connections that Aurora PostgreSQL accepts: at least 189 for each unit of the maximum capacity, independent of the
current capacity, at most 5,000, and at most 2,000 if the minimum is half a unit
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html#aurora-serverless-v2.max-connections)."""
LEAST_CONNECTIONS = 10
"""The minimum number of connections of one task: the application's three pools need this many
(``components.applications.open_webui_data``)."""
RESERVED_CONNECTIONS = 30
"""Connections not available to tasks: PostgreSQL and RDS reserve 5 (``superuser_reserved_connections``,
``rds.rds_superuser_reserved_connections``), RDS monitoring uses some, and an operator must be able to connect."""


class Database(Section):
    """The database: Aurora PostgreSQL Serverless v2."""

    minimum_capacity_units: CapacityUnits = 1
    """The capacity that is always provisioned, about 2 GiB of memory for each unit."""
    maximum_capacity_units: MaximumUnits = 4
    """The capacity to which each instance can scale. AWS bills the capacity in use."""
    instances: Whole = Field(default=2, ge=1, le=DATABASE_INSTANCES)
    """One writer and up to two readers, each in a different zone. A reader takes over if the writer fails. With one
    instance, a failure is an outage until Aurora has created a new one, usually about ten minutes, and the loss of its zone
    one until the zone is back or you create an instance in another; the guardrails pack reports it."""
    backup_retention_days: Whole = Field(default=7, ge=7, le=DATABASE_BACKUP_DAYS[1])
    """How many days back a point-in-time restore can go (AWS: at most 35)."""
    snapshot_identifier: SnapshotIdentifier | None = None
    """The cluster snapshot from which the database is created. Changing it replaces the database: see docs/restore.md."""

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        check(
            self.minimum_capacity_units <= self.maximum_capacity_units,
            key="data.database.minimumCapacityUnits",
            value=f"{self.minimum_capacity_units:g}",
            allowed=f"at most maximumCapacityUnits ({self.maximum_capacity_units:g})",
            fix="lower it, or raise maximumCapacityUnits",
        )
        return self

    @property
    def most_connections(self) -> int:
        """The maximum number of connections that the database accepts at any maximum capacity."""
        return MOST_WITH_A_SMALL_MINIMUM if self.minimum_capacity_units <= SMALL_MINIMUM else MOST_CONNECTIONS

    @property
    def connections_for_tasks(self) -> int:
        """The total number of connections available to all tasks."""
        accepted = min(self.most_connections, int(CONNECTIONS_OF_A_UNIT * self.maximum_capacity_units))
        return accepted - RESERVED_CONNECTIONS


class Cache(Section):
    """The cache: Valkey with cluster mode disabled."""

    node_type: NodeType = "cache.t4g.small"
    """The node type of every cache node."""
    replicas: Whole = Field(default=1, ge=0, le=CACHE_REPLICAS)
    """Replicas of the primary in other zones. One of them takes over if the primary fails. With none, the cache is empty
    and unavailable until its node has been replaced; the guardrails pack reports it."""
    snapshot_retention_days: Whole = Field(default=1, ge=1, le=CACHE_SNAPSHOT_DAYS)
    """How many days the daily snapshot is kept (AWS: at most 35)."""


class Uploads(Section):
    """The S3 bucket for uploaded files."""

    deleted_file_days: Whole = Field(default=30, ge=1, le=365)
    """How many days a deleted or overwritten file can be restored."""
    access_log_days: Whole = Field(default=30, ge=1, le=UPLOAD_LOG_DAYS)
    """How many days the S3 access log is kept. It contains object keys, which end in the names of uploaded files."""
    access_log_reader_arns: tuple[RoleArn, ...] = ()
    """Roles that may read the S3 access log. Omitted: no principal can read it."""


class Data(Section):
    """Size and retention of the data that outlives a task."""

    database: Database = Database()
    cache: Cache = Cache()
    uploads: Uploads = Uploads()
    backup_days: Whole = Field(default=35, ge=LEAST_BACKUP_DAYS, le=365)
    """How many days the nightly backups of the database and the bucket are kept, even if the originals are deleted."""
    restore_test_months: Whole = 1
    """How many months are between two tests in which AWS Backup restores the newest nightly copy of database and files, and deletes
    what it restored: 1, 2, 3, 4, 6 or 12. 0: never; the guardrails pack reports it."""
    copy_vault_arn: BackupVaultArn | None = None
    """A vault that you have created in another region of this account, or in this region of another account of the
    organization: each nightly backup is also copied there and kept as long (``docs/restore.md``). Omitted: backups stay in the
    region and the account."""
    copy_key_arn: KmsKeyArn | None = None
    """The key of that vault, if it is in another region: the copies are encrypted with it."""

    @field_validator("restore_test_months")
    @classmethod
    def _divides_a_year(cls, value: int) -> int:
        check(
            value in RESTORE_TEST_MONTHS,
            key="data.restoreTestMonths",
            value=str(value),
            allowed="one of " + ", ".join(map(str, RESTORE_TEST_MONTHS)),
            fix=f"set it to {min(RESTORE_TEST_MONTHS[1:], key=lambda months: abs(months - value))}",
        )
        return value
