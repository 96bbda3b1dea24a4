"""Fixed operators that make a stack less safe, one change at a time.

Changes that Pulumi or the provider would refuse are not made: a resource that others refer to is not deleted, and a required
property is not dropped. A property with AWS's default value is not dropped either, because that would change nothing.

Each change corresponds to one edit of a program. ``RELEVANT`` lists the security-relevant properties. What an operator does
depends on the property's value, not on what the policies check.
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from policies.guardrails.topology.graph.resources import kind_of
from policies.guardrails.topology.graph.values import Value, as_list, as_mapping
from tests.mutation.relevant import DEFAULTS, DOCUMENTS, RELEVANT, REQUIRED, WEAKEST

Record = dict[str, Any]
"""A recorded resource as a mapping."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: which operator, where, and the changed resource (``None``: deleted)."""

    operator: str
    urn: str
    kind: str
    name: str
    place: str
    changed: Record | None

    @property
    def label(self) -> str:
        """Its name in the list of survivors."""
        return f"{self.operator} {self.kind} {self.name}{'.' + self.place if self.place else ''}"


def mutants(records: list[Record]) -> Iterator[Mutant]:
    """Every mutant of a stack, in a stable order."""
    for record in sorted(records, key=lambda item: item["urn"]):
        if not record["type"].startswith("aws:"):
            continue
        if not any(record["urn"] in other["dependencies"] for other in records):
            yield _mutant("delete", record, "", None)
        for path in RELEVANT.get(kind_of(record["type"]), ()):
            for place in _places(record["inputs"], path):
                yield from _of_value(record, place)
        for path in DOCUMENTS.get(kind_of(record["type"]), ()):
            yield from _of_document(record, path)
        yield from _swaps(record, records)


def _mutant(operator: str, record: Record, place: str, changed: Record | None) -> Mutant:
    return Mutant(operator, record["urn"], kind_of(record["type"]), record["name"], place, changed)


def _places(properties: Value, path: str) -> list[list[str | int]]:
    """Where a path with ``[]`` leads in these properties."""
    found: list[tuple[list[str | int], Value]] = [([], properties)]
    for step in path.split("."):
        name, each = step.removesuffix("[]"), step.endswith("[]")
        below: list[tuple[list[str | int], Value]] = []
        for place, value in found:
            inner = (as_mapping(value) or {}).get(name)
            if inner is None:
                continue
            items = as_list(inner) if each else None
            below += (
                [([*place, name, i], item) for i, item in enumerate(items)]
                if items is not None
                else [([*place, name], inner)]
            )
        found = below
    return [place for place, _ in found]


def _text(place: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _at(container: Value, place: list[str | int]) -> Value:
    for step in place:
        container = container[step]
    return container


def _with(record: Record, place: list[str | int], value: Value) -> Record:
    """The record with another value at a place, in inputs and outputs; without it for ``None``."""
    changed = copy.deepcopy(record)
    for side in ("inputs", "outputs"):
        properties = changed.get(side)
        if properties is None:
            continue
        try:
            holder = _at(properties, place[:-1])
            holder[place[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if value is None:
            del holder[place[-1]]
            properties.pop("tagsAll" if place == ["tags"] else "", None)
        else:
            holder[place[-1]] = value
    if value is None and len(place) == 1:
        changed["property_dependencies"] = {
            key: urns for key, urns in changed["property_dependencies"].items() if key != place[0]
        }
    return changed


def _of_value(record: Record, place: list[str | int]) -> Iterator[Mutant]:
    value = _at(record["inputs"], place)
    name = str(next(step for step in reversed(place) if isinstance(step, str)))
    if not _is_required(record, place) and value != [] and not (name in DEFAULTS and value == DEFAULTS[name]):
        yield _mutant("drop", record, _text(place), _with(record, place, None))
    if isinstance(value, bool):
        yield _mutant("flip", record, _text(place), _with(record, place, not value))
    elif (weakest := _weakest(record, name)) is not None and value != weakest:
        yield _mutant("weaken", record, _text(place), _with(record, place, weakest))
    elif isinstance(value, str) and _is_block(value) and value != "0.0.0.0/0":
        yield _mutant("widen", record, _text(place), _with(record, place, "0.0.0.0/0"))
    elif name in ("fromPort", "toPort") and value != (0 if name == "fromPort" else 65535):
        yield _mutant("widen", record, _text(place), _with(record, place, 0 if name == "fromPort" else 65535))


def _weakest(record: Record, name: str) -> object:
    if name == "protocol" and record["inputs"].get("ruleAction") == "deny":
        return "udp"  # For every protocol it would deny more; for another one it no longer denies TCP.
    return WEAKEST.get(f"{kind_of(record['type'])}.{name}", WEAKEST.get(name))


def _is_required(record: Record, place: list[str | int]) -> bool:
    names = ".".join(step for step in place if isinstance(step, str))
    return names in REQUIRED.get(kind_of(record["type"]), ())


def _is_block(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return "/" in value


def _of_document(record: Record, path: str) -> Iterator[Mutant]:
    text = record["inputs"].get(path)
    if not isinstance(text, str):
        return
    document = json.loads(text)
    edits = _of_containers(document) if path == "containerDefinitions" else _of_statements(document)
    for operator, place, edited in edits:
        changed = _with(record, [path], json.dumps(edited, sort_keys=True))
        yield _mutant(operator, record, f"{path}{place}", changed)


def _of_statements(document: dict[str, Any]) -> Iterator[tuple[str, str, Value]]:
    for index, statement in enumerate(cast("list[dict[str, Any]]", document["Statement"])):
        label = f"[{statement.get('Sid', index)}]"
        if statement["Effect"] == "Deny":
            rest = [item for number, item in enumerate(document["Statement"]) if number != index]
            yield "drop", label, {**document, "Statement": rest}
            continue
        for key in ("Action", "Resource", "Principal"):
            if key in statement and statement[key] not in ("*", ["*"]):
                yield "widen", f"{label}.{key}", _edited(document, index, {**statement, key: "*"})
        if "Condition" in statement:
            rest = {key: value for key, value in statement.items() if key != "Condition"}
            yield "drop", f"{label}.Condition", _edited(document, index, rest)


def _edited(document: dict[str, Any], index: int, statement: dict[str, Any]) -> dict[str, Any]:
    statements = [statement if number == index else item for number, item in enumerate(document["Statement"])]
    return {**document, "Statement": statements}


def _of_containers(document: list[dict[str, Any]]) -> Iterator[tuple[str, str, Value]]:
    for index, container in enumerate(document):
        for operator, key, value in (
            ("weaken", "image", str(container["image"]).partition("@")[0] + ":latest"),
            ("drop", "user", None),
            ("weaken", "user", "0:0"),
            ("flip", "readonlyRootFilesystem", False),
            ("flip", "privileged", True),
            ("drop", "logConfiguration", None),
            ("drop", "stopTimeout", None),
            ("widen", "linuxParameters", {"capabilities": {"add": ["SYS_ADMIN"]}}),
            (
                "weaken",
                "environment",
                [*container["environment"], {"name": "ADMIN_PASSWORD", "value": "hunter2hunter2"}],
            ),
        ):
            if container.get(key) == value or (
                operator == "weaken" and key == "user" and container.get("user") == "0:0"
            ):
                continue
            edited = {name: item for name, item in {**container, key: value}.items() if item is not None}
            yield (
                operator,
                f"[{container['name']}].{key}",
                [edited if number == index else item for number, item in enumerate(document)],
            )


def _swaps(record: Record, records: list[Record]) -> Iterator[Mutant]:
    """Each reference changed to the next resource of the same type."""
    by_urn = {item["urn"]: item for item in records}
    for key, urns in sorted(record["property_dependencies"].items()):
        for urn in urns:
            target = by_urn.get(urn)
            other = _next(target, records) if target is not None and target["type"].startswith("aws:") else None
            if target is None or other is None or other["urn"] == record["urn"]:
                continue
            changed = copy.deepcopy(record)
            before = json.dumps(changed["inputs"].get(key))
            after = before
            for name in ("id", "arn", "name", "bucket"):
                old, new = _output(target, name), _output(other, name)
                if isinstance(old, str) and isinstance(new, str) and old:
                    after = after.replace(json.dumps(old), json.dumps(new))
            if before == after:
                continue
            for side in ("inputs", "outputs"):
                if changed.get(side) is not None and key in changed[side]:
                    changed[side][key] = json.loads(after)
            swapped = tuple(other["urn"] if item == urn else item for item in urns)
            changed["property_dependencies"] = {**changed["property_dependencies"], key: swapped}
            yield _mutant("swap", record, f"{key} → {other['name']}", changed)


def _output(record: Record, name: str) -> Value:
    return (as_mapping(record["outputs"]) or {}).get(name)


def _next(target: Record, records: list[Record]) -> Record | None:
    same = sorted((item for item in records if item["type"] == target["type"]), key=lambda item: item["urn"])
    index = next(number for number, item in enumerate(same) if item["urn"] == target["urn"])
    other = same[(index + 1) % len(same)]
    return other if other["urn"] != target["urn"] else None
