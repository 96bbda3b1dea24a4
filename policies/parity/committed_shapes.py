"""The committed shapes: the part that all environments share, stored once, and for each environment only its
differences. ``shared.json`` contains every resource that all environments have, with the properties that are equal in
all of them; ``<environment>.json`` contains the rest. A reviewer therefore sees a change to all environments once, and
a difference between environments as a difference. Both are sorted JSON without secrets; long documents are digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from policies.parity.normalize import Value
from policies.parity.shape import Item, Shape, Skip, condensed

FOLDER = Path(__file__).with_name("shapes")
SHARED = "shared"
SUFFIX = ".json"

Leaves: TypeAlias = Mapping[str, Value]
Resources: TypeAlias = Mapping[str, Leaves]
"""Logical path to the resource's leaves, as they are committed."""


def to_files(shapes: Mapping[str, Shape], skip: Skip = lambda _path, _property: False) -> dict[str, str]:
    """File name to content. ``skip`` selects the values that digests exclude: declared differences."""
    whole = {
        name: {path: condensed(path, item, skip) for path, item in shape.items.items()}
        for name, shape in sorted(shapes.items())
    }
    return _split(whole)


def from_files(files: Mapping[str, str]) -> dict[str, Shape]:
    """Each environment's shape as it was committed."""
    return {
        name: Shape(
            name, {path: Item("", path.split("/")[-2], leaves, {}) for path, leaves in sorted(resources.items())}
        )
        for name, resources in _joined(files).items()
    }


def renewed(files: Mapping[str, str], shapes: Mapping[str, Shape], skip: Skip, stacks: Iterable[str]) -> dict[str, str]:
    """The files to commit if ``shapes`` are current; other environments of ``stacks`` stay as they are."""
    known = set(stacks)
    kept = {name: resources for name, resources in _joined(files).items() if name in known}
    new = {
        name: {path: condensed(path, item, skip) for path, item in shape.items.items()}
        for name, shape in shapes.items()
    }
    return _split({**kept, **new})


def committed(folder: Path = FOLDER) -> dict[str, str]:
    """The files of a folder by name; empty if there are none."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"*{SUFFIX}"))}


def _split(whole: Mapping[str, Resources]) -> dict[str, str]:
    everywhere = set[str].intersection(*(set(resources) for resources in whole.values())) if whole else set[str]()
    shared = {path: _equal([resources[path] for resources in whole.values()]) for path in sorted(everywhere)}
    files = {SHARED + SUFFIX: _text({"environments": sorted(whole), "resources": shared})} if whole else {}
    for name, resources in sorted(whole.items()):
        own = {
            path: {leaf: value for leaf, value in leaves.items() if path not in shared or leaf not in shared[path]}
            for path, leaves in resources.items()
        }
        own = {path: leaves for path, leaves in own.items() if leaves or path not in shared}
        files[name + SUFFIX] = _text({"environment": name, "resources": own})
    return files


def _equal(sides: list[Leaves]) -> Leaves:
    first, *others = sides
    return {
        leaf: value for leaf, value in first.items() if all(leaf in other and other[leaf] == value for other in others)
    }


def _joined(files: Mapping[str, str]) -> dict[str, Resources]:
    read = {name: cast("dict[str, Any]", json.loads(text)) for name, text in files.items()}
    shared = read.pop(SHARED + SUFFIX, {"environments": [], "resources": {}})
    joined: dict[str, Resources] = {}
    for content in read.values():
        name = str(content["environment"])
        if name in shared["environments"]:
            own = cast("dict[str, dict[str, Value]]", content["resources"])
            both = shared["resources"].keys() | own.keys()
            joined[name] = {path: {**shared["resources"].get(path, {}), **own.get(path, {})} for path in sorted(both)}
    return joined


def _text(content: Mapping[str, Value]) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
