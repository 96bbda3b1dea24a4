"""Decides from plain values, without a database, what an image does with the schema that it finds.

An image knows the revisions of its migrations. An unknown revision belongs to a later release, and whether the earlier
release works on it has to be declared: in the manifests that the task definition contains or, for a task definition older
than the later release, in the record that the later release wrote to the database.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from components.prepare.report import PrepareError

START, MIGRATE, COMPATIBLE = "start", "migrate", "compatible"


@dataclass(frozen=True)
class Statement:
    """A release's declaration about its schema."""

    release: str
    revision: str
    compatible_with: tuple[str, ...]
    """Earlier releases that work on this schema."""
    recorded_at: str = ""
    """When the release recorded this in the database, before it changed the schema."""


@dataclass(frozen=True)
class Revisions:
    """The revisions that an image's migrations know, and the last of them."""

    known: frozenset[str]
    head: str


def revisions(scripts: Path) -> Revisions:
    """Read the revisions from Alembic's scripts without importing them, which would load the whole application."""
    known: set[str] = set()
    earlier: set[str] = set()
    for script in sorted((scripts / "versions").glob("*.py")):
        constants = _constants(script)
        if isinstance(revision := constants.get("revision"), str):
            known.add(revision)
            earlier.update(_several(constants.get("down_revision")))
    heads = sorted(known - earlier)
    if len(heads) != 1:
        raise PrepareError(
            f"{scripts} has {len(heads)} last migrations ({', '.join(heads) or 'none'}) where one is needed: "
            "the image is not the one that the release names"
        )
    return Revisions(frozenset(known), heads[0])


def _constants(script: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}:
                found[target.id] = ast.literal_eval(value)
    return found


def _several(before: object) -> list[str]:
    if isinstance(before, str):
        return [before]
    return [str(one) for one in cast("tuple[object, ...]", before or ())]


def decide(
    found: str | None,
    own: Statement,
    image: Revisions,
    declared: list[Statement],
    recorded: list[Statement],
) -> str:
    """``start``, ``migrate`` or ``compatible``; a schema on which this release must not run is an error."""
    if own.revision != image.head:
        raise PrepareError(
            f"release {own.release} declares schema.revision {own.revision}, but the migrations of its image end at "
            f"{image.head}: correct the manifest; nothing was changed"
        )
    if found == image.head:
        return START
    if found is None or found in image.known:
        return MIGRATE
    word = _word(found, declared) or _word(found, recorded)
    if word is not None and own.release in word.compatible_with:
        return COMPATIBLE
    raise PrepareError(_refusal(found, own, word, _word(found, recorded)))


def _word(revision: str, statements: list[Statement]) -> Statement | None:
    """The latest release with that schema, as declared or recorded."""
    those = [statement for statement in statements if statement.revision == revision]
    return max(those, key=lambda one: [int(part) for part in one.release.split(".")], default=None)


def _refusal(found: str, own: Statement, word: Statement | None, record: Statement | None) -> str:
    here = f"the database's schema is at revision {found}, which release {own.release} does not know"
    if word is None:
        return (
            f"{here}, and neither a manifest nor a record in the database identifies the release that created it. "
            "Nothing was changed. Start the release that created it, or restore the database to a point at which this release ran"
        )
    works = ", ".join(word.compatible_with) or "no earlier one"
    since = f" (before {record.recorded_at})" if record and record.recorded_at else ""
    return (
        f"{here}: release {word.release} made it, and earlier releases that work on it are: {works}. Nothing was "
        f"changed. Go forward: start {word.release} again, or a corrected release after it. Or go back: restore the "
        f"database to a point before {word.release} first started{since} and then start {own.release}"
    )
