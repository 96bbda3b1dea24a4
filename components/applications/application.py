"""The description of an application's container, which a preset returns to the service."""

import posixpath
import re

from pydantic import Field, field_validator, model_validator

from components.args import Args

VOLUME_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""The volume names that ECS accepts (API reference of Volume)."""


def volume_name(directory: str) -> str:
    """The task volume behind a directory: ``/app/data`` is ``app-data``."""
    return directory.strip("/").replace("/", "-").replace(".", "-")


class DatabaseArgs(Args):
    """The database preparation that ``prepare`` does before the application starts. The application itself never runs
    migrations.

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
    """Modules that create database objects when they are imported. ``prepare`` imports them once for each release, as
    the application's role, so that tasks that start at the same time do not conflict."""


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
    processes: int | None = Field(default=None, ge=1)
    """The number of processes that serve requests, if each uses one vCPU at most, as Python and Node.js do. Omitted: the
    application uses all of the task's CPU. Scaling and the alarm on CPU depend on it."""
    user: int = 1000
    """The numeric user it runs as; it owns the writable directories."""
    group: int = 1000
    """The numeric group it runs as."""
    command: list[str] = Field(default_factory=list[str])
    """Replaces the image's command. Empty: the image's command is used."""
    working_directory: str = ""
    """The working directory of the command. Empty: the image's working directory is used."""
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Environment variables in plain text. Must not contain secrets."""
    secret_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → name of a secret in the service's ``secret_references``."""
    value_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → key of the service's ``data_values``, for values that are known only after the data stores exist."""
    prepare_value_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """The same, for the ``prepare`` container."""
    prepare_secret_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → name of a secret, for the ``prepare`` container only."""
    prepare_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Environment variables of the ``prepare`` container in plain text. Must not contain secrets."""
    database: DatabaseArgs | None = None
    """How ``prepare`` sets up the database. Omitted: it does not use a database."""
    writable_directories: list[str] = Field(default_factory=list[str])
    """Absolute paths of writable directories; all other paths are read-only. Each is a volume of the task, whose
    content is lost when the task stops."""
    files: dict[str, str] = Field(default_factory=dict[str, str])
    """Absolute path → text that ``prepare`` writes. The application can read but not change it. The directory is a
    volume that contains nothing else."""
    seeds: dict[str, str] = Field(default_factory=dict[str, str])
    """Writable directory → directory of the image that is copied into it before the application starts."""
    disposable_directories: list[str] = Field(default_factory=list[str])
    """Directories, in writable ones, whose files the application does not need again: copies of files that are stored
    elsewhere, and files of a single request. A container removes them before they fill the task's disk
    (``components.cleaner``), so the image must have ``python3``. Empty: there is no such container."""
    health_command: list[str] = Field(default_factory=list[str])
    """A health check command in the container that fails while the application cannot respond. Empty: only the load
    balancer checks health.
    """
    start_seconds: int = Field(default=120, ge=0, le=300)
    """How long failing health checks are ignored after the start (ECS: at most 300)."""
    prepare_command: list[str] = Field(default_factory=list[str])
    """Replaces the prepare script, for an image without ``python3``. Empty: the script is used."""

    @property
    def grace_seconds(self) -> int:
        """How long a new task may fail the load balancer's health checks: the application's start period plus a minute
        for prepare and proxy."""
        return self.start_seconds + 60

    @property
    def file_directories(self) -> set[str]:
        """The directories in which prepare writes ``files``."""
        return {path.rpartition("/")[0] for path in self.files}

    @property
    def volume_directories(self) -> list[str]:
        """The mount points of the task's volumes: the writable directories and the directories of ``files``."""
        return sorted({*self.writable_directories, *self.file_directories})

    def volume_of(self, path: str) -> str:
        """The writable directory that a path is in or below; empty if there is none."""
        within = [one for one in self.writable_directories if path == one or path.startswith(f"{one}/")]
        return max(within, key=len, default="")

    @field_validator("user", "group")
    @classmethod
    def _is_not_root(cls, value: int) -> int:
        if value <= 0:
            raise ValueError(f"user and group must be above 0 (root), got {value}: choose an id such as 1000")
        return value

    @model_validator(mode="after")
    def _prepare_can_do_it(self) -> "ApplicationArgs":
        if self.prepare_command and (self.database or self.files):
            raise ValueError(
                "prepare_command replaces the script that database and files need: remove prepare_command, or database and files"
            )
        if self.prepare_command and self.disposable_directories:
            raise ValueError(
                "prepare_command is for an image without python3, which the removal of disposable_directories needs: remove one of "
                "the two, and have the application remove its files itself"
            )
        if shared := sorted(self.file_directories & set(self.writable_directories)):
            raise ValueError(
                f"files must be in directories to which the application does not write, not in {', '.join(shared)}"
            )
        return self

    @model_validator(mode="after")
    def _only_what_it_writes_is_disposable(self) -> "ApplicationArgs":
        for path in self.disposable_directories:
            if path != posixpath.normpath(path) or not self.volume_of(path):
                raise ValueError(
                    f"disposable_directories has {path!r}: write a plain path below one of writable_directories "
                    f"({', '.join(self.writable_directories) or 'there are none'})"
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
                    f"{taken[name]!r} and {directory!r} would be the same volume, {name}: choose directories that differ in "
                    "more than slashes, dots and hyphens"
                )
            taken[name] = directory
        return self
