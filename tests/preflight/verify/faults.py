"""A correct edge on loopback, faults that are planted into it, and the command that has to find them."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from local.certificate import Certificate
from preflight.account.lines import Line, Status
from preflight.recording.graph import graph, to_recording
from preflight.sdk.wire import Wire
from preflight.verify.client import Live
from preflight.verify.live import RequestTable, Sending, lines
from preflight.verify.requests import Credentials
from preflight.verify.stack import StackInCheckout
from tests.preflight.verify.edge import MEMBER, SESSION, Edge, listening

SIGNED_IN = Credentials(cookie=f"{SESSION}={MEMBER}")


@dataclass(frozen=True)
class Site:
    """Shared by every edge of a test session."""

    stack: StackInCheckout
    proxy_port: int
    folder: Path
    certificate: Certificate

    def edge(self) -> Edge:
        """A correct edge."""
        return Edge(self.stack, self.proxy_port, serving(self.folder, self.certificate))

    def verified(self, edge: Edge, credentials: Credentials = SIGNED_IN, trusted: str = "") -> list[Line]:
        """The command's result for an edge; ``trusted`` replaces the trusted authority."""
        context = ssl.create_default_context(cadata=trusted or self.certificate.certificate)
        with listening(edge) as places:
            live = Live(context, self.stack.host, places)
            return list(lines(Sending(self.stack, live, credentials, pause=0), table=self.table(credentials)))

    @cached_property
    def _tables(self) -> dict[str, RequestTable]:
        return {}

    def table(self, credentials: Credentials) -> RequestTable:
        """The rows, traced once."""
        if repr((credentials.cookie, credentials.token)) not in self._tables:
            self._tables[repr((credentials.cookie, credentials.token))] = RequestTable.of(self.stack, credentials)
        return self._tables[repr((credentials.cookie, credentials.token))]


def serving(folder: Path, certificate: Certificate, least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """A server's context with a certificate and an oldest version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate.write(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = least
    if least < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def changed(stack: StackInCheckout, edit: Callable[[list[Wire]], object]) -> StackInCheckout:
    """The stack with edited resources, as after a manual change in the console."""
    content = graph(stack.recording)
    edit(content["resources"])
    for resource in content["resources"]:  # the response that AWS derives from the settings
        resource["outputs"] = {k: v for k, v in resource["outputs"].items() if k not in resource["inputs"]}
    return StackInCheckout(stack.settings, stack.release, to_recording(content))


@dataclass(frozen=True)
class Fault:
    """One fault of the edge and its expected lines."""

    name: str
    plant: Callable[[Edge, Site], object]
    subjects: tuple[str, ...]
    """Parts of subjects: each has to occur in a failed one."""
    only: tuple[str, ...] = field(default=())
    """If given, every failed subject contains one of these parts."""


def failed(found: list[Line]) -> list[str]:
    """The subjects of the lines that failed."""
    return [line.subject for line in found if line.status is Status.MISSING]
