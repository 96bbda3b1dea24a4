"""Evaluates IAM statements: the actions, resources, principals and conditions of each grant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..graph.documents import Document
from ..graph.values import Value, listed
from .callers import CALLERS
from .conditions import Condition, conditions
from .matching import matches, matches_action

_EVERY_ACCOUNT = re.compile(r"\*|.*:iam::\*:.*")
SERVICE_SUFFIX = ".amazonaws.com"
_SERVICE = re.compile(r"(?P<name>[a-z0-9.-]+?)(\.[a-z]{2}(-[a-z]+)+-\d)?\.amazonaws\.com(\.cn)?", re.IGNORECASE)


def service_of(principal: str) -> str:
    """The global name of a service principal, which may be one of a region or a partition; empty if it is no service."""
    found = _SERVICE.fullmatch(principal)
    return f"{found['name'].lower()}{SERVICE_SUFFIX}" if found else ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an IAM policy document, with one-or-many values as tuples."""

    label: str
    """Its ``Sid``, or its index."""
    allows: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    """The principals that are identity providers."""
    not_principals: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def covers(self, action: str) -> bool:
        """Whether it covers an action: by a pattern of ``Action``, or because ``NotAction`` does not list it."""
        if self.not_actions:
            return not any(matches_action(pattern, action) for pattern in self.not_actions)
        return any(matches_action(pattern, action) for pattern in self.actions)

    def covers_resource(self, arn: str) -> bool:
        """Whether it covers a resource: by a pattern of ``Resource``, or because ``NotResource`` does not list it."""
        if self.not_resources:
            return not any(matches(pattern, arn) for pattern in self.not_resources)
        return any(matches(pattern, arn) for pattern in self.resources)

    def names(self, action: str) -> bool:
        """Whether ``Action`` lists an action by its full name."""
        return action.lower() in (item.lower() for item in self.actions)

    @property
    def is_for_everyone(self) -> bool:
        """Whether ``Principal`` is every caller."""
        return "*" in self.principals

    @property
    def every_account(self) -> tuple[str, ...]:
        """The principals that callers of every account match."""
        return tuple(who for who in self.principals if _EVERY_ACCOUNT.fullmatch(who))

    @property
    def services(self) -> tuple[str, ...]:
        """The principals that are AWS services."""
        return tuple(who for who in self.principals if service_of(who) and who not in self.federated)

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that it tests, in lower case."""
        return frozenset(item.key for item in self.conditions)

    @property
    def bounding_keys(self) -> frozenset[str]:
        """The condition keys that actually limit the principals of a grant, in lower case.

        Comparisons that any other caller passes are excluded: negative ones, those that also hold if the key is absent
        (``…IfExists``, ``ForAllValues:``, ``Null``), and those with a wildcard that leaves the account open.
        """
        return frozenset(item.key for item in self.conditions if item.bounds)

    def tests(self, key: str) -> Iterator[Condition]:
        """Its comparisons of one condition key, given in lower case."""
        return (item for item in self.conditions if item.key == key)


def statements(document: Document) -> list[Statement]:
    """The statements of a policy document; none if it is absent, not known yet or unreadable."""
    found = document.value if document.known else None
    raw = listed(cast("Mapping[str, Any]", found).get("Statement")) if isinstance(found, Mapping) else []
    return [
        _statement(str(index), cast("Mapping[str, Any]", item))
        for index, item in enumerate(raw)
        if isinstance(item, Mapping)
    ]


def _statement(index: str, item: Mapping[str, Any]) -> Statement:
    return Statement(
        label=str(item.get("Sid") or index),
        allows=item.get("Effect") == "Allow",
        actions=_texts(item.get("Action")),
        not_actions=_texts(item.get("NotAction")),
        resources=_texts(item.get("Resource")),
        not_resources=_texts(item.get("NotResource")),
        principals=_principals(item.get("Principal")),
        federated=_federated(item.get("Principal")),
        not_principals=_principals(item.get("NotPrincipal")),
        conditions=tuple(conditions(item.get("Condition"))),
    )


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(item) for item in listed(value))


def _principals(value: Value) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        groups = cast("Mapping[str, Any]", value)
        return tuple(str(item) for key in sorted(groups) for item in listed(groups[key]))
    return _texts(value)


def _federated(value: Value) -> tuple[str, ...]:
    return _texts(cast("Mapping[str, Any]", value).get("Federated")) if isinstance(value, Mapping) else ()


def grants(document: Document) -> list[Statement]:
    """The Allow statements of a document."""
    return [item for item in statements(document) if item.allows]


def denied_to_strangers(every: Iterable[Statement], callers: frozenset[str], actions: Iterable[str]) -> bool:
    """Whether a statement denies these actions to all callers except those that a condition on ``callers`` names."""
    wanted = list(actions)
    return bool(wanted) and any(
        not item.allows
        and item.is_for_everyone
        and all(item.covers(action) for action in wanted)
        and _denies_others(item, callers)
        for item in every
    )


def _denies_others(statement: Statement, callers: frozenset[str]) -> bool:
    tests = statement.conditions
    return len(tests) == 1 and all(
        not item.qualifier
        and item.operator in ("stringnotequals", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress")
        and item.key in callers
        and not item.is_open
        for item in tests
    )


def admits_every_account(document: Document) -> bool:
    """Whether a resource's policy lets callers of every account and network in: they then need no grant but their own."""
    every = statements(document)
    bounding = CALLERS | {"aws:sourceip", "aws:vpcsourceip"}
    return any(
        item.allows
        and item.every_account
        and not item.bounding_keys & bounding
        and not denied_to_strangers(every, bounding, item.actions)
        for item in every
    )


def denies_clear_text(statement: Statement, *actions: str) -> bool:
    """Whether it denies these actions to all callers without TLS, and under no other condition."""
    tests = statement.conditions
    insecure = len(tests) == 1 and tests[0].requires("bool", "aws:securetransport", "false")
    covered = all(statement.covers(action) for action in actions)
    return not statement.allows and insecure and covered and statement.is_for_everyone
