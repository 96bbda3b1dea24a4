"""The committed staging: its recorded graph, a correct edge in front of the real Envoy, and a correct account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.certificate import self_signed
from preflight.verify.command import stack_of
from preflight.verify.stack import StackInCheckout
from tests.preflight.account.loopback import Cloud
from tests.preflight.verify.edge import proxy
from tests.preflight.verify.faults import Site
from tests.preflight.verify.right_account import World, make
from tests.settings.stack_files import ROOT

ACCOUNT = "333344445555"


@pytest.fixture(scope="session")
def stack() -> StackInCheckout:
    """The committed staging, read as the command reads it."""
    return stack_of(ROOT, "staging")


@pytest.fixture(scope="session")
def world(stack: StackInCheckout) -> Iterator[World]:
    """A correct account, separate from the one of the tests of ``preflight ready``."""
    settings = stack.settings.model_copy(update={"account_id": ACCOUNT})
    cloud = Cloud(ACCOUNT)
    try:
        yield make(cloud, StackInCheckout(settings, stack.release, stack.recording))
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def site(stack: StackInCheckout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A correct edge for the stack, with the real Envoy and a certificate of a test authority."""
    folder = tmp_path_factory.mktemp("verify")
    with proxy(stack, Path(folder / "envoy.log")) as port:
        yield Site(stack, port, folder, self_signed(stack.host, days=90))
