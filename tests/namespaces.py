"""Tests with network namespaces need Linux, root, iproute2 and nftables: elsewhere they say so, and CI fails."""

from __future__ import annotations

import os

import pytest

from local.network import available


def require_namespaces() -> None:
    """Skip where the machine cannot; in CI, which runs as root, that is a failure and not a skip."""
    if why := available():
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"CI has to run networks of namespaces, and cannot: {why}")
        pytest.skip(why)
