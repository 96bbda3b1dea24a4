"""What the service must know about the application's container; a preset returns it."""

import re

from pydantic import Field, field_validator, model_validator

from components.args import Args

VOLUME_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""What ECS accepts as the name of a task's volume (API reference of Volume)."""


def volume_name(directory: str) -> str:
    """The task volume behind a directory: ``/app/data`` is ``app-data``."""
    return directory.strip("/").replace("/", "-").replace(".", "-")


class DatabaseArgs(Args):
    """What ``prepare`` does in a database before the application starts; the application itself never migrates.

    The prepare container needs the variables ``DATABASE_HOST``, ``_PORT``, ``_NAME`` and ``_USER`` (the application's
    role) as values, ``DATABASE_MASTER_USER`` and ``DATABASE_MASTER_PASSWORD`` as secrets, and ``psycopg`` and
    ``alembic`` in the image.
    """

    extensions: list[str] = Field(default_factory=list[str])
    """Extensions that the application needs."""
    paths: list[str]
    """The directories from which the application's code is imported."""
    configuration: str
    """Alembic's configuration file in the image."""
    scripts: str
    """Alembic's script location in the image. Its environment reads ``DATABASE_URL``."""
    scratch_variables: list[str] = Field(default_factory=list[str])
    """Variables that point to a temporary directory while ``prepare`` runs, for code that writes there when it is
    imported."""
    warm_up: list[str] = Field(default_factory=list[str])
    """Modules that create what they need in the database when they are imported. ``prepare`` imports them once for each
    release, as the application's role, so that tasks which start together do not conflict."""


class SchemaArgs(Args):
    """The database schema that a release's migrations produce."""

    release: str
    """Its version."""
    revision: str
    """The last Alembic revision of its image."""
    compatible_with: list[str] = Field(default_factory=list[str])
    """Earlier releases that work with this schema."""


class ApplicationArgs(Args):
    """An HTTP application in a container. It listens on loopback and never runs as root."""

    name: str
    """The application's name: ``open-webui``."""
    port: int = 8080
    """The loopback port on which it listens."""
    user: int = 1000
    """The numeric user it runs as; it owns the writable directories."""
    group: int = 1000
    """The numeric group it runs as."""
    command: list[str] = Field(default_factory=list[str])
    """Replaces the image's command. Empty: the image's own."""
    working_directory: str = ""
    """Where the command starts. Empty: the image's own."""
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variables in plain text: never a secret."""
    secret_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → name of a secret in the service's ``secret_references``."""
    value_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → key of the service's ``data_values``: what is known only once the data stores exist."""
    prepare_value_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """The same for the ``prepare`` container."""
    prepare_secret_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → name of a secret that only the ``prepare`` container gets."""
    prepare_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variables of the ``prepare`` container in plain text: never a secret."""
    database: DatabaseArgs | None = None
    """What ``prepare`` does in the database. Omitted: nothing."""
    writable_directories: list[str] = Field(default_factory=list[str])
    """Absolute paths; everything else is read-only. Each is a volume of the task and is lost with it."""
    files: dict[str, str] = Field(default_factory=dict[str, str])
    """Absolute path → text that ``prepare`` writes. The application may read but not change it. The directory is a
    volume that contains nothing else."""
    seeds: dict[str, str] = Field(default_factory=dict[str, str])
    """Writable directory → directory of the image that is copied into it before the application starts."""
    health_command: list[str] = Field(default_factory=list[str])
    """A command in the container that fails while the application cannot answer. Empty: only the load balancer checks.
    """
    start_seconds: int = Field(default=120, ge=0, le=300)
    """How long after the start failing health checks are ignored (ECS: at most 300)."""
    prepare_command: list[str] = Field(default_factory=list[str])
    """Replaces the prepare script, for an image without ``python3``. Empty: the script."""

    @property
    def grace_seconds(self) -> int:
        """How long a new task may fail the load balancer's health checks: its start, and a minute for prepare and
        proxy."""
        return self.start_seconds + 60

    @property
    def file_directories(self) -> set[str]:
        """Where prepare writes ``files``."""
        return {path.rpartition("/")[0] for path in self.files}

    @property
    def volume_directories(self) -> list[str]:
        """Where the task's volumes are mounted: what the application writes, and what prepare writes for it."""
        return sorted({*self.writable_directories, *self.file_directories})

    @field_validator("user", "group")
    @classmethod
    def _is_not_root(cls, value: int) -> int:
        if value <= 0:
            raise ValueError(f"user and group must be above 0 (root), got {value}: choose an id such as 1000")
        return value

    @model_validator(mode="after")
    def _prepare_can_do_it(self) -> "ApplicationArgs":
        if self.prepare_command and (self.database or self.files):
            raise ValueError("prepare_command replaces the script that database and files need: remove one of them")
        if shared := sorted(self.file_directories & set(self.writable_directories)):
            raise ValueError(
                f"files must be in directories that the application does not write, not in {', '.join(shared)}"
            )
        return self

    @model_validator(mode="after")
    def _volumes_are_distinct(self) -> "ApplicationArgs":
        taken: dict[str, str] = {}
        for directory in self.volume_directories:
            name = volume_name(directory)
            if not directory.startswith("/") or not VOLUME_NAME.fullmatch(name):
                raise ValueError(
                    f"{directory!r} cannot be a volume: write an absolute path below / of at most 255 letters, digits, "
                    "dots, hyphens, underscores and slashes"
                )
            if name in taken:
                raise ValueError(
                    f"{taken[name]!r} and {directory!r} would be one volume, {name}: choose directories that differ in "
                    "more than slashes, dots and hyphens"
                )
            taken[name] = directory
        return self
