"""A recorded graph of any resources, in the form in which the recorder gives it: computed values are the engine's fakes."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.resources import Graph, kind_of
from policies.guardrails.topology.graph.values import as_list, as_mapping
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
        if (mapping := as_mapping(value)) is not None:
            return {owner for item in mapping.values() for owner in self._owners(item)}
        if (items := as_list(value)) is not None:
            return {owner for item in items for owner in self._owners(item)}
        return set()

    def describe(self) -> str:
        """The resources, one a line, as a test would register them."""
        return "\n".join(
            f"{kind_of(record['type'])} {record['name']} ({record['id']}) {json.dumps(record['inputs'])}"
            for record in self.records
        )

    def __repr__(self) -> str:
        return f"<{len(self.records)} resources>"

    def names(self, identifier: str) -> bool:
        """Whether a resource refers to this id."""
        return any(identifier in json.dumps(record["inputs"]) for record in self.records)

    def having(self, records: list[Record]) -> Recorded:
        """The same recording with other registrations."""
        changed = Recorded()
        changed.records = records
        return changed

    def graph(self) -> Graph:
        """The graph, as the policies build it from a recording."""
        return Graph.from_recorded(self.records)
