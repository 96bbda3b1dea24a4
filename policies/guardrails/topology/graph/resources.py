"""The resources of one stack as declared, and the references between them.

Values come from a recording or from policy arguments and are converted once; reading one never raises.
References are joined by literal identifiers where they are known and by property dependencies where they are
not, so the first preview of a new environment has the same edges as a later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from .values import Secret, Unknown, Value, contains_unknown, from_wire, overlay, reveal, shown, unknowns_in, walk

__all__ = [
    "Graph",
    "References",
    "Resource",
    "Secret",
    "Unknown",
    "contains_unknown",
    "kind_of",
    "reveal",
    "shown",
    "unknowns_in",
]

_TOKEN = re.compile(r"^aws:(?P<module>[^/:]+)(?:/[^:]+)?:(?P<name>.+)$")
_MODULE_ALIASES = {
    "alb": "lb",
    "applicationloadbalancing": "lb",
    "elasticloadbalancingv2": "lb",
    "elasticloadbalancing": "elb",
}
_IDENTITY = ("id", "arn")


@lru_cache(maxsize=4096)
def kind_of(type_: str) -> str:
    """Shorten an AWS type token, including older module names: ``aws:alb/listener:Listener`` becomes ``lb.Listener``.

    Other tokens stay as they are.
    """
    if match := _TOKEN.match(type_):
        module = match["module"]
        return f"{_MODULE_ALIASES.get(module, module)}.{match['name']}"
    if type_.startswith("aws."):
        module, _, name = type_[4:].partition(".")
        return f"{_MODULE_ALIASES.get(module, module)}.{name}"
    return type_


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One registered resource: ``properties`` are its inputs overlaid with the provider's outputs, in camelCase."""

    urn: str
    type: str
    name: str
    parent: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    source: str = ""
    declared: frozenset[str] | None = None
    """The properties that the program sets; ``None`` if they cannot be distinguished from the provider's outputs."""
    _revealed: dict[str, Value] = field(default_factory=dict[str, Value], init=False, repr=False, compare=False)
    """Path → the value with secrets revealed, for those that have been read."""

    def declares(self, name: str) -> bool:
        """Whether the program sets a property, as far as that is known."""
        return self.declared is None or name in self.declared

    @property
    def kind(self) -> str:
        """The short type name (``lb.Listener``), see ``kind_of``."""
        return kind_of(self.type)

    @property
    def label(self) -> str:
        """The resource's name in messages."""
        return f"{self.kind} {self.name}"

    def get(self, path: str) -> Value:
        """The value at a path such as ``networkConfiguration.subnets`` or ``actions[0].type``.

        Returns ``None`` if it is absent, ``Unknown`` if it or anything on the path to it is not known yet, a ``Secret``
        if it or anything on the path to it is secret.
        """
        return walk(self.properties, path)

    def value(self, path: str) -> Value:
        """Like ``get``, with secrets revealed: for decisions, never for output."""
        if path not in self._revealed:
            nested = "." in path or "[" in path
            self._revealed[path] = reveal(walk(self.properties, path) if nested else self.properties.get(path))
        return self._revealed[path]

    def items(self, path: str) -> list[Any] | Unknown:
        """The value at a path as a list, with secrets revealed: an absent value is empty, a single value is a list with
        one element."""
        found = self.value(path)
        if isinstance(found, Unknown):
            return found
        if found is None:
            return []
        return cast("list[Any]", found) if isinstance(found, list) else [found]

    @classmethod
    def from_recorded(cls, record: Value) -> Resource:
        """Create the resource from a recorded registration: a mapping or a dataclass with values in wire form."""
        entry = _entry(record)
        inputs = cast("dict[str, Any]", from_wire(entry.get("inputs") or {}))
        outputs = cast("dict[str, Any]", from_wire(entry.get("outputs") or {}))
        # Nothing of a resource that is only read is left to the provider: what is not known yet is not "not set".
        properties = (
            {**inputs, **outputs} if entry.get("external") else cast("dict[str, Any]", overlay(inputs, outputs))
        )
        if entry.get("id") and "id" not in properties:
            properties["id"] = from_wire(entry["id"], "id")
        dependencies = cast(
            "Mapping[str, Iterable[str]]", entry.get("property_dependencies") or entry.get("propertyDependencies") or {}
        )
        source = str(entry.get("source") or entry.get("source_file") or "")
        line = entry.get("source_line")
        return cls(
            urn=str(entry["urn"]),
            type=str(entry["type"]),
            name=str(entry.get("name") or str(entry["urn"]).rsplit("::", 1)[-1]),
            parent=str(entry.get("parent") or ""),
            properties=properties,
            dependencies=tuple(sorted(entry.get("dependencies") or ())),
            property_dependencies={key: tuple(sorted(urns)) for key, urns in sorted(dependencies.items())},
            protect=bool(entry.get("protect")),
            source=f"{source}:{line}" if source and line else source,
            declared=None if entry.get("external") else frozenset(inputs),
        )

    @classmethod
    def from_policy(cls, argument: Value) -> Resource:
        """Create the resource from the argument of a policy: a ``PolicyResource`` or ``ResourceValidationArgs`` of
        pulumi-policy."""
        options = getattr(argument, "opts", None)
        parent = getattr(argument, "parent", None)
        dependencies = cast("Mapping[str, Iterable[Any]]", getattr(argument, "property_dependencies", None) or {})
        return cls(
            urn=str(argument.urn),
            type=str(argument.resource_type),
            name=str(argument.name),
            parent=str(getattr(parent, "urn", None) or getattr(options, "parent", None) or ""),
            properties=_declared(argument, cast("dict[str, Any]", from_wire(argument.props)), dependencies),
            dependencies=tuple(sorted(_urn(item) for item in getattr(argument, "dependencies", None) or ())),
            property_dependencies={key: tuple(sorted(map(_urn, items))) for key, items in sorted(dependencies.items())},
            protect=bool(getattr(options, "protect", False)),
            declared=frozenset(dependencies) or None,
        )


def _declared(argument: Value, properties: dict[str, Any], dependencies: Mapping[str, Any]) -> dict[str, Any]:
    """Without the values that only the provider will choose: the dependencies name every property that the program
    declares. If the two cannot be distinguished (a resource policy sees only declared values), all properties stay.
    """
    if not dependencies and (not hasattr(argument, "property_dependencies") or argument.dependencies):
        return properties
    return {key: item for key, item in properties.items() if key in dependencies or not isinstance(item, Unknown)}


def _entry(record: Value) -> Mapping[str, Any]:
    if is_dataclass(record) and not isinstance(record, type):
        return {item.name: getattr(record, item.name) for item in fields(record)}
    return cast("Mapping[str, Any]", record)


def _urn(item: Value) -> str:
    return item if isinstance(item, str) else str(item.urn)


@dataclass(frozen=True, slots=True)
class References:
    """The resources that a property refers to.

    ``complete``: every value was resolved to a resource of the stack. ``ambiguous``: unknown values were resolved
    through dependencies, and there are more candidates than values. ``loose``: ambiguous, or a whole list is unknown,
    so that some of the resources may not be referenced. ``external``: literal identifiers that match no resource here.
    """

    resources: tuple[Resource, ...] = ()
    complete: bool = True
    ambiguous: bool = False
    loose: bool = False
    external: tuple[str, ...] = ()
    unknowns: tuple[Unknown, ...] = ()

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def __bool__(self) -> bool:
        return bool(self.resources)


class Graph:
    """All resources of a stack, sorted by URN, with indexes by type, URN and literal identifier."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources: tuple[Resource, ...] = tuple(sorted(resources, key=lambda resource: resource.urn))
        self.by_urn: dict[str, Resource] = {resource.urn: resource for resource in self.resources}
        self._by_kind: dict[str, list[Resource]] = {}
        self._children: dict[str, list[Resource]] = {}
        self._by_literal: dict[str, dict[str, list[Resource]]] = {}
        self.memory: dict[str, Any] = {}
        """Cached results of functions on this graph."""
        for resource in self.resources:
            self._by_kind.setdefault(resource.kind, []).append(resource)
            self._children.setdefault(resource.parent, []).append(resource)

    @classmethod
    def from_recorded(cls, records: Iterable[Any]) -> Graph:
        """Create the graph from recorded registrations: mappings or dataclasses with values in wire form."""
        return cls(Resource.from_recorded(record) for record in records)

    @classmethod
    def from_policy(cls, resources: Iterable[Any]) -> Graph:
        """Create the graph from the resources that a stack policy receives."""
        return cls(Resource.from_policy(resource) for resource in resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def of_type(self, *types: str) -> list[Resource]:
        """Every resource of the given types (full tokens or short names such as ``lb.Listener``), sorted by URN."""
        kinds = sorted({kind_of(type_) for type_ in types})
        if len(kinds) == 1:
            return list(self._by_kind.get(kinds[0], ()))
        found = [resource for kind in kinds for resource in self._by_kind.get(kind, ())]
        return sorted(found, key=lambda resource: resource.urn)

    def has_children(self, resource: Resource) -> bool:
        """Whether other resources are declared below it."""
        return bool(self._children.get(resource.urn))

    def identified(self, literal: str, types: Iterable[str] = (), keys: tuple[str, ...] = _IDENTITY) -> list[Resource]:
        """The resources for which one of ``keys`` (by default id and ARN) equals this literal."""
        kinds = {kind_of(type_) for type_ in types}
        found: dict[str, Resource] = {}
        for key in keys:
            for resource in self._index(key).get(literal, ()):
                if not kinds or resource.kind in kinds:
                    found[resource.urn] = resource
        return [found[urn] for urn in sorted(found)]

    def _index(self, key: str) -> dict[str, list[Resource]]:
        index = self._by_literal.get(key)
        if index is None:
            index = self._by_literal[key] = {}
            for resource in self.resources:
                literal = resource.value(key)
                if isinstance(literal, str) and literal:
                    index.setdefault(literal, []).append(resource)
        return index

    def referenced(
        self,
        resource: Resource,
        path: str,
        types: Iterable[str] = (),
        keys: tuple[str, ...] = _IDENTITY,
        value: Value = None,
    ) -> References:
        """The resources that a property refers to.

        Known literals are looked up by ``keys``; unknown values, and literals that match nothing here, are resolved
        through the property's dependencies of the wanted types. ``value`` narrows a nested property to one part of it.
        """
        literals, unknowns = _leaves(resource.value(path) if value is None else reveal(value), path)
        kinds = frozenset(kind_of(type_) for type_ in types)
        found: dict[str, Resource] = {}
        missing: list[str] = []
        for literal in literals:
            hits = self.identified(literal, kinds, keys)
            found.update((hit.urn, hit) for hit in hits)
            if not hits:
                missing.append(literal)
        if not unknowns and not missing:
            return _references(found)
        known = set(found)
        candidates = [
            candidate
            for candidate in self._depended_on(resource, path, kinds)
            if candidate.urn not in known and (unknowns or self._may_be(candidate, keys, missing))
        ]
        wanted = len(unknowns) if unknowns else len(missing)
        found.update((candidate.urn, candidate) for candidate in candidates)
        whole_list = any(_is_whole_list(unknown, path) for unknown in unknowns)
        external = tuple(missing) if unknowns or len(candidates) < len(missing) else ()
        enough = len(candidates) >= (1 if whole_list else wanted)
        return _references(
            found,
            complete=enough and not external,
            ambiguous=not whole_list and len(candidates) > wanted,
            loose=whole_list or len(candidates) > wanted,
            external=external,
            unknowns=() if enough else tuple(unknowns),
        )

    @staticmethod
    def _may_be(resource: Resource, keys: tuple[str, ...], literals: list[str]) -> bool:
        """Whether a literal may have been made from a resource: its identifier is part of it, or not known."""
        named = [host_of(value) for key in keys if isinstance(value := resource.value(key), str) and value]
        return not named or any(value in literal for value in named for literal in literals)

    def _depended_on(self, resource: Resource, path: str, kinds: frozenset[str]) -> list[Resource]:
        """Dependencies of the path's top-level property; those of a component stand for its children."""
        top = walk_top(path)
        found: dict[str, Resource] = {}
        queue = list(resource.property_dependencies.get(top, ()))
        seen: set[str] = set()
        while queue:
            urn = queue.pop()
            if urn in seen:
                continue
            seen.add(urn)
            dependency = self.by_urn.get(urn)
            if dependency is None:
                continue
            if not kinds or dependency.kind in kinds:
                found[urn] = dependency
            elif not dependency.type.startswith("aws"):
                queue.extend(child.urn for child in self._children.get(urn, ()))
        return [found[urn] for urn in sorted(found)]


def host_of(text: str) -> str:
    """The host of a URL; any other text as it is. A host derived from a URL has no scheme and no path."""
    return urlsplit(text).hostname or text if "://" in text else text


def _is_whole_list(unknown: Unknown, path: str) -> bool:
    """Whether the unknown stands for a list of unknown length: it is the plural property itself, or lies above it."""
    if unknown.path == path:
        return path.endswith("s")
    return path.startswith((f"{unknown.path}.", f"{unknown.path}["))


def walk_top(path: str) -> str:
    """The top-level property of a path, which is the key of property dependencies."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _references(
    found: dict[str, Resource],
    *,
    complete: bool = True,
    ambiguous: bool = False,
    loose: bool = False,
    external: tuple[str, ...] = (),
    unknowns: tuple[Unknown, ...] = (),
) -> References:
    return References(tuple(found[urn] for urn in sorted(found)), complete, ambiguous, loose, external, unknowns)


def _leaves(value: Value, path: str) -> tuple[list[str], list[Unknown]]:
    """Every string and every unknown in a value, however it is nested."""
    literals: list[str] = []
    unknowns: list[Unknown] = []
    queue: list[Any] = [value]
    while queue:
        item = queue.pop(0)
        if isinstance(item, Unknown):
            unknowns.append(item if item.path else Unknown(path))
        elif isinstance(item, str) and item:
            literals.append(item)
        elif isinstance(item, list):
            queue.extend(cast("list[Any]", item))
        elif isinstance(item, dict):
            queue.extend(cast("dict[str, Any]", item).values())
    return literals, unknowns
