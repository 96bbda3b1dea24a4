"""The graphs of the real stacks, each recorded once a session by the command that people use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from policies.guardrails.topology.graph.resources import Graph

ROOT = Path(__file__).resolve().parents[2]


@cache
def recorded_graph(stack: str, preview: bool) -> Graph:
    """The graph of a real stack, with known values or as a first preview."""
    line = [sys.executable, "-m", "preflight", "graph", stack, "--format", "json", *(["--preview"] if preview else [])]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stderr
    return Graph.from_recorded(json.loads(done.stdout)["resources"])


@pytest.fixture(scope="session")
def real_graph() -> Callable[[str, bool], Graph]:
    """Record a real stack, once."""
    return recorded_graph
