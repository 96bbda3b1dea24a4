"""Roles name the principals that may assume them; a role for a web identity has conditions on both audience and
subject.

A trust policy that admits any principal, or every repository of a Git hosting service, grants access to the role, no
matter how narrow its own policies are. A condition counts only if other tokens do not meet it: a negated test, one for all
values, one that holds without the claim and a pattern that begins before the owner's name are met by everyone's.

The policy cannot see which users or workloads can act as the trusted principal.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...iam import CALLERS
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, grants
from ...topology.iam.web_identity import is_by_web_identity, missing_claims

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
    if (anybody and not statement.bounding_keys & CALLERS) or statement.not_principals:
        found = anybody or list(statement.not_principals)
        yield violated(resource, f"{place}.Principal", found, _WANTED, _FIX, what="can be assumed by any principal")
    wide = [action for action in statement.actions if action.lower() in ("*", "sts:*")]
    if wide:
        yield violated(resource, f"{place}.Action", wide, "the action by which the role is assumed", _FIX)
    if is_by_web_identity(statement):
        yield from _claims(resource, place, statement)


def _claims(resource: Resource, place: str, statement: Statement) -> Iterator[Finding]:
    """Both the audience and the subject have to be tested, by comparisons that no other token passes."""
    missing = missing_claims(statement)
    if "aud" in missing:
        fix = "add a condition on the identity provider's aud claim"
        yield violated(resource, f"{place}.Condition", "no such condition", "a condition on :aud", fix)
    if "sub" in missing:
        wanted = "a subject that names one source, in a condition that other subjects do not meet"
        yield violated(
            resource, f"{place}.Condition", missing["sub"], wanted, f"{_FIX}, in a condition on its sub claim"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=("iam.Role",),
)
