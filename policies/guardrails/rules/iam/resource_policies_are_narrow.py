"""Resource policies give nothing to everybody: a grant to any principal is bounded by a condition on who asks.

A key, bucket, queue, topic, secret, repository or endpoint with an open grant is reachable from any account,
whatever the network looks like.

It cannot see what an account-wide policy or an organisation's control denies on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ...checks import Statement, bounding_keys, denied_to_strangers, document, listed, statements, undecided
from ...iam import CALLERS, RESOURCE_POLICIES
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_WANTED = "named principals, or a condition on who asks"
_FIX = "name the principals, or add a condition such as aws:PrincipalAccount, aws:SourceArn or aws:SourceVpce"
_NAMES_ITSELF = ("s3.", "sns.", "sqs.")
"""What a policy of these is about is told by ARN; for keys and secrets, ``*`` is the thing itself."""

_OWNERS = (
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectAcl",
)
"""What no bucket policy hands to an account: with these it could change the bucket's protection."""


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One policy of a resource."""
    path = RESOURCE_POLICIES[resource.kind]
    of = document(resource, path)
    if resource.kind == "apigateway.RestApi" and _on_the_internet(resource):
        return  # who may call it is judged as a path from the internet
    yield from undecided(resource, path, of, _WANTED, _FIX)
    every = statements(of.value) if of.known else []
    for statement in every:
        if statement.allows:
            yield from _statement(resource, f"{path}[{statement.label}]", statement, every)


def _on_the_internet(api: Resource) -> bool:
    kinds = api.value("endpointConfiguration.types")
    return not isinstance(kinds, Unknown) and "PRIVATE" not in listed(kinds)


def _statement(resource: Resource, place: str, statement: Statement, every: list[Statement]) -> Iterator[Finding]:
    if statement.not_principals:
        yield violated(resource, f"{place}.NotPrincipal", list(statement.not_principals), "Principal", _FIX)
    if resource.kind.startswith("s3.") and any(not who.endswith(".amazonaws.com") for who in statement.principals):
        handed = [action for action in _OWNERS if any(fnmatchcase(action, pattern) for pattern in statement.actions)]
        if handed:
            fix = "leave these actions to identity policies of the bucket's own account"
            yield violated(resource, f"{place}.Action", handed, "no action that changes who may do what", fix)
    if "*" in statement.resources and resource.kind.startswith(_NAMES_ITSELF) and statement.actions:
        yield violated(
            resource, f"{place}.Resource", "*", "its own ARN", "name the resource's own ARN", what="names all"
        )
    if "*" in statement.actions:
        yield violated(resource, f"{place}.Action", "*", "actions of one service", _FIX, what="allows every service's")
    anybody = [who for who in statement.principals if who == "*" or re.search(r":iam::\*:", who)]
    wide = [action for action in statement.actions if action == "*" or action.endswith(":*")]
    if wide and not all(who.endswith(":root") for who in statement.principals):
        yield violated(resource, f"{place}.Action", wide, "actions by name", _FIX, what="allows every action")
    bounded = bounding_keys(statement) & CALLERS or denied_to_strangers(every, CALLERS, statement.actions)
    if anybody and not bounded:
        yield violated(resource, f"{place}.Principal", anybody, _WANTED, _FIX, what="is open to every account")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=tuple(sorted(RESOURCE_POLICIES)),
    controls=("KMS.5", "S3.2", "S3.3", "S3.6"),
)
