"""Grants, destinations and images stay in the stack's own accounts, or in accounts that the team lists.

A role that another account may assume, a topic in another account or an image from another account gives access that no
network rule shows.

The stack's account is the one in the provider's allowedAccountIds or, if that is not set, the account that appears in
most of the stack's ARNs, or before anything exists, in the provider's role, in key policies or in the roles of services. If
none of them names one, a grant to any account is a violation, to a role in a key grant or a cluster too: it would be made
before anything shows whose account it is. A destination of data is then not proven. The policy cannot see which principals
can act in that account.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ...accounts import IMAGES, LOG_DELIVERY, accounts_of, own_accounts
from ...checks import containers, undecided
from ...iam import CALLERS, RESOURCE_POLICIES
from ...public_switches import spread
from ...rule import Rule, Settings, Severity, stack_rule
from ...shared_with import GIVEN_TO, SENT_TO, SHARED_WITH
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import grants

_WANTED = "this stack's account, or one listed in the setting accounts"
_FIX = "use a principal or destination in this stack's account, or add the other account to the setting accounts"
_DOCUMENTS = {
    **RESOURCE_POLICIES,
    "cloudwatch.LogResourcePolicy": "policyDocument",
    "ec2.VpcEndpoint": "policy",
    "ec2.VpcEndpointPolicy": "policy",
    "iam.Role": "assumeRolePolicy",
}
_ACLS = ("s3.BucketAcl", "s3.BucketAclV2")
_WRITES_LOGS = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
"""The canonical user of CloudFront's standard logs, which writes them by an ACL."""
_IDENTITY = ("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy")
_DESTINATIONS = {**SENT_TO, **GIVEN_TO, **SHARED_WITH}
_SCHEMA: dict[str, dict[str, Any]] = {
    "accounts": {
        "type": "array",
        "items": {"type": "string", "format": "aws-account"},
        "default": [],
        "description": "Other accounts (12 digits) that the stack may grant access or send data to.",
    }
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each document with a grant, and each destination."""
    own = own_accounts(graph)
    known = own | LOG_DELIVERY | IMAGES | set(cast("list[str]", settings["accounts"]))
    for resource in graph.of_type(*_DOCUMENTS):
        yield from _document(resource, own, known)
    for resource in graph.of_type(*_IDENTITY):
        yield from _used(resource, own, known)
    for acl in graph.of_type(*_ACLS):
        yield from _granted(acl)
    for task in graph.of_type("ecs.TaskDefinition"):
        found, unclear = containers(task, _WANTED, _FIX)
        yield from unclear
        for container in found:
            yield from _named(task, container.path("image"), accounts_of(container.get("image")), own, known)
            yield from _named(task, container.path("secrets"), accounts_of(container.get("secrets")), own, known)
    for resource in graph.of_type(*_DESTINATIONS):
        for path in _DESTINATIONS[resource.kind]:
            value = resource.value(path)
            if isinstance(value, Unknown):
                if not any(urn in graph.by_urn for urn in resource.property_dependencies.get(path, ())):
                    yield not_proven(resource, path, [value], _WANTED, _FIX)
            else:
                strict = path not in SENT_TO.get(resource.kind, ())
                yield from _named(resource, path, accounts_of(value), own, known, strict=strict)


def _document(resource: Resource, own: frozenset[str], known: set[str] | frozenset[str]) -> Iterator[Finding]:
    path = _DOCUMENTS[resource.kind]
    of = document_at(resource, path)
    yield from undecided(resource, path, of, _WANTED, _FIX)
    for statement in grants(of):
        place = f"{path}[{statement.label}].Principal"
        named = [
            who for who in statement.principals if who not in statement.federated
        ]  # always of the role's own account
        yield from _named(resource, place, accounts_of(named), own, known, strict=True)
        if not statement.is_for_everyone:
            continue
        callers = [
            value for test in statement.conditions if test.key in CALLERS and test.bounds for value in test.values
        ]
        place = f"{path}[{statement.label}].Condition"
        yield from _named(resource, place, accounts_of(callers), own, known)


def _granted(acl: Resource) -> Iterator[Finding]:
    """The users to whom an access list gives a bucket: all but its owner are users of other accounts."""
    owner = acl.value("accessControlPolicy.owner.id")
    for place, grantee in spread(acl, "accessControlPolicy.grants[].grantee"):
        named = as_mapping(grantee) or {}
        email, user = named.get("emailAddress"), named.get("id")
        fix = "remove the grant, and name the account in a bucket policy if it needs access"
        wanted = "no grantee but the owner"
        if isinstance(email, str) and email:
            yield violated(acl, f"{place}.emailAddress", email, wanted, fix, what="is granted to another account")
        elif isinstance(user, str) and isinstance(owner, str) and user not in (owner, _WRITES_LOGS, ""):
            yield violated(acl, f"{place}.id", user, wanted, fix, what="is granted to another account")


def _used(resource: Resource, own: frozenset[str], known: set[str] | frozenset[str]) -> Iterator[Finding]:
    """The resources that an identity policy grants access to; one that is not known yet is checked before its step."""
    for statement in grants(document_at(resource, "policy")):
        place = f"policy[{statement.label}].Resource"
        yield from _named(resource, place, accounts_of(list(statement.resources)), own, known)


def _named(
    resource: Resource,
    place: str,
    accounts: list[str],
    own: frozenset[str],
    known: set[str] | frozenset[str],
    *,
    strict: bool = False,
) -> Iterator[Finding]:
    """The accounts that are not the stack's. While its own is not known, a grant to any (``strict``) is a violation: the
    first update would make it before anything shows whose account it is."""
    foreign = [account for account in accounts if account not in known]
    if foreign and own:
        yield violated(resource, place, ", ".join(foreign), _WANTED, _FIX, what="involves another account")
    elif foreign and strict:
        what = "grants access to an account, while the stack's own account is not known"
        fix = (
            "set allowedAccountIds on the provider to the stack's own account, or add the other to the setting accounts"
        )
        yield violated(resource, place, ", ".join(foreign), _WANTED, fix, what=what)
    elif foreign:
        unknowns = ["the stack's own account"]
        yield not_proven(resource, place, unknowns, _WANTED, _FIX, found=", ".join(foreign))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted({*_DOCUMENTS, *_DESTINATIONS, *_IDENTITY, *_ACLS, "ecs.TaskDefinition"})),
    schema=_SCHEMA,
    unknown_blocks=False,
)
