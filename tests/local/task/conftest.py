"""The state of prod on a flat network, for the tests of a module: tasks start on it one after another."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.local.around import World, stack_of, world


@pytest.fixture(scope="module")
def prod() -> Generator[World]:
    """Prod, with two network interfaces for tasks."""
    with world(stack_of("prod"), tasks=2) as found:
        yield found
