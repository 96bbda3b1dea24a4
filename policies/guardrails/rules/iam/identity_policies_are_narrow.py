"""Identity policies name their actions, and name resources wherever IAM supports resource-level permissions.

A wildcard also grants actions that AWS adds later. The setting withoutResource lists the actions that IAM cannot limit
to a resource.

The policy checks documents of this stack; it cannot see what an AWS managed policy grants, so only policies that AWS
maintains for a service's role may be attached: those below service-role/ to roles, and those in the setting
managedPolicies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from ...checks import undecided
from ...iam import WITHOUT_RESOURCE
from ...public_switches import spread
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import Document, document_at
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.matching import matches_action
from ...topology.iam.statements import Statement, grants

_WANTED = "named actions on named resources"
_FIX = "name the required actions and the ARNs of the resources that they apply to"
_EVERYTHING = re.compile(r"[*?]+|arn:[*?:]*|arn:[^:]*:[^:]*:[^:]*:[^:]*:[*?/:]*")
"""A resource pattern that matches everything in an account, a service or a region."""

_DOCUMENTS = {
    "eks.PodIdentityAssociation": ("policy",),
    "iam.GroupPolicy": ("policy",),
    "iam.Policy": ("policy",),
    "iam.RolePolicy": ("policy",),
    "iam.UserPolicy": ("policy",),
    "iot.Policy": ("policy",),
    "ssoadmin.PermissionSetInlinePolicy": ("inlinePolicy",),
}
_ATTACHED = {
    "budgets.BudgetAction": ("definition.iamActionDefinition.policyArn",),
    "iam.GroupPolicyAttachment": ("policyArn",),
    "iam.GroupPolicyAttachmentsExclusive": ("policyArns[]",),
    "iam.PolicyAttachment": ("policyArn",),
    "iam.RolePolicyAttachment": ("policyArn",),
    "iam.RolePolicyAttachmentsExclusive": ("policyArns[]",),
    "iam.UserPolicyAttachment": ("policyArn",),
    "iam.UserPolicyAttachmentsExclusive": ("policyArns[]",),
    "rolesanywhere.Profile": ("managedPolicyArns[]",),
    "ssoadmin.ManagedPolicyAttachment": ("managedPolicyArn",),
    "ssoadmin.ManagedPolicyAttachmentsExclusive": ("managedPolicyArns[]",),
}
"""Type → where it names policies that it attaches, alone or instead of all others."""
_OF_SERVICES = ("service-role/", "aws-service-role/")
_BROAD = (
    "service-role/AmazonEC2RoleforDataPipelineRole",
    "service-role/AmazonEC2RoleforSSM",
    "service-role/AmazonElasticMapReduceforEC2Role",
    "service-role/AmazonElasticMapReduceRole",
    "service-role/AWSDataPipelineRole",
    "service-role/AWSQuicksightAthenaAccess",
)
"""Policies below that path which grant every bucket or the whole of a service to the role."""

_HANDED_ON = (
    "iam:PassRole",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "sts:AssumeRole",
)
_EVERY_ONE = re.compile(r":(role/|secret:|parameter/)\*$")
_DECRYPTION = ("kms:Decrypt", "kms:ReEncryptFrom")
_SCHEMA = {
    "withoutResource": {
        "type": "array",
        "items": {"type": "string"},
        "default": list(WITHOUT_RESOURCE),
        "description": "Actions (patterns) that may be granted on every resource, since IAM cannot limit them to one.",
    },
    "managedPolicies": {
        "type": "array",
        "items": {"type": "string"},
        "default": [
            "AWSXRayDaemonWriteAccess",
            "AmazonEC2ContainerRegistryPullOnly",
            "AmazonEC2ContainerRegistryReadOnly",
            "AmazonEKSClusterPolicy",
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonSSMManagedInstanceCore",
            "AmazonEKSFargatePodExecutionRolePolicy",
            "AmazonEKSVPCResourceController",
            "AmazonEKSWorkerNodeMinimalPolicy",
            "CloudWatchAgentServerPolicy",
            "CloudWatchLambdaInsightsExecutionRolePolicy",
            "service-role/AWSBackupServiceRolePolicyForBackup",
            "service-role/AWSBackupServiceRolePolicyForRestores",
            "service-role/AWSLambdaBasicExecutionRole",
            "service-role/AWSLambdaVPCAccessExecutionRole",
            "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            "service-role/AmazonECSTaskExecutionRolePolicy",
            "service-role/AmazonRDSEnhancedMonitoringRole",
        ],
        "description": "AWS managed policies (name with path) that may be attached, because an AWS service's role needs them.",
    },
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one policy, one role with inline policies, or one attachment of a managed policy."""
    for path in _DOCUMENTS.get(resource.kind, ()):
        yield from _document(resource, path, document_at(resource, path), settings)
    if resource.kind == "iam.Role":
        yield from _role(resource, settings)
    for path in _ATTACHED.get(resource.kind, ()):
        for place, _ in spread(resource, path):
            yield from _managed(resource, place, settings)


def _role(role: Resource, settings: Settings) -> Iterator[Finding]:
    inline = role.items("inlinePolicies")
    if isinstance(inline, list):
        for index in range(len(inline)):
            path = f"inlinePolicies[{index}].policy"
            yield from _document(role, path, document_at(role, path), settings)
    attached = role.items("managedPolicyArns")
    if isinstance(attached, list):
        for index in range(len(attached)):
            yield from _managed(role, f"managedPolicyArns[{index}]", settings)


def _managed(resource: Resource, path: str, settings: Settings) -> Iterator[Finding]:
    arn = resource.value(path)
    if isinstance(arn, Unknown):
        return  # a policy of this stack, which is evaluated itself: AWS's own are literals
    name = str(arn or "").partition(":policy/")[2]
    if name.startswith(_OF_SERVICES) and name not in _BROAD and _is_of_roles(resource):
        return  # what AWS maintains for a service's role
    if re.match(r"arn:aws[a-z-]*:iam::aws:policy/", str(arn)) and name not in settings["managedPolicies"]:
        wanted = f"a policy of this stack, or one of {', '.join(sorted(settings['managedPolicies']))}"
        yield violated(
            resource, path, arn, wanted, "write a customer managed policy with only the statements that are needed"
        )


def _is_of_roles(resource: Resource) -> bool:
    """Whether an attachment is to roles, and to no user or group."""
    shared = resource.kind == "iam.PolicyAttachment" and all(
        resource.value(path) in (None, []) for path in ("users", "groups")
    )
    return shared or resource.kind.startswith("iam.Role")


def _document(resource: Resource, path: str, of: Document, settings: Settings) -> Iterator[Finding]:
    yield from undecided(resource, path, of, _WANTED, _FIX)
    for statement in grants(of):
        yield from _statement(resource, f"{path}[{statement.label}]", statement, settings)


def _statement(resource: Resource, place: str, statement: Statement, settings: Settings) -> Iterator[Finding]:
    if statement.not_actions:
        yield violated(resource, f"{place}.NotAction", list(statement.not_actions), "Action", _FIX)
    if statement.not_resources:
        yield violated(resource, f"{place}.NotResource", list(statement.not_resources), "Resource", _FIX)
    wide = [action for action in statement.actions if _is_wide(action)]
    if wide:
        wanted = "actions by name, without * for a whole service or at the end of a verb such as Put*"
        yield violated(resource, f"{place}.Action", wide, wanted, _FIX)
    everything = [arn for arn in statement.resources if _EVERYTHING.fullmatch(arn)]
    if not everything:
        yield from _handed_on(resource, place, statement)
        key_wide = [arn for arn in statement.resources if re.search(r":kms:[^:]*:[^:]*:(key/)?\*$", arn)]
        if key_wide and any(map(statement.covers, _DECRYPTION)):
            yield violated(resource, f"{place}.Resource", key_wide, "the ARNs of individual keys", _FIX)
        return
    allowed = cast("list[str]", settings["withoutResource"])
    unbounded = sorted(a for a in statement.actions if not any(matches_action(pattern, a) for pattern in allowed))
    if unbounded and not wide:
        named = ", ".join(everything)
        yield violated(resource, f"{place}.Resource", f"{named} for {', '.join(unbounded)}", "ARNs", _FIX)


def _handed_on(resource: Resource, place: str, statement: Statement) -> Iterator[Finding]:
    """Actions that, on every resource, expose the content or the rights of all roles, secrets or parameters of an
    account.
    """
    wide = [arn for arn in statement.resources if _EVERY_ONE.search(arn)]
    given = [a for a in statement.actions if any(matches_action(a, name) for name in _HANDED_ON)]
    if wide and given:
        found = f"{', '.join(wide)} for {', '.join(given)}"
        yield violated(resource, f"{place}.Resource", found, "the ARNs of individual resources", _FIX)


def _is_wide(action: str) -> bool:
    service, _, verb = action.partition(":")
    return (
        "*" in service
        or verb.startswith(("*", "?"))
        or not verb
        or (verb.endswith(("*", "?")) and not re.match(r"(get|list|describe)", verb, re.IGNORECASE))
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("iam.Role", *sorted({*_DOCUMENTS, *_ATTACHED})),
    controls=("IAM.1", "IAM.21", "KMS.1", "KMS.2"),
    schema=_SCHEMA,
)
