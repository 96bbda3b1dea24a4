"""One running pack for all policy tests: it keeps nothing between requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.pulumi.analyzer import Analyzer
from tests.policies.wire import PACK


@pytest.fixture(scope="session")
def pack() -> Iterator[Analyzer]:
    with Analyzer.start(Path(PACK), stack="test") as running:
        yield running
