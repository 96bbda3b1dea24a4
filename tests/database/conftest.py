"""One PostgreSQL server for the session; for each test, a stack's database as RDS creates it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from local.data.postgres import PostgresServer, running
from tests.database.deployed import deployed
from tests.database.server import VERSION
from tests.database.stack_database import StackDatabase, stack_database


@pytest.fixture(scope="session")
def server() -> Generator[PostgresServer]:
    """PostgreSQL with the roles that RDS creates."""
    with running(VERSION, {}, lambda _: None) as started:
        yield started


@pytest.fixture
def database(server: PostgresServer, tmp_path: Path) -> Generator[StackDatabase]:
    """The empty database of staging."""
    with stack_database(server, deployed("staging"), tmp_path) as found:
        yield found
