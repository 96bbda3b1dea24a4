"""Prod, running on this machine, for the tests of a module."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator

import pytest

from local.network import available
from local.stack import Stack, recorded
from local.twin import Twin, running
from tests.bootstrap.program import run_bootstrap

STACK = "prod"


@functools.cache
def stack_of(name: str = STACK, release: str = "") -> Stack:
    """A committed stack, recorded once; with another release where one is named."""
    return recorded(name, settings={"ai-interface:release": release} if release else None)


@functools.cache
def bootstrap_of_account(name: str = STACK) -> Stack:
    """The bootstrap stack that ``bootstrap_of`` finds, recorded in this process."""
    return Stack.of(run_bootstrap(name))


def needs_namespaces() -> None:
    """Skip where the machine has no network namespaces; in CI, where it must have them, fail."""
    if why := available():
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(f"CI runs the twin: {why}")
        pytest.skip(why)


@pytest.fixture(scope="module")
def twin() -> Generator[Twin]:
    needs_namespaces()
    with running(stack_of(), bootstrap=bootstrap_of_account()) as found:
        found.wait()
        yield found


def until(true: Callable[[], object], seconds: float = 30) -> bool:
    """Whether a condition holds within this time."""
    import time  # noqa: PLC0415

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False
