"""Grants, destinations and images stay in the stack's own accounts, or in accounts that the team lists.

A role that another account may assume, a topic in another account or an image from another account gives access that no
network rule shows.

The stack's account is the one in the provider's allowedAccountIds or, if that is not set, the account that appears in
most of the stack's ARNs. The policy cannot see which principals can act in that account.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ...accounts import IMAGES, LOG_DELIVERY, accounts_of, own_accounts
from ...checks import containers, undecided
from ...iam import RESOURCE_POLICIES
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, Unknown
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
_IDENTITY = ("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy")
_DESTINATIONS = {
    "backup.Plan": ("rules",),
    "cloudwatch.CompositeAlarm": ("alarmActions", "insufficientDataActions", "okActions"),
    "cloudwatch.EventPermission": ("principal",),
    "cloudwatch.EventTarget": ("arn",),
    "cloudwatch.LogGroup": ("kmsKeyId",),
    "cloudwatch.LogSubscriptionFilter": ("destinationArn",),
    "cloudwatch.MetricAlarm": ("alarmActions", "insufficientDataActions", "okActions"),
    "cloudwatch.MetricStream": ("firehoseArn",),
    "ec2.AmiLaunchPermission": ("accountId",),
    "ec2.FlowLog": ("logDestination",),
    "ec2.SnapshotCreateVolumePermission": ("accountId",),
    "ec2.TrafficMirrorTarget": ("networkLoadBalancerArn",),
    "ec2.VpcEndpointService": ("allowedPrincipals",),
    "ec2.VpcEndpointServiceAllowedPrinciple": ("principalArn",),
    "ec2.VpcPeeringConnection": ("peerOwnerId",),
    "ecr.ReplicationConfiguration": ("replicationConfiguration",),
    "kms.Grant": ("granteePrincipal", "retiringPrincipal"),
    "lambda.LayerVersionPermission": ("principal",),
    "lambda.Permission": ("principal", "sourceAccount"),
    "oam.Link": ("sinkIdentifier",),
    "ram.PrincipalAssociation": ("principal",),
    "rds.Cluster": ("kmsKeyId",),
    "rds.ClusterSnapshot": ("sharedAccounts",),
    "rds.ClusterSnapshotCopy": ("sharedAccounts",),
    "rds.EventSubscription": ("snsTopic",),
    "rds.Instance": ("kmsKeyId",),
    "rds.Snapshot": ("sharedAccounts",),
    "rds.SnapshotCopy": ("sharedAccounts",),
    "redshift.EndpointAuthorization": ("account",),
    "route53.ResolverQueryLogConfig": ("destinationArn",),
    "s3.BucketServerSideEncryptionConfiguration": ("rules",),
    "secretsmanager.Secret": ("kmsKeyId",),
    "sns.Topic": ("kmsMasterKeyId",),
    "s3.BucketNotification": ("lambdaFunctions", "queues", "topics"),
    "s3.BucketReplicationConfig": ("rules",),
    "s3.Inventory": ("destination",),
    "sns.TopicSubscription": ("endpoint", "topic"),
    "wafv2.WebAclLoggingConfiguration": ("logDestinationConfigs",),
}
_SCHEMA: dict[str, dict[str, Any]] = {
    "accounts": {
        "type": "array",
        "items": {"type": "string"},
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
                yield from _named(resource, path, accounts_of(value), own, known)


def _document(resource: Resource, own: frozenset[str], known: set[str] | frozenset[str]) -> Iterator[Finding]:
    path = _DOCUMENTS[resource.kind]
    of = document_at(resource, path)
    yield from undecided(resource, path, of, _WANTED, _FIX)
    for statement in grants(of):
        place = f"{path}[{statement.label}].Principal"
        yield from _named(resource, place, accounts_of(list(statement.principals)), own, known)


def _used(resource: Resource, own: frozenset[str], known: set[str] | frozenset[str]) -> Iterator[Finding]:
    """The resources that an identity policy grants access to; one that is not known yet is checked before its step."""
    for statement in grants(document_at(resource, "policy")):
        place = f"policy[{statement.label}].Resource"
        yield from _named(resource, place, accounts_of(list(statement.resources)), own, known)


def _named(
    resource: Resource, place: str, accounts: list[str], own: frozenset[str], known: set[str] | frozenset[str]
) -> Iterator[Finding]:
    foreign = [account for account in accounts if account not in known]
    if foreign and own:
        yield violated(resource, place, ", ".join(foreign), _WANTED, _FIX, what="involves another account")
    elif foreign:
        unknowns = ["the stack's own account"]
        yield not_proven(resource, place, unknowns, _WANTED, _FIX, found=", ".join(foreign))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted({*_DOCUMENTS, *_DESTINATIONS, *_IDENTITY, "ecs.TaskDefinition"})),
    schema=_SCHEMA,
    unknown_blocks=False,
)
