"""A setting that a target can have only once, such as a bucket's policy or a subnet's route table, is declared only
once.

Two resources that declare the same setting overwrite each other on every update. If the second resource was meant for
another target, that target is left without the setting.

The policy checks resources of this stack; inline rules next to separate rule resources count as such a pair.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import listed
from ...joins import BUCKETS
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, contains_unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "one declaration"
_FIX = "remove one of the two resources, or point it at the intended target"
_BUCKET_KEYS = ("id", "bucket", "arn")
_ONE = {
    **{
        f"s3.{name}": ("bucket", BUCKETS, _BUCKET_KEYS)
        for name in (
            "BucketAcl",
            "BucketLifecycleConfiguration",
            "BucketLogging",
            "BucketOwnershipControls",
            "BucketPolicy",
            "BucketPublicAccessBlock",
            "BucketServerSideEncryptionConfiguration",
            "BucketVersioning",
        )
    },
    "cloudwatch.LogDataProtectionPolicy": ("logGroupName", ("cloudwatch.LogGroup",), ("name", "id")),
    "ec2.DefaultSecurityGroup": ("vpcId", ("ec2.Vpc",), ("id", "arn")),
    "ec2.NetworkAclAssociation": ("subnetId", ("ec2.Subnet",), ("id", "arn")),
    "ec2.RouteTableAssociation": ("subnetId", ("ec2.Subnet",), ("id", "arn")),
    "ec2.VpcEndpointPolicy": ("vpcEndpointId", ("ec2.VpcEndpoint",), ("id", "arn")),
    "kms.KeyPolicy": ("keyId", ("kms.Key",), ("id", "arn", "keyId")),
    "route53.ResolverFirewallConfig": ("resourceId", ("ec2.Vpc",), ("id", "arn")),
    "secretsmanager.SecretPolicy": ("secretArn", ("secretsmanager.Secret",), ("id", "arn")),
    "secretsmanager.SecretRotation": ("secretId", ("secretsmanager.Secret",), ("id", "arn")),
    "secretsmanager.SecretVersion": ("secretId", ("secretsmanager.Secret",), ("id", "arn")),
    "sns.TopicPolicy": ("arn", ("sns.Topic",), ("id", "arn")),
    "sqs.QueuePolicy": ("queueUrl", ("sqs.Queue",), ("id", "arn", "url")),
    "wafv2.WebAclAssociation": ("resourceArn", ("lb.LoadBalancer", "apigateway.Stage"), ("id", "arn")),
    "wafv2.WebAclLoggingConfiguration": ("resourceArn", ("wafv2.WebAcl",), ("id", "arn")),
}
_INLINE = {
    "ec2.DefaultRouteTable": ("routes", "ec2.Route", "routeTableId"),
    "ec2.NetworkAcl": ("ingress", "ec2.NetworkAclRule", "networkAclId"),
    "ec2.RouteTable": ("routes", "ec2.Route", "routeTableId"),
    "ec2.SecurityGroup": ("ingress", "vpc.SecurityGroupIngressRule", "securityGroupId"),
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each type of resource that a target can have only once."""
    for kind, (path, targets, keys) in _ONE.items():
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in graph.of_type(kind):
            # Versions of one secret are told apart by their stages.
            stages = (
                "?"
                if contains_unknown(resource.value("versionStages"))
                else ",".join(sorted(str(stage) for stage in listed(resource.value("versionStages")))) or "AWSCURRENT"
            )
            references = graph.referenced(resource, path, targets, keys)
            for target in () if references.ambiguous else references:
                found.setdefault((target.urn, stages), []).append(resource)
        yield from _unclear(graph, found)
        yield from _twice(graph, found, path)
    yield from _lists(graph)
    yield from _inline(graph)


def _unclear(graph: Graph, found: dict[tuple[str, str], list[Resource]]) -> Iterator[Finding]:
    """Versions whose stage is not known yet, where the secret has another version."""
    for (urn, stages), resources in sorted(found.items()):
        if stages == "?" and len({key for key in found if key[0] == urn}) > 1:
            path = "versionStages"
            yield not_proven(resources[0], path, [f"{resources[0].label}.{path}"], _WANTED, _FIX)


def _twice(graph: Graph, found: dict[tuple[str, str], list[Resource]], path: str) -> Iterator[Finding]:
    for (urn, _), resources in sorted(found.items()):
        for extra in resources[1:]:
            label = graph.by_urn[urn].label
            what = f"declares the same setting of {label} as {resources[0].name}"
            yield violated(extra, path, resources[0].label, _WANTED, _FIX, what=what)


def _lists(graph: Graph) -> Iterator[Finding]:
    """A subnet in two network ACLs: the last association wins."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for acl in graph.of_type("ec2.NetworkAcl"):
        subnets = graph.referenced(acl, "subnetIds", ("ec2.Subnet",))
        for subnet in () if subnets.ambiguous or subnets.loose else subnets:
            found.setdefault((subnet.urn, ""), []).append(acl)
    yield from _twice(graph, found, "subnetIds")


def _inline(graph: Graph) -> Iterator[Finding]:
    for kind, (path, separate, reference) in _INLINE.items():
        for resource in graph.of_type(separate):
            for holder in graph.referenced(resource, reference, (kind,)):
                if holder.declares(path) and holder.declared is not None and holder.value(path) not in (None, []):
                    what = f"is removed again by {holder.label}, whose {path} are inline"
                    yield violated(
                        resource, reference, holder.label, "inline rules, or separate rule resources", _FIX, what=what
                    )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=tuple(sorted({*_ONE, "ec2.NetworkAcl", *(s for _, s, _ in _INLINE.values())})),
)
