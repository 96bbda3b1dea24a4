"""Resource policies grant access to named principals, or limit a grant to all principals by a condition on the caller.

Any AWS account can use a key, bucket, queue, topic, secret or repository with an open grant, regardless of network
rules.

The policy cannot see additional denials in a service control policy or another account-wide policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...iam import CALLERS, RESOURCE_POLICIES, SOURCES, unsourced_services
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.values import listed
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, denied_to_strangers, statements

_WANTED = "named principals, or a condition on the caller"
_FIX = "name the principals, or add a condition such as aws:PrincipalAccount, aws:SourceArn or aws:SourceVpce"
_TAKES_SOURCE = ("sns.", "sqs.")
_SOURCES = frozenset({"aws:sourcearn", "aws:sourceowner"})
"""Types to which services send on behalf of a resource: a grant to all principals with its ARN is one to the service."""
_NAMES_ITSELF = ("s3.Bucket", "s3.AccessPoint", "sns.", "sqs.")
"""The ARN of a policy's resource; in a policy of a key or secret, ``*`` is the resource itself."""

_OWNERS = (
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectAcl",
)
"""Actions that a bucket policy must not grant to another account, since they can change the bucket's protection."""


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one policy of a resource."""
    path = RESOURCE_POLICIES[resource.kind]
    of = document_at(resource, path)
    if resource.kind == "apigateway.RestApi" and _on_the_internet(resource):
        return  # who may call it is evaluated as a path from the internet
    yield from undecided(resource, path, of, _WANTED, _FIX)
    every = statements(of)
    for statement in every:
        if statement.allows:
            yield from _statement(resource, f"{path}[{statement.label}]", statement, every)


def _on_the_internet(api: Resource) -> bool:
    kinds = api.value("endpointConfiguration.types")
    return not isinstance(kinds, Unknown) and "PRIVATE" not in listed(kinds)


def _statement(resource: Resource, place: str, statement: Statement, every: list[Statement]) -> Iterator[Finding]:
    if statement.not_principals:
        yield violated(resource, f"{place}.NotPrincipal", list(statement.not_principals), "Principal", _FIX)
    if statement.not_actions:
        found = list(statement.not_actions)
        what = "allows every action except those listed"
        yield violated(resource, f"{place}.NotAction", found, "actions by name", _FIX, what=what)
    if resource.kind.startswith("s3.") and set(statement.principals) - set(statement.services):
        handed = [action for action in _OWNERS if statement.covers(action)]
        if handed:
            fix = "grant these actions in identity policies of the bucket's account"
            yield violated(resource, f"{place}.Action", handed, "no action that changes permissions", fix)
    if "*" in statement.resources and resource.kind.startswith(_NAMES_ITSELF) and statement.actions:
        yield violated(
            resource,
            f"{place}.Resource",
            "*",
            "its own ARN",
            "name the resource's own ARN",
            what="covers every resource",
        )
    if "*" in statement.actions:
        yield violated(
            resource, f"{place}.Action", "*", "actions of one service", _FIX, what="allows all actions of a service"
        )
    anybody = list(statement.every_account)
    wide = [action for action in statement.actions if action == "*" or action.endswith(":*")]
    if wide and not all(who.endswith(":root") for who in statement.principals):
        yield violated(resource, f"{place}.Action", wide, "actions by name", _FIX, what="allows every action")
    callers = CALLERS | (_SOURCES if resource.kind.startswith(_TAKES_SOURCE) else frozenset[str]())
    bounded = statement.bounding_keys & callers or denied_to_strangers(every, CALLERS, statement.actions)
    if anybody and not bounded:
        yield violated(resource, f"{place}.Principal", anybody, _WANTED, _FIX, what="is open to every account")
    if (
        services := []
        if denied_to_strangers(every, SOURCES, statement.actions)
        else unsourced_services(resource.kind, statement)
    ):
        wanted = "a condition on aws:SourceArn or aws:SourceAccount"
        fix = "name the resource or account for which the service acts, in aws:SourceArn or aws:SourceAccount"
        what = "grants a service requests that it makes for any account"
        yield violated(resource, f"{place}.Condition", services, wanted, fix, what=what)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=tuple(sorted(RESOURCE_POLICIES)),
    controls=("KMS.5", "S3.2", "S3.3", "S3.6"),
)
