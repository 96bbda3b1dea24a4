"""The load balancer's attributes, with AWS's defaults where the graph sets none, and their effect on requests."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass

from local.edge.messages import Head
from local.stack import Resource

MOST_FORWARDED = 30
"""The maximum number of addresses in ``X-Forwarded-For``; a request with more gets a 463."""
_NAME = re.compile(r"[-A-Za-z0-9]+")
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "expect", "upgrade", "http2-settings"}
_REPLACED = {"x-forwarded-proto", "x-forwarded-port", "x-forwarded-for", "x-amzn-trace-id"}


@dataclass(frozen=True)
class BalancerSettings:
    """Timeouts in seconds."""

    idle_seconds: float
    keep_alive_seconds: float
    drops_invalid_headers: bool
    preserves_host: bool
    forwarded_for: str
    """``append``, ``preserve`` or ``remove``."""
    forwards_client_port: bool
    forwards_tls: bool
    """Whether the target receives the client's TLS version and cipher suite."""
    cross_zone: bool

    @classmethod
    def of(cls, resource: Resource) -> BalancerSettings:
        """The attributes of a load balancer."""
        return cls(
            idle_seconds=float(resource.get("idleTimeout", 60)),
            keep_alive_seconds=float(resource.get("clientKeepAlive", 3600)),
            drops_invalid_headers=bool(resource.get("dropInvalidHeaderFields", False)),
            preserves_host=bool(resource.get("preserveHostHeader", False)),
            forwarded_for=str(resource.get("xffHeaderProcessingMode", "append")),
            forwards_client_port=bool(resource.get("enableXffClientPort", False)),
            forwards_tls=bool(resource.get("enableTlsVersionAndCipherSuiteHeaders", False)),
            cross_zone=bool(resource.get("enableCrossZoneLoadBalancing", True)),
        )

    def invalid(self, head: Head) -> list[str]:
        """Return the header names that contain characters other than letters, digits and hyphens."""
        return [name for name, _ in head.headers if not _NAME.fullmatch(name)]

    def forwarded(
        self,
        head: Head,
        scheme: str,
        port: int,
        client: tuple[str, int],
        added: list[tuple[str, str]],
        *,
        upgrade: bool,
    ) -> list[tuple[str, str]]:
        """Return the headers for the target; ``added`` replaces the client's headers of the same name."""
        replaced = {name.lower() for name, _ in added}
        chunked = head.has("transfer-encoding", "chunked")
        kept: list[tuple[str, str]] = []
        for name, value in head.headers:
            lower = name.lower()
            if lower in _HOP_BY_HOP or lower in _REPLACED or lower in replaced:
                continue
            if (self.drops_invalid_headers and not _NAME.fullmatch(name)) or (lower == "content-length" and chunked):
                continue
            kept.append((name, self._host(value, port) if lower == "host" else value))
        kept += [(name, value) for name, value in self._forwarded_for(head, client)]
        kept += [("X-Forwarded-Proto", scheme), ("X-Forwarded-Port", str(port)), ("X-Amzn-Trace-Id", trace_id(head))]
        if upgrade:
            kept += [("Connection", "Upgrade"), ("Upgrade", head.value("upgrade"))]
        return kept + added

    def _host(self, value: str, port: int) -> str:
        """Unless it is preserved, the host header without the listener's port."""
        return value if self.preserves_host else value.removesuffix(f":{port}")

    def _forwarded_for(self, head: Head, client: tuple[str, int]) -> list[tuple[str, str]]:
        sent = ", ".join(head.values("x-forwarded-for"))
        own = f"{client[0]}:{client[1]}" if self.forwards_client_port else client[0]
        if self.forwarded_for == "remove":
            return []
        if self.forwarded_for == "preserve":
            return [("X-Forwarded-For", sent)] if sent else []
        return [("X-Forwarded-For", f"{sent}, {own}" if sent else own)]


def too_many_forwarded(head: Head) -> bool:
    """Whether ``X-Forwarded-For`` has more addresses than the load balancer accepts."""
    return sum(value.count(",") + 1 for value in head.values("x-forwarded-for")) > MOST_FORWARDED


def trace_id(head: Head) -> str:
    """Return a request's ``X-Amzn-Trace-Id``: a new root, or this load balancer's part before the received root."""
    fresh = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sent = head.value("x-amzn-trace-id")
    if "Root=" not in sent:
        return f"{sent};Root={fresh}" if sent else f"Root={fresh}"
    others = [part for part in sent.split(";") if part and not part.startswith("Self=")]
    return ";".join([f"Self={fresh}", *others])
