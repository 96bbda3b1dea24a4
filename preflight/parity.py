"""The environments against each other, and each committed shape against what the program makes now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from policies.guardrails.topology.resources import Graph
from policies.parity import judge
from policies.parity.server import NAME
from policies.parity.shape import Shape, shape_of, to_manifest
from preflight.findings import Finding, Parity, Rule, Seen, Verdict, from_diagnostic
from preflight.protocol import Diagnostic
from preflight.recorder import Recording

CURRENT = "committed-shapes-are-current"
WRITE = "python -m preflight shapes --write"
RULE = Rule(
    CURRENT, NAME, "Each environment's committed shape is what the program makes now.", f"run {WRITE}", "medium"
)


@dataclass(frozen=True, slots=True)
class Compared:
    """The parity line of the summary, and the findings."""

    parity: Parity
    findings: tuple[Finding, ...]
    stale: bool
    """Whether a committed shape is not current: then what the pack says about it is no news."""


def shapes_of(recordings: Mapping[tuple[str, bool], Recording]) -> dict[str, Shape]:
    """The shape of every environment, from its run with known values."""
    return {
        stack: shape_of(
            stack,
            Graph.from_recorded(recording.resources),
            {resource.urn: resource.inputs for resource in recording.resources},
        )
        for (stack, preview), recording in sorted(recordings.items())
        if not preview
    }


def order(root: Path, stacks: Sequence[str]) -> list[str]:
    """The environments in the order in which a release passes through them."""
    return judge.declarations(_today(), _differences(root)).ordered(stacks)


def compared(root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> Compared:
    """Compare the environments of the project in ``root``."""
    allowed = judge.declarations(_today(), _differences(root))
    shapes = shapes_of(recordings)
    judged = judge.of_all(shapes, allowed)
    environments = " and ".join(allowed.ordered(list(shapes)))
    findings = [_finding(found, environments) for found in judged.judgements]
    stale = _stale(root, shapes)
    count = sum(judged.declared.values())
    noun = "difference" if count == 1 else "differences"
    verdict = f"equal except {count} declared {noun}" if count else "equal"
    if findings:
        verdict = f"{len(findings)} undeclared, see the findings; {count} declared {noun}"
    return Compared(Parity(verdict, dict(sorted(judged.declared.items()))), (*findings, *stale), bool(stale))


def write(root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> list[Path]:
    """Write every environment's shape where the pack finds it; the files that changed."""
    allowed = judge.declarations(_today(), _differences(root))
    changed: list[Path] = []
    for name, shape in shapes_of(recordings).items():
        path = _folder(root) / f"{name}.json"
        content = to_manifest(shape, allowed.skip())
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            changed.append(path)
    return changed


def without_repetition(findings: Sequence[Finding], compared_: Compared) -> list[Finding]:
    """Drop what the pack says again in other words, and what it cannot know in a preview but the known run does."""
    kept: list[Finding] = []
    for finding in findings:
        if finding.pack == NAME:
            if compared_.stale or (not finding.mandatory and finding.seen is Seen.PREVIEW):
                continue
            place = finding.headline.removesuffix(" differs")
            if any(f.rule == finding.rule and f.headline.startswith(place) for f in compared_.findings):
                continue
        kept.append(finding)
    return kept


def _finding(found: judge.Judgement, environments: str) -> Finding:
    diagnostic = Diagnostic(
        pack=NAME,
        policy=found.policy,
        urn=found.urn,
        message=found.message,
        description=judge.POLICIES[found.policy],
        enforcement="mandatory" if found.mandatory else "advisory",
        severity="medium",
    )
    return replace(from_diagnostic(diagnostic, environments, {}, preview=False), seen=Seen.BOTH)


def _stale(root: Path, shapes: Mapping[str, Shape]) -> list[Finding]:
    allowed = judge.declarations(_today(), _differences(root))
    found: list[Finding] = []
    for name, shape in shapes.items():
        path = _folder(root) / f"{name}.json"
        place = path.relative_to(root).as_posix()
        committed = path.read_text(encoding="utf-8") if path.is_file() else ""
        current = to_manifest(shape, allowed.skip())
        if committed == current:
            continue
        lines = set(committed.splitlines()) ^ set(current.splitlines())
        found.append(
            Finding(
                environment=name,
                rule=CURRENT,
                verdict=Verdict.VIOLATED,
                headline=f"{place} is not the shape of {name}",
                found=f"{len(lines)} lines differ" if committed else "no such file",
                wanted="the shape that the program makes now",
                fix=f"run {WRITE}, and review the change of the file",
                pack=NAME,
                severity="medium",
                description=RULE.description,
                source_file=place,
                source_line=1,
            )
        )
    return found


def _differences(root: Path) -> Path:
    return root / "policies" / "parity" / "differences.yaml"


def _folder(root: Path) -> Path:
    return root / "policies" / "parity" / "shapes"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
