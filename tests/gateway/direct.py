"""Requests past the interface's proxy: to the gateway's with a certificate, and to LiteLLM inside its task."""

from __future__ import annotations

import http.client
import socket
import ssl
import tempfile
from pathlib import Path

from components.gateway.identity import host_name
from components.gateway.settings import PORT, TRANSLATOR_PORT
from tests.gateway.world import GATEWAY, INTERFACE, World, interface_environment

NAME = host_name("test")
Refused = (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)


def loaded(context: ssl.SSLContext, *texts: str) -> ssl.SSLContext:
    """With a client certificate and its key."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pem")
        file.write_text("".join(texts), encoding="utf-8")
        context.load_cert_chain(file)
    return context


def trusted(world: World) -> ssl.SSLContext:
    """TLS as the interface's proxy speaks it."""
    given = interface_environment(world)
    context = ssl.create_default_context(cadata=world.authority)
    return loaded(context, given["GATEWAY_CLIENT_CERTIFICATE"], given["GATEWAY_CLIENT_PRIVATE_KEY"])


def to_gateway(
    world: World, context: ssl.SSLContext, path: str, method: str = "POST", body: bytes = b"{}"
) -> tuple[int, bytes]:
    """One request from the interface's host straight to the gateway: status and body."""
    with world.wiring.open(INTERFACE) as plain:
        plain.settimeout(10)
        plain.connect((world.nodes[GATEWAY].address, PORT))
        with context.wrap_socket(plain, server_hostname=NAME) as spoken:
            return exchange(spoken, method, path, body)


def to_litellm(world: World, path: str, method: str = "GET") -> int:
    """The status of one request inside the gateway's task, past its proxy."""
    with world.wiring.open(GATEWAY) as plain:
        plain.settimeout(10)
        plain.connect(("127.0.0.1", TRANSLATOR_PORT))
        return exchange(plain, method, path, b"{}")[0]


def exchange(spoken: socket.socket, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """HTTP on an open socket."""
    connection = http.client.HTTPConnection(NAME)
    connection.sock = spoken
    connection.request(method, path, body if method == "POST" else None, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()
