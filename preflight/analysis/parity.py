"""Compares the environments with each other, and each committed shape with the resources that the program registers
now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from policies.guardrails.topology.graph.resources import Graph
from policies.parity import evaluate
from policies.parity.committed_shapes import SHARED, SUFFIX, committed, renewed
from policies.parity.rules import PACK, SHAPES
from policies.parity.shape import Shape, shape_of
from preflight.findings import Finding, Parity, Seen, Verdict
from preflight.pulumi.reported import from_report
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.unknown import spelled

WRITE = "python -m preflight shapes --write"


@dataclass(frozen=True, slots=True)
class Compared:
    """The parity line of the summary, and the findings."""

    parity: Parity
    findings: tuple[Finding, ...]
    stale: bool
    """Whether a committed shape is out of date; the pack's findings about it are then redundant."""


NOT_COMPARED = Compared(Parity("not compared"), (), stale=False)
"""The result for a project without the pack ``policies/parity``."""


def shapes_of(
    recordings: Mapping[tuple[str, bool], Recording],
    graphs: Mapping[str, Graph] | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> dict[str, Shape]:
    """The shape of every environment, from its run with known values. A value that is not known here is the same text in each.

    ``graphs`` and ``shapes`` are those of the environments, where they exist already.
    """
    made = graphs or {}
    return {
        stack: shapes[stack]
        if shapes is not None and stack in shapes
        else shape_of(
            stack,
            made[stack] if stack in made and resources is recording.resources else Graph.from_recorded(resources),
            {resource.urn: resource.inputs for resource in resources},
        )
        for (stack, preview), recording in sorted(recordings.items())
        if not preview and (resources := _spelled(recording))
    }


def _spelled(recording: Recording) -> list[RecordedResource]:
    """The resources; a shape is a file, which has no unknown values."""
    if not recording.gaps:
        return recording.resources
    return [replace(one, inputs=spelled(one.inputs), outputs=spelled(one.outputs)) for one in recording.resources]


def order(root: Path, stacks: Sequence[str]) -> list[str]:
    """The environments in the order in which a release is promoted through them."""
    return evaluate.declarations(_today(), _differences(root)).ordered(stacks)


def compared(
    root: Path,
    recordings: Mapping[tuple[str, bool], Recording],
    graphs: Mapping[str, Graph] | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> Compared:
    """Compare the environments of the project in ``root``; ``graphs`` and ``shapes`` as in ``shapes_of``."""
    allowed = evaluate.declarations(_today(), _differences(root))
    shapes = shapes_of(recordings, graphs, shapes)
    evaluated = evaluate.of_all(shapes, allowed)
    environments = " and ".join(allowed.ordered(list(shapes)))
    findings = [from_report(found, environments, PACK) for found in evaluated.findings]
    stale = _stale(root, shapes)
    count = sum(evaluated.declared.values())
    noun = "difference" if count == 1 else "differences"
    verdict = f"equal except {count} declared {noun}" if count else "equal"
    if findings:
        verdict = f"{len(findings)} undeclared, see the findings; {count} declared {noun}"
    return Compared(Parity(verdict, dict(sorted(evaluated.declared.items()))), (*findings, *stale), bool(stale))


def write(
    root: Path, recordings: Mapping[tuple[str, bool], Recording], shapes: Mapping[str, Shape] | None = None
) -> list[Path]:
    """Write every environment's shape where the pack reads it; returns the files that changed. ``shapes`` as in ``shapes_of``."""
    changed: list[Path] = []
    before, after = _committed_and_current(root, shapes_of(recordings, shapes=shapes))
    for name in sorted(before.keys() | after.keys()):
        path = _folder(root) / name
        if name not in after:
            path.unlink()
        elif before.get(name) != after[name]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(after[name], encoding="utf-8")
        else:
            continue
        changed.append(path)
    return changed


def without_repetition(findings: Sequence[Finding], compared_: Compared) -> list[Finding]:
    """Remove the pack's findings that repeat another one, or that only concern values which a preview does not know."""
    return [finding for finding in findings if finding.pack != PACK or not _adds_nothing(finding, compared_)]


def _adds_nothing(finding: Finding, compared_: Compared) -> bool:
    if compared_.stale or (not finding.mandatory and finding.seen is Seen.PREVIEW):
        return True
    return any(
        found.rule == finding.rule
        and found.resource == finding.resource
        and _within(found.property_path, finding.property_path)
        for found in compared_.findings
    )


def _within(path: str, whole: str) -> bool:
    """Whether ``path`` is the property ``whole`` or part of it: the pack compares a long document as a whole."""
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


def _stale(root: Path, shapes: Mapping[str, Shape]) -> list[Finding]:
    found: list[Finding] = []
    before, after = _committed_and_current(root, shapes)
    names = " and ".join(order(root, list(shapes)))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        place = (_folder(root) / name).relative_to(root).as_posix()
        lines = set(old.splitlines()) ^ set(new.splitlines())
        environment = name.removesuffix(SUFFIX)
        found.append(
            Finding(
                environment=environment if environment in shapes else names,
                rule=SHAPES.name,
                verdict=Verdict.VIOLATED,
                headline=f"{place} is not {_what(environment, new)}",
                found=f"{len(lines)} lines differ" if old else "no such file",
                wanted="the shape that the program registers now" if new else "no file, because no stack has this name",
                fix=f"run {WRITE}, and review the changes to the file",
                pack=PACK,
                severity=str(SHAPES.severity),
                description=SHAPES.description,
                source_file=place,
                source_line=1,
            )
        )
    return found


def _what(environment: str, content: str) -> str:
    if environment == SHARED:
        return "the shared part of the environments"
    return f"the shape of {environment}" if content else "the shape of a stack"


def _committed_and_current(root: Path, shapes: Mapping[str, Shape]) -> tuple[dict[str, str], dict[str, str]]:
    """The committed files, and their expected content."""
    allowed = evaluate.declarations(_today(), _differences(root))
    before = committed(_folder(root))
    stacks = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")}
    try:
        return before, renewed(before, shapes, allowed.skip(), stacks)
    except (ValueError, KeyError, TypeError, AttributeError):
        return before, renewed({}, shapes, allowed.skip(), stacks)  # not readable: every file is rewritten


def _differences(root: Path) -> Path:
    return root / "policies" / "parity" / "differences.yaml"


def _folder(root: Path) -> Path:
    return root / "policies" / "parity" / "shapes"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
