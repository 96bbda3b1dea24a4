"""The exceptions in force: read from ``exceptions.yaml``, matched to findings, and themselves held to rules.

An entry that is malformed, unowned or expired excepts nothing. Every problem of an entry, and every entry that
matches no finding of a stack it is meant for, becomes a finding of the policy ``stack-exceptions-current``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from .renamed import present_name
from .topology.graph.verdicts import Finding, Verdict

FILE = Path(__file__).with_name("exceptions.yaml")
LONGEST_DAYS = 366

_REQUIRED = ("policy", "urn", "reason", "owner", "expires")
_OPTIONAL = ("property", "covers")
_COVERS = ("any", str(Verdict.NOT_PROVEN))
_FIX = "correct the entry in exceptions.yaml, or remove it and fix what it allowed"


@dataclass(frozen=True, slots=True)
class Exemption:
    """One entry of the file that is well formed."""

    number: int
    policy: str
    urn: str
    property: str
    reason: str
    owner: str
    expires: dt.date
    covers: str

    def matches(self, policy: str, finding: Finding) -> bool:
        """Whether it is about this finding of this policy."""
        return (
            self.policy == policy
            and _matches(self.urn, finding.urn)
            and _matches(self.property, finding.property)
            and self.covers in ("any", finding.verdict)
        )

    def may_match(self, policy: str, finding: Finding) -> bool:
        """Whether it may apply to what this finding leaves open: then it is not unused."""
        return self.policy == policy and finding.verdict is Verdict.NOT_PROVEN and _matches(self.urn, finding.urn)

    def is_for(self, stack: str, project: str) -> bool:
        """Whether it is meant for this stack: the pattern's stack and project, where it names them, fit."""
        named = re.match(r"urn:pulumi:([^:]*)::(?:([^:]*)::)?", self.urn)
        return named is None or (fnmatchcase(stack, named[1]) and fnmatchcase(project, named[2] or "*"))

    def note(self) -> str:
        """The line that an excepted finding carries."""
        return f"excepted until {self.expires.isoformat()}: {self.reason} (owner: {self.owner})"


@dataclass(frozen=True, slots=True)
class Exemptions:
    """The file as read: entries that may except something today, and the problems of the others."""

    in_force: tuple[Exemption, ...] = ()
    problems: tuple[Finding, ...] = ()

    def of(self, policy: str, finding: Finding) -> Exemption | None:
        """The first entry that excepts this finding."""
        return next((entry for entry in self.in_force if entry.matches(policy, finding)), None)

    def unused(self, used: Iterable[int], stack: str, project: str) -> list[Finding]:
        """A finding for each entry that is meant for this stack, should match something in it, and does not."""
        numbers = set(used)
        return [
            _problem(
                entry.number,
                f"{entry.policy} on {entry.urn}",
                "an exception that is still needed: this one matches no finding of the stack",
                "remove the entry from exceptions.yaml",
                "is unused",
            )
            for entry in self.in_force
            if entry.number not in numbers and entry.covers == "any" and entry.is_for(stack, project)
        ]


@dataclass(slots=True)
class _Entry:
    number: int
    problems: list[Finding] = field(default_factory=list[Finding])

    def wrong(self, found: str, wanted: str, what: str, fix: str = _FIX) -> None:
        self.problems.append(_problem(self.number, found, wanted, fix, what))


def read(text: str, policies: Iterable[str], today: dt.date) -> Exemptions:
    """The exceptions in a file's text, as of ``today``; ``policies`` are the names that exist."""
    known = sorted(policies)
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return Exemptions(problems=(_problem(0, " ".join(str(error).split()), "readable YAML", _FIX, "is unreadable"),))
    listed: Any = cast("dict[str, Any]", loaded).get("exceptions") if isinstance(loaded, dict) else loaded
    if listed is None:
        return Exemptions()
    if not isinstance(listed, list):
        problem = _problem(0, type(listed).__name__, "a list under the key exceptions", _FIX, "is not a list")
        return Exemptions(problems=(problem,))
    entries: list[Exemption] = []
    problems: list[Finding] = []
    for number, item in enumerate(cast("list[Any]", listed), start=1):
        checked = _Entry(number)
        entry = _exemption(checked, item, known, today)
        problems.extend(checked.problems)
        if entry is not None:
            entries.append(entry)
    return Exemptions(tuple(entries), tuple(problems))


def _exemption(checked: _Entry, item: object, known: list[str], today: dt.date) -> Exemption | None:
    if not isinstance(item, Mapping):
        checked.wrong(str(item), f"the keys {', '.join(_REQUIRED)}", "is not an entry")
        return None
    values = {str(key): value for key, value in cast("Mapping[Any, Any]", item).items()}
    for key in sorted(set(values) - {*_REQUIRED, *_OPTIONAL}):
        checked.wrong(key, f"only {', '.join((*_REQUIRED, *_OPTIONAL))}", "has an unknown key")
    for key in _REQUIRED:
        if not str(values.get(key) or "").strip():
            checked.wrong("not set", f"a value for {key}, for reviewers", f"has no {key}")
    policy, urn = present_name(str(values.get("policy") or "")), str(values.get("urn") or "")
    covers = str(values.get("covers") or "any")
    if policy and policy not in known:
        checked.wrong(policy, "the name of a policy of this pack", "does not name a policy")
    if urn and not _names_resources(urn):
        checked.wrong(urn, "a URN pattern that names a type or a resource, not only a stack", "is too wide")
    if covers not in _COVERS:
        checked.wrong(covers, " or ".join(_COVERS), "has an invalid value for covers")
    expires = values.get("expires")
    if isinstance(expires, dt.datetime) or not isinstance(expires, dt.date):
        if expires:
            checked.wrong(str(expires), "a date as YYYY-MM-DD", "has no valid expiry date")
        return None
    if expires <= today:
        renew = "fix what it allowed and remove the entry, or have its owner renew it with a reason that is still valid"
        checked.wrong(expires.isoformat(), f"a day after {today.isoformat()}", "has expired", renew)
    if expires > today + dt.timedelta(days=LONGEST_DAYS):
        checked.wrong(expires.isoformat(), f"at most {LONGEST_DAYS} days ahead", "is valid for too long")
    if checked.problems:
        return None
    return Exemption(
        checked.number, policy, urn, str(values.get("property") or "*"), " ".join(str(values["reason"]).split()),
        str(values["owner"]), expires, covers,
    )  # fmt: skip


def _names_resources(pattern: str) -> bool:
    rest = re.sub(r"^urn:pulumi:[^:]*::[^:]*::", "", pattern)
    return re.search(r"[A-Za-z0-9]", rest) is not None and not rest.startswith("urn:")


def _problem(number: int, found: str, wanted: str, fix: str, what: str) -> Finding:
    place = f"exceptions.yaml entry {number}" if number else "exceptions.yaml"
    return Finding(Verdict.VIOLATED, "", place, "", found, wanted, fix, what)


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` and ``?`` only: brackets are part of property paths, not character sets."""
    return re.compile(translate(glob.replace("[", "[[]")))


def _matches(glob: str, text: str) -> bool:
    return glob == "*" or _pattern(glob).match(text) is not None
