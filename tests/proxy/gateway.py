"""A running proxy and the ways in which a test speaks to it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from components.proxy import ProxyApplication, ProxyIdentity, ProxyPeople, ProxySettings, envoy_arguments
from components.proxy.configuration import ProxyLimits, ProxyLogout
from components.proxy.outbound import model_listeners
from local import envoy
from local.claims import HEADER, token
from local.ports import held_ports
from tests.proxy import client

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

    from local.certificate import Certificate

PROMPT_BYTES = 2 * 1024 * 1024
UPLOAD_BYTES = 5 * 1024 * 1024
MEMBER = {"sub": "1", "email": "ann@example.com", "name": "Ann Lee"}
ADMINISTRATOR = {"sub": "2", "email": "root@example.com", "name": "Root"}

IDENTITY = ProxyIdentity(
    signer_arn="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/edge/50dc6c495c0c9188",
    client_id="interface",
    issuer="https://login.example.com/tenant",
    allowed=ProxyPeople(
        claim_name="groups",
        claim_values=("ai-users", "ai guests"),
        email_domains=("example.com",),
        emails=("guest@partner.test",),
    ),
    administrators=ProxyPeople(emails=("root@example.com", "stranger@outside.test")),
    contact="ai-platform@example.com",
)

SETTINGS = ProxySettings(
    host_names=(client.HOST,),
    environment="test",
    identity=IDENTITY,
    limits=ProxyLimits(prompt_bytes=PROMPT_BYTES, upload_bytes=UPLOAD_BYTES),
    application=ProxyApplication(
        upload_path_prefixes=("/api/v1/files/",),
        websocket_path_prefixes=("/ws/",),
        cacheable_path_prefixes=("/static/",),
        session_cookie_names=("token",),
    ),
    logout=ProxyLogout(redirect_url="https://login.example.com/logout?client_id=interface&x=100%25"),
    listen_address="127.0.0.1",
)


def user_id(email: str) -> str:
    """The user's id in the log, computed without the proxy's code."""
    return hmac.new(envoy.USER_KEY.encode(), email.lower().encode(), hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True)
class Gateway:
    """The running proxy."""

    settings: ProxySettings
    log: Path

    def send(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        claims: Mapping[str, Any] | bytes | None = MEMBER,
        host: str = client.HOST,
    ) -> client.Answer:
        """Send one request as the load balancer would for someone who is signed in with these claims."""
        signed_in = [] if claims is None else [(HEADER, self.token(claims))]
        return client.send(self.settings.port, method, target, [*headers, *signed_in], body, host=host)

    def arrived(self, method: str = "GET", target: str = "/", *args: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as for send
        """Send one request and return what reached the application."""
        answer = self.send(method, target, *args, **options)
        assert answer.status == 200, (answer.status, answer.body)
        seen: dict[str, Any] = json.loads(answer.body)
        return seen

    def token(self, claims: Mapping[str, Any] | bytes, **changes: object) -> str:
        """Return the load balancer's token for these claims."""
        return token(self.settings.identity, claims, **changes)

    def model(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> client.Answer:
        """Send one request as the application does, to the models' loopback port."""
        return client.send(self.settings.model_port, method, target, headers, body, host="127.0.0.1", tls=False)

    def logged(self) -> list[dict[str, Any]]:
        """Return the access log so far; anything else that Envoy printed fails here."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


def header(seen: Mapping[str, Any], name: str) -> list[str]:
    """Return all values of a header that reached the application."""
    return [value for key, value in seen["headers"] if key == name]


def websocket(proxy: Gateway, connection: socket.socket, path: str) -> bytes:
    """Ask for a WebSocket and return the answer's head."""
    headers = {
        HEADER: proxy.token(MEMBER),
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    connection.sendall(client.head("GET", path, headers))
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    return head


@contextlib.contextmanager
def gateway(
    settings: ProxySettings,
    application_port: int,
    certificate: Certificate,
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Generator[Gateway]:
    """Run the proxy in front of an application on free ports; what it prints goes to a file."""
    with held_ports(0, 0) as (port, model_port):
        settings = replace(
            settings, port=port, model_port=model_port, application=replace(settings.application, port=application_port)
        )
        log = folder / f"envoy-{port}.log"
        with (
            log.open("wb") as output,
            envoy.running(
                envoy_arguments(settings),
                port=port,
                env=envoy.environment(settings, certificate, env),
                output=output,
                also=[model_port] if model_listeners(settings) else [],
            ),
        ):
            yield Gateway(settings, log)
