"""The on-call engineer's role in one environment: it reads what the runbook reads, and changes nothing.

``docs/runbook.md`` has the commands; ``tests/bootstrap/test_on_call.py`` fails if one of them needs an action that is not in
``MAY``. The role reads no secret value, prompt, upload, row or object: the boundary denies that even if another policy is
attached to it. It cannot read the load balancer's access log either, whose request lines may contain what a user wrote; its
readers are ``edge.logReaderArns`` of the environment.
"""

import pulumi
import pulumi_aws as aws

from bootstrap.role_actions import qualified
from bootstrap.role_scope import OBJECTS, PIPELINE_PATH, PROJECT, Scope
from components.args import Args
from components.common.iam import Effect, Statement, policy_document

SESSION_SECONDS = 3600
"""How long the credentials last, in seconds: an incident that lasts longer needs another sign-in."""

MAY = {
    "acm": ["DescribeCertificate"],
    "application-autoscaling": [
        "DescribeScalableTargets",
        "DescribeScalingActivities",
        "DescribeScalingPolicies",
    ],
    "arc-zonal-shift": ["GetManagedResource", "ListZonalShifts"],
    "backup": [
        "DescribeBackupJob",
        "DescribeBackupVault",
        "DescribeRegionSettings",
        "DescribeRestoreJob",
        "GetRestoreTestingPlan",
        "ListBackupJobs",
        "ListBackupPlans",
        "ListBackupVaults",
        "ListRecoveryPointsByBackupVault",
        "ListRestoreJobs",
    ],
    "bedrock": ["GetFoundationModelAvailability"],
    "cloudtrail": ["LookupEvents"],
    "cloudwatch": [
        "DescribeAlarmHistory",
        "DescribeAlarms",
        "GetMetricData",
        "GetMetricStatistics",
        "ListMetrics",
    ],
    "ec2": [
        "DescribeAvailabilityZones",
        "DescribeNatGateways",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcEndpoints",
        "DescribeVpcs",
    ],
    "ecr": ["DescribeImages"],
    "ecs": [
        "DescribeClusters",
        "DescribeServiceDeployments",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ListClusters",
        "ListServiceDeployments",
        "ListServices",
        "ListTasks",
    ],
    "elasticache": ["DescribeCacheClusters", "DescribeEvents", "DescribeReplicationGroups"],
    "elasticloadbalancing": [
        "DescribeListeners",
        "DescribeLoadBalancers",
        "DescribeRules",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
    ],
    "logs": ["DescribeLogGroups", "DescribeQueryDefinitions", "GetQueryResults", "StopQuery"],
    "pi": ["DescribeDimensionKeys", "GetResourceMetrics"],
    "rds": ["DescribeDBClusters", "DescribeDBInstances", "DescribeEvents", "DescribePendingMaintenanceActions"],
    "scheduler": ["GetSchedule"],
    "secretsmanager": ["DescribeSecret", "ListSecretVersionIds", "ListSecrets"],
    "servicequotas": ["GetServiceQuota", "ListServiceQuotas"],
    "sqs": ["ListQueues"],
    "tag": ["GetResources"],
    "wafv2": ["GetWebACL", "GetWebACLForResource", "ListWebACLs"],
}
"""IAM prefix of a service → actions. The names of resources are not known beforehand, so they apply to the region."""
READ_LOGS = ["FilterLogEvents", "GetLogEvents", "GetLogGroupFields", "StartQuery", "DescribeLogStreams"]
"""On the environment's log groups, whose lines contain no content."""

READ_QUEUES = ["ReceiveMessage"]
"""On the queues of undelivered messages, which hold what EventBridge could not deliver: the text of an alarm."""


def queues(scope: Scope) -> list[str]:
    """ARN patterns of the queues of undelivered messages (``components.monitoring.events``). Their names do not have the
    environment: an account with two environments has the same pattern for both."""
    return [scope.of("sqs", "*-undelivered-*")]


def log_groups(scope: Scope) -> list[str]:
    """ARN patterns of the environment's logs that the runbook reads. The database's ``postgresql`` log is not one of them: it may
    quote a statement."""
    names = (
        f"/{PROJECT}/{scope.environment}/*",
        f"aws-waf-logs-{PROJECT}-{scope.environment}-firewall",
        f"/aws/rds/cluster/{PROJECT}-{scope.environment}*/iam-db-auth-error",
    )
    return [scope.of("logs", f"log-group:{name}:*") for name in names]


def on_call_policy(scope: Scope) -> str:
    """State, metrics and the logs of the environment."""
    return policy_document(
        [
            Statement(sid="ReadStateAndMetrics", actions=qualified(MAY), resources=["*"], conditions=scope.in_region),
            Statement(sid="ReadOwnLogs", actions=[f"logs:{one}" for one in READ_LOGS], resources=log_groups(scope)),
            Statement(
                sid="ReadUndeliveredMessages", actions=[f"sqs:{one}" for one in READ_QUEUES], resources=queues(scope)
            ),
            # Performance Insights encrypts what it measures with the database's key
            # (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.access-control.html).
            Statement(
                sid="ReadLoadOfOwnDatabases",
                actions=["kms:Decrypt"],
                resources=[scope.of("kms", "key/*")],
                conditions={
                    "StringEquals": {
                        **scope.tagged,
                        "kms:EncryptionContext:aws:pi:service": ["rds"],
                        "kms:ViaService": [f"rds.{scope.region}.amazonaws.com"],
                    }
                },
            ),
        ]
    )


def on_call_boundary(scope: Scope) -> str:
    """The permissions boundary: these actions in this region, and never content, even if another policy is attached to the role."""
    return policy_document(
        [
            Statement(
                sid="OnlyWhatTheRunbookReads",
                actions=sorted(
                    [
                        *qualified(MAY),
                        *(f"logs:{one}" for one in READ_LOGS),
                        *(f"sqs:{one}" for one in READ_QUEUES),
                        "kms:Decrypt",
                    ]
                ),
                resources=["*"],
                conditions=scope.in_region,
            ),
            Statement(
                sid="NotContent",
                effect=Effect.DENY,
                actions=[
                    "ecs:ExecuteCommand",
                    "logs:Unmask",
                    "rds:DownloadCompleteDBLogFile",
                    "rds:DownloadDBLogFilePortion",
                    "secretsmanager:BatchGetSecretValue",
                    "secretsmanager:GetSecretValue",
                    *OBJECTS,
                ],
                resources=["*"],
            ),
            Statement(
                sid="NoOtherLogs",
                effect=Effect.DENY,
                actions=["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"],
                not_resources=log_groups(scope),
            ),
            Statement(
                sid="NoOtherQueues",
                effect=Effect.DENY,
                actions=[f"sqs:{one}" for one in READ_QUEUES],
                not_resources=queues(scope),
            ),
        ]
    )


def on_call_trust(account_id: str, principals: list[str]) -> str:
    """Principals of this account whose ARN matches one of the patterns may assume the role."""
    return policy_document(
        [
            Statement(
                sid="AssumedByOnCall",
                actions=["sts:AssumeRole"],
                principals={"AWS": [f"arn:aws:iam::{account_id}:root"]},
                conditions={"ArnLike": {"aws:PrincipalArn": principals}},
            )
        ]
    )


class OnCallRoleArgs(Args):
    """Arguments of ``OnCallRole``."""

    environment: str
    region: str
    account_id: str
    principals: list[str]
    """ARN patterns of the roles that may assume it, for example those of IAM Identity Center:
    ``arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*``."""
    tags: dict[str, str]


class OnCallRole(pulumi.ComponentResource):
    """The role ``ai-interface-<environment>-on-call``, its policy and its boundary."""

    role_arn: pulumi.Output[str]
    """Assumed by the on-call engineer."""

    def __init__(self, name: str, args: OnCallRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = OnCallRoleArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:OnCallRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        scope = Scope(args.account_id, args.region, args.environment)
        physical = f"ai-interface-{args.environment}-on-call"
        boundary, policy = (
            aws.iam.Policy(
                f"{name}-{part}",
                name=f"{physical}-{part}",
                path=PIPELINE_PATH,
                policy=document,
                tags=args.tags,
                opts=child,
            )
            for part, document in (("boundary", on_call_boundary(scope)), ("read", on_call_policy(scope)))
        )
        role = aws.iam.Role(
            f"{name}-role",
            # People write it into their AWS profiles. The path keeps the deploy role from changing it.
            name=physical,
            path=PIPELINE_PATH,
            description=f"on-call of {args.environment}: reads what the runbook reads",
            assume_role_policy=on_call_trust(args.account_id, args.principals),
            permissions_boundary=boundary.arn,
            max_session_duration=SESSION_SECONDS,
            tags=args.tags,
            opts=child,
        )
        aws.iam.RolePolicyAttachment(f"{name}-read", role=role.id, policy_arn=policy.arn, opts=child)
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})
