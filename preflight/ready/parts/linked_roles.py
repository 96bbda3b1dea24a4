"""Service-linked roles: each exists, or AWS creates it with the first resource and the deploy role allows that.

Names and principals: IAM user guide, "AWS services that work with IAM", and each service's page on its linked role,
for example https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html.
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.account.lines import Group, Line
from preflight.ready.context import Part, ReadyContext
from preflight.ready.wanted import Wanted, several, statements

ROLES = {
    "aws:appautoscaling/target:Target": (
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "ecs.application-autoscaling.amazonaws.com",
    ),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": (
        "AWSServiceRoleForBackupRestoreTesting",
        "restore-testing.backup.amazonaws.com",
    ),
    "aws:backup/selection:Selection": ("AWSServiceRoleForBackup", "backup.amazonaws.com"),
    "aws:ecs/cluster:Cluster": ("AWSServiceRoleForECS", "ecs.amazonaws.com"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("AWSServiceRoleForElastiCache", "elasticache.amazonaws.com"),
    "aws:lb/loadBalancer:LoadBalancer": (
        "AWSServiceRoleForElasticLoadBalancing",
        "elasticloadbalancing.amazonaws.com",
    ),
    "aws:rds/cluster:Cluster": ("AWSServiceRoleForRDS", "rds.amazonaws.com"),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": (
        "AWSServiceRoleForRoute53Resolver",
        "route53resolver.amazonaws.com",
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        "AWSServiceRoleForWAFV2Logging",
        "wafv2.amazonaws.com",
    ),
}
"""Type of a resource → the linked role that its service uses, and the service's principal."""


def deploy_may_create(wanted: Wanted) -> set[str]:
    """The services whose linked role bootstrap's deploy role may create."""
    found: set[str] = set()
    for resource, inputs in wanted.made_by_bootstrap("aws:iam/policy:Policy"):
        if f"{wanted.stack}-pipeline-deploy-" not in resource.name:
            continue
        for statement in statements(inputs["policy"]):
            if statement["Effect"] == "Allow" and "iam:CreateServiceLinkedRole" in several(statement.get("Action", [])):
                found |= set(
                    several(statement.get("Condition", {}).get("StringEquals", {}).get("iam:AWSServiceName", []))
                )
    return found


def roles(context: ReadyContext, group: Group) -> Iterator[Line]:
    """One line for each linked role that the graph's resources use."""
    allowed = deploy_may_create(context.wanted)
    for kind, (role, service) in sorted(ROLES.items(), key=lambda entry: entry[1]):
        if not context.wanted.count(kind):
            continue
        if context.account.find("iam", "get_role", ("NoSuchEntity",), RoleName=role):
            yield group.ok(role, "exists")
        elif service in allowed:
            yield group.ok(role, f"does not exist; AWS creates it with the first {kind.split('/')[0][4:]} resource")
        else:
            yield group.missing(
                role,
                f"does not exist, and the deploy role may not create it for {service}",
                f"aws iam create-service-linked-role --aws-service-name {service}",
            )


PART = Part("service-linked roles", (("linked roles", roles),))
