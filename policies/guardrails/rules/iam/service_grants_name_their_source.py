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
from ...iam import EVENTBRIDGE, RESOURCE_POLICIES, SOURCES, unsourced_services
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, statements

_WANTED = "a condition on aws:SourceAccount or aws:SourceArn"
_FIX = "add aws:SourceAccount or aws:SourceArn to the statement's conditions"
_PATHS = {**RESOURCE_POLICIES, "cloudwatch.LogResourcePolicy": "policyDocument", "iam.Role": "assumeRolePolicy"}
_OF_A_TOPIC = (
    "no condition on the grant to EventBridge, and a statement that denies it to other accounts",
    "give EventBridge a separate statement without a condition, and deny it sns:Publish where aws:SourceAccount is sent and is "
    "another account",
)
_OF_A_KEY = (
    "a condition on kms:EncryptionContext:aws:sns:topicArn",
    "give EventBridge a separate statement, restricted by kms:EncryptionContext:aws:sns:topicArn: it does not deliver to an "
    "encrypted topic whose key requires aws:SourceAccount or aws:SourceArn",
)
_FOR_EVENTBRIDGE = {
    "kms.Key": _OF_A_KEY,
    "kms.KeyPolicy": _OF_A_KEY,
    "sns.Topic": _OF_A_TOPIC,
    "sns.TopicPolicy": _OF_A_TOPIC,
}
"""Where a condition on the source would stop the delivery of events."""
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
        reported = unsourced_services(resource.kind, statement)  # by iam-resource-policies-are-narrow, which blocks
        services = [who for who in statement.services if who not in reported]
        if services == [EVENTBRIDGE] and resource.kind in _TOPICS and any(map(_refuses_strangers, every)):
            continue
        keys = statement.bounding_keys
        named = keys & SOURCES or keys & set(_ON_BEHALF) or any("encryptioncontext" in key for key in keys)
        if statement.allows and services and not named:
            wanted, fix = (
                _FOR_EVENTBRIDGE.get(resource.kind, (_WANTED, _FIX)) if EVENTBRIDGE in services else (_WANTED, _FIX)
            )
            yield violated(resource, f"{path}[{statement.label}].Condition", "no such condition", wanted, fix)


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
