"""The differences between the shapes of two environments, an earlier one and a later one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from policies.guardrails.topology.graph.values import Unknown
from policies.parity.comparison_rules import Comparison, comparison
from policies.parity.normalize import SECRET, Covered, Value, uncovered
from policies.parity.shape import Item, Shape, Skip, condensed, is_digest, top

ABSENT = "absent"
_REFERENCE = re.compile(r"\{((?:[^{}/]|\{[^{}]*\})*/(?:[^{}]|\{[^{}]*\})*)\.[A-Za-z]+\}")
_STEP = re.compile(r"(?=[.\[])")
_LONGEST_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Difference:
    """One property in which two environments differ or may differ."""

    path: str
    property: str
    """The property; empty if the whole resource exists on one side only."""
    comparison: Comparison
    earlier: str
    later: str
    urn: str
    """The value in the running environment, if there is one."""
    backwards: bool = False
    """Whether the later environment has less of a value that must not decrease."""
    unknown: bool = False
    blinded: bool = False
    """Not known because a secret cannot be decrypted, not because it does not exist yet."""


_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
_NODE_TYPE = re.compile(rf"cache\.[a-z0-9]+\.(?P<size>{'|'.join(_SIZES)}|(?P<times>\d+)xlarge)")


_SCALARS = frozenset({str, int, float, bool})
"""Leaves that hold no reference to a resource that one side lacks."""


def compare(
    earlier: Shape,
    later: Shape,
    *,
    running: str = "",
    skip: Skip = lambda _path, _name: False,
    releases: bool = False,
) -> list[Difference]:
    """All differences. Properties that only the side named ``running`` has are not compared: the provider adds some.

    Values that change with the release are compared if both sides run the same release, and with ``releases`` always.
    """
    found: list[Difference] = []
    follow = releases or (earlier.release != "" and earlier.release == later.release)
    gone = set(earlier.items.keys() ^ later.items.keys())
    for path in sorted(earlier.items.keys() | later.items.keys()):
        before, after = earlier.items.get(path), later.items.get(path)
        if before is None or after is None:
            found.append(_one_side(path, before, after))
        elif not running:
            found.extend(_leaves(path, before, after, gone))
            found.extend(_leaves(path, _followers(before), _followers(after), gone) if follow else [])
        elif running == later.environment:
            own = Item(after.urn, after.kind, condensed(path, after, skip, _digests(before)), after.references)
            found.extend(_leaves(path, before, own, gone, before.leaves))
        else:
            own = Item(before.urn, before.kind, condensed(path, before, skip, _digests(after)), before.references)
            found.extend(_leaves(path, own, after, gone, after.leaves))
    return found


def _followers(item: Item) -> Item:
    return Item(item.urn, item.kind, item.following, item.references)


def _digests(item: Item) -> list[str]:
    return [name for name, value in item.leaves.items() if is_digest(value)]


def _one_side(path: str, before: Item | None, after: Item | None) -> Difference:
    there = before or after
    return Difference(
        path=path,
        property="",
        comparison=Comparison.ORDERED if after is not None else Comparison.EQUAL,
        earlier=ABSENT if before is None else "present",
        later=ABSENT if after is None else "present",
        urn=there.urn if there else "",
    )


def _leaves(
    path: str, before: Item, after: Item, gone: set[str], evaluated: Mapping[str, Value] | None = None
) -> list[Difference]:
    found: dict[str, Difference] = {}
    for name in sorted(before.leaves.keys() | after.leaves.keys() if evaluated is None else evaluated.keys()):
        one, two = before.leaves.get(name), after.leaves.get(name)
        if type(one) in _SCALARS and one == two:
            continue
        one, two = _value(name, before, gone), _value(name, after, gone)
        if _equal(one, two):
            continue
        how, urn = comparison(before.kind, name), after.urn or before.urn
        if isinstance(uncovered(one), Unknown) or isinstance(uncovered(two), Unknown):
            if not (_same_wiring(name, before, two, gone) or _same_wiring(name, after, one, gone)):
                whole = top(name)
                blinded = any(side.blinded for side in map(uncovered, (one, two)) if isinstance(side, Unknown))
                shown = (_shown(one), _shown(two))
                found.setdefault(whole, Difference(path, whole, how, *shown, urn, unknown=True, blinded=blinded))
        else:
            backwards = how.must_not_decrease and _less(uncovered(two), uncovered(one))
            found[name] = Difference(path, name, how, *_both(one, two), urn, backwards)
    return list(found.values())


def _equal(one: Value, two: Value) -> bool:
    """Whether two leaves are the same. Of two secrets only that both are is compared: no environment shares one."""
    if isinstance(one, Covered) and isinstance(two, Covered):
        return True
    if isinstance(one, Covered) or isinstance(two, Covered):
        left, right = uncovered(one), uncovered(two)
        if SECRET in (one, two):
            return True
        if isinstance(left, list) and isinstance(right, list):
            lists = cast("list[Value]", left), cast("list[Value]", right)
            return _fits(*lists) if isinstance(two, Covered) else _fits(lists[1], lists[0])
        return not isinstance(left, Unknown) and not isinstance(right, Unknown) and bool(left == right)
    return not isinstance(one, Unknown) and not isinstance(two, Unknown) and bool(one == two)


def _fits(known: list[Value], covered: list[Value]) -> bool:
    """Whether a covered list may be the known one, in which a mask stands for any one value."""
    left = list(covered)
    for item in (item for item in known if item != SECRET):
        if item not in left:
            return False
        left.remove(item)
    return len(left) == known.count(SECRET)


def _value(name: str, item: Item, gone: set[str]) -> Value:
    """The leaf; ``Unknown`` where a part above it is not known yet. References to what one side lacks are left out."""
    value = item.leaves.get(name)
    if value is None:
        parts = _STEP.split(name)
        above = (item.leaves.get("".join(parts[:count])) for count in range(1, len(parts)))
        return next((part for part in above if isinstance(uncovered(part), Unknown)), None)
    items = uncovered(value)
    if isinstance(items, list) and gone:
        kept: list[Value] = [
            v for v in cast("list[Value]", items) if not (isinstance(v, str) and gone & set(_REFERENCE.findall(v)))
        ]
        if kept:
            return Covered(kept) if isinstance(value, Covered) else kept
    return value


def _same_wiring(name: str, item: Item, other: Value, gone: set[str]) -> bool:
    """Not known yet on the item's side, but made of the resources that the other side's known value names."""
    other = uncovered(other)
    if name not in item.leaves or other is None or isinstance(other, Unknown):
        return False
    values: list[Value] = cast("list[Value]", other) if isinstance(other, list) else [other]
    matches = [_REFERENCE.fullmatch(value) if isinstance(value, str) else None for value in values]
    named = {match[1] for match in matches if match is not None}
    return all(matches) and named - gone <= set(item.references.get(top(name), ()))


def _less(one: Value, two: Value) -> bool:
    """Whether ``one`` is less than ``two``; an absent value is less than any."""
    if one is None or two is None:
        return one is None
    try:
        return float(one) < float(two)
    except (TypeError, ValueError):
        return 0 <= _size(one) < _size(two)


def _size(value: Value) -> int:
    """The position of a node type's size among all sizes; families are not compared. -1 for any other text."""
    match = _NODE_TYPE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return -1
    return _SIZES.index(match["size"]) if match["size"] in _SIZES else len(_SIZES) + int(match["times"])


def _both(one: Value, two: Value) -> tuple[str, str]:
    """Both sides; of two sets only what the other has not. What is secret on one side is shown on neither."""
    if SECRET in (one, two):
        return (SECRET, _open(two)) if one == SECRET else (_open(one), SECRET)
    if isinstance(one, list) and isinstance(two, list):
        left, right = cast("list[Value]", one), cast("list[Value]", two)
        only_left, only_right = _more(left, right), _more(right, left)
        return ", ".join(map(_shown, only_left)) or "nothing more", ", ".join(map(_shown, only_right)) or "nothing more"
    return _shown(one), _shown(two)


def _more(items: list[Value], others: list[Value]) -> list[Value]:
    """The items that occur more often in ``items`` than in ``others``: two subnets have one name where networks are not
    compared."""
    rest = list(others)
    found: list[Value] = []
    for item in items:
        if item in rest:
            rest.remove(item)
        else:
            found.append(item)
    return found


def _open(side: Value) -> str:
    return ABSENT if side is None else "a value that is not secret"


def _shown(value: Value) -> str:
    if value is None:
        return ABSENT
    if isinstance(uncovered(value), Unknown):
        return str(uncovered(value))
    if isinstance(value, Covered):
        return SECRET
    if is_digest(value):
        return f"a document with digest {value[7:19]}"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
