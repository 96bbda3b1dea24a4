"""The recorded stacks, each recorded once, and the edge of prod."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.local.edge.world import World, world
from tests.preflight.conform.graphs import STACKS, program


@pytest.fixture(scope="session", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Of every committed stack."""
    return program(str(request.param))


@pytest.fixture
def prod() -> Stack:
    """The stack of prod, in which nothing has been read yet."""
    return Stack.of(program("prod"))


@pytest.fixture(scope="module")
def _shared() -> Generator[World]:
    with world(Stack.of(program("prod"))) as made:
        yield made


@pytest.fixture
def edge(_shared: World) -> World:
    """The edge of prod with one healthy target, as if it had just started."""
    _shared.reset()
    return _shared
