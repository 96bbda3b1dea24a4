"""Roles name the principals that may assume them; a role for a web identity has conditions on both audience and
subject.

A trust policy that admits any principal, or every repository of a Git hosting service, gives access to the role,
however narrow its own policies are.

The policy cannot see who may act as the trusted principal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...checks import Statement, condition_keys, document, listed, statements, undecided
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated

_PATH = "assumeRolePolicy"
_WANTED = "named principals"
_FIX = "name the service, role or identity provider that assumes the role"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One role's trust policy."""
    of = document(resource, _PATH)
    yield from undecided(resource, _PATH, of, _WANTED, _FIX)
    for statement in statements(of.value) if of.known else ():
        if statement.allows:
            yield from _statement(resource, f"{_PATH}[{statement.label}]", statement)


def _statement(resource: Resource, place: str, statement: Statement) -> Iterator[Finding]:
    anybody = [who for who in statement.principals if who == "*" or re.search(r":iam::\*:", who)]
    if anybody or statement.not_principals:
        found = anybody or list(statement.not_principals)
        yield violated(resource, f"{place}.Principal", found, _WANTED, _FIX, what="can be assumed by any principal")
    wide = [action for action in statement.actions if action in ("*", "sts:*")]
    if wide:
        yield violated(resource, f"{place}.Action", wide, "the action by which the role is assumed", _FIX)
    if "sts:AssumeRoleWithWebIdentity" not in statement.actions:
        return
    keys = condition_keys(statement)
    for claim in ("aud", "sub"):
        if not any(key.endswith(f":{claim}") for key in keys):
            fix = f"add a condition on the identity provider's {claim} claim"
            yield violated(resource, f"{place}.Condition", "no such condition", f"a condition on :{claim}", fix)
    for key, value in _conditions(statement):
        if key.lower().endswith(":sub") and re.fullmatch(r"(repo:)?[*:]*", value):
            yield violated(resource, f"{place}.Condition", value, "a subject that names one source", _FIX)


def _conditions(statement: Statement) -> Iterator[tuple[str, str]]:
    for block in cast("Mapping[str, Mapping[str, Any]]", statement.conditions).values():
        for key, values in block.items():
            for value in listed(values):
                yield key, str(value)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=("iam.Role",),
)
