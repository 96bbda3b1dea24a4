"""Declarations that allow something for a limited time: the entries of a YAML file.

Every entry has a reason, an owner and an expiry date. An entry that is malformed, has no owner, is valid for too long,
has expired or repeats an earlier entry allows nothing and is a finding. The other required keys of an entry are in its
file's ``Form``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import Any, TypeAlias, cast

import yaml

from .topology.graph.verdicts import Finding, Verdict

ALWAYS = ("reason", "owner", "expires")
"""The keys of every declaration."""
A_YEAR_DAYS = 366

Values: TypeAlias = Mapping[str, str]
"""An entry's texts by key, with white space normalized; an omitted key is an empty text."""
Wrong: TypeAlias = tuple[str, str, str]
"""The problem of an entry ("is too wide"), the value found, and the allowed values."""


@dataclass(frozen=True, slots=True)
class Form:
    """The format of one file of declarations."""

    file: str
    """The file's name in messages."""
    key: str
    """The key of the list of entries."""
    required: tuple[str, ...]
    """The required keys of an entry besides those of every declaration."""
    optional: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Other keys of the file."""
    identity: tuple[str, ...] = ()
    """The keys whose combined values must be unique among entries; empty: the required and the optional keys."""
    longest_days: int = A_YEAR_DAYS
    """The largest number of days until an entry expires."""
    current: Mapping[str, Callable[[str], str]] = field(default_factory=dict[str, Callable[[str], str]])
    """Key → the current name for a value that was renamed."""
    check: Callable[[Values], Iterable[Wrong]] = lambda _: ()
    """Further checks of an entry's values."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys of an entry."""
        return (*self.required, *self.optional, *ALWAYS)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One entry that is well formed and in force."""

    form: Form = field(compare=False, repr=False)
    number: int
    """The entry's position in the list, from 1."""
    line: int
    """The line of the file on which it begins, from 1."""
    values: Values = field(hash=False)
    expires: dt.date
    """The first day on which it is no longer valid."""

    @property
    def reason(self) -> str:
        """The reason why the declaration is acceptable."""
        return self.values["reason"]

    @property
    def owner(self) -> str:
        """The person or team responsible for the declaration."""
        return self.values["owner"]

    def unused(self, subject: str, wanted: str) -> Finding:
        """The finding that the entry matches nothing."""
        fix = f"remove the entry from {self.form.file}"
        return _problem(self.form, self.number, self.line, ("is unused", subject, wanted), fix)


def read(text: str, form: Form, today: dt.date) -> tuple[tuple[Declaration, ...], tuple[Finding, ...]]:
    """The entries of a file's text that are in force on ``today``, and a finding for each problem of the others."""
    try:
        root = cast("Any", yaml).compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return (), (_problem(form, 0, 1, ("is unreadable", " ".join(str(error).split()), "readable YAML")),)
    if root is None:
        return (), ()
    if not isinstance(root, yaml.MappingNode):
        wrong = ("is not a mapping", _text(_constructed(root)), f"a list below the key {form.key}")
        return (), (_problem(form, 0, 1, wrong),)
    problems = [
        _problem(form, 0, line, ("has an unknown key", key, f"only {', '.join(sorted({form.key, *form.others}))}"))
        for key, line in _keys(root)
        if key not in (form.key, *form.others)
    ]
    listed = next((value for name, value in root.value if name.value == form.key), None)
    if listed is None or _constructed(listed) is None:
        return (), tuple(problems)
    if not isinstance(listed, yaml.SequenceNode):
        wrong = ("is not a list", _text(_constructed(listed)), f"a list below the key {form.key}")
        return (), (*problems, _problem(form, 0, _line(listed), wrong))
    found: list[Declaration] = []
    first: dict[tuple[str, ...], int] = {}
    for number, node in enumerate(listed.value, start=1):
        declaration, wrong_with_it = _declaration(number, node, form, today)
        problems += wrong_with_it
        if declaration is None:
            continue
        identity = tuple(declaration.values[key] for key in form.identity or (*form.required, *form.optional))
        other = first.setdefault(identity, number)
        if other == number:
            found.append(declaration)
        else:
            wrong = (f"repeats entry {other}", " ".join(filter(None, identity)), "one entry for each subject")
            problems.append(_problem(form, number, _line(node), wrong, "remove one of the two entries"))
    return tuple(found), tuple(problems)


def _declaration(number: int, node: yaml.Node, form: Form, today: dt.date) -> tuple[Declaration | None, list[Finding]]:
    line = _line(node)
    if not isinstance(node, yaml.MappingNode):
        wanted = f"the keys {', '.join((*form.required, *ALWAYS))}"
        return None, [_problem(form, number, line, ("is not an entry", _text(_constructed(node)), wanted))]
    entry = {str(name.value): _constructed(value) for name, value in node.value}
    values = {key: _text(entry.get(key)) for key in form.keys}
    values |= {key: rename(values[key]) for key, rename in form.current.items()}
    wrong = [*_wrong_keys(node, values, form), *form.check(values)]
    problems = [_problem(form, number, line, one) for one in wrong]
    expires = entry.get("expires")
    if isinstance(expires, dt.datetime) or not isinstance(expires, dt.date):
        if values["expires"]:
            wanted = "a date as YYYY-MM-DD"
            problems.append(_problem(form, number, line, ("has no valid expiry date", _text(expires), wanted)))
        return None, problems
    if expires <= today:
        renew = "fix the excepted finding and remove the entry, or have its owner renew it with a reason that is still valid"
        wanted = f"a day after {today.isoformat()}"
        problems.append(_problem(form, number, line, ("has expired", expires.isoformat(), wanted), renew))
    if expires > today + dt.timedelta(days=form.longest_days):
        wanted = f"at most {form.longest_days} days ahead"
        problems.append(_problem(form, number, line, ("is valid for too long", expires.isoformat(), wanted)))
    return (None if problems else Declaration(form, number, line, values, expires)), problems


def _wrong_keys(node: yaml.MappingNode, values: Values, form: Form) -> list[Wrong]:
    given = [key for key, _ in _keys(node)]
    wrong: list[Wrong] = [
        ("has an unknown key", key, f"only {', '.join(form.keys)}") for key in sorted({*given} - {*form.keys})
    ]
    wrong += [("repeats a key", key, "each key once") for key in sorted({k for k in given if given.count(k) > 1})]
    missing = [key for key in (*form.required, *ALWAYS) if not values[key]]
    return wrong + [(f"has no {key}", "not set", f"a value for {key}, for reviewers") for key in missing]


def _problem(form: Form, number: int, line: int, wrong: Wrong, fix: str = "") -> Finding:
    what, found, wanted = wrong
    place = f"{form.file} entry {number}" if number else form.file
    fix = fix or f"correct the entry in {form.file}, or remove it and fix the excepted finding"
    return Finding(Verdict.VIOLATED, "", place, "", found, wanted, fix, what, line=line)


def _keys(node: yaml.MappingNode) -> Sequence[tuple[str, int]]:
    return [(str(name.value), _line(name)) for name, _ in node.value]


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _constructed(node: yaml.Node) -> object:
    """The value; the text itself where YAML cannot convert it, such as a date in month 13."""
    try:
        return cast("Any", yaml.SafeLoader("")).construct_document(node)
    except (ValueError, yaml.YAMLError):
        return str(node.value)


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.replace("[", "[[]")))


def matches(glob: str, text: str) -> bool:
    """Whether an entry's pattern matches: only ``*`` and ``?`` are wildcards, because brackets are part of property
    paths."""
    return glob == "*" or _pattern(glob).match(text) is not None
