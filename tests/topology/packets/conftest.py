"""Networks of namespaces need Linux, root and two programs: where one is missing the tests say so, and CI fails."""

from __future__ import annotations

import os

import pytest

from local.network import available


@pytest.fixture(autouse=True, scope="session")
def _namespaces() -> None:
    """Skip where the machine cannot; in CI, which runs as root, that is a failure and not a skip."""
    if why := available():
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"CI has to compare topology with the kernel, and cannot: {why}")
        pytest.skip(why)
