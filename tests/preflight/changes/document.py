"""Writes the table of ``docs/changes.md`` from the plans: ``python -m tests.preflight.changes.document``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from tests.preflight.changes.edits import EDITS, PROGRAM_EDITS, Edit
from tests.preflight.changes.leaves import NO_EDIT
from tests.preflight.changes.rows import Row, rows
from tests.settings.stack_files import ROOT

FILE = ROOT / "docs" / "changes.md"
BEGIN, END = "<!-- the table: python -m tests.preflight.changes.document -->", "<!-- end of the table -->"
HEAD = "| Setting | Outcome | Replaced or deleted | Updated or created | Impact on users |\n|---|---|---|---|---|"
SHOWN = 6
"""The most types in a cell; the others are counted."""
_MIGRATIONS: Mapping[str, str] = {
    "another-network": "another network",
    "another-account-or-region": "another account or region",
    "another-database": "another database",
    "what-is-protected": "what is protected",
    "two-updates": "two updates",
}


def table(found: Mapping[str, Row]) -> str:
    """The whole table, with settings of the same effect in one row."""
    lines = [HEAD]
    for _, section in groupby(EDITS, lambda edit: edit.key.partition(".")[0]):
        lines += _section([(edit, found[edit.title]) for edit in section])
    lines += [_line(f"*{edit.title}*", found[edit.title]) for edit in PROGRAM_EDITS]
    lines += [
        f"| `{key}` | not a setting in the stack file: {reason} | | | |" for key, reason in sorted(NO_EDIT.items())
    ]
    return "\n".join(lines) + "\n"


def _section(edits: Sequence[tuple[Edit, Row]]) -> list[str]:
    alike: dict[tuple[str, ...], list[tuple[Edit, Row]]] = {}
    for edit, row in edits:
        alike.setdefault(_cells(row), []).append((edit, row))
    return [_line(", ".join(_named(edit) for edit, _ in group), group[0][1]) for group in alike.values()]


def _named(edit: Edit) -> str:
    return f"`{edit.key}`" + (f" ({edit.what})" if edit.what else "")


def _line(name: str, row: Row) -> str:
    return f"| {name} | " + " | ".join(_cells(row)) + " |"


def _cells(row: Row) -> tuple[str, ...]:
    happens = row.verdict
    said = "; ".join(row.noticed)
    if row.refusals:
        happens = f"**{row.verdict}**: {_refused(row)}"
        said = ""
    return happens, _types(row.gone), _types((*row.updated, *row.created)), said


def _refused(row: Row) -> str:
    by_party: dict[str, list[str]] = {}
    for party, place, _, _ in row.refusals:
        by_party.setdefault(party, []).append(place.split(" ")[0])
    parts = [
        f"by {party} ({_types(dict.fromkeys(places))})" for party, places in sorted(by_party.items(), reverse=True)
    ]
    connectivity = dict.fromkeys(migration for _, _, _, migration in row.refusals)
    return "; ".join(parts) + "; see " + ", ".join(f"[{_MIGRATIONS[way]}](#{way})" for way in sorted(connectivity))


def _types(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more type{'' if more == 1 else 's'}" if more > 0 else "")


def renewed(text: str, found: Mapping[str, Row]) -> str:
    """The document with the table of these rows."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(found)}\n{END}{after}"


if __name__ == "__main__":
    FILE.write_text(renewed(FILE.read_text(encoding="utf-8"), rows()), encoding="utf-8")
