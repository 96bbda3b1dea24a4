"""One running pack for all policy tests: it keeps nothing between requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.pulumi.analyzer import AnalyzerClient
from tests.own_pack import EVERYTHING
from tests.policies.wire import PACK


@pytest.fixture(scope="session")
def pack() -> Iterator[AnalyzerClient]:
    with AnalyzerClient.start(Path(PACK), stack="test", config=EVERYTHING) as running:
        yield running
