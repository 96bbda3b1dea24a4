"""One gateway for all tests that call it: LiteLLM imports for half a minute."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.gateway.world import FAST, World, python, world
from tests.namespaces import require_namespaces


@pytest.fixture(scope="session")
def served() -> Generator[World]:
    """The gateway's task, the interface's Envoy before it and Bedrock behind it."""
    if not python():
        pytest.skip("litellm is not installed: make test-gateway")
    require_namespaces()
    with world() as made:
        yield made


@pytest.fixture
def gateway(served: World) -> Generator[World]:
    """The same, without refusals, and with models that answer, after each test."""
    served.refusals.entries.clear()
    served.wait()
    yield served
    served.bedrock.behaviours.of.clear()
    served.bedrock.behaviours.default = FAST
