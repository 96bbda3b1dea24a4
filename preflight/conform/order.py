"""Every resource is created after the resources that AWS requires to exist, even those that it does not refer to.

Pulumi creates resources that do not depend on each other at the same time. If a service gets a role, a bucket, a topic
or a log group before the policy that grants it access exists, it refuses the request, or its messages are lost until
then. AWS refuses a load balancer while its VPC has no internet gateway, and an ECS service while no listener forwards
to its target group. A resource waits for another if it, or a component that contains it, depends on it directly or
indirectly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

from preflight.conform.documented.model import Json, document, listed, mapping
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import mask

ROLE, ROLE_POLICIES = (
    "aws:iam/role:Role",
    ("aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"),
)
BUCKET, BUCKET_POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
LOG_GROUP, LOG_POLICY = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
BALANCER, LISTENER_RULE = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listenerRule:ListenerRule"
DEFAULT_ACL = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"

_ROLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"
_BUCKETS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
_TOPICS = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateEventSubscription.html"
_GATEWAYS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html"
_DEFAULTS = (
    "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/default_network_acl"
    "#managing-subnets-in-a-default-network-acl"
)
_TARGETS = "https://github.com/aws/aws-cdk/issues/1160"
_CERTIFICATES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html"
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html"


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """The resource that must exist first, the values by which other resources refer to its owner, and AWS's page about
    it."""

    resource: RecordedResource
    values: frozenset[str]
    consequence: str
    source: str
    only: str = "*"
    """Patterns of ``type.path``: the properties in which a reference means that the resource is needed."""
    without: tuple[str, ...] = ()
    """Patterns of ``type.path``: properties that refer to the resource without needing it."""

    def needed_at(self, resource: RecordedResource, path: str) -> bool:
        """Whether a resource that refers to one of the values in this property needs it."""
        place = f"{resource.type}.{path}"
        return fnmatchcase(place, self.only) and not any(fnmatchcase(place, pattern) for pattern in self.without)


def findings(recording: Recording) -> list[Finding]:
    """Every resource that may be created before another resource that AWS requires."""
    awaited = waits(recording)
    found = [
        _finding(recording, user, path, needed)
        for user, path, needed in pairs(recording)
        if needed.resource.urn not in awaited[user.urn]
    ]
    return sorted(found, key=lambda finding: finding.key)


def pairs(recording: Recording) -> Iterator[tuple[RecordedResource, str, Prerequisite]]:
    """Each resource, the referring property, and the resources that must exist before it is created."""
    named = [(resource, dict(_texts(resource.inputs, ""))) for resource in recording.resources if resource.custom]
    for needed in _prerequisites(recording):
        for resource, texts in named:
            for path in (path for path, text in texts.items() if text in needed.values):
                if not needed.needed_at(resource, path):
                    continue
                if resource.type == TASK_DEFINITION:
                    # ECS uses the roles of a task definition once a service runs it, not when it is registered.
                    yield from ((user, at, needed) for user, at in _naming(named, resource.outputs.get("arn")))
                else:
                    yield resource, path, needed


def waits(recording: Recording) -> dict[str, frozenset[str]]:
    """URN → the URNs of everything that is created before it."""
    by_urn = {one.urn: one for one in recording.resources}
    known: dict[str, frozenset[str]] = {}

    def of(urn: str, on_the_way: frozenset[str]) -> frozenset[str]:
        if urn in known or urn in on_the_way or urn not in by_urn:
            return known.get(urn, frozenset())
        resource, found = by_urn[urn], set[str]()
        for dependency in resource.dependencies:
            found |= {dependency} | of(dependency, on_the_way | {urn})
        # A child is registered after its parent, and a parent after its dependencies.
        known[urn] = frozenset(found | of(resource.parent, on_the_way | {urn}))
        return known[urn]

    return {urn: of(urn, frozenset()) for urn in sorted(by_urn)}


def _prerequisites(recording: Recording) -> Iterator[Prerequisite]:
    yield from _policies_of_roles(recording)
    yield from _policies_of_destinations(recording)
    for gateway in recording.of_type(GATEWAY):
        subnets = [
            one.id for one in recording.of_type(SUBNET) if one.inputs.get("vpcId") == gateway.inputs.get("vpcId")
        ]
        outward = [one for one in recording.of_type(BALANCER) if one.inputs.get("internal") is not True]
        if outward:
            consequence = "ELB refuses a load balancer in a VPC without an internet gateway (InvalidSubnet)"
            yield Prerequisite(gateway, _known(*subnets), consequence, _GATEWAYS, f"{BALANCER}.subnets*")
    for acl in recording.of_type(DEFAULT_ACL):
        owners = [one.id for one in recording.of_type(VPC) if one.outputs.get("defaultNetworkAclId") == acl.id]
        consequence = "the provider records it as a subnet of the default ACL, and the next preview removes it there"
        yield Prerequisite(acl, _known(*owners), consequence, _DEFAULTS, f"{SUBNET}.vpcId")
    for rule in recording.of_type(LISTENER_RULE):
        groups = [mapping(action).get("targetGroupArn") for action in listed(rule.inputs.get("actions"))]
        consequence = "ECS refuses a service while no listener forwards to its target group"
        yield Prerequisite(rule, _known(*groups), consequence, _TARGETS, "aws:ecs/service:Service.loadBalancers*")
    for validation in recording.of_type(VALIDATION):
        certificate = _known(validation.inputs.get("certificateArn"))
        consequence = "ELB refuses a certificate that is not issued yet"
        yield Prerequisite(validation, certificate, consequence, _CERTIFICATES, "aws:lb/listener*")


def _policies_of_roles(recording: Recording) -> Iterator[Prerequisite]:
    roles = {role.outputs.get("name"): role for role in recording.of_type(ROLE)}
    for policy in (one for type_ in ROLE_POLICIES for one in recording.of_type(type_)):
        if role := roles.get(policy.inputs.get("role")):
            consequence = "the service refuses the role, or its calls fail because the permission is missing"
            values = _known(role.outputs.get("arn"))
            yield Prerequisite(policy, values, consequence, _ROLES, without=("aws:iam/*",))


def _policies_of_destinations(recording: Recording) -> Iterator[Prerequisite]:
    for policy in recording.of_type(TOPIC_POLICY):
        if _lets_a_service_in(policy, "policy"):
            consequence = "the service refuses the topic, or its messages are lost"
            values = _known(policy.inputs.get("arn"))
            yield Prerequisite(policy, values, consequence, _TOPICS, without=("aws:sns/*",))
    for policy in recording.of_type(BUCKET_POLICY):
        if _lets_a_service_in(policy, "policy"):
            name = policy.inputs.get("bucket")
            consequence = "the service has no permission to write to the bucket yet and refuses it"
            without = (f"{BUCKET}.*", "aws:s3/*.bucket", "aws:backup/*")
            yield Prerequisite(policy, _known(name, f"arn:aws:s3:::{name}"), consequence, _BUCKETS, without=without)
    for policy in recording.of_type(LOG_POLICY):
        for group in _groups(recording, policy):
            arn = group.outputs.get("arn")
            consequence = (
                "the service has no permission to write to the log group yet and refuses it, or adds its own policy"
            )
            values = _known(arn, f"{arn}:*", group.outputs.get("name"))
            yield Prerequisite(policy, values, consequence, _LOGS, without=("aws:cloudwatch/*",))


def _groups(recording: Recording, policy: RecordedResource) -> list[RecordedResource]:
    """The log groups of this stack that a resource policy grants access to."""
    resources = [
        str(one) for statement in _allowed(policy, "policyDocument") for one in _several(statement["Resource"])
    ]
    return [
        group
        for group in recording.of_type(LOG_GROUP)
        if any(fnmatchcase(f"{group.outputs.get('arn')}:log-stream:any", resource) for resource in resources)
    ]


def _lets_a_service_in(policy: RecordedResource, path: str) -> bool:
    return any("Service" in mapping(statement.get("Principal")) for statement in _allowed(policy, path))


def _allowed(policy: RecordedResource, path: str) -> list[dict[str, Json]]:
    content = mapping(document(mask(policy.inputs.get(path)))).get("Statement")
    statements = [mapping(one) for one in _several(content)]
    return [one for one in statements if one.get("Effect") == "Allow" and "Resource" in one]


def _several(value: Json) -> list[Json]:
    return listed(value) or [value]


def _known(*values: Json) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str) and value)


def _naming(
    named: list[tuple[RecordedResource, dict[str, str]]], value: Json
) -> Iterator[tuple[RecordedResource, str]]:
    for resource, texts in named:
        yield from ((resource, path) for path, text in texts.items() if text == value)


def _texts(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Path → string, for every string in the inputs; a JSON document stays one string."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Json]", value).items():
            yield from _texts(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, item in enumerate(cast("list[Json]", value)):
            yield from _texts(item, f"{path}[{position}]")
    elif isinstance(value, str):
        yield path, value


def _finding(recording: Recording, user: RecordedResource, path: str, needed: Prerequisite) -> Finding:
    first = needed.resource
    kind = first.type.rpartition(":")[2]
    return Finding(
        environment=recording.stack,
        rule="conform-order",
        verdict=Verdict.VIOLATED,
        headline=f"{user.name}.{path} may be used before {kind} {first.name} exists",
        urn=user.urn,
        found=f"{user.name} does not depend on it, so Pulumi may create both at the same time: {needed.consequence}",
        wanted=f"{first.name} first ({needed.source})",
        fix=f"add {first.name} to depends_on of {user.name}, or take the value from an output of {first.name}",
        pack="conform",
        source_file=user.source_file,
        source_line=user.source_line,
    )
