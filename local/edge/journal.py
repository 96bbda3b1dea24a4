"""The load balancer's logs in AWS's documented format, and their delivery as files."""

from __future__ import annotations

import gzip
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

Put = Callable[[str, str, bytes], None]
"""Writes an object: bucket, key, content."""


@dataclass
class AccessLogEntry:
    """One request in the access log, with times in seconds since the epoch and ``-1`` for a duration that does not
    apply."""

    kind: str
    created: float
    client: str
    target: str = "-"
    request_seconds: float = -1
    target_seconds: float = -1
    response_seconds: float = -1
    status: int = 0
    target_status: int = 0
    received: int = 0
    sent: int = 0
    request: str = "- - -"
    user_agent: str = "-"
    cipher: str = "-"
    protocol: str = "-"
    group: str = "-"
    trace: str = "-"
    domain: str = "-"
    certificate: str = "-"
    priority: str = "-"
    actions: list[str] = field(default_factory=list[str])
    redirect: str = "-"
    error: str = "-"
    classification: str = "-"
    reason: str = "-"
    connection: str = "-"

    def line(self, balancer: str, now: float) -> str:
        """Return the fields in the documented order."""
        durations = (self.request_seconds, self.target_seconds, self.response_seconds)
        return " ".join(
            [
                self.kind,
                stamp(now),
                balancer,
                self.client,
                self.target,
                *("-1" if one < 0 else f"{one:.3f}" for one in durations),
                str(self.status) if self.status else "-",
                str(self.target_status) if self.target_status else "-",
                str(self.received),
                str(self.sent),
                f'"{_quoted(self.request)}"',
                f'"{_quoted(self.user_agent)[:8192]}"',
                self.cipher,
                self.protocol,
                self.group,
                f'"{_quoted(self.trace)}"',
                f'"{_quoted(self.domain)}"',
                f'"{self.certificate}"',
                self.priority,
                stamp(self.created),
                f'"{",".join(self.actions) or "-"}"',
                f'"{_quoted(self.redirect)}"',
                f'"{self.error}"',
                f'"{self.target}"',
                f'"{self.target_status or "-"}"',
                f'"{self.classification}"',
                f'"{self.reason}"',
                self.connection,
            ]
        )


def stamp(at: float) -> str:
    """Format a time as in the logs: ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quoted(text: str) -> str:
    return "".join(char if " " <= char <= "~" and char != '"' else f"\\x{ord(char):02x}" for char in text)


@dataclass(frozen=True)
class Destination:
    """Return the destination of a kind of log: ``accessLogs``, ``connectionLogs`` or ``healthCheckLogs`` of the load
    balancer."""

    kind: str
    bucket: str
    prefix: str


@dataclass
class Journal:
    """Log lines by kind (``access``, ``connection``, ``health-check``), kept in memory and delivered to a bucket."""

    account: str
    region: str
    balancer: str
    """The load balancer's resource id, ``app/name/id``."""
    destinations: tuple[Destination, ...] = ()
    lines: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict[str, list[str]](list))
    _delivered: defaultdict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, line: str) -> None:
        """Add a line."""
        with self._lock:
            self.lines[kind].append(line)

    def deliver(self, put: Put, now: float, address: str) -> None:
        """Write all new lines, in one compressed file for each kind of log for which the load balancer declares a
        bucket."""
        at = datetime.fromtimestamp(now, UTC)
        for one in self.destinations:
            with self._lock:
                lines = self.lines[one.kind][self._delivered[one.kind] :]
                self._delivered[one.kind] += len(lines)
            if not lines:
                continue
            kind = {"connection": "conn_log_", "health-check": "health_check_log_"}.get(one.kind, "")
            name = (
                f"{kind}{self.account}_elasticloadbalancing_{self.region}_{self.balancer.replace('/', '.')}_"
                f"{at:%Y%m%dT%H%MZ}_{address}_{secrets.token_hex(4)}.log.gz"
            )
            key = f"AWSLogs/{self.account}/elasticloadbalancing/{self.region}/{at:%Y/%m/%d}/{name}"
            put(
                one.bucket,
                f"{one.prefix}/{key}" if one.prefix else key,
                gzip.compress("\n".join([*lines, ""]).encode()),
            )
