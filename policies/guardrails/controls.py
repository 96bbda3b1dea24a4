"""The list of controls: how each control of AWS Foundational Security Best Practices is met by a stack.

``python -m policies.guardrails.controls`` prints it as Markdown; ``docs/controls.md`` is that output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .data_files import FOLDER, fsbp_titles
from .rule import FRAMEWORK
from .rules import RULES

KINDS = {
    "enforced": "the named policies of the guardrails pack report a stack that does not meet it.",
    "by construction": "no program of this project can violate it.",
    "not decidable": "it concerns the running system, which is not part of a plan.",
    "excepted": "not enforced, for the reason given.",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One control and how it is met."""

    id: str
    title: str
    kind: str
    how: str


def reasons() -> dict[str, tuple[str, str]]:
    """Control id → kind and reason for controls that no policy enforces; a remark for all others."""
    lines = (FOLDER / "controls.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line]
    return {id_: (kind, reason) for id_, kind, reason in rows}


def enforced() -> dict[str, list[str]]:
    """Control id → the policies that enforce it."""
    found: dict[str, list[str]] = {}
    for rule in RULES:
        for control in rule.controls:
            found.setdefault(control, []).append(rule.name)
    return found


def ledger() -> list[Control]:
    """Every control, in the order of the list, each met in exactly one way."""
    policies, given = enforced(), reasons()
    return [_control(id_, title, policies.get(id_), given.get(id_)) for id_, title in fsbp_titles().items()]


def _control(id_: str, title: str, policies: list[str] | None, given: tuple[str, str] | None) -> Control:
    if policies and given and given[0] != "enforced":
        raise ValueError(
            f"{id_} is enforced by {', '.join(policies)} but also has a reason why it is not enforced: remove one of the two"
        )
    if policies:
        names = ", ".join(f"`{name}`" for name in sorted(policies))
        return Control(id_, title, "enforced", f"{names}. {given[1]}" if given else names)
    if given is None or given[0] not in set(KINDS) - {"enforced"}:
        raise ValueError(
            f"{id_} ({title}) is neither enforced nor explained: write a policy, or add a line to data/controls.tsv"
        )
    return Control(id_, title, *given)


def markdown() -> str:
    """The list of controls as a Markdown page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    rows = ledger()
    yield "# Controls"
    yield ""
    yield f"How each of the {len(rows)} controls of {FRAMEWORK} that apply to such a stack is met. This page is"
    yield "generated from the policies' own metadata and `policies/guardrails/data/`; do not edit it"
    yield "(`python -m policies.guardrails.controls > docs/controls.md`)."
    yield ""
    yield "| How | Controls |"
    yield "|---|---|"
    used = [kind for kind in KINDS if any(row.kind == kind for row in rows)]
    for kind in used:
        yield f"| {kind} | {sum(row.kind == kind for row in rows)} |"
    yield ""
    yield from (f"- **{kind}**: {KINDS[kind]}" for kind in used)
    yield ""
    yield "| Control | Title | How | By |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row.id} | {row.title} | {row.kind} | {row.how} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
