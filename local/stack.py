"""The recorded graph of a stack as the twin reads it: every property that a part reads is recorded.

A property that no part has read has no effect in the twin. ``Stack.not_emulated`` lists these properties, so that none
is ignored silently.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph
from preflight.pulumi.program import Run, execute
from preflight.pulumi.project import Project
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk import imports, lighter
from preflight.sdk.wire import unwrap

ROOT = Path(__file__).resolve().parent.parent
PROVIDER = "pulumi:providers:aws"


@dataclass(frozen=True, repr=False)
class Resource:
    """One managed resource. ``resource["port"]`` is an input or, if there is none, a computed output; secrets are in
    plain text."""

    recorded: RecordedResource = field(repr=False)
    """Contains secrets in plain text: never printed."""
    read: set[str] = field(repr=False)
    """The properties that a part of the twin has read."""

    def __repr__(self) -> str:
        return f"{self.type} {self.name}"

    @property
    def type(self) -> str:
        """The type token, ``aws:lb/listener:Listener``."""
        return self.recorded.type

    @property
    def name(self) -> str:
        """The logical name."""
        return self.recorded.name

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.recorded.id

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """The property's value; ``KeyError`` names the resource where it has none."""
        found = self.get(key)
        if found is None:
            raise KeyError(f"{self.type} {self.name} has no {key}")
        return found

    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return the property's value, or ``default`` if it has none."""
        self.read.add(key)
        value = self.recorded.inputs.get(key)
        if value is None:
            value = self.recorded.outputs.get(key)
        value = unwrap(value)
        return default if value is None else value

    def document(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """Return a property that contains JSON text, parsed; ``{}`` if it is not set."""
        value = self.get(key)
        return json.loads(value) if isinstance(value, str) else value or {}


class _Noted(dict[str, Any]):
    """Properties that remember which of them ``get`` was asked for, as ``Resource.value`` of the topology asks."""

    def __init__(self, properties: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(properties)
        self._read = read

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON
        self._read.add(key)
        return super().get(key, default)


@dataclass(frozen=True, repr=False)
class Stack:
    """A stack as its file and the program declare it."""

    recording: Recording
    resources: tuple[Resource, ...]
    """Every resource that a provider manages or reads, sorted by URN."""

    def __repr__(self) -> str:
        return f"Stack({self.name})"

    @classmethod
    def of(cls, recording: Recording) -> Stack:
        """Read the stack from a recording."""
        return cls(recording, tuple(Resource(one, set()) for one in recording.resources if one.custom))

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.recording.stack

    @functools.cached_property
    def graph(self) -> Graph:
        """The same resources in the topology's form; the properties that it reads are recorded, too."""
        read = {one.recorded.urn: one.read for one in self.resources}
        graph = Graph.from_recorded(self.recording.resources)
        return Graph(replace(one, properties=_Noted(one.properties, read.get(one.urn, set()))) for one in graph)

    @property
    def region(self) -> str:
        """The provider's region."""
        return str(self.provider["region"])

    @property
    def provider(self) -> Resource:
        """The AWS provider, which every AWS resource of a stack uses."""
        return self.one(PROVIDER)

    @property
    def account(self) -> str:
        """The only account in which the provider may be used."""
        allowed = self.provider["allowedAccountIds"]
        (account,) = json.loads(allowed) if isinstance(allowed, str) else allowed
        return str(account)

    def all(self, type_: str) -> list[Resource]:
        """Return the resources of one type, sorted by URN."""
        return list(self._by_type.get(type_, ()))

    def one(self, type_: str) -> Resource:
        """Return the only resource of a type. Raises ``LookupError`` with their number if there is not exactly one."""
        found = self.all(type_)
        if len(found) != 1:
            raise LookupError(f"{self.name} has {len(found)} of {type_}, not one: {[one.name for one in found]}")
        return found[0]

    def where(self, type_: str, **properties: object) -> list[Resource]:
        """Return the resources of a type that have these values."""
        return [one for one in self.all(type_) if all(one.get(key) == value for key, value in properties.items())]

    def by_arn(self, arn: str) -> Resource:
        """Return the resource with this ARN or id. Raises ``LookupError`` if the stack has none, which is a fault in
        the stack."""
        found = self._by_arn.get(arn) if arn else None
        if found is None:
            raise LookupError(f"{self.name} has no resource {arn}")
        return found

    @functools.cached_property
    def _by_type(self) -> Mapping[str, Sequence[Resource]]:
        found: defaultdict[str, list[Resource]] = defaultdict(list)
        for one in self.resources:
            found[one.type].append(one)
        return found

    @functools.cached_property
    def _by_arn(self) -> Mapping[str, Resource]:
        """Each ARN and id, and the first resource that has it."""
        named = ((name, one) for one in reversed(self.resources) for name in (one.id, one.recorded.outputs.get("arn")))
        return {name: one for name, one in named if isinstance(name, str)}

    def changed(self, resource: Resource, **inputs: object) -> Stack:
        """Return a copy of the stack with other inputs for one resource: tests break one value this way."""
        entries: list[RecordedResource] = []
        for one in self.recording.resources:
            if one.urn != resource.recorded.urn:
                entries.append(one)
                continue
            merged = {**one.inputs, **inputs}
            outputs = {**one.outputs, **{key: value for key, value in inputs.items() if key in one.outputs}}
            entries.append(replace(one, inputs=merged, outputs=outputs))
        copy = Recording(self.recording.project, self.recording.stack, preview=False, resources=entries)
        return Stack.of(copy)

    def not_emulated(self) -> Mapping[str, frozenset[str]]:
        """Resource type → inputs that no part has read, sorted by type."""
        unread: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.resources:
            left = {key for key, value in one.recorded.inputs.items() if value not in (None, "", [], {})} - one.read
            if left:
                unread[one.type] |= left
        return {type_: frozenset(unread[type_]) for type_ in sorted(unread)}


def recorded(name: str, root: Path = ROOT, settings: Mapping[str, object] | None = None) -> Stack:
    """Run the program for a stack file in this process, as ``preflight`` does; ``settings`` replaces configuration keys
    (``ai-interface:…``).

    Raises ``preflight.errors.ConfigurationError`` for a stack without a file.
    """
    project = Project.load(root)
    stack = project.stack(name)
    texts = {key: one if isinstance(one, str) else json.dumps(one) for key, one in (settings or {}).items()}
    stack = replace(stack, config={**stack.config, **texts})
    imports.install()
    lighter.install()
    with contextlib.chdir(root):
        return Stack.of(execute(project, Run(stack, preview=False)))


def items(value: object) -> Iterator[dict[str, Any]]:
    """Return the objects in a list property; empty for ``None``."""
    yield from cast("list[dict[str, Any]]", value or [])
