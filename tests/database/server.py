"""One PostgreSQL for many tests: each gets the master and the empty database of a stack, and leaves nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from local.data.postgres import PostgresServer

VERSION = 16


@contextlib.contextmanager
def cluster(server: PostgresServer, master: str, database: str) -> Generator[None]:
    """The master and its empty database, as RDS creates them with a cluster. All roles are dropped at the end."""
    server.make(master, database)
    try:
        yield
    finally:
        server.run("postgres", f'DROP DATABASE "{database}" WITH (FORCE)')
        made = server.ask("postgres", "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' ORDER BY 1")
        server.run("postgres", *(f'DROP ROLE "{name}"' for (name,) in made))
