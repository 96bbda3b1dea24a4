"""A grant to an AWS service says on whose behalf the service may act.

A service acts for every account: without a condition on the source, somebody else's resource can make it use the
grant. Not every service sends the keys, so this advises.

It cannot see which keys a service sends.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import bounding_keys, document, statements, undecided
from ..rule import Level, Rule, Settings, Severity, resource_rule
from ..topology.resources import Resource
from ..topology.verdicts import Finding, violated
from .resource_policies_are_narrow import PATHS, SOURCES

_WANTED = "a condition on aws:SourceAccount or aws:SourceArn"
_FIX = "add aws:SourceAccount or aws:SourceArn to the statement's conditions"
_PATHS = {**PATHS, "cloudwatch.LogResourcePolicy": "policyDocument", "iam.Role": "assumeRolePolicy"}
_ON_BEHALF = ("kms:viaservice", "kms:calleraccount", "aws:principalaccount")


def judge(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One policy of a resource or trust policy of a role."""
    path = _PATHS[resource.kind]
    of = document(resource, path)
    yield from undecided(resource, path, of, _WANTED, _FIX)
    for statement in statements(of.value) if of.known else ():
        services = [who for who in statement.principals if who.endswith(".amazonaws.com")]
        keys = bounding_keys(statement)
        named = keys & SOURCES or keys & set(_ON_BEHALF) or any("encryptioncontext" in key for key in keys)
        if statement.allows and services and not named:
            yield violated(resource, f"{path}[{statement.label}].Condition", "no such condition", _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_PATHS)),
    level=Level.ADVISORY,
)
