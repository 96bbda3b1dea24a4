"""The recorded stacks with Open WebUI, each recorded once, and the edge of prod."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.local.edge.world import World, world
from tests.preflight.conform.graphs import STACKS, with_open_webui


@pytest.fixture(scope="session", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Of every committed stack, with Open WebUI: the tests request its paths."""
    return with_open_webui(str(request.param))


@pytest.fixture
def prod() -> Stack:
    """The stack of prod, in which nothing has been read yet."""
    return Stack.of(with_open_webui("prod"))


@pytest.fixture(scope="module")
def _shared() -> Generator[World]:
    with world(Stack.of(with_open_webui("prod"))) as made:
        yield made


@pytest.fixture
def edge(_shared: World) -> World:
    """The edge of prod with one healthy target, as if it had just started."""
    _shared.reset()
    return _shared
