"""A load balancer and its WAF on loopback. They answer each request as ``trace`` predicts from a recorded graph, over real
TLS and plain HTTP, and forward allowed requests to the real Envoy with the stack's configuration."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from components.common.aws_limits import PROXY_PORT
from components.proxy.settings import ProxySettings
from local import envoy
from local.certificate import self_signed
from local.claims import HEADER, encoded
from local.ports import LOOPBACK, held_ports
from local.server import Server
from policies.guardrails.topology.http.requests import Identity, Outcome, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from preflight.analysis.edge_proxy import configuration
from preflight.verify.comparison import expected_body, logins
from preflight.verify.live import declared_headers
from preflight.verify.requests import HIDDEN_PORTS, accepted_token
from preflight.verify.stack import LISTENER, StackInCheckout
from tests.proxy.application import application

MOST_HEAD = 200_000
SESSION = "AWSELBAuthSessionCookie-0"
MEMBER = "a-member"
TOKEN = "a-token"


@dataclass
class Edge:
    """The responses of the two listeners. Tests plant faults by changing a field."""

    stack: StackInCheckout
    proxy_port: int
    context: ssl.SSLContext
    without: set[str] = field(default_factory=set[str])
    """Headers that the listeners omit."""
    extra: dict[str, str] = field(default_factory=dict[str, str])
    """Unexpected headers that the edge adds."""
    cookie: str = "Path=/; Secure; HttpOnly"
    logs_in: bool = True
    """Whether a session is required."""
    texts: bool = True
    """Whether a refusal has the declared body."""
    client: str = ""
    """The client that the login is for, instead of the declared one."""
    received: list[Request] = field(default_factory=list[Request])

    def answer(self, request: Request, raw: bytes) -> bytes:
        """The answer to one request."""
        self.received.append(request)
        outcome = trace(self.stack.graph, request)
        if not self.logs_in and outcome.result is Result.ANSWERED and self._is_login(outcome):
            return self._forwarded(request, raw)
        if outcome.result is Result.SERVED:
            return self._forwarded(request, raw)
        return self._own(request, outcome)

    def _is_login(self, outcome: Outcome) -> bool:
        return any("authenticateOidc" in action for action in self.stack.actions(outcome.rule))

    def _own(self, request: Request, outcome: Outcome) -> bytes:
        text = expected_body(self.stack, outcome.rule) if self.texts else "another response\n"
        headers = self._added(request)
        if outcome.location:
            headers.append(("location", self._location(outcome)))
            if self._is_login(outcome):
                headers.append(("set-cookie", f"AWSALBAuthNonce=x; {self.cookie}"))
        if outcome.result is not Result.ANSWERED or outcome.status is None:
            return b""
        body = b"" if request.method == "HEAD" else text.encode()
        return _written(outcome.status, headers, body)

    def _location(self, outcome: Outcome) -> str:
        if not self._is_login(outcome):
            return outcome.location
        login = logins(self.stack)[0]
        query = {"client_id": self.client or login["clientId"], "response_type": "code", "state": "x"}
        return f"{outcome.location}?{urlencode(query)}"

    def _added(self, request: Request) -> list[tuple[str, str]]:
        found = [(name, value) for name, value in self.extra.items()]
        for listener in self.stack.inputs(LISTENER):
            if str(listener["protocol"]).lower() == request.scheme:
                found += [(k, v) for k, v in declared_headers(listener).items() if k not in self.without]
        return found

    def _forwarded(self, request: Request, raw: bytes) -> bytes:
        head, _, body = raw.partition(b"\r\n\r\n")
        added = "x-forwarded-proto: https"
        if request.identity is not None and not request.identity.token:
            added += f"\r\n{HEADER}: {self._claims(request)}"
        with socket.create_connection((LOOPBACK, self.proxy_port), 10) as plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain) as connection:
                connection.sendall(head + b"\r\n" + added.encode() + b"\r\n\r\n" + body)
                with contextlib.closing(HTTPResponse(connection, method=request.method)) as response:
                    response.begin()
                    kept = [
                        (name, value)
                        for name, value in response.getheaders()
                        if name.lower() not in {"server", "content-length", "transfer-encoding", "connection"}
                    ]
                    kept += [*self._added(request), ("set-cookie", f"{SESSION}=renewed; {self.cookie}")]
                    return _written(response.status, kept, response.read())

    def _claims(self, request: Request) -> str:
        login = logins(self.stack)[0]
        (balancer,) = self.stack.resources("aws:lb/loadBalancer:LoadBalancer")
        header = {
            "alg": "ES256",
            "iss": login["issuer"],
            "client": login["clientId"],
            "signer": balancer.id,
            "exp": int(time.time()) + 120,
        }
        claims = {"sub": "1", "name": "A member", "email": "someone@example.com"}
        if request.identity is not None:
            claims |= dict(request.identity.claims)
        return ".".join([encoded(header), encoded(claims), "A" * 86 + "=="])


def _written(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers), f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def _parsed(edge: Edge, scheme: str, head: bytes) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    cookies = tuple(
        (name.strip(), value)
        for name, _, value in (c.partition("=") for c in headers.get("cookie", "").split(";"))
        if name
    )
    length = headers.get("content-length", "")
    return Request(
        method,
        f"{scheme}://{headers['host']}{target}",
        headers=tuple((name, value) for name, value in pairs if name not in {"host", "cookie"}),
        cookies=cookies,
        body_bytes=int(length) if length.isdigit() else 10 * ("transfer-encoding" in headers),
        declares_length="transfer-encoding" not in headers or bool(length),
        identity=_identity(edge.stack, dict(cookies).get(SESSION, ""), headers.get("authorization", "")),
    )


def _identity(stack: StackInCheckout, session: str, authorization: str) -> Identity | None:
    """The sender: the load balancer recognizes its sessions and the issuer's tokens."""
    if session == MEMBER:
        return stack.signed_in_user
    actions = [action for name, _, _ in stack.rule_paths() for action in stack.actions(name)]
    if authorization == f"Bearer {TOKEN}":
        return next((accepted_token(one) for one in actions if one.get("type") == "jwt-validation"), None)
    return None


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, edge: Edge, scheme: str) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        self.edge, self.scheme = edge, scheme

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Logs nothing: tests disconnect and refuse certificates on purpose."""


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One request, one answer."""
        listener = self.server
        assert isinstance(listener, _Listener)
        plain: socket.socket = self.request
        plain.settimeout(10)
        secured = listener.edge.context.wrap_socket(plain, server_side=True) if listener.scheme == "https" else plain
        with contextlib.suppress(OSError, HTTPException), secured as connection:
            raw = b""
            while b"\r\n\r\n" not in raw and len(raw) < MOST_HEAD:
                data = connection.recv(65_536)
                if not data:
                    return
                raw += data
            head, _, body = raw.partition(b"\r\n\r\n")
            request = _parsed(listener.edge, listener.scheme, head)
            left = min(request.body_bytes, 128 * 1024) - len(body)
            while left > 0 and (data := connection.recv(65_536)):
                left -= len(data)
                raw += data
            connection.sendall(listener.edge.answer(request, raw))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # otherwise a reset could overtake the answer
                pass


@contextlib.contextmanager
def listening(edge: Edge) -> Generator[dict[int, tuple[str, int]]]:
    """Both listeners; yields port in a URL → address. Ports that must not answer lead to one without a listener."""
    with contextlib.ExitStack() as stack:
        (silent,) = stack.enter_context(held_ports(0))
        places: dict[int, tuple[str, int]] = dict.fromkeys(HIDDEN_PORTS, (LOOPBACK, silent))
        for port, scheme in ((443, "https"), (80, "http")):
            listener = stack.enter_context(_Listener(edge, scheme))
            thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown)
            places[port] = (LOOPBACK, listener.server_address[1])
        yield places


@contextlib.contextmanager
def proxy(stack: StackInCheckout, log: Path) -> Generator[int]:
    """The real Envoy with the stack's configuration on free loopback ports, and an application behind it."""
    with Server(application) as server, held_ports(0, 0) as (port, models):
        content: dict[str, Any] = json.loads(json.dumps(configuration(stack.recording)))
        ports = {PROXY_PORT: port, ProxySettings.model_port: models}
        resources = content["static_resources"]
        for listener in resources["listeners"]:
            if address := listener.get("address"):
                place = address["socket_address"]
                place["address"], place["port_value"] = LOOPBACK, ports[place["port_value"]]
        (cluster,) = [one for one in resources["clusters"] if one["name"] == "application"]
        end = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        end["port_value"] = server.port  # whatever port the preset states
        certificate = self_signed(urlsplit(f"https://{stack.host}").netloc)
        env = {
            "PROXY_CERTIFICATE": certificate.certificate,
            "PROXY_PRIVATE_KEY": certificate.key,
            "PROXY_USER_KEY": envoy.USER_KEY,
        }
        with log.open("wb") as output, envoy.running(envoy.plain_arguments(content), port=port, env=env, output=output):
            yield port
