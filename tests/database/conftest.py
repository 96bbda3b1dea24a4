"""A server for the session; a database and a role of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from pathlib import Path

import pytest

from local.certificate import self_signed
from tests.database.door import opened
from tests.database.room import PASSWORD, Room
from tests.database.server import Server, running

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Generator[Server]:
    """PostgreSQL as RDS sets it up."""
    with running() as started:
        yield started


@pytest.fixture
def room(server: Server, tmp_path: Path) -> Generator[Room]:
    """An empty database behind its door."""
    number = next(_NUMBERS)
    name, role = f"data_{number}", f"interface_{number}"
    server.create(name)
    certificate = self_signed("localhost")
    with opened(server, certificate, tmp_path, PASSWORD) as door:
        yield Room(server, door, certificate.certificate, tmp_path, name, role)
