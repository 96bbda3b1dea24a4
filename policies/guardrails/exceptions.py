"""The exceptions in force: read from the file that a configuration names (``declarations``) and matched to findings.

Every problem of an entry, and every entry that matches no finding of a stack it is meant for, becomes a finding of the
policy ``stack-exceptions-current``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from . import declarations
from .declarations import Declaration, Form, Values, Wrong, matches
from .renamed import present_name
from .topology.graph.verdicts import Finding, Verdict

FILE = "exceptions.yaml"
"""The name of such a file, if a caller has none."""
_COVERS = ("any", str(Verdict.NOT_PROVEN))


@dataclass(frozen=True, slots=True)
class Exemption:
    """One entry that is in force."""

    declaration: Declaration
    policy: str
    urn: str
    property: str
    covers: str

    def matches(self, policy: str, finding: Finding) -> bool:
        """Whether it matches this finding of this policy."""
        return (
            self.policy == policy
            and matches(self.urn, finding.urn)
            and matches(self.property, finding.property)
            and self.covers in ("any", finding.verdict)
        )

    def may_match(self, policy: str, finding: Finding) -> bool:
        """Whether it may apply to the unknown part of this finding; then it does not count as unused."""
        return self.policy == policy and finding.verdict is Verdict.NOT_PROVEN and matches(self.urn, finding.urn)

    def is_for(self, stack: str, project: str) -> bool:
        """Whether it applies to this stack: the pattern's stack and project, if given, match."""
        named = re.match(r"urn:pulumi:([^:]*)::(?:([^:]*)::)?", self.urn)
        return named is None or (fnmatchcase(stack, named[1]) and fnmatchcase(project, named[2] or "*"))


@dataclass(frozen=True, slots=True)
class Exemptions:
    """The file as read: entries that are valid today, and the problems of the others."""

    in_force: tuple[Exemption, ...] = ()
    problems: tuple[Finding, ...] = ()

    def of(self, policy: str, finding: Finding) -> Exemption | None:
        """The first entry that excepts this finding."""
        return next((entry for entry in self.in_force if entry.matches(policy, finding)), None)

    def unused(self, used: Iterable[int], stack: str, project: str, running: Collection[str]) -> list[Finding]:
        """A finding for each entry that applies to this stack and must match a finding, but does not. An entry for a
        policy that does not run is not checked."""
        numbers = set(used)
        return [
            entry.declaration.unused(
                f"{entry.policy} on {entry.urn}",
                "an exception that is still needed: this one matches no finding of the stack",
            )
            for entry in self.in_force
            if entry.declaration.number not in numbers
            and entry.policy in running
            and entry.covers == "any"
            and entry.is_for(stack, project)
        ]


def read(text: str, policies: Iterable[str], today: dt.date, file: str = FILE) -> Exemptions:
    """The exceptions in a file's text, as of ``today``; ``policies`` are the names that exist."""
    known = frozenset(policies)
    form = Form(
        file=file,
        key="exceptions",
        required=("policy", "urn"),
        optional=("property", "covers"),
        current={"policy": present_name},
        check=lambda values: _wrong(values, known),
    )
    entries, problems = declarations.read(text, form, today)
    return Exemptions(tuple(map(_exemption, entries)), problems)


def _exemption(entry: Declaration) -> Exemption:
    values = entry.values
    return Exemption(entry, values["policy"], values["urn"], values["property"] or "*", values["covers"] or "any")


def _wrong(values: Values, known: frozenset[str]) -> Iterator[Wrong]:
    policy, urn, covers = values["policy"], values["urn"], values["covers"]
    if policy and policy not in known:
        yield "does not name a policy", policy, "the name of a policy of this pack"
    if urn and not _names_resources(urn):
        yield "is too wide", urn, "a URN pattern that includes a type or a resource name, not only a stack"
    if covers and covers not in _COVERS:
        yield "has an invalid value for covers", covers, " or ".join(_COVERS)


def _names_resources(pattern: str) -> bool:
    rest = re.sub(r"^urn:pulumi:[^:]*::[^:]*::", "", pattern)
    return re.search(r"[A-Za-z0-9]", rest) is not None and not rest.startswith("urn:")
