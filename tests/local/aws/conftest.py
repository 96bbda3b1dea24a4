"""One world a stack for all tests that change nothing in it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.local.aws.world import STACKS, World, stack, world


@pytest.fixture(scope="module", params=STACKS)
def served(request: pytest.FixtureRequest) -> Generator[World]:
    """The endpoints of each committed stack on loopback."""
    with world(stack(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def prod() -> Generator[World]:
    """The endpoints of prod on loopback."""
    with world(stack("prod")) as made:
        yield made
