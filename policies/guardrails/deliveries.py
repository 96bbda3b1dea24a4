"""Whether the policy of a queue or topic lets an AWS service deliver to it, for one source: a rule, an alarm, a subscription."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .topology.graph.documents import Document
from .topology.graph.resources import Unknown
from .topology.graph.values import Value
from .topology.iam.conditions import Condition
from .topology.iam.matching import matches
from .topology.iam.statements import Statement, grants

_POSITIVE = ("arnequals", "arnlike", "stringequals", "stringequalsignorecase", "stringlike")
_ACCOUNT_FIELD = 4
_SOURCE, _ACCOUNT = "aws:sourcearn", "aws:sourceaccount"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One action of a service, for one source. An ARN may be ``Unknown``, and ``None`` if the stack does not declare it."""

    service: str
    action: str
    resource: Value = None
    source: Value = None


def delivers(policies: Iterable[Document], delivery: Delivery) -> bool | None:
    """Whether a statement allows it; ``None`` if that depends on an ARN that is not known yet."""
    found = [_allows(item, delivery) for of in policies for item in grants(of)]
    return True if True in found else None if None in found else False


def _allows(statement: Statement, delivery: Delivery) -> bool | None:
    named = statement.is_for_everyone or delivery.service in statement.principals
    if not named or not statement.covers(delivery.action):
        return False
    answers = [_covers(statement, delivery.resource), *(_fits(test, delivery.source) for test in statement.conditions)]
    return False if False in answers else None if None in answers else True


def _covers(statement: Statement, arn: Value) -> bool | None:
    if isinstance(arn, Unknown):
        return True if statement.covers_resource("*") else None
    return not isinstance(arn, str) or statement.covers_resource(arn)


def _fits(test: Condition, source: Value) -> bool | None:
    """Whether a request for the source passes a condition. Conditions on anything else count as passed."""
    if test.key not in (_SOURCE, _ACCOUNT) or test.operator not in _POSITIVE:
        return True
    if isinstance(source, Unknown):
        return None
    if not isinstance(source, str):
        return True
    field = source.split(":")[_ACCOUNT_FIELD:][:1]
    value = source if test.key == _SOURCE else "".join(field)
    return any(matches(pattern, value) for pattern in test.values)
