"""A recorded graph of any resources, in the form in which the recorder gives it: computed values are the engine's fakes."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from preflight.fakes.fakes import Fakes
from tests.topology.builders import token, urn

Record = dict[str, Any]


class Recorded:
    """Registrations in order; what one answers goes into the inputs of the next."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._fakes = Fakes()
        self._owner: dict[str, str] = {}

    def add(self, kind: str, name: str, /, **inputs: object) -> Record:
        """Register a resource and return its outputs."""
        type_ = token(kind)
        identity = urn(f"{kind}.{name}")
        answer = self._fakes.resource(type_, name, inputs, identity, preview=False)
        self.records.append(
            {
                "urn": identity,
                "type": type_,
                "name": name,
                "id": answer.id,
                "inputs": inputs,
                "outputs": answer.outputs,
                "property_dependencies": {key: sorted(self._owners(value)) for key, value in sorted(inputs.items())},
            }
        )
        for key in ("id", "arn", "name"):
            if isinstance(value := answer.outputs.get(key), str):
                self._owner.setdefault(value, identity)
        return answer.outputs

    def _owners(self, value: object) -> set[str]:
        if isinstance(value, str):
            return {self._owner[value]} if value in self._owner else set()
        if isinstance(value, dict):
            return {owner for item in value.values() for owner in self._owners(item)}  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, list):
            return {owner for item in value for owner in self._owners(item)}  # pyright: ignore[reportUnknownVariableType]
        return set()

    def graph(self) -> Graph:
        """The graph, as the policies build it from a recording."""
        return Graph.from_recorded(self.records)
