"""Quotas: the resources of the recorded graph fit in the account's quotas together with the account's current use.

Codes and names are those of Service Quotas (``aws service-quotas list-aws-default-service-quotas``). Left out because
no stack approaches them: log groups (1,000,000 per region) and Elastic IP addresses (a stack has none, or one in each
zone for external providers). A new account
can run 6 vCPUs on Fargate: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.account.lines import CannotTellError, Group, Line
from preflight.account.session import RefusedError
from preflight.ready.context import Part, ReadyContext
from preflight.ready.parts import needs
from preflight.ready.parts.needs import Need, Use

LOG_POLICIES = 10
"""Resource policies of CloudWatch Logs per account and region; not adjustable, and not in Service Quotas:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
ABSENT = ("NoSuchResourceException",)


@dataclass(frozen=True)
class Quota:
    """One quota of Service Quotas."""

    service: str
    code: str
    name: str
    need: Need
    use: Use
    region: str = ""
    """The region in which Service Quotas lists it, if it is not the stack's."""


QUOTAS = (
    Quota(
        "vpc",
        "L-F678F1CE",
        "VPCs per Region",
        needs.of("aws:ec2/vpc:Vpc"),
        needs.listed("ec2", "describe_vpcs", "Vpcs"),
    ),
    Quota(
        "vpc",
        "L-A4707A72",
        "Internet gateways per Region",
        needs.of("aws:ec2/internetGateway:InternetGateway"),
        needs.listed("ec2", "describe_internet_gateways", "InternetGateways"),
    ),
    Quota(
        "vpc",
        "L-E79EC296",
        "VPC security groups per Region",
        needs.of("aws:ec2/securityGroup:SecurityGroup"),
        needs.listed("ec2", "describe_security_groups", "SecurityGroups"),
    ),
    Quota("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", needs.rules_of_a_group, needs.nothing),
    Quota("vpc", "L-2AFB9258", "Security groups per network interface", needs.groups_of_an_interface, needs.nothing),
    Quota(
        "vpc",
        "L-29B6F2EB",
        "Interface VPC endpoints per VPC",
        needs.endpoints("Interface"),
        needs.interface_endpoints,
    ),
    Quota("vpc", "L-1B52E74A", "Gateway VPC endpoints per Region", needs.endpoints("Gateway"), needs.gateway_endpoints),
    Quota("vpc", "L-3248932A", "Characters per VPC endpoint policy", needs.endpoint_policy, needs.nothing),
    Quota(
        "vpc",
        "L-407747CB",
        "Subnets per VPC",
        needs.of("aws:ec2/subnet:Subnet"),
        needs.nothing,
    ),
    Quota(
        "vpc",
        "L-589F43AA",
        "Route tables per VPC",
        needs.of("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"),
        needs.nothing,
    ),
    Quota(
        "vpc",
        "L-B4A6D682",
        "Network ACLs per VPC",
        needs.of("aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"),
        needs.nothing,
    ),
    Quota(
        "vpc", "L-2AEEBF1A", "Rules per network ACL", needs.most(needs.RULE, "networkAclId", "egress"), needs.nothing
    ),
    Quota(
        "vpc",
        "L-DF5E4CA3",
        "Network interfaces per Region",
        needs.interfaces,
        needs.listed("ec2", "describe_network_interfaces", "NetworkInterfaces"),
    ),
    Quota(
        "elasticloadbalancing",
        "L-53DA6B97",
        "Application Load Balancers per Region",
        needs.of("aws:lb/loadBalancer:LoadBalancer"),
        needs.balancers,
    ),
    Quota(
        "elasticloadbalancing",
        "L-B22855CB",
        "Target Groups per Region",
        needs.of("aws:lb/targetGroup:TargetGroup"),
        needs.listed("elbv2", "describe_target_groups", "TargetGroups"),
    ),
    Quota(
        "elasticloadbalancing",
        "L-B6DF7632",
        "Listeners per Application Load Balancer",
        needs.of("aws:lb/listener:Listener"),
        needs.nothing,
    ),
    Quota(
        "elasticloadbalancing",
        "L-7EED9B64",
        "Rules per Application Load Balancer",
        needs.of("aws:lb/listenerRule:ListenerRule"),
        needs.nothing,
    ),
    Quota(
        "elasticloadbalancing",
        "L-9365A611",
        "Certificates per Application Load Balancer",
        needs.of("aws:lb/listenerCertificate:ListenerCertificate"),
        needs.nothing,
    ),
    Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", needs.processors, needs.running_processors),
    Quota(
        "rds",
        "L-952B80B8",
        "DB clusters",
        needs.of("aws:rds/cluster:Cluster"),
        needs.listed("rds", "describe_db_clusters", "DBClusters"),
    ),
    Quota(
        "rds",
        "L-7B6409FD",
        "DB instances",
        needs.instances,
        needs.listed("rds", "describe_db_instances", "DBInstances"),
    ),
    Quota("elasticache", "L-DFE45DF3", "Nodes per Region", needs.nodes, needs.cache_nodes),
    Quota(
        "secretsmanager",
        "L-2F66C23C",
        "Secrets",
        needs.secrets,
        needs.listed("secretsmanager", "list_secrets", "SecretList"),
    ),
    Quota(
        "kms",
        "L-C2F1777E",
        "Customer managed keys",
        needs.of("aws:kms/key:Key"),
        needs.listed("kms", "list_keys", "Keys"),
    ),
    Quota("wafv2", "L-2EC3DE7B", "Web ACLs per Region", needs.of("aws:wafv2/webAcl:WebAcl"), needs.firewalls),
    Quota(
        "events",
        "L-244521F2",
        "EventBridge rules",
        needs.of("aws:cloudwatch/eventRule:EventRule"),
        needs.listed("events", "list_rules", "Rules"),
    ),
    Quota(
        "acm",
        "L-F141DD1D",
        "ACM certificates",
        needs.of("aws:acm/certificate:Certificate"),
        needs.listed("acm", "list_certificates", "CertificateSummaryList"),
    ),
    Quota(
        "s3",
        "L-DC2B2D3D",
        "Buckets of the account",
        needs.of("aws:s3/bucket:Bucket"),
        needs.listed("s3", "list_buckets", "Buckets"),
        region="us-east-1",
    ),
)


def quotas(context: ReadyContext, group: Group) -> Iterator[Line]:
    """One line for each quota that the stack uses."""
    for quota in QUOTAS:
        need = quota.need(context.wanted)
        if not need:
            continue
        try:
            yield _evaluated(context, group, quota, need)
        except CannotTellError as error:
            yield group.cannot_tell(quota.name, f"the stack needs {need:g}; {error.reason}", error.fix)
        except RefusedError as error:
            yield group.cannot_tell(quota.name, f"the stack needs {need:g}; {error}", "run the command again")


def _evaluated(context: ReadyContext, group: Group, quota: Quota, need: float) -> Line:
    limit = _limit(context, quota)
    if limit is None:
        return group.cannot_tell(
            quota.name,
            f"the stack needs {need:g}; Service Quotas does not have {quota.code} here",
            f"check in the console that the quota allows {need:g} more: Service Quotas, {quota.service}",
        )
    increase = (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code}"
    )
    if quota.region:
        increase += f" --region {quota.region}"
    try:
        used = quota.use(context.account, context.wanted)
    except CannotTellError as error:
        if need > limit:
            return group.missing(
                quota.name, f"quota {limit:g}, the stack needs {need:g}", f"{increase} --desired-value {need:g}"
            )
        return group.cannot_tell(
            quota.name,
            f"quota {limit:g}, the stack needs {need:g}, the current use is unknown: {error.reason}",
            error.fix,
        )
    return group.holds(
        quota.name,
        used + need <= limit,
        f"quota {limit:g}, in use {used:g}, the stack needs {need:g}",
        f"{increase} --desired-value {used + need:g}",
    )


def _limit(context: ReadyContext, quota: Quota) -> float | None:
    """The account's quota: its applied value, or AWS's default if none was set."""
    for operation in ("get_service_quota", "get_aws_default_service_quota"):
        found = context.account.find(
            "service-quotas", operation, ABSENT, quota.region, ServiceCode=quota.service, QuotaCode=quota.code
        )
        if found is not None:
            return float(found["Quota"]["Value"])
    return None


def roles(context: ReadyContext, group: Group) -> Iterator[Line]:
    """IAM returns its quotas and their use in one response."""
    need = context.wanted.count("aws:iam/role:Role")
    summary = context.account.ask("iam", "get_account_summary")["SummaryMap"]
    limit, used = summary["RolesQuota"], summary["Roles"]
    yield group.holds(
        "IAM roles of the account",
        used + need <= limit,
        f"quota {limit}, in use {used}, the stack needs {need}",
        "request an increase of Roles per account: Service Quotas, IAM, in us-east-1",
    )


def log_policies(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The stack's resource policies of CloudWatch Logs fit; one of the same name is overwritten, not added."""
    wanted = {
        str(i["policyName"])
        for i in context.wanted.inputs("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
        if i.get("policyName") and not i.get("resourceArn")
    }
    found = context.account.every("logs", "describe_resource_policies", "resourcePolicies")
    others = {policy["policyName"] for policy in found} - wanted
    yield group.holds(
        "log resource policies",
        len(others | wanted) <= LOG_POLICIES,
        f"quota {LOG_POLICIES} (fixed), in use by others {len(others)}, the stack needs {len(wanted)}",
        "delete unused policies: aws logs describe-resource-policies, aws logs delete-resource-policy",
    )


PART = Part("quotas", (("quotas", quotas), ("IAM roles", roles), ("log resource policies", log_policies)))
