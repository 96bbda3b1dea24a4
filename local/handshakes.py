"""Why a server refuses the client certificate that a task's Envoy shows it, or Envoy the server's: Envoy logs neither.

Each is tried again with what the container was started with: from the task's host, with its certificate, its key and its
authority, for the name that it asks for. The request has a path that no server offers, so nothing is done with it.
"""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from local.envoy_configuration import endpoint_of, part, static_resources
from local.task.container import Running
from local.task.task import RUNNING, Task
from local.wiring import Wiring

SECONDS = 5.0
_REQUEST = b"GET /not-a-path HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
Addresses = Callable[[str], Iterable[str]]
"""The addresses of a name; none for a name that does not resolve."""


@dataclass(frozen=True)
class MutualTls:
    """The client certificate of one cluster of an Envoy, and the server that it expects."""

    name: str
    port: int
    server: str
    """The name that the server's certificate must have."""
    authority: str
    variable: str
    """The variable with the client certificate."""
    certificate: str
    key: str = field(repr=False)

    def problem(self, wiring: Wiring, host: str, address: str) -> str:
        """Why the two do not agree; empty if they do, or if there is no connection at all."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.authority)
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "pem")
                file.touch(mode=0o600)
                file.write_text(f"{self.certificate}\n{self.key}", encoding="utf-8")
                context.load_cert_chain(file)
        except ssl.SSLError:
            return f"the key does not belong to the certificate in {self.variable}"
        with wiring.open(host) as plain, contextlib.ExitStack() as held:
            plain.settimeout(SECONDS)
            try:
                plain.connect(wiring.target(host, address, self.port))
            except OSError:
                return ""
            try:
                spoken = held.enter_context(context.wrap_socket(plain, server_hostname=self.server))
            except ssl.SSLCertVerificationError as error:
                return f"the server's certificate is not accepted: {error.verify_message}"
            except OSError as error:
                return f"there is no TLS: {error}"
            # With TLS 1.3 the server looks at the client's certificate after the client's part of the handshake.
            try:
                spoken.sendall(_REQUEST)
                answered = spoken.recv(1)
            except TimeoutError:
                return ""
            except OSError as error:
                said = error.reason if isinstance(error, ssl.SSLError) else str(error)
            else:
                said = "" if answered else "the server closed the connection"
        issuer = x509.load_pem_x509_certificate(self.certificate.encode()).issuer.rfc4514_string()
        return said and f"the server refused the certificate in {self.variable}, issued by {issuer}: {said}"


def problems(tasks: Iterable[Task], wiring: Wiring, addresses: Addresses) -> list[str]:
    """Return what is wrong between the running tasks and the servers to which they show a certificate, sorted."""
    found: set[str] = set()
    for task in tasks:
        for container, running in list(task.containers.items()) if task.status == RUNNING else ():
            for one in set(_clusters(running)):
                for address in addresses(one.name):
                    if problem := one.problem(wiring, task.node.host, address):
                        ends = f"{task.node.host} ({container}) → {one.name} ({address}:{one.port})"
                        found.add(f"tls: {ends}: {problem}")
    return sorted(found)


def _clusters(running: Running) -> Iterator[MutualTls]:
    given: Mapping[str, str] = running.spec["environment"]
    for configuration in static_resources(running.spec["command"]):
        for cluster in configuration["clusters"]:
            tls = part(cluster, "transport_socket", "typed_config")
            common = part(tls, "common_tls_context")
            authority = part(common, "validation_context", "trusted_ca").get("inline_string")
            shown: Sequence[Mapping[str, Any]] = common.get("tls_certificates") or ()
            for one in shown if authority else ():
                variable = str(one["certificate_chain"]["environment_variable"])
                place = endpoint_of(cluster)
                if place is None:
                    continue
                yield MutualTls(
                    name=str(place["address"]),
                    port=int(place["port_value"]),
                    server=str(tls["sni"]),
                    authority=str(authority),
                    variable=variable,
                    certificate=given[variable],
                    key=given[str(one["private_key"]["environment_variable"])],
                )
