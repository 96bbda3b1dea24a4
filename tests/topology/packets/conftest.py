"""Every test here needs network namespaces."""

from __future__ import annotations

import pytest

from tests.namespaces import require_namespaces


@pytest.fixture(autouse=True, scope="session")
def _namespaces() -> None:
    require_namespaces()
