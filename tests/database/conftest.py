"""A server for the session; a stack's database for each test, as RDS makes it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.database.deployed import deployed
from tests.database.room import Room, rented
from tests.database.server import Server, running


@pytest.fixture(scope="session")
def server() -> Generator[Server]:
    """PostgreSQL as RDS sets it up."""
    with running() as started:
        yield started


@pytest.fixture
def room(server: Server, tmp_path: Path) -> Generator[Room]:
    """The empty database of staging behind its door."""
    with rented(server, deployed("staging"), tmp_path) as found:
        yield found
