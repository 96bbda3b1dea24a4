"""How large the state is and how long it is kept: database, cache, uploaded files and their copies."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, Strict, StringConstraints, model_validator

from settings.errors import check
from settings.values import Section, Whole

CapacityUnits = Annotated[
    float,
    Strict(),
    Field(
        ge=0.5,
        le=256,
        multiple_of=0.5,
        allow_inf_nan=False,
        description="Aurora capacity units from 0.5 to 256, in steps of 0.5",
    ),
]
NodeType = Annotated[
    str,
    StringConstraints(pattern=r"^cache\.[a-z][a-z0-9]{1,7}\.[a-z0-9]{5,8}$"),
    Field(description="a node type of ElastiCache, for example cache.t4g.small"),
]
SnapshotIdentifier = Annotated[
    str,
    StringConstraints(
        pattern=r"^(arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:cluster-snapshot:)?((rds|awsbackup):)?[a-z][a-z0-9-]{0,254}$",
        max_length=400,
    ),
    Field(description="the name or ARN of a cluster snapshot, for example ai-interface-staging-final-0a1b2c3d"),
]


CONNECTIONS_OF_A_UNIT = 189
MOST_CONNECTIONS, MOST_WITH_A_SMALL_MINIMUM = 5000, 2000
SMALL_MINIMUM = 0.5
"""What Aurora PostgreSQL accepts: at least 189 for each capacity unit of the maximum, whatever it has shrunk to, 5,000 at
the most, and 2,000 where the minimum is half a unit
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html#aurora-serverless-v2.max-connections)."""
LEAST_CONNECTIONS = 10
"""For one task: the application's three pools need as many (``components.applications.open_webui_data``)."""
RESERVED_CONNECTIONS = 30
"""Left to others than the tasks: PostgreSQL and RDS keep 5 from them (``superuser_reserved_connections``,
``rds.rds_superuser_reserved_connections``), RDS watches through some of its own, and a person has to get in."""


class Database(Section):
    """Aurora PostgreSQL Serverless v2."""

    minimum_capacity_units: CapacityUnits = 1
    """What is always there, about 2 GiB of memory for each unit."""
    maximum_capacity_units: CapacityUnits = 4
    """What each instance grows to. AWS bills what is used."""
    instances: Whole = Field(default=2, ge=2, le=3)
    """A writer and one or two readers, each in a zone of its own: one of them takes over when the writer is lost."""
    backup_retention_days: Whole = Field(default=7, ge=7, le=35)
    """How far back a point in time can be restored (AWS: at most 35)."""
    snapshot_identifier: SnapshotIdentifier | None = None
    """The cluster snapshot that the database starts from. Changing it makes a new database: see docs/restore.md."""

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
        """What it accepts at the most, however large its maximum is."""
        return MOST_WITH_A_SMALL_MINIMUM if self.minimum_capacity_units <= SMALL_MINIMUM else MOST_CONNECTIONS

    @property
    def connections_for_tasks(self) -> int:
        """How many connections all tasks together may open, at the least."""
        accepted = min(self.most_connections, int(CONNECTIONS_OF_A_UNIT * self.maximum_capacity_units))
        return accepted - RESERVED_CONNECTIONS


class Cache(Section):
    """Valkey with cluster mode disabled."""

    node_type: NodeType = "cache.t4g.small"
    """Of every node."""
    replicas: Whole = Field(default=1, ge=1, le=5)
    """Copies of the primary in other zones: one of them takes over when it is lost."""
    snapshot_retention_days: Whole = Field(default=1, ge=1, le=35)
    """How long the daily snapshot is kept (AWS: at most 35)."""


class Uploads(Section):
    """The bucket of uploaded files."""

    deleted_file_days: Whole = Field(default=30, ge=1, le=365)
    """How long a deleted or overwritten file can be brought back."""
    access_log_days: Whole = Field(default=30, ge=1, le=90)
    """How long the record of requests is kept. It holds object names, which end in the names of uploaded files."""


class Data(Section):
    """What the tasks share, and must not lose."""

    database: Database = Database()
    cache: Cache = Cache()
    uploads: Uploads = Uploads()
    backup_days: Whole = Field(default=35, ge=7, le=365)
    """How long the nightly copies of database and bucket are kept, whatever becomes of the originals."""
