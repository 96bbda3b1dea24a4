"""The comparisons that many policies make, each honest about values that are not known yet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from .topology.graph.resources import Graph, Resource, Secret, Unknown, shown
from .topology.graph.values import Value, as_mapping
from .topology.graph.verdicts import Finding, not_proven, violated


def expect(
    resource: Resource,
    path: str,
    fits: Callable[[Any], bool],
    wanted: str,
    fix: str,
    *,
    default: Value = None,
    what: str = "",
) -> Iterator[Finding]:
    """The value at ``path``, or AWS's ``default`` where it is absent, fits."""
    found = resource.value(path)
    if isinstance(found, Unknown):
        yield not_proven(resource, path, [found], wanted, fix, what=what)
    elif not fits(default if found is None else found):
        yield violated(resource, path, described(resource, path, default), wanted, fix, what=what)


def expect_value(
    resource: Resource, path: str, want: Value, fix: str, *, default: Value = None, what: str = ""
) -> Iterator[Finding]:
    """The value at ``path``, or AWS's ``default`` where it is absent, is ``want``."""
    return expect(resource, path, lambda found: found == want, shown(want), fix, default=default, what=what)


def described(resource: Resource, path: str, default: Value = None) -> str:
    """What a message prints for a property: the value with secrets masked, or that it is not set."""
    found = resource.get(path)
    if found is None:
        return "not set" if default is None else f"not set, which means {shown(default)}"
    return shown(found)


def expect_reference(
    graph: Graph, resource: Resource, path: str, wanted: str, fix: str, *, what: str = ""
) -> Iterator[Finding]:
    """Something is set at ``path``: a literal, or a value of another resource that only a deployment shows."""
    found = resource.value(path)
    top = path.partition(".")[0].partition("[")[0]
    if isinstance(found, Unknown):
        if not any(urn in graph.by_urn for urn in resource.property_dependencies.get(top, ())):
            yield not_proven(resource, path, [found], wanted, fix, what=what)
    elif found in (None, "", [], {}):
        yield violated(resource, path, described(resource, path), wanted, fix, what=what)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document in a property: parsed, not known yet, or unreadable."""

    value: Any = None
    unknown: Unknown | None = None
    unreadable: bool = False

    @property
    def known(self) -> bool:
        """Whether there is something to check."""
        return self.unknown is None and not self.unreadable and self.value is not None


def document(resource: Resource, path: str) -> Document:
    """The JSON document at ``path``, whether it is given as text or as an object."""
    found = resource.value(path)
    if isinstance(found, Unknown):
        return Document(unknown=found)
    if isinstance(found, str):
        try:
            return Document(json.loads(found)) if found.strip() else Document()
        except ValueError:
            return Document(unreadable=True)
    return Document(found)


def undecided(resource: Resource, path: str, of: Document, wanted: str, fix: str) -> Iterator[Finding]:
    """The finding for a document that cannot be checked; none for one that can, or that is absent."""
    if of.unknown is not None:
        yield not_proven(resource, path, [of.unknown], wanted, fix)
    elif of.unreadable:
        yield not_proven(resource, path, [path], wanted, fix, found="text that is not a JSON document")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task definition; ``path`` names it, so that an exception survives a new order."""

    name: str
    values: Mapping[str, Any]

    def path(self, below: str = "") -> str:
        """Where it is, as messages and exceptions write it."""
        base = f"containerDefinitions[{self.name}]"
        return f"{base}.{below}" if below else base

    def get(self, key: str, default: Value = None) -> Value:
        """One of its values."""
        found = self.values.get(key)
        return default if found is None else found


def containers(task: Resource, wanted: str, fix: str) -> tuple[list[Container], list[Finding]]:
    """The containers of a task definition, and a finding where they are not known."""
    path = "containerDefinitions"
    found = document(task, path)
    named = [
        Container(str(values.get("name") or index), values)
        for index, item in enumerate(listed(found.value))
        if (values := as_mapping(item)) is not None
    ]
    return named, list(undecided(task, path, found, wanted, fix))


def listed(value: Value) -> list[Any]:
    """One value or several, as a list; nothing is an empty list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an IAM policy document, with one-or-many values as lists."""

    label: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[str, ...]
    not_principals: tuple[str, ...]
    conditions: Mapping[str, Any]


def statements(of: Value) -> list[Statement]:
    """The statements of a parsed policy document."""
    raw = listed(cast("Mapping[str, Any]", of).get("Statement")) if isinstance(of, Mapping) else []
    return [
        Statement(
            label=str(item.get("Sid") or index),
            allows=item.get("Effect") == "Allow",
            actions=_texts(item.get("Action")),
            not_actions=_texts(item.get("NotAction")),
            resources=_texts(item.get("Resource")),
            not_resources=_texts(item.get("NotResource")),
            principals=_principals(item.get("Principal")),
            not_principals=_principals(item.get("NotPrincipal")),
            conditions=cast("Mapping[str, Any]", item.get("Condition") or {}),
        )
        for index, item in enumerate(cast("list[Mapping[str, Any]]", raw))
    ]


def condition_keys(statement: Statement) -> set[str]:
    """The condition keys of a statement, in lower case."""
    blocks = cast("Iterable[Mapping[str, Any]]", statement.conditions.values())
    return {key.lower() for block in blocks for key in block}


def bounding_keys(statement: Statement) -> set[str]:
    """The condition keys that really narrow who a grant is for, in lower case.

    Left out are comparisons that any other caller passes: negative ones, those that also hold where the key is absent
    (``…IfExists``, ``ForAllValues:``, ``Null``), and those with a wildcard that leaves the account open.
    """
    return {
        key.lower()
        for operator, block in cast("Mapping[str, Mapping[str, Any]]", statement.conditions).items()
        if not _passes_strangers(operator)
        for key, value in block.items()
        if not any(_leaves_open(key.lower(), str(item)) for item in listed(value))
    }


def _leaves_open(key: str, value: str) -> bool:
    return bool(OPEN_VALUE.fullmatch(value)) or (key in _WHOLE and bool(re.search(r"[*?]", value)))


_WHOLE = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
    }
)
"""Keys of which a value is one identifier: a part of it (``o-*``, ``vpce-*``) is every customer's."""


OPEN_VALUE = re.compile(r"[*?:]*|arn:[^:]*:(iam|sts):[^:]*:[*?]+:.*|arn:aws[a-z-]*:\*")
"""A value that any account's caller, network or resource fits."""


def _passes_strangers(operator: str) -> bool:
    name = operator.lower()
    return "not" in name or name.endswith("ifexists") or name.startswith("forallvalues:") or name == "null"


def denied_to_strangers(every: Iterable[Statement], callers: frozenset[str], actions: Iterable[str]) -> bool:
    """Whether another statement denies these actions to all callers except those that a condition names."""
    wanted = list(actions)
    return bool(wanted) and any(
        not statement.allows
        and "*" in statement.principals
        and all(any(_covers(pattern, action) for pattern in statement.actions) for action in wanted)
        and _denies_others(statement, callers)
        for statement in every
    )


def _covers(pattern: str, action: str) -> bool:
    """Whether every action that one pattern stands for is among those of another."""
    return fnmatchcase(action.lower(), pattern.lower())


def _denies_others(statement: Statement, callers: frozenset[str]) -> bool:
    blocks = cast("Mapping[str, Mapping[str, Any]]", statement.conditions)
    tests = [
        (operator.lower(), key.lower(), value) for operator, block in blocks.items() for key, value in block.items()
    ]
    return len(tests) == 1 and all(
        operator.removesuffix("ifexists") in ("stringnotequals", "stringnotlike", "arnnotequals", "arnnotlike")
        and key in callers
        and not any(_leaves_open(key, str(item)) for item in listed(value))
        for operator, key, value in tests
    )


def denies_clear_text(statement: Statement, *actions: str) -> bool:
    """Whether it denies these actions to all callers without TLS."""
    insecure = any(
        operator.lower() == "bool" and key.lower() == "aws:securetransport" and _all_false(value)
        for operator, block in cast("Mapping[str, Mapping[str, Any]]", statement.conditions).items()
        for key, value in block.items()
    )
    covered = all(any(fnmatchcase(action, pattern) for pattern in statement.actions) for action in actions)
    return not statement.allows and insecure and covered and "*" in statement.principals


def _all_false(value: Value) -> bool:
    found = [str(item).lower() for item in listed(value)]
    return bool(found) and set(found) == {"false"}


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(item) for item in listed(value))


def _principals(value: Value) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        groups = cast("Mapping[str, Any]", value)
        return tuple(str(item) for key in sorted(groups) for item in listed(groups[key]))
    return _texts(value)


def is_secret(value: Value) -> bool:
    """Whether the value carries Pulumi's mark of a secret."""
    return isinstance(value, Secret)
