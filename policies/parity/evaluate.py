"""What is reported about the differences: findings in the packs' format, and a count of what is declared."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from policies.guardrails.topology.graph.values import Unknown
from policies.parity import released
from policies.parity.compare import ABSENT, Difference, compare
from policies.parity.comparison_rules import Comparison
from policies.parity.declarations import FILE, Declarations, read
from policies.parity.manifests import FOLDER, committed, from_files
from policies.parity.shape import Shape

RESOURCES = "environments-have-the-same-resources"
PROPERTIES = "environments-have-the-same-properties"
ORDER = "later-environments-have-no-less"
DECLARATIONS = "declared-differences-are-current"
UNKNOWN = "parity-of-unknown-values"

POLICIES = {
    RESOURCES: "All environments have the same resources, except for declared differences.",
    PROPERTIES: "A resource has the same properties in every environment, except for declared differences.",
    ORDER: "A later environment never has less capacity, retention or redundancy than an earlier one.",
    DECLARATIONS: "Every declared difference has a reason, an owner and an expiry date, and still matches a difference.",
    UNKNOWN: (
        "Values that a preview does not know are compared once they are known; preflight check compares them before "
        "a preview."
    ),
    **released.POLICIES,
}
ROOT = Path(__file__).resolve().parents[2]
"""The project that this pack belongs to."""
_DECLARE = "declare the difference with reason, owner and expiry in policies/parity/differences.yaml"


@dataclass(frozen=True, slots=True)
class ParityFinding:
    """One finding: policy, resource and text."""

    policy: str
    urn: str
    message: str
    mandatory: bool = True


@dataclass(slots=True)
class ParityResult:
    """All findings of one comparison, and the declared differences that it met."""

    findings: list[ParityFinding] = field(default_factory=list[ParityFinding])
    declared: Counter[str] = field(default_factory=Counter[str])
    """Kinds of declarations that were used, with how many of each."""


def declarations(today: dt.date, file: Path = FILE) -> Declarations:
    """The declarations in force."""
    return read(file.read_text(encoding="utf-8"), today) if file.is_file() else Declarations(())


def manifests(folder: Path = FOLDER) -> dict[str, Shape]:
    """The committed shapes by environment."""
    return from_files(committed(folder))


def of_running(running: Shape, committed: dict[str, Shape], allowed: Declarations) -> ParityResult:
    """The running environment against the committed shape of every other one."""
    others = {name: shape for name, shape in committed.items() if name != running.environment}
    evaluated = ParityResult()
    for name in allowed.ordered(list(others)):
        order = allowed.ordered([name, running.environment])
        earlier, later = (others[name], running) if order[0] == name else (running, others[name])
        differences = compare(earlier, later, running=running.environment, skip=allowed.skip())
        _evaluate(differences, (earlier, later), allowed, evaluated)
    evaluated.findings += _problems(allowed)
    return evaluated


def of_release(running: Shape, allowed: Declarations, root: Path = ROOT) -> list[ParityFinding]:
    """The release of the running environment against its manifest and the environment before."""
    found = released.evaluated(running, allowed.environments, root)
    return [
        ParityFinding(policy, urn, _text(headline, given, wanted, fix))
        for policy, urn, headline, given, wanted, fix in found
    ]


def of_all(shapes: dict[str, Shape], allowed: Declarations) -> ParityResult:
    """Every environment against its neighbour, property by property; stale declarations are findings."""
    evaluated = ParityResult()
    met: list[Difference] = []
    for first, second in allowed.pairs(list(shapes)):
        differences = compare(shapes[first], shapes[second])
        met += differences
        _evaluate(differences, (shapes[first], shapes[second]), allowed, evaluated)
    evaluated.findings += _problems(allowed)
    if len(shapes) > 1:
        for stale in allowed.stale(met):
            text = _text(
                f"differences.yaml entry {stale.number} ({stale.kind}) is stale",
                f"{stale.resource} {stale.property}".strip(),
                "a declaration that matches a difference between the environments",
                "remove the entry from policies/parity/differences.yaml",
            )
            evaluated.findings.append(ParityFinding(DECLARATIONS, "", text))
    return evaluated


def _evaluate(
    differences: Sequence[Difference], shapes: tuple[Shape, Shape], allowed: Declarations, into: ParityResult
) -> None:
    first, second = (shape.environment for shape in shapes)
    used: set[int] = set()
    hidden: list[Difference] = []
    whole = _whole_components(differences, shapes, allowed)
    alike: dict[tuple[object, ...], list[Difference]] = {}
    for difference in differences:
        declaration = allowed.of(difference)
        if declaration is not None:
            if declaration.number not in used:
                into.declared[declaration.kind] += 1
                used.add(declaration.number)
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


def _not_compared(names: Sequence[str], *, blinded: bool) -> ParityFinding:
    """What keeps properties from being compared: the preview, or secrets that cannot be decrypted."""
    fix = "none needed in a first preview; preflight check compares them with known values"
    if blinded:
        fix = "set PULUMI_CONFIG_PASSPHRASE, or log in to the stack's secrets provider, and analyze the state again"
    text = _text(
        f"{len(names)} properties cannot be compared with the other environment{'' if blinded else ' yet'}",
        str(Unknown(blinded=blinded)),
        "known values",
        fix,
        verdict="not proven",
        more=f"unknown: {', '.join(names)}",
    )
    return ParityFinding(UNKNOWN, "", text, mandatory=False)


def _whole_components(
    differences: Sequence[Difference], shapes: tuple[Shape, Shape], allowed: Declarations
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


def _component_finding(missing: Sequence[Difference], first: str, second: str) -> ParityFinding:
    name = _component(missing[0].path).replace("/", " ")
    there, lacking = (second, first) if missing[0].earlier == ABSENT else (first, second)
    resources = ", ".join(sorted({difference.path.split("/")[-2] for difference in missing}))
    text = _text(
        f"{name} exists in {there} only",
        f"{len(missing)} resources that {lacking} lacks: {resources}",
        "the component in every environment, or in none",
        f"make the environments equal, or {_DECLARE}",
    )
    return ParityFinding(RESOURCES, missing[0].urn, text)


def _sameness(difference: Difference) -> tuple[object, ...]:
    """Equal for what one change makes in several resources: the same property of a type with the same two values."""
    whole = difference.path if not difference.property else difference.path.split("/")[-2]
    return (whole, difference.property, difference.earlier, difference.later, difference.backwards)


def _finding(alike: Sequence[Difference], first: str, second: str) -> ParityFinding:
    difference = alike[0]
    names = [one.path.rpartition("/")[2] for one in alike]
    kind = difference.path.split("/")[-2]
    found = f"{first}: {difference.earlier}; {second}: {difference.later}"
    declare = _DECLARE
    if not difference.property:
        where = second if difference.earlier == ABSENT else first
        wanted = "the resource in every environment, or in none"
        text = _text(
            f"{kind} {names[0]} exists in {where} only", found, wanted, f"make the environments equal, or {declare}"
        )
        return ParityFinding(RESOURCES, difference.urn, text)
    place = f"{kind} {names[0]}.{difference.property}"
    if len(names) > 1:
        place = f"{kind} {difference.property} of {len(names)} resources"
        found += f" (in {', '.join(names)})"
    if difference.backwards:
        text = _text(
            f"{place} is lower in {second} than in {first}",
            found,
            f"{second} at least as much as {first}",
            f"raise it in {second}'s stack file, or lower it in {first}'s; no declaration allows this",
        )
        return ParityFinding(ORDER, difference.urn, text)
    wanted = "the same in every environment"
    if difference.comparison is Comparison.ORDERED:
        wanted = f"the same, or more in {second} as a declared difference"
    return ParityFinding(
        PROPERTIES, difference.urn, _text(f"{place} differs", found, wanted, f"make it equal, or {declare}")
    )


def _problems(allowed: Declarations) -> list[ParityFinding]:
    fix = "correct the entry in policies/parity/differences.yaml, or remove it and the difference"
    return [
        ParityFinding(
            DECLARATIONS,
            "",
            _text(f"differences.yaml: {problem}", "", "reason, owner and an expiry date in the future", fix),
        )
        for problem in allowed.problems
    ]


def _text(headline: str, found: str, wanted: str, fix: str, *, verdict: str = "violated", more: str = "") -> str:
    lines = [f"{verdict}: {headline}"]
    lines += [f"found: {' '.join(found.split())}"] if found else []
    lines += [f"wanted: {wanted}", f"fix: {fix}"]
    return "\n".join([*lines, more] if more else lines)
