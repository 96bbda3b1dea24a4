"""Roles name the principals that may assume them; a role for a web identity has conditions on both audience and
subject.

A trust policy that admits any principal, or every repository of a Git hosting service, grants access to the role, no
matter how narrow its own policies are.

The policy cannot see which users or workloads can act as the trusted principal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import undecided
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, grants

_PATH = "assumeRolePolicy"
_WANTED = "named principals"
_FIX = "name the service, role or identity provider that assumes the role"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one role's trust policy."""
    of = document_at(resource, _PATH)
    yield from undecided(resource, _PATH, of, _WANTED, _FIX)
    for statement in grants(of):
        yield from _statement(resource, f"{_PATH}[{statement.label}]", statement)


def _statement(resource: Resource, place: str, statement: Statement) -> Iterator[Finding]:
    anybody = list(statement.every_account)
    if anybody or statement.not_principals:
        found = anybody or list(statement.not_principals)
        yield violated(resource, f"{place}.Principal", found, _WANTED, _FIX, what="can be assumed by any principal")
    wide = [action for action in statement.actions if action.lower() in ("*", "sts:*")]
    if wide:
        yield violated(resource, f"{place}.Action", wide, "the action by which the role is assumed", _FIX)
    if not statement.names("sts:AssumeRoleWithWebIdentity"):
        return
    for claim in ("aud", "sub"):
        if not any(key.endswith(f":{claim}") for key in statement.keys):
            fix = f"add a condition on the identity provider's {claim} claim"
            yield violated(resource, f"{place}.Condition", "no such condition", f"a condition on :{claim}", fix)
    for value in (value for item in statement.conditions if item.key.endswith(":sub") for value in item.values):
        if re.fullmatch(r"(repo:)?[*:]*", value):
            yield violated(resource, f"{place}.Condition", value, "a subject that names one source", _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=("iam.Role",),
)
