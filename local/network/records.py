"""Reads a recorded graph with known values only: values, lists, and the resources that identifiers refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, as_list

from .model import ANY_PROTOCOL, ICMP, ICMPV6, TCP, UDP, Match, NotKnownError

_NAMES = {"6": TCP, "17": UDP, "1": ICMP, "58": ICMPV6, "all": ANY_PROTOCOL}


class Records:
    """A graph with the look-ups that the plan needs. Reading an unknown value raises ``NotKnownError``."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._by_id: dict[str, list[Resource]] = {}
        for resource in graph:
            named: set[str] = set()
            for key in ("id", "arn", "name", "clusterIdentifier"):
                value = resource.value(key)
                if isinstance(value, str) and value:
                    named.add(value)
            for value in sorted(named):
                self._by_id.setdefault(value, []).append(resource)

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Return every resource of these types, by URN."""
        yield from self.graph.of_type(*kinds)

    def named(self, identifier: str, *kinds: str) -> Resource | None:
        """Return the resource of these types that an identifier refers to."""
        found = [resource for resource in self._by_id.get(identifier, ()) if resource.kind in kinds]
        return found[0] if found else None


def value(resource: Resource, path: str) -> object:
    """Return the value at a path, or ``None``."""
    found = resource.value(path)
    if isinstance(found, Unknown):
        raise NotKnownError(f"{resource.label}.{path} is not known yet")
    return found


def text(resource: Resource, path: str) -> str:
    """Return the text at a path; empty if there is none."""
    found = value(resource, path)
    return "" if found is None else str(found)


def number(resource: Resource, path: str, default: int = 0) -> int:
    """Return the number at a path. Some SDKs return ports and rule numbers as floats, others as text."""
    found = value(resource, path)
    return default if found in (None, "") else int(float(str(found)))


def flag(resource: Resource, path: str) -> bool:
    """Whether a switch is on; AWS returns some of them as words."""
    return str(value(resource, path)).lower() in ("true", "enabled", "enable")


def texts(resource: Resource, path: str) -> tuple[str, ...]:
    """Return the texts of a list, or a single text as a list."""
    found = value(resource, path)
    entries: list[object] = [] if found in (None, "") else as_list(found) if isinstance(found, list) else [found]  # type: ignore[assignment]
    for index, entry in enumerate(entries):
        if isinstance(entry, Unknown):
            raise NotKnownError(f"{resource.label}.{path}[{index}] is not known yet")
    return tuple(str(entry) for entry in entries)


def count(resource: Resource, path: str) -> int:
    """Return the number of entries in a declared list. Entries that only the provider returned are not counted."""
    top = path.partition(".")[0].partition("[")[0]
    if not resource.declares(top):
        return 0
    found = value(resource, path)
    return len(found) if isinstance(found, list) else 0  # pyright: ignore[reportUnknownArgumentType]


def match(resource: Resource, prefix: str, protocol: str) -> Match:
    """Return protocol, ports and ICMP types of a rule. EC2 puts the ICMP type in ``fromPort`` and the code in
    ``toPort``."""
    name = text(resource, f"{prefix}{protocol}").lower().removesuffix(".0")
    name = _NAMES.get(name, name) or ANY_PROTOCOL
    low, high = number(resource, f"{prefix}fromPort", -1), number(resource, f"{prefix}toPort", -1)
    if name in (ICMP, ICMPV6):
        kind = number(resource, f"{prefix}icmpType", low)
        return Match(name, None, (kind, number(resource, f"{prefix}icmpCode", high)))
    if name not in (TCP, UDP) or low < 0 or high < 0:
        return Match(name)
    return Match(name, (low, high))


def sorted_unique(items: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct texts, sorted."""
    return tuple(sorted(set(items)))
