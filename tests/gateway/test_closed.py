"""Only the interface's proxy gets in, to one path: by its certificate, and by a key that it does not have itself."""

from __future__ import annotations

import ssl

import pytest

from components.gateway.settings import CLIENT_NAME, PORT, TRANSLATOR_PORT
from local.authority import Authority
from tests.gateway.direct import Refused, loaded, to_gateway, to_litellm, trusted
from tests.gateway.world import GATEWAY, INTERFACE, World

PATHS = (
    "/",
    "/ui/",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/metrics",
    "/routes",
    "/health",
    "/health/liveliness",
    "/health/readiness",
    "/sso/key/generate",
    "/fallback/login",
    "/key/list",
    "/config/yaml",
    "/v1/models",
    "/public/model_hub",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/chat/completions/",
    "//v1/chat/completions",
    "/v1/chat/../chat/completions",
)


@pytest.mark.parametrize("path", PATHS)
def test_no_other_path_reaches_litellm(gateway: World, path: str) -> None:
    status, body = to_gateway(gateway, trusted(gateway), path, "GET")
    assert (status, b"POST /v1/chat/completions and POST /v1/embeddings only" in body) == (404, True)


def test_the_paths_exist_in_litellm_itself(gateway: World) -> None:
    """Otherwise the test above would show nothing."""
    found = {path: to_litellm(gateway, path) for path in ("/ui/", "/routes", "/health/liveliness", "/fallback/login")}
    assert set(found.values()) == {200}, found


def test_litellm_refuses_a_call_without_the_key(gateway: World) -> None:
    assert to_litellm(gateway, "/v1/chat/completions", "POST") in (401, 500)
    assert gateway.ask("hello").status == 200


def test_without_a_client_certificate_there_is_no_connection(gateway: World) -> None:
    with pytest.raises(Refused):
        to_gateway(gateway, ssl.create_default_context(cadata=gateway.authority), "/v1/chat/completions")


def test_a_certificate_of_another_authority_is_refused(gateway: World) -> None:
    made = Authority.make("CN=gateway authority,O=ai-interface").issue(CLIENT_NAME)
    context = loaded(ssl.create_default_context(cadata=gateway.authority), made.certificate, made.key)
    with pytest.raises(Refused):
        to_gateway(gateway, context, "/v1/chat/completions")


def test_another_certificate_of_the_same_authority_is_refused(gateway: World) -> None:
    texts = (gateway.secret("gateway-certificate-secret-version"), gateway.secret("gateway-private-key-secret-version"))
    context = loaded(ssl.create_default_context(cadata=gateway.authority), *texts)
    with pytest.raises(Refused):
        to_gateway(gateway, context, "/v1/chat/completions")


def test_the_interfaces_certificate_is_accepted(gateway: World) -> None:
    """Otherwise the three tests above would show nothing."""
    status, _ = to_gateway(gateway, trusted(gateway), "/v1/chat/completions")
    assert status in (400, 422, 500)


def test_nothing_is_open_but_the_proxys_port(gateway: World) -> None:
    with gateway.wiring.open(INTERFACE) as plain:
        plain.settimeout(5)
        with pytest.raises(ConnectionRefusedError):
            plain.connect((gateway.nodes[GATEWAY].address, TRANSLATOR_PORT))


def test_the_gateways_certificate_is_for_its_name_only(gateway: World) -> None:
    context = trusted(gateway)
    with gateway.wiring.open(INTERFACE) as plain:
        plain.connect((gateway.nodes[GATEWAY].address, PORT))
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="models.example.com")
