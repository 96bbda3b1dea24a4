"""Each role passed to an AWS service trusts that service and has the permissions that the service needs.

A service cannot assume a role that does not trust it, and a role without permissions usually means that its policy is
attached to another role.

The policy checks roles of this stack; a task role may have no policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import grants, service_of

_TASKS = "ecs-tasks.amazonaws.com"
_GIVEN = {
    "backup.RestoreTestingSelection": (("iamRoleArn", "backup.amazonaws.com"),),
    "backup.Selection": (("iamRoleArn", "backup.amazonaws.com"),),
    "cloudwatch.EventTarget": (("roleArn", "events.amazonaws.com"),),
    "codebuild.Project": (("serviceRole", "codebuild.amazonaws.com"),),
    "ec2.FlowLog": (("iamRoleArn", "vpc-flow-logs.amazonaws.com"),),
    "ecs.TaskDefinition": (("executionRoleArn", _TASKS), ("taskRoleArn", _TASKS)),
    "eks.Cluster": (("roleArn", "eks.amazonaws.com"),),
    "iam.InstanceProfile": (("role", "ec2.amazonaws.com"),),
    "lambda.Function": (("role", "lambda.amazonaws.com"),),
    "rds.Cluster": (("monitoringRoleArn", "monitoring.rds.amazonaws.com"),),
    "rds.ClusterInstance": (("monitoringRoleArn", "monitoring.rds.amazonaws.com"),),
    "rds.Instance": (("monitoringRoleArn", "monitoring.rds.amazonaws.com"),),
    "scheduler.Schedule": (("target.roleArn", "scheduler.amazonaws.com"),),
    "sfn.StateMachine": (("roleArn", "states.amazonaws.com"),),
}
_EXECUTION = "executionRoleArn"
_HOLDS = {
    _EXECUTION: ("ecr", "ecr-public", "kms", "logs", "s3", "secretsmanager", "ssm", "sts"),
    "backup.amazonaws.com": (
        "backup", "backup-storage", "cloudformation", "cloudwatch", "dynamodb", "ec2", "elasticfilesystem", "events",
        "fsx", "kms", "rds", "redshift", "redshift-serverless", "s3", "ssm", "storagegateway", "tag", "timestream",
    ),
    "monitoring.rds.amazonaws.com": ("logs",),
    "vpc-flow-logs.amazonaws.com": ("firehose", "logs"),
}  # fmt: skip
"""Services and roles with a single purpose, and the services whose actions it needs."""
_KEYS = ("arn", "id", "name")
_FIX = "give each service the role whose trust policy names it, and attach the service's policy to that role"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each role that a resource passes to a service."""
    for resource in graph.of_type(*_GIVEN):
        for path, service in _GIVEN[resource.kind]:
            if resource.value(path) is None:
                continue
            for role in graph.referenced(resource, path, ("iam.Role",), _KEYS):
                yield from _trust(resource, path, role, service)
                yield from _held(graph, role, path if path in _HOLDS else service, may_be_empty=path == "taskRoleArn")


def _trust(resource: Resource, path: str, role: Resource, service: str) -> Iterator[Finding]:
    trust = document_at(role, "assumeRolePolicy")
    wanted = f"a role that trusts {service}"
    if trust.unknown is not None:
        yield not_proven(resource, path, [f"{role.label}.assumeRolePolicy"], wanted, _FIX)
    elif trust.known:
        trusted = {service_of(who) for item in grants(trust) for who in item.principals}
        if service not in trusted:
            yield violated(resource, path, role.name, wanted, _FIX, what="uses a role that does not trust the service")


def _held(graph: Graph, role: Resource, purpose: str, *, may_be_empty: bool) -> Iterator[Finding]:
    policies = referring(graph, role, "role", "iam.RolePolicy", "iam.RolePolicyAttachment", keys=_KEYS)
    inside = [role.value(path) for path in ("inlinePolicies", "managedPolicyArns")]
    unknown = [value for value in inside if isinstance(value, Unknown)]
    inline = [value not in (None, []) for value in inside if not isinstance(value, Unknown)]
    if unknown and not (policies or any(inline) or may_be_empty):
        yield not_proven(role, "", unknown, "a policy with the actions that the service needs", _FIX)
    elif not (policies or any(inline) or may_be_empty):
        yield violated(
            role, "", "no policy", "a policy with the actions that the service needs", _FIX, what="has no permissions"
        )
    for policy in policies if purpose in _HOLDS else ():
        held = document_at(policy, "policy")
        if not held.known:
            continue
        actions = {action.partition(":")[0].lower() for item in grants(held) for action in item.actions}
        beyond = sorted(actions - set(_HOLDS[purpose]))
        if beyond:
            wanted = f"actions of {', '.join(_HOLDS[purpose])}"
            yield violated(
                policy, "policy", ", ".join(beyond), wanted, _FIX, what="grants a service actions that it does not need"
            )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=tuple(sorted(_GIVEN)),
    unknown_blocks=False,
)
