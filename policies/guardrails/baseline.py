"""The baseline: the findings that a stack had when it adopted the pack, frozen until a date.

``python <the pack's folder> baseline`` writes the file (``adoption``). A finding is frozen if its policy, resource,
property and value are those of an entry: when the value changes, the finding counts as new. Once the file has expired,
nothing is frozen, and the expiry is a finding of the policy ``stack-baseline-current``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import yaml

from .declarations import A_YEAR_DAYS
from .renamed import present_name
from .topology.graph.verdicts import Finding, Verdict

_KEYS = ("owner", "expires", "frozen")
_ENTRY = ("policy", "urn", "property", "value")
_AGAIN = "write the file again: python <the pack's folder> baseline"
_HEAD = """\
# Findings that existed when this stack adopted the guardrails. They do not block until the date below; a new finding, or
# one of these with another value, does. Fix them before that date, or write the file again with a later one.
"""

Entry: TypeAlias = tuple[str, str, str, str]
"""Policy, URN, property, and the digest of the value found."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file as read: what is frozen today, and the problems of the file."""

    file: str = ""
    expires: dt.date = dt.date.max
    frozen: frozenset[Entry] = frozenset()
    problems: tuple[Finding, ...] = ()

    @property
    def policies(self) -> frozenset[str]:
        """The policies of which a finding is frozen."""
        return frozenset(policy for policy, *_ in self.frozen)

    def freezes(self, policy: str, finding: Finding) -> bool:
        """Whether the finding existed when the file was written."""
        return bool(self.frozen) and entry_of(policy, finding) in self.frozen

    def advice(self, used: Collection[Entry], running: Collection[str]) -> list[Finding]:
        """One line about what is frozen, and about entries of running policies that match nothing any more."""
        seen = sorted(self.frozen & set(used))
        gone = [entry for entry in self.frozen if entry[0] in running and entry not in set(used)]
        if not self.frozen:
            return []
        found = f"{len(seen)} findings of {len({policy for policy, *_ in seen})} policies"
        found += f"; {len(gone)} entries match no finding any more" if gone else ""
        fix = "fix them before that day" + (f"; {_AGAIN}, without the entries that match nothing" if gone else "")
        until = f"freezes findings until {self.expires.isoformat()}"
        return [Finding(Verdict.VIOLATED, "", self.file, "", found, "none", fix, until)]


def entry_of(policy: str, finding: Finding) -> Entry:
    """The identity of a finding: a value that is shown differently makes it another one."""
    said = "\n".join((str(finding.verdict), finding.what, finding.found))
    return policy, finding.urn, finding.property, hashlib.sha256(said.encode()).hexdigest()[:12]


def read(text: str, file: str, policies: Collection[str], today: dt.date) -> Baseline:
    """The baseline in a file's text, as of ``today``; ``policies`` are the names that exist."""
    try:
        return _read(text, file, policies, today)
    except _RefusedError as error:
        what, found, wanted, fix = error.args
        return Baseline(file, problems=(Finding(Verdict.VIOLATED, "", file, "", found, wanted, fix, what),))


class _RefusedError(Exception):
    """A file that freezes nothing: what is wrong with it, the value found, the allowed values, and the fix."""


def _read(text: str, file: str, policies: Collection[str], today: dt.date) -> Baseline:
    try:
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise _RefusedError("is unreadable", " ".join(str(error).split()), "readable YAML", _AGAIN) from error
    if not isinstance(content, dict) or set(cast("dict[str, Any]", content)) != set(_KEYS):
        raise _RefusedError("is not a baseline", "other keys", f"exactly the keys {', '.join(_KEYS)}", _AGAIN)
    values = cast("Mapping[str, Any]", content)
    entries: Any = values["frozen"] or []
    expires, owner = values["expires"], str(values["owner"] or "").strip()
    if not owner:
        raise _RefusedError("has no owner", "not set", "the team that fixes the frozen findings", _AGAIN)
    if not isinstance(entries, list) or not all(map(_in_order, cast("list[Any]", entries))):
        wanted = f"exactly the keys {', '.join(_ENTRY)}, as texts"
        raise _RefusedError("has an entry that is not in order", "other keys", wanted, _AGAIN)
    frozen = frozenset(_entry(entry) for entry in cast("list[Mapping[str, str]]", entries))
    if unknown := sorted({policy for policy, *_ in frozen} - set(policies)):
        raise _RefusedError("does not name a policy", unknown[0], "the name of a policy of this pack", _AGAIN)
    if isinstance(expires, dt.datetime) or not isinstance(expires, dt.date):
        raise _RefusedError("has no valid expiry date", str(expires), "a date as YYYY-MM-DD", _AGAIN)
    if expires <= today:
        found = f"{expires.isoformat()}; its {len(frozen)} findings are no longer frozen"
        fix = f"fix the findings and remove the file from the configuration, or have {owner} {_AGAIN}"
        raise _RefusedError("has expired", found, f"a day after {today.isoformat()}", fix)
    if expires > today + dt.timedelta(days=A_YEAR_DAYS):
        wanted = f"at most {A_YEAR_DAYS} days ahead"
        raise _RefusedError("is valid for too long", expires.isoformat(), wanted, _AGAIN)
    return Baseline(file, expires, frozen)


def _entry(entry: Mapping[str, str]) -> Entry:
    return present_name(entry["policy"]), entry["urn"], entry["property"], entry["value"]


def _in_order(entry: Any) -> bool:  # noqa: ANN401 - a part of a YAML file
    return (
        isinstance(entry, dict)
        and all(isinstance(cast("dict[str, Any]", entry).get(key), str) for key in _ENTRY)
        and set(cast("dict[str, Any]", entry)) == set(_ENTRY)
    )


def written(found: Iterable[tuple[str, Finding]], owner: str, expires: dt.date) -> str:
    """The file's text for these findings of these policies."""
    entries = sorted({entry_of(policy, finding) for policy, finding in found})
    rows = [dict(zip(_ENTRY, entry, strict=True)) for entry in entries]
    body = yaml.safe_dump({"owner": owner, "expires": expires, "frozen": rows}, sort_keys=False, width=4000)
    return _HEAD + body
