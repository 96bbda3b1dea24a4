"""The findings on differences between environments, and a count of the declared differences."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from policies.guardrails.evaluation import Report
from policies.guardrails.topology.graph.values import Unknown
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.parity.committed_shapes import FOLDER, committed, from_files
from policies.parity.compare import ABSENT, Difference, compare
from policies.parity.declarations import FILE, AllowedDifferences, read
from policies.parity.rules import DECLARATIONS, ORDER, PROPERTIES, RELEASE_MANIFEST, RESOURCES, UNKNOWN, ParityRule
from policies.parity.shape import Shape

ROOT = Path(__file__).resolve().parents[2]
"""The project that this pack belongs to."""
_DECLARE = "declare the difference with reason, owner and expiry in policies/parity/differences.yaml"


@dataclass(slots=True)
class ParityResult:
    """All findings of one comparison, and the declared differences that it found."""

    findings: list[Report] = field(default_factory=list[Report])
    declared: Counter[str] = field(default_factory=Counter[str])
    """The kinds of declarations that were used, with the number of each."""


def declarations(today: dt.date, file: Path = FILE) -> AllowedDifferences:
    """The declarations in force."""
    return read(file.read_text(encoding="utf-8"), today) if file.is_file() else AllowedDifferences(())


def committed_shapes(folder: Path = FOLDER) -> dict[str, Shape]:
    """The committed shapes by environment."""
    return from_files(committed(folder))


def of_running(running: Shape, committed: Mapping[str, Shape], allowed: AllowedDifferences) -> ParityResult:
    """Compare the running environment with the committed shape of every other one."""
    others = {name: shape for name, shape in committed.items() if name != running.environment}
    evaluated = ParityResult()
    for name in allowed.ordered(list(others)):
        order = allowed.ordered([name, running.environment])
        earlier, later = (others[name], running) if order[0] == name else (running, others[name])
        differences = compare(earlier, later, running=running.environment, skip=allowed.skip())
        _evaluate(differences, (earlier, later), allowed, evaluated)
    evaluated.findings += [report(DECLARATIONS, problem) for problem in allowed.problems]
    return evaluated


def of_release(running: Shape, allowed: AllowedDifferences, root: Path = ROOT) -> list[Report]:
    """Compare the release of the running environment with its manifest and the previous environment.

    A project without releases has copied the pack without ``releases/``, so that package is imported only for a stack
    that names its release.
    """
    if not running.release:
        return []
    if importlib.util.find_spec("releases") is None:
        return [
            _violation(
                RELEASE_MANIFEST,
                "",
                f"release {running.release}",
                what="has no manifest",
                found="a pack that was copied without releases/",
                wanted=f"releases/{running.release}.yaml",
                fix="copy releases/ and settings/ as well, or remove the tag release from the stack",
            )
        ]
    from policies.parity import released  # noqa: PLC0415 - see above

    return [report(rule, finding) for rule, finding in released.evaluated(running, allowed.environments, root)]


def of_all(shapes: dict[str, Shape], allowed: AllowedDifferences) -> ParityResult:
    """Compare every environment with the next one, property by property; stale declarations are findings."""
    evaluated = ParityResult()
    met: list[Difference] = []
    for first, second in allowed.pairs(list(shapes)):
        differences = compare(shapes[first], shapes[second])
        met += differences
        _evaluate(differences, (shapes[first], shapes[second]), allowed, evaluated)
    evaluated.findings += [report(DECLARATIONS, problem) for problem in allowed.problems]
    if len(shapes) > 1:
        evaluated.findings += [report(DECLARATIONS, entry.unused()) for entry in allowed.unused(met)]
    return evaluated


def _evaluate(
    differences: Sequence[Difference], shapes: tuple[Shape, Shape], allowed: AllowedDifferences, into: ParityResult
) -> None:
    first, second = (shape.environment for shape in shapes)
    used: set[int] = set()
    hidden: list[Difference] = []
    whole = _whole_components(differences, shapes, allowed)
    alike: dict[tuple[object, ...], list[Difference]] = {}
    for difference in differences:
        declaration = allowed.of(difference)
        if declaration is not None:
            if declaration.declaration.number not in used:
                into.declared[declaration.kind] += 1
                used.add(declaration.declaration.number)
        elif difference.unknown:
            hidden.append(difference)
        elif not difference.property and _component(difference.path) in whole:
            if whole[_component(difference.path)][0] is difference:
                into.findings.append(_component_finding(whole[_component(difference.path)], first, second))
        else:
            alike.setdefault(_sameness(difference), []).append(difference)
    into.findings += [_finding(group, first, second) for group in alike.values()]
    for blinded in (False, True):
        names = sorted({f"{d.path.rpartition('/')[2]}.{d.property}" for d in hidden if d.blinded is blinded})
        if names:
            into.findings.append(_not_compared(names, blinded=blinded))


def _not_compared(names: Sequence[str], *, blinded: bool) -> Report:
    """The reason why properties cannot be compared: the preview, or secrets that cannot be decrypted."""
    fix = "no action needed in a first preview; preflight check compares the properties with known values"
    if blinded:
        fix = "set PULUMI_CONFIG_PASSPHRASE, or log in to the stack's secrets provider, and analyze the state again"
    finding = Finding(
        verdict=Verdict.NOT_PROVEN,
        urn="",
        resource=f"{len(names)} properties",
        property="",
        what=f"cannot be compared with the other environment{'' if blinded else ' yet'}",
        found=str(Unknown(blinded=blinded)),
        wanted="known values",
        fix=fix,
        unknowns=tuple(names),
    )
    return report(UNKNOWN, finding)


def _whole_components(
    differences: Sequence[Difference], shapes: tuple[Shape, Shape], allowed: AllowedDifferences
) -> dict[str, list[Difference]]:
    """Components with several resources that one side lacks entirely: one finding each, not one for each resource."""
    groups: dict[str, list[Difference]] = {}
    for difference in differences:
        if not difference.property and _component(difference.path) and allowed.of(difference) is None:
            groups.setdefault(_component(difference.path), []).append(difference)
    present = [{_component(path) for path in shape.items} for shape in shapes]
    return {name: own for name, own in groups.items() if len(own) > 1 and not all(name in side for side in present)}


def _component(path: str) -> str:
    """The components above a resource."""
    return "/".join(path.split("/")[:-2])


def _component_finding(missing: Sequence[Difference], first: str, second: str) -> Report:
    there, lacking = (second, first) if missing[0].earlier == ABSENT else (first, second)
    resources = ", ".join(sorted({difference.path.split("/")[-2] for difference in missing}))
    return _violation(
        RESOURCES,
        missing[0].urn,
        _component(missing[0].path).replace("/", " "),
        what=f"exists in {there} only",
        found=f"{len(missing)} resources that are missing in {lacking}: {resources}",
        wanted="the component in every environment, or in none",
        fix=f"make the environments identical, or {_DECLARE}",
    )


def _sameness(difference: Difference) -> tuple[object, ...]:
    """Equal for what one change makes in several resources: the same property of a type with the same two values."""
    whole = difference.path if not difference.property else difference.path.split("/")[-2]
    return (whole, difference.property, difference.earlier, difference.later, difference.backwards)


def _finding(alike: Sequence[Difference], first: str, second: str) -> Report:
    difference = alike[0]
    names = [one.path.rpartition("/")[2] for one in alike]
    kind = difference.path.split("/")[-2]
    resource, found = f"{kind} {names[0]}", f"{first}: {difference.earlier}; {second}: {difference.later}"
    if not difference.property:
        return _violation(
            RESOURCES,
            difference.urn,
            resource,
            what=f"exists in {second if difference.earlier == ABSENT else first} only",
            found=found,
            wanted="the resource in every environment, or in none",
            fix=f"make the environments identical, or {_DECLARE}",
        )
    property_ = difference.property
    if len(names) > 1:
        resource, property_ = f"{kind} {property_} of {len(names)} resources", ""
        found += f" (in {', '.join(names)})"
    if difference.backwards:
        return _violation(
            ORDER,
            difference.urn,
            resource,
            property_,
            what=f"is lower in {second} than in {first}",
            found=found,
            wanted=f"{second} at least as much as {first}",
            fix=f"raise the value in {second}'s stack file, or lower it in {first}'s; a declaration cannot allow this difference",
        )
    return _violation(
        PROPERTIES,
        difference.urn,
        resource,
        property_,
        what="differs",
        found=found,
        wanted=f"the same, or more in {second} as a declared difference"
        if difference.comparison.must_not_decrease
        else "the same in every environment",
        fix=f"set the same value in every environment, or {_DECLARE}",
    )


def _violation(
    rule: ParityRule, urn: str, resource: str, property_: str = "", *, what: str, found: str, wanted: str, fix: str
) -> Report:
    found = " ".join(found.split())
    return report(rule, Finding(Verdict.VIOLATED, urn, resource, property_, found, wanted, fix, what))


def report(rule: ParityRule, finding: Finding) -> Report:
    """Report a finding at the level of its policy."""
    return Report(rule, finding, rule.level)
