"""Prod, running on this machine, for the tests of a module."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from local.network import available
from local.twin import Twin, running
from tests.local.around import stack_of
from tests.local.aws.world import bootstrap

STACK = "prod"


def needs_namespaces() -> None:
    """Skip where the machine has no network namespaces; in CI, where it must have them, fail."""
    if why := available():
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(f"CI runs the twin: {why}")
        pytest.skip(why)


@pytest.fixture(scope="module")
def twin() -> Generator[Twin]:
    needs_namespaces()
    with running(stack_of(STACK), bootstrap=bootstrap(STACK)) as found:
        found.wait()
        yield found
