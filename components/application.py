"""What the service has to know about the application that it runs: a preset describes one with this."""

from pydantic import Field, field_validator

from components.args import Args


class ApplicationArgs(Args):
    """An HTTP application in a container. It listens on loopback and never runs as root."""

    name: str
    """What it is, for people: ``open-webui``."""
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
    """Variable → key of the service's ``state_values``: what is known only once the state exists."""
    prepare_value_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """The same for the ``prepare`` container."""
    prepare_secret_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable → name of a secret that the ``prepare`` container alone gets."""
    writable_directories: list[str] = Field(default_factory=list[str])
    """Absolute paths; everything else is read-only. Each is a volume of the task and is lost with it."""
    seeds: dict[str, str] = Field(default_factory=dict[str, str])
    """Writable directory → directory of the image that is copied into it before the application starts."""
    health_command: list[str] = Field(default_factory=list[str])
    """Run inside the container; fails while the application cannot answer. Empty: only the load balancer checks."""
    start_seconds: int = Field(default=120, ge=0, le=300)
    """How long failing health checks do not count after the start (ECS: at most 300)."""
    prepare_command: list[str] = Field(default_factory=list[str])
    """Replaces the prepare script, for an image without ``python3``. Empty: the script."""

    @field_validator("user", "group")
    @classmethod
    def _is_not_root(cls, value: int) -> int:
        if value <= 0:
            raise ValueError(f"user and group must be above 0 (root), got {value}: choose an id such as 1000")
        return value
