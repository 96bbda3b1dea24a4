"""The graphs of the real stacks, recorded once a session."""

from __future__ import annotations

from tests.topology.conftest import real_graph

__all__ = ["real_graph"]
