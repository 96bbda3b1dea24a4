"""Flow logs of the network's connections, without payload. Not a component, but part of ``PrivateNetwork``."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document, service_trust


def log_group_name(name: str, role: str) -> str:
    """A physical name that is unique in the account, because others refer to log groups by it."""
    return f"/{pulumi.get_project()}/{pulumi.get_stack()}/{name}/{role}"


def make_flow_logs(
    name: str,
    *,
    vpc_id: pulumi.Output[str] | None,
    subnet_ids: Mapping[str, str],
    account_id: str,
    region: str,
    retention_days: int,
    key_arn: pulumi.Output[str] | None,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Log the VPC's flows or, in an existing VPC, only those of the given subnets, by name. Returns the log group's name."""
    group = aws.cloudwatch.LogGroup(
        f"{name}-flow",
        name=log_group_name(name, "flow"),
        retention_in_days=retention_days,
        kms_key_id=key_arn,
        tags={**tags, "Name": f"{name}-flow"},
        opts=opts,
    )
    role = aws.iam.Role(
        f"{name}-flow",
        description="Lets VPC flow logs write to their log group",
        assume_role_policy=service_trust(
            "vpc-flow-logs.amazonaws.com",
            {
                "StringEquals": {SOURCE_ACCOUNT: [account_id]},
                "ArnLike": {SOURCE_ARN: [f"arn:aws:ec2:{region}:{account_id}:vpc-flow-log/*"]},
            },
        ),
        tags={**tags, "Name": f"{name}-flow"},
        opts=opts,
    )
    policy = aws.iam.RolePolicy(
        f"{name}-flow", role=role.name, policy=group.arn.apply(flow_log_writer_policy), opts=opts
    )
    written_by = pulumi.ResourceOptions(parent=opts.parent, depends_on=[policy])
    targets = (
        {"flow": (vpc_id, None)} if vpc_id is not None else {f"flow-{n}": (None, i) for n, i in subnet_ids.items()}
    )
    for role_name, (vpc, subnet) in targets.items():
        aws.ec2.FlowLog(
            f"{name}-{role_name}",
            vpc_id=vpc,
            subnet_id=subnet,
            traffic_type="ALL",
            max_aggregation_interval=60,
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={**tags, "Name": f"{name}-{role_name}"},
            opts=written_by,
        )
    return group.name


def flow_log_writer_policy(group_arn: str) -> str:
    """The flow-log role's permissions: write to its own group, and list groups, which AWS needs to find the group
    (https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html)."""
    write = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
    return policy_document(
        [
            Statement(sid="Find", actions=["logs:DescribeLogGroups"], resources=["*"]),
            Statement(sid="Write", actions=write, resources=[group_arn, f"{group_arn}:*"]),
        ]
    )
