"""Cloud Map: the names of services inside the VPC, and the addresses of the healthy tasks that ECS has registered.

https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsConfig.html: with the routing policy MULTIVALUE an answer has up to
eight healthy instances, with WEIGHTED one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.stack import Resource, Stack, items
from local.task.services import REGISTRY
from preflight.conform.reaching.names import plain

NAMESPACE = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
MULTIVALUE = "MULTIVALUE"
MOST_ADDRESSES = 8


@dataclass
class Discovery:
    """The Cloud Map services of a stack. Several threads register addresses."""

    stack: Stack
    vpc: str
    """The id of the VPC in which the names exist."""
    registered: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """ARN of a Cloud Map service → addresses, in the order of their registration."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, registry: str, address: str) -> None:
        """Answer with this address from now on."""
        with self._lock:
            self.registered.setdefault(registry, []).append(address)

    def deregister(self, registry: str, address: str) -> None:
        """Answer without it."""
        with self._lock:
            self.registered[registry].remove(address)

    def find(self, name: str) -> tuple[tuple[str, ...], int] | None:
        """Return the addresses and the TTL of a name; ``None`` for one that no Cloud Map service has, or that has no
        healthy instance, and therefore no record."""
        for one, known in self._named():
            if known == name:
                with self._lock:
                    addresses = tuple(self.registered.get(str(one["arn"]), ()))
                config = one["dnsConfig"]
                ttl = next((int(record["ttl"]) for record in items(config["dnsRecords"]) if record["type"] == "A"), 0)
                several = config.get("routingPolicy", MULTIVALUE) == MULTIVALUE
                return (addresses[: MOST_ADDRESSES if several else 1], ttl) if addresses and ttl else None
        return None

    def names(self) -> list[str]:
        """Return every name, whether or not a task has it, sorted."""
        return sorted(name for _, name in self._named())

    def _named(self) -> Iterator[tuple[Resource, str]]:
        for one in self.stack.all(REGISTRY):
            for space in self.stack.where(NAMESPACE, vpc=self.vpc):
                if space.id == one["dnsConfig"]["namespaceId"]:
                    yield one, plain(f"{one['name']}.{space['name']}")
