"""The database and the cache of prod on a flat network, for the tests of a module."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.local.around import World, stack_of, world


@pytest.fixture(scope="module")
def prod() -> Generator[World]:
    """Prod, with one network interface for a task."""
    with world(stack_of("prod")) as found:
        yield found
