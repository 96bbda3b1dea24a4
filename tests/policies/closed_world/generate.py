"""Generates the table of resource types from the installed SDK, the pack's source and what was reviewed by hand.

``names.tsv`` says which property names can hold a principal, a policy, an access list, an address list or a public
switch; ``reviewed.tsv`` is the review of single types and properties. ``python -m tests.policies.closed_world`` compares
the table with what they give, ``--write`` renews it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from policies.guardrails.topology.graph.types import TABLE, Kind
from policies.guardrails.topology.reachability.claims.not_modelled import PLACED
from tests.policies.property_literals import kinds_of, literals, modules
from tests.policies.sdk_schema import Property, settable, tokens

FOLDER = Path(__file__).parent
HARMLESS, UNREAD = "harmless", "unread"
OF_A_TYPE = ("modelled", "grants", "endpoint", "none")
NOTHING = "no property holds a principal, a policy, an address list or a public switch"
_GRANTS = ("a policy", "a principal", "a sharing", "an access list", "a public switch", "a template")


@dataclass(frozen=True)
class Reviewed:
    """One row of the review: of a type (``path`` is ``-``), or of properties of some types."""

    kinds: str
    path: str
    verdict: str
    note: str


@cache
def reviewed() -> tuple[Reviewed, ...]:
    """The rows of ``reviewed.tsv``; the last one that matches decides."""
    return tuple(Reviewed(*row) for row in _rows("reviewed.tsv", 4))


def _rows(name: str, columns: int) -> Iterator[list[str]]:
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield (line.split("\t") + [""] * columns)[:columns]


@cache
def _names() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row[0], re.compile(row[1])) for row in _rows("names.tsv", 2))


def held_by(name: str) -> str:
    """What a property of this name can hold; empty if nothing that matters here."""
    found = next((what for what, pattern in _names() if pattern.fullmatch(name)), "-")
    return "" if found == "-" else found


def holders(kind: str) -> dict[str, str]:
    """The inputs of a type that can hold something, with what they can hold; of nested ones the innermost."""
    return dict(_holders(settable(kind), ""))


def _holders(level: dict[str, Property], above: str) -> Iterator[tuple[str, str]]:
    for name, item in sorted(level.items()):
        below = list(_holders(item.nested, f"{above}{name}."))
        yield from below
        if not below and (what := held_by(name)):
            yield f"{above}{name}", what


def _words(value: object) -> Iterator[str]:
    """Every step of a path in an entry of a table: text, or the fields of an object."""
    if isinstance(value, str):
        yield from re.findall(r"\w+", value)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in cast("Iterable[object]", value):
            yield from _words(item)
    elif is_dataclass(value):
        for item in fields(value):
            yield from _words(getattr(value, item.name))


@cache
def tables() -> dict[str, frozenset[str]]:
    """The words that the tables of the pack have in the entry of a type."""
    found: dict[str, set[str]] = {}
    for module in modules():
        for name, value in vars(import_module(f"policies.guardrails.{module}")).items():
            if isinstance(value, dict) and not name.startswith("__"):
                for kind, entry in cast("dict[object, object]", value).items():
                    if isinstance(kind, str) and kind in tokens():
                        found.setdefault(kind, set()).update(_words(entry))
    return {kind: frozenset(words) for kind, words in found.items()}


@cache
def read_words(kind: str) -> frozenset[str]:
    """Every step of a property path in the modules of the pack that name this type, and in its entries of tables."""
    found = set(tables().get(kind, ()))
    for module in modules():
        if module != "topology.graph.types" and kind in kinds_of(module):
            found |= {step for item in literals(module) for step in item.path.split(".")}
    return frozenset(found)


def is_read(kind: str, path: str) -> bool:
    """Whether a module that names the type reads the property, or everything below a step of its path."""
    steps = path.split(".")
    return steps[-1] in read_words(kind) or bool(set(steps) & tables().get(kind, frozenset()))


def review_of(kind: str, path: str) -> Reviewed | None:
    """The row of the review that decides about a property, if any."""
    rows = [row for row in reviewed() if row.path != "-" and fnmatchcase(kind, row.kinds)]
    return next((row for row in reversed(rows) if fnmatchcase(path, row.path)), None)


def unread(kind: str) -> dict[str, str]:
    """The inputs that can hold something, that no rule reads and that the review does not call harmless."""
    found: dict[str, str] = {}
    for path, what in holders(kind).items():
        row = review_of(kind, path)
        if row is not None and row.verdict == UNREAD:
            found[path] = row.note or what
        elif row is None and not is_read(kind, path):
            found[path] = what
    return found


@cache
def _in_the_proof() -> frozenset[str]:
    """The types that the analysis of the network reads: routes, gateways, addresses and what connects them."""
    others = ("topology.graph.types", "topology.reachability.claims.not_modelled")
    read = (kinds_of(module) for module in modules() if module.startswith("topology.") and module not in others)
    return frozenset[str]().union(*read)


def classified(kind: str) -> Kind:
    """The row of one type."""
    row = next((row for row in reviewed() if row.path == "-" and row.kinds == kind), None)
    held, left = holders(kind), unread(kind)
    paths = tuple(sorted(left))
    if row is not None:
        return Kind(kind, row.verdict, row.note, paths if row.verdict == "modelled" else ())
    if kind in PLACED | _in_the_proof() or any(is_read(kind, path) for path in held):
        return Kind(kind, "modelled", "", paths)
    if not left:
        notes = sorted({found.note for path in held if (found := review_of(kind, path)) is not None})
        return Kind(kind, "none", "; ".join(notes) or NOTHING, ())
    what = sorted(set(left.values()))
    class_ = "grants" if set(what) & set(_GRANTS) or not set(what) <= {"a network", "an address list"} else "endpoint"
    return Kind(kind, class_, f"{', '.join(what)} ({', '.join(_shortened(paths))})", ())


def _shortened(paths: tuple[str, ...], most: int = 4) -> list[str]:
    names = list(dict.fromkeys(path.rpartition(".")[2] for path in paths))
    return [*names[:most], *(["…"] if len(names) > most else [])]


def table() -> str:
    """The whole table."""
    rows = [classified(kind) for kind in sorted(tokens())]
    return "".join("\t".join((row.kind, row.class_, row.note, ",".join(row.unread))) + "\n" for row in rows)


def committed() -> str:
    """The table in the pack."""
    return TABLE.read_text(encoding="utf-8")
