"""Every resource type of the AWS provider, and what it can expose: the table ``data/types.tsv``.

The table is generated from the provider's schema and a review by hand. A type that is not in it is newer than the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parents[2] / "data" / "types.tsv"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: a type by its short name."""

    kind: str
    class_: str
    """``modelled``; ``grants`` (can carry a policy, a principal, a sharing, a switch or an access list) or ``endpoint``
    (can listen or be given an address), neither of which is evaluated; ``none``: cannot expose anything."""
    note: str
    """The content that it can hold, or why it can expose nothing."""
    unread: tuple[str, ...]
    """The properties of a modelled type that can hold something and that no policy reads."""


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Every row of the table by its type."""
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if line)
    return {
        kind: Kind(kind, class_, note, tuple(paths.split(",")) if paths else ()) for kind, class_, note, paths in rows
    }
