"""A grant to an AWS service has a condition on the account or resource that the service acts for.

A service acts for every AWS customer: without a condition on the source, a resource in another account can make the
service use the grant. Not every service sends these keys, so this is advisory.

EventBridge does not deliver to a topic whose policy puts a condition on its grant; there, a Deny for other accounts,
which applies when the source account is sent, is accepted instead. The policy cannot see which keys other services
send.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...iam import EVENTBRIDGE, RESOURCE_POLICIES, SOURCES
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, statements

_WANTED = "a condition on aws:SourceAccount or aws:SourceArn"
_FIX = "add aws:SourceAccount or aws:SourceArn to the statement's conditions"
_PATHS = {**RESOURCE_POLICIES, "cloudwatch.LogResourcePolicy": "policyDocument", "iam.Role": "assumeRolePolicy"}
_TOPICS = ("sns.Topic", "sns.TopicPolicy")
_ACCOUNT = "aws:sourceaccount"
_ON_BEHALF = ("kms:viaservice", "kms:calleraccount", "aws:principalaccount")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one resource policy, or the trust policy of a role."""
    path = _PATHS[resource.kind]
    of = document_at(resource, path)
    yield from undecided(resource, path, of, _WANTED, _FIX)
    every = statements(of)
    for statement in every:
        services = list(statement.services)
        if services == [EVENTBRIDGE] and resource.kind in _TOPICS and any(map(_refuses_strangers, every)):
            continue
        keys = statement.bounding_keys
        named = keys & SOURCES or keys & set(_ON_BEHALF) or any("encryptioncontext" in key for key in keys)
        if statement.allows and services and not named:
            yield violated(resource, f"{path}[{statement.label}].Condition", "no such condition", _WANTED, _FIX)


def _refuses_strangers(statement: Statement) -> bool:
    """Whether it denies EventBridge requests made for another account, wherever the account is sent."""
    others = [item for item in statement.conditions if not item.requires("null", _ACCOUNT, "false")]
    by_account = all((item.operator, item.key) == ("stringnotequals", _ACCOUNT) and item.values for item in others)
    named = len(others) < len(statement.conditions)
    return not statement.allows and EVENTBRIDGE in statement.principals and named and bool(others) and by_account


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_PATHS)),
    level=Level.ADVISORY,
)
