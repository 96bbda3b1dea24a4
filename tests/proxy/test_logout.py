"""The identity provider's logout page, from the settings to the answer that a browser gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import assembly
from components.proxy.configuration import ProxyLogout
from tests.proxy.gateway import SETTINGS, gateway
from tests.settings.stack_files import changed, own_values, parse

if TYPE_CHECKING:
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server

PAGES = {
    "none": "https://login.example.com",
    "a port and a path": "https://login.example.com:8443/oauth2/logout",
    "Amazon Cognito's": "https://chat.auth.eu-west-1.amazoncognito.com/logout"
    "?client_id=1example23456789&logout_uri=https%3A%2F%2Fchat.example.com%2F",
    "everything that a URL may hold": "https://login.example.com/~a/b%20c;d=!$'()*+,:@?x=100%25&y=%52EQ/?:@!$'()*,;+~",
    "what Envoy would take for a format": "https://login.example.com/logout?x=%25REQ(COOKIE)%25",
}


def logout(page: str) -> ProxyLogout:
    """What the program tells the proxy."""
    settings = parse(changed(own_values(), {"identity.endSessionEndpoint": page}))
    return assembly.proxy(settings, assembly.preset(settings), "arn", {"eu-west-1": ("guardrail", "1")}).logout


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_logout_goes_to_the_very_page_that_the_settings_name(
    page: str, server: Server, certificate: Certificate, tmp_path: Path
) -> None:
    with gateway(replace(SETTINGS, logout=logout(page)), server.port, certificate, tmp_path) as proxy:
        answer = proxy.send("GET", "/logout", claims=None)

    assert (answer.status, answer.values("location")) == (302, [page])
