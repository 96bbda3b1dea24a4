"""One running proxy for the tests that need nothing special, in front of one application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.certificate import Certificate, self_signed
from local.server import Server
from tests.proxy import client
from tests.proxy.application import application
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.model_path import path, running

__all__ = ["certificate", "path", "proxy", "running", "server"]

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """The listener's certificate."""
    return self_signed(client.HOST)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The application behind the proxy."""
    with Server(application) as running:
        yield running


@pytest.fixture(scope="session")
def proxy(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The proxy with the tests' common settings."""
    with gateway(SETTINGS, server.port, certificate, tmp_path_factory.mktemp("proxy")) as running:
        yield running
