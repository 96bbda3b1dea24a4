"""The graphs of the real stacks, each recorded once a session by the command that people use."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import pytest

from policies.guardrails.topology.graph.resources import Graph
from tests.once import graph


@cache
def recorded_graph(stack: str, preview: bool) -> Graph:
    """The graph of a real stack, with known values or as a first preview."""
    return Graph.from_recorded(json.loads(graph(stack, preview=preview))["resources"])


@pytest.fixture(scope="session")
def real_graph() -> Callable[[str, bool], Graph]:
    """Record a real stack, once."""
    return recorded_graph
