"""The shape of one environment: its resources by logical path, each property as normalized leaves.

A list whose items have names is keyed by them (``containerDefinitions[proxy].user``); a list of plain values is
compared as a set. Free properties are excluded; values that change with the release are kept separately. The committed
shapes (``committed_shapes``) contain the same without the values that change with the release, with long documents as
digests.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, assert_never, cast

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown
from policies.parity.comparison_rules import Comparison, comparison
from policies.parity.normalize import SECRET, STACK_KIND, Covered, Normalizer, Value, short_kind, uncovered
from policies.parity.text import parts_of

LONGEST_DOCUMENT = 12
"""The maximum number of leaves of one part of a property in a committed shape; beyond it, a digest replaces the
part."""
LONGEST_TEXT = 300
_NAMES = ("name", "Name", "Sid", "sid", "key", "Key", "policyName", "containerName", "id", "ruleId")
_DIGEST = "sha256:"
_STEP = re.compile(r"(?=[.\[])")

Skip = Callable[[str, str], bool]
"""Whether a digest excludes a property of a resource, by path, as it does for declared differences."""


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of a shape."""

    urn: str
    kind: str
    leaves: Mapping[str, Value]
    """Property path → normalized value, which may be ``Unknown``."""
    references: Mapping[str, tuple[str, ...]]
    """Top-level property → paths of the resources that it depends on; only for properties that are not known yet."""
    following: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """The leaves that change with the release: comparable only if both sides run the same release."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One environment's resources by logical path."""

    environment: str
    items: Mapping[str, Item] = field(default_factory=dict[str, Item])
    release: str = ""
    """The release in its tags; empty in a committed shape, and if there is none or more than one."""


def shape_of(
    environment: str,
    graph: Graph,
    declared: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    keep_names: bool = False,
    leave_out: Container[str] = (),
) -> Shape:
    """The shape of ``graph``. ``declared`` contains each resource's inputs by URN; without it all properties count. With
    ``keep_names`` the names and addresses that the environment chose are part of the shape, to compare two commits of it.
    The resources whose URNs ``leave_out`` has are there without properties, for a comparison that knows they are equal."""
    normal = Normalizer(graph, environment, keep_names=keep_names)
    items: dict[str, Item] = {}
    for resource in graph:
        if resource.type.startswith(("pulumi:providers:", STACK_KIND)) or not _is_custom(resource):
            continue
        wanted = resource.properties if declared is None else declared.get(resource.urn, {})
        path, number = normal.paths[resource.urn], 2
        while path in items:
            path, number = f"{normal.paths[resource.urn]} ({number})", number + 1
        if resource.urn in leave_out:
            items[path] = Item(resource.urn, short_kind(resource), {}, {})
            continue
        leaves, following = _leaves(resource, wanted, normal, keep_names)
        references = _references(resource, leaves, normal)
        items[path] = Item(resource.urn, short_kind(resource), leaves, references, following)
    releases = {item.following["tags.release"] for item in items.values() if "tags.release" in item.following}
    release = next((name for name in releases if isinstance(name, str)), "") if len(releases) == 1 else ""
    return Shape(environment, dict(sorted(items.items())), release)


def _is_custom(resource: Resource) -> bool:
    """Not a component: an id, or (in a first preview) a type token of a bridged provider."""
    return "id" in resource.properties or "/" in resource.type


def _leaves(
    resource: Resource, wanted: Mapping[str, Any], normal: Normalizer, keep_names: bool
) -> tuple[dict[str, Value], dict[str, Value]]:
    """The leaves that are always compared, and those that follow the release."""
    found: dict[str, Value] = {}
    for name in sorted(wanted):
        if not name.startswith("__") and name not in ("tagsAll", "id", "arn"):
            _flatten(name, normal.value(resource.properties.get(name)), found)
    if resource.protect:
        found["protect"] = True
    kind = short_kind(resource)
    always: dict[str, Value] = {}
    following: dict[str, Value] = {}
    for path, value in found.items():
        match how := comparison(kind, path):
            case Comparison.EQUAL | Comparison.ORDERED:
                always[path] = value
            case Comparison.FOLLOWS:
                following[path] = value
            case Comparison.FREE:
                if keep_names:
                    always[path] = value
            case _:
                assert_never(how)
    return always, following


def _flatten(path: str, value: Value, into: dict[str, Value]) -> None:
    if isinstance(value, str):
        into.update((path + part, text) for part, text in parts_of(value).items())
    elif isinstance(value, Covered):
        inside: dict[str, Value] = {}
        _flatten(path, value.inner, inside)
        into.update((name, _covered(leaf)) for name, leaf in inside.items())
    elif isinstance(value, dict | Mapping) and value:
        for key, item in sorted(cast("Mapping[str, Value]", value).items()):
            _flatten(f"{path}.{key}", item, into)
    elif isinstance(value, list) and value:
        _flatten_list(path, cast("list[Value]", value), into)
    elif value is not None:
        into[path] = value


def _covered(leaf: Value) -> Value:
    return leaf if isinstance(leaf, Covered) or leaf == SECRET else Covered(leaf)


def _flatten_list(path: str, items: list[Value], into: dict[str, Value]) -> None:
    if any(isinstance(item, list | dict | Mapping) for item in items):
        for label, item in zip(_labels(items), items, strict=True):
            _flatten(f"{path}[{label}]", item, into)
    elif unknown := [item for item in items if isinstance(item, Unknown)]:
        into[path] = Unknown(path, blinded=any(item.blinded for item in unknown))
    else:
        into[path] = [json.loads(text) for text in sorted({json.dumps(item) for item in items})]


def _labels(items: list[Value]) -> list[str]:
    first = items[0]
    for name in _NAMES if isinstance(first, dict | Mapping) else ():
        if name not in first:
            continue
        names: list[Value] = [
            cast("Any", item).get(name) if isinstance(item, dict | Mapping) else None for item in items
        ]
        if all(isinstance(label, str) and "/" not in label for label in names) and len(set(names)) == len(names):
            return names
    return [str(number) for number in range(len(items))]


def _references(resource: Resource, leaves: Mapping[str, Value], normal: Normalizer) -> dict[str, tuple[str, ...]]:
    open_properties = {top(path) for path, value in leaves.items() if isinstance(uncovered(value), Unknown)}
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(open_properties):
        urns = resource.property_dependencies.get(name, ())
        found[name] = tuple(sorted({normal.paths[urn] for urn in urns if urn in normal.paths}))
    return found


def is_digest(value: Value) -> bool:
    """Whether a committed leaf replaces a whole document or a long text."""
    return isinstance(value, str) and value.startswith(_DIGEST)


def condensed(path: str, item: Item, skip: Skip, like: Iterable[str] | None = None) -> dict[str, Value]:
    """The leaves of an item, its long parts as digests: those that are long, or those named in ``like``.

    In a committed shape (without ``like``) a covered value is a mask, and no secret is part of a digest: a secret with
    few possible values could be recovered from its digest.
    """
    chosen = None if like is None else set(like)
    groups: dict[str, dict[str, Value]] = {}
    found: dict[str, Value] = {}
    for name, value in item.leaves.items():
        group = _part(name)
        if chosen is None and isinstance(value, Covered):
            found[name] = SECRET
        elif comparison(item.kind, name).keeps_value or isinstance(uncovered(value), Unknown):
            found[name] = value
        elif chosen is not None and name in chosen:
            found[name] = _digest(value)
        else:
            groups.setdefault(group, {})[name] = value
    for name, value in list(found.items()):  # a document is not known when part of it is not
        if chosen and isinstance(uncovered(value), Unknown) and (group := _part(name)) in chosen:
            groups.pop(group, None)
            found[group] = value
    for group, own in groups.items():
        if _is_document(own) if chosen is None else group in chosen:
            found[group] = _digest({name: value for name, value in own.items() if not skip(path, name)})
        else:
            found.update((name, _digest(v) if chosen is None and _is_long(v) else v) for name, v in own.items())
    return dict(sorted(found.items()))


@lru_cache(maxsize=16384)
def _part(name: str) -> str:
    return "".join(_STEP.split(name)[:3])


def _is_document(leaves: Mapping[str, Value]) -> bool:
    return len(leaves) > LONGEST_DOCUMENT and SECRET not in leaves.values()


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_TEXT


def _digest(value: Value) -> Value:
    """The digest; covered if a part of the value is."""
    leaves = cast("dict[str, Value]", value) if isinstance(value, dict) else {}
    plain = {name: uncovered(leaf) for name, leaf in leaves.items()} if isinstance(value, dict) else uncovered(value)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    digest = _DIGEST + hashlib.sha256(text.encode()).hexdigest()
    hidden = isinstance(value, Covered) or any(isinstance(leaf, Covered) for leaf in leaves.values())
    return Covered(digest) if hidden else digest


@lru_cache(maxsize=16384)
def top(path: str) -> str:
    """The top-level property of a leaf's path."""
    return _STEP.split(path, maxsplit=1)[0]
