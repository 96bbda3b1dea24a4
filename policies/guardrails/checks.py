"""Comparisons shared by many policies; each reports a value that is not known yet as not proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .topology.graph.documents import Document, document_at
from .topology.graph.resources import Graph, Resource, Secret, Unknown, shown
from .topology.graph.values import Value, as_mapping, listed
from .topology.graph.verdicts import Finding, not_proven, violated


def expect(
    resource: Resource,
    path: str,
    fits: Callable[[Any], bool],
    wanted: str,
    fix: str,
    *,
    default: Value = None,
    what: str = "",
) -> Iterator[Finding]:
    """Whether the value at ``path``, or AWS's ``default`` if it is absent, is acceptable."""
    found = resource.value(path)
    if isinstance(found, Unknown):
        yield not_proven(resource, path, [found], wanted, fix, what=what)
    elif not fits(default if found is None else found):
        yield violated(resource, path, described(resource, path, default), wanted, fix, what=what)


def expect_value(
    resource: Resource, path: str, want: Value, fix: str, *, default: Value = None, what: str = ""
) -> Iterator[Finding]:
    """Whether the value at ``path``, or AWS's ``default`` if it is absent, is ``want``."""
    return expect(resource, path, lambda found: found == want, shown(want), fix, default=default, what=what)


def described(resource: Resource, path: str, default: Value = None) -> str:
    """A property as a message prints it: the value with secrets masked, or a note that it is not set."""
    found = resource.get(path)
    if found is None:
        return "not set" if default is None else f"not set, which means {shown(default)}"
    return shown(found)


def expect_reference(
    graph: Graph, resource: Resource, path: str, wanted: str, fix: str, *, what: str = ""
) -> Iterator[Finding]:
    """Whether a value is set at ``path``: a literal, or an output of another resource that is known only after
    deployment."""
    found = resource.value(path)
    top = path.partition(".")[0].partition("[")[0]
    if isinstance(found, Unknown):
        if not any(urn in graph.by_urn for urn in resource.property_dependencies.get(top, ())):
            yield not_proven(resource, path, [found], wanted, fix, what=what)
    elif found in (None, "", [], {}):
        yield violated(resource, path, described(resource, path), wanted, fix, what=what)


def undecided(resource: Resource, path: str, of: Document, wanted: str, fix: str) -> Iterator[Finding]:
    """The finding for a document that cannot be checked; none for one that can, or that is absent."""
    if of.unknown is not None:
        yield not_proven(resource, path, [of.unknown], wanted, fix)
    elif of.unreadable:
        yield not_proven(resource, path, [path], wanted, fix, found="text that is not a JSON document")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task definition; ``path`` contains its name, so that an exception still applies after
    reordering."""

    name: str
    values: Mapping[str, Any]

    def path(self, below: str = "") -> str:
        """Its path, as written in messages and exceptions."""
        base = f"containerDefinitions[{self.name}]"
        return f"{base}.{below}" if below else base

    def get(self, key: str, default: Value = None) -> Value:
        """Return one of the container's values."""
        found = self.values.get(key)
        return default if found is None else found


def containers(task: Resource, wanted: str, fix: str) -> tuple[list[Container], list[Finding]]:
    """The containers of a task definition, and a finding if they are not known."""
    path = "containerDefinitions"
    found = document_at(task, path)
    named = [
        Container(str(values.get("name") or index), values)
        for index, item in enumerate(listed(found.value))
        if (values := as_mapping(item)) is not None
    ]
    return named, list(undecided(task, path, found, wanted, fix))


def is_secret(value: Value) -> bool:
    """Whether the value is marked as a Pulumi secret."""
    return isinstance(value, Secret)
