from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.preflight.github.hub import Hub


@pytest.fixture(scope="session")
def _server() -> Iterator[Hub]:
    hub = Hub()
    try:
        yield hub
    finally:
        hub.stop()


@pytest.fixture
def hub(_server: Hub) -> Iterator[Hub]:
    """A repository whose settings are right; changes end with the test."""
    with _server.kept():
        yield _server
