"""Both proxies with the configurations of a deployment, providers on loopback, and a resolver for their names."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.rrset

from components.egress.envoy import CERTIFICATE_VARIABLE, PRIVATE_KEY_VARIABLE, envoy_arguments
from components.egress.settings import CLIENT_NAME, NOT_PUBLIC, EgressSettings, host_name
from components.proxy import ProxyModelGroup, ProxyUpstream
from components.proxy.settings import ProxyEgress
from local import envoy
from local.certificate import Certificate, self_signed
from local.ports import held_ports
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.model_path import BODY
from tests.proxy.models import Model, model

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ALPHA, BETA, PRIVATE = "api.alpha.example", "api.beta.example", "llm.example.internal"
INSIDE, NOWHERE = "inside.example", "nowhere.example"
"""Declared names: one resolves to an address of a private network, the other one does not resolve."""
ENVIRONMENT = "prod"
EGRESS = host_name(ENVIRONMENT)
LOOPBACK = "127.0.0.0/8"
ALPHA_KEY, BETA_KEY = "sk-alpha-0123456789", "sk-beta-9876543210"
KEYS = {"KEY_ALPHA": ALPHA_KEY, "KEY_BETA": BETA_KEY}
CLIENT_VARIABLES = ("EGRESS_CLIENT_CERTIFICATE", "EGRESS_CLIENT_PRIVATE_KEY")
ADDRESSES = {ALPHA: "127.0.0.1", BETA: "127.0.0.1", INSIDE: "10.1.2.3"}


@dataclass(frozen=True)
class Identities:
    """Certificates of both sides; each signs itself, and the other side trusts it."""

    server: Certificate = field(default_factory=lambda: self_signed(EGRESS))
    client: Certificate = field(default_factory=lambda: self_signed(CLIENT_NAME))


@dataclass(frozen=True)
class Egress:
    """A running egress proxy."""

    settings: EgressSettings
    identities: Identities
    log: Path

    def logged(self) -> list[dict[str, Any]]:
        """Return the access log so far; anything else that Envoy printed fails here."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def context(self, certificate: Certificate | None) -> ssl.SSLContext:
        """Return what a client with this certificate uses; it verifies the egress proxy's."""
        context = ssl.create_default_context(cadata=self.identities.server.certificate)
        if certificate is not None:
            with tempfile.TemporaryDirectory() as folder:
                context.load_cert_chain(*certificate.write(Path(folder)))
        return context

    @contextlib.contextmanager
    def connection(self, certificate: Certificate | None) -> Generator[ssl.SSLSocket]:
        """Connect with a client certificate, or without one."""
        with (
            socket.create_connection(("127.0.0.1", self.settings.port), timeout=10) as plain,
            self.context(certificate).wrap_socket(plain, server_hostname=EGRESS) as connected,
        ):
            yield connected

    def ask(self, head: str) -> str:
        """Send the head of a request as the interface's proxy, and return the head of the answer."""
        with self.connection(self.identities.client) as connected:
            return asked(connected, head)

    def connect(self, authority: str) -> str:
        """Ask for a tunnel, and close it."""
        with self.connection(self.identities.client) as connected:
            return tunnel(connected, authority)


def tunnel(connected: ssl.SSLSocket, authority: str) -> str:
    """Ask for a tunnel."""
    return asked(connected, f"CONNECT {authority} HTTP/1.1\nhost: {authority}")


def asked(connected: ssl.SSLSocket, head: str) -> str:
    """Send the head of a request; return that of the answer, or what there is of it when the connection ends."""
    connected.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer and (more := connected.recv(4096)):
        answer += more
    return answer.decode()


class _Question(socketserver.DatagramRequestHandler):
    def handle(self) -> None:
        query = dns.message.from_wire(self.rfile.read())
        name = query.question[0].name.to_text().rstrip(".")
        answer = dns.message.make_response(query)
        if name in ADDRESSES:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "A", ADDRESSES[name]))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.wfile.write(answer.to_wire())


@contextlib.contextmanager
def resolver() -> Generator[int]:
    """Answer DNS queries for the names in ``ADDRESSES`` on a port of loopback."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Question) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def egress(
    authorities: tuple[str, ...],
    folder: Path,
    identities: Identities,
    name_server: int,
    **changes: Any,  # noqa: ANN401 - fields of EgressSettings
) -> Generator[Egress]:
    """Run the egress proxy. Loopback, on which the providers are, is not refused unless the test asks for it."""
    with held_ports(0) as (port,):
        settings = replace(
            EgressSettings(
                environment=ENVIRONMENT,
                authorities=authorities,
                authority=identities.client.certificate,
                refused_networks=tuple(block for block in NOT_PUBLIC if block != LOOPBACK),
                resolvers=(("127.0.0.1", name_server),),
                listen_address="127.0.0.1",
                port=port,
            ),
            **changes,
        )
        variables = {
            CERTIFICATE_VARIABLE: identities.server.certificate,
            PRIVATE_KEY_VARIABLE: identities.server.key,
        }
        log = folder / f"egress-{port}.log"
        with (
            log.open("wb") as output,
            envoy.running(envoy_arguments(settings), port=port, env=variables, output=output),
        ):
            yield Egress(settings, identities, log)


@dataclass(frozen=True)
class World:
    """The interface's proxy, the egress proxy and the servers behind them."""

    proxy: Gateway
    egress: Egress
    alpha: Model
    beta: Model
    private: Model
    pretender: Model
    """Answers on another port, with a certificate for another name than that of the declared provider."""

    @property
    def servers(self) -> tuple[Model, ...]:
        """Every server."""
        return (self.alpha, self.beta, self.private, self.pretender)

    def chat(self, group: str) -> tuple[int, bytes]:
        """Ask as the application does."""
        return chat(self.proxy, group)


def chat(proxy: Gateway, group: str) -> tuple[int, bytes]:
    """Ask for an answer as an application that sends a key and a cookie."""
    headers = [("authorization", "Bearer application"), ("cookie", "a=b")]
    answer = proxy.model("POST", f"/{group}/v1/chat/completions", headers, BODY)
    return answer.status, answer.body


def external(group: str, host: str, port: int, authority: Certificate, variable: str) -> ProxyUpstream:
    """A provider as ``assembly`` declares it, except that its port is one of loopback and its CA is the test's."""
    return ProxyUpstream(
        name=f"{group}:{host}",
        host_name=host,
        port=port,
        ca_certificate=authority.certificate,
        path_prefix="/api/v1",
        through_egress=True,
        api_key_variable=variable,
    )


@contextlib.contextmanager
def proxy(
    groups: Mapping[str, tuple[ProxyUpstream, ...]],
    port: int,
    identities: Identities,
    application: tuple[int, Certificate],
    folder: Path,
) -> Generator[Gateway]:
    """Run the interface's proxy, which finds the egress proxy on this port."""
    settings = replace(
        SETTINGS,
        limits=replace(SETTINGS.limits, model_idle_seconds=2, model_deadline_seconds=6, ejection_seconds=1),
        model_groups=tuple(
            ProxyModelGroup(name=name, models=("x",), upstreams=upstreams) for name, upstreams in groups.items()
        ),
        egress=ProxyEgress(
            host_name=EGRESS,
            address="127.0.0.1",
            port=port,
            ca_certificate=identities.server.certificate,
            client_certificate_variable=CLIENT_VARIABLES[0],
            client_private_key_variable=CLIENT_VARIABLES[1],
        ),
    )
    shown = dict(zip(CLIENT_VARIABLES, (identities.client.certificate, identities.client.key), strict=True))
    with gateway(settings, *application, folder, {**KEYS, **shown}) as running:
        yield running


@contextlib.contextmanager
def world(application: tuple[int, Certificate], folder: Path) -> Generator[World]:
    """Run everything. ``application``: the port of the application, and the certificate of the interface's proxy."""
    identities, authority = Identities(), self_signed(ALPHA, BETA, PRIVATE)
    with (
        model("alpha", authority) as alpha,
        model("beta", authority) as beta,
        model("private", authority) as private,
        model("pretender", self_signed(BETA)) as pretender,
        resolver() as name_server,
    ):
        ports = {"alpha": alpha.server.port, "beta": beta.server.port, "pretender": pretender.server.port}
        declared = (
            *(f"{ALPHA}:{ports[name]}" for name in ("alpha", "pretender")),
            f"{BETA}:{ports['beta']}",
            f"{INSIDE}:443",
            f"{NOWHERE}:443",
        )
        inside = ProxyUpstream(
            name="private",
            host_name=PRIVATE,
            address="127.0.0.1",
            port=private.server.port,
            ca_certificate=authority.certificate,
        )

        def to_alpha(group: str) -> ProxyUpstream:
            return external(group, ALPHA, ports["alpha"], authority, "KEY_ALPHA")

        groups = {
            "alone": (to_alpha("alone"),),
            "two": (to_alpha("two"), external("two", BETA, ports["beta"], authority, "KEY_BETA")),
            "inside-next": (to_alpha("inside-next"), inside),
            "pretended": (external("pretended", ALPHA, ports["pretender"], authority, "KEY_ALPHA"),),
            "undeclared": (external("undeclared", PRIVATE, private.server.port, authority, "KEY_ALPHA"),),
        }
        with (
            egress(declared, folder, identities, name_server) as tunnels,
            proxy(groups, tunnels.settings.port, identities, application, folder) as running,
        ):
            yield World(running, tunnels, alpha, beta, private, pretender)
