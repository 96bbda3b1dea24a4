"""Worlds for one test each: moto keeps buckets and secrets for the whole process."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.local.aws.world import STACKS, World, stack, world


@pytest.fixture(params=STACKS)
def served(request: pytest.FixtureRequest) -> Generator[World]:
    """The endpoints of each committed stack on loopback."""
    with world(stack(request.param)) as made:
        yield made


@pytest.fixture
def prod() -> Generator[World]:
    """The endpoints of prod on loopback."""
    with world(stack("prod")) as made:
        yield made
