"""Prints the mutation scores of both environments and of the policies' code: ``make mutation``."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from preflight.pulumi import program
from preflight.pulumi.project import Project
from tests.mutation import code
from tests.mutation.operators import Mutant, Record
from tests.mutation.score import Score, score
from tests.mutation.survivors import ACCEPTED


def recordings(root: Path) -> dict[str, list[Record]]:
    """Each stack's resources, with known values, as mappings."""
    project = Project.load(root)
    program.load(project)
    runs = [program.Run(project.stack(name), preview=False) for name in project.stacks()]
    found = program.collect(program.start(project, runs))
    return {name: [asdict(record) for record in recording.resources] for (name, _), recording in sorted(found.items())}


def reason(mutant: Mutant) -> str:
    """Why a survivor is accepted, or ``None``."""
    return next((text for pattern, text in ACCEPTED.items() if fnmatchcase(mutant.label, pattern)), "")


def lines(stack: str, found: Score) -> list[str]:
    """One stack's result."""
    out = [
        f"{stack}: {found.total.total()} mutants; guardrails alone report {found.reported.total()}"
        f" ({found.guardrails_percent:.1f} %), with parity {found.reported.total() + found.compared}"
        f" ({found.percent:.1f} %)"
    ]
    out += [f"  {name:<8} {found.reported[name]:>5} of {found.total[name]:>5}" for name in sorted(found.total)]
    grouped: dict[str, list[str]] = {}
    for mutant in found.survivors:
        grouped.setdefault(reason(mutant) or "NOT EXPLAINED", []).append(mutant.label)
    for text in sorted(grouped, key=lambda item: (item != "NOT EXPLAINED", item)):
        out.append(f"  the guardrails alone do not report ({len(grouped[text])}): {text}")
        out += [f"    {label}" for label in sorted(grouped[text])]
    return out


def main() -> int:
    """Evaluate every mutant of every stack; 1 if a survivor has no reason."""
    today = dt.datetime.now(dt.UTC).date()
    unexplained = 0
    stacks = recordings(Path.cwd())
    for stack in stacks:
        found = score(stack, stacks, today)
        unexplained += sum(not reason(mutant) for mutant in found.survivors)
        sys.stdout.write("\n".join(lines(stack, found)) + "\n")
        sys.stdout.flush()
    code.main()
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
