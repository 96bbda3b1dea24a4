"""VPC, security groups, network ACLs, endpoints and DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.conform.documented.model import (
    BrokenConstraint,
    Constraint,
    DocumentedRule,
    Entries,
    Number,
    Shared,
    Text,
)
from preflight.recording.recorder import Recording

GROUP, INGRESS, EGRESS = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)
ACL, ACL_RULE = "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/networkAclRule:NetworkAclRule"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"

VPC_QUOTAS = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
ENDPOINT_QUOTAS = "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html"
CROSS_REGION = "https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-cross-region-privatelink-support.html"
DNS_QUOTAS = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html"
PRINTABLE = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*"
CROSS_REGION_SERVICES = frozenset(
    {"s3", "ecr.api", "ecr.dkr", "kms", "kms-fips", "ecs", "lambda", "kinesis-firehose", "kinesisanalytics",
     "kinesisanalytics-fips"}
)  # fmt: skip
"""Services that an endpoint may reach in another region: the last part of ``com.amazonaws.<region>.<service>``."""


def _weight(recording: Recording, rule: Mapping[str, Any]) -> int:
    """A rule counts once; one with a customer-managed prefix list counts as the list's maximum number of entries."""
    name = rule.get("prefixListId")
    for known in recording.of_type(PREFIX_LIST) if name else ():
        if known.id == name:
            return int(known.inputs.get("maxEntries") or 1)
    return 1


def _elsewhere(recording: Recording) -> Iterator[BrokenConstraint]:
    """Interface endpoints to a service in another region, of AWS or (``com.amazonaws.vpce``) of another account."""
    for endpoint in recording.of_type(ENDPOINT):
        named = re.fullmatch(
            r"com\.amazonaws\.(?:vpce\.)?([a-z0-9-]+)\.(.+)", str(endpoint.inputs.get("serviceName", ""))
        )
        own = endpoint.inputs.get("region") or endpoint.outputs.get("region")
        if named and own:
            region, service = endpoint.inputs.get("serviceRegion") or named[1], named[2]
            if region != own and service not in CROSS_REGION_SERVICES:
                yield BrokenConstraint(endpoint, "serviceName", f"{service} of {region} from {own}")


def _same_numbers(recording: Recording) -> Iterator[BrokenConstraint]:
    taken: set[tuple[str, bool, int]] = set()
    for rule in recording.of_type(ACL_RULE):
        key = (str(rule.inputs.get("networkAclId")), bool(rule.inputs.get("egress")), int(rule.inputs["ruleNumber"]))
        if key in taken:
            yield BrokenConstraint(rule, "ruleNumber", str(key[2]))
        taken.add(key)


CONSTRAINTS: tuple[Constraint, ...] = (
    Text(
        name="security-group-description",
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
        wanted="1 to 255 of a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{}!$*",
        fix="remove all other characters from the description, for example apostrophes",
        types={GROUP: ("description", "=name")},
        pattern=PRINTABLE,
        most=255,
    ),
    Text(
        name="security-group-rule-description",
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html",
        wanted="at most 255 of a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{}!$*",
        fix="remove all other characters from the description, for example apostrophes",
        types={INGRESS: ("description",), EGRESS: ("description",)},
        pattern=PRINTABLE,
        most=255,
    ),
    Shared(
        name="security-group-inbound-rules",
        source=VPC_QUOTAS,
        wanted="at most 60 inbound rules of one security group, a prefix list counting as its maximum number of entries",
        fix="merge blocks, or request a higher quota before the deployment",
        type=INGRESS,
        owner="securityGroupId",
        most=60,
        weight=_weight,
    ),
    Shared(
        name="security-group-outbound-rules",
        source=VPC_QUOTAS,
        wanted="at most 60 outbound rules of one security group, a prefix list counting as its maximum number of entries",
        fix="merge blocks, or request a higher quota before the deployment",
        type=EGRESS,
        owner="securityGroupId",
        most=60,
        weight=_weight,
    ),
    Entries(
        name="security-groups-per-interface",
        source=VPC_QUOTAS,
        wanted="at most 5 security groups of one network interface",
        fix="move rules into fewer groups",
        types={
            "aws:ecs/service:Service": ("networkConfiguration.securityGroups",),
            "aws:lb/loadBalancer:LoadBalancer": ("securityGroups",),
            ENDPOINT: ("securityGroupIds",),
            "aws:rds/cluster:Cluster": ("vpcSecurityGroupIds",),
            "aws:elasticache/replicationGroup:ReplicationGroup": ("securityGroupIds",),
        },
        most=5,
    ),
    Shared(
        name="network-acl-inbound-entries",
        source=VPC_QUOTAS,
        wanted="at most 19 entries in each direction: the quota of 20 includes the default deny entry",
        fix="merge entries, or request a higher quota before the deployment",
        type=ACL_RULE,
        owner="networkAclId",
        most=19,
        only=lambda rule: rule.get("egress") is not True,
    ),
    Shared(
        name="network-acl-outbound-entries",
        source=VPC_QUOTAS,
        wanted="at most 19 entries in each direction: the quota of 20 includes the default deny entry",
        fix="merge entries, or request a higher quota before the deployment",
        type=ACL_RULE,
        owner="networkAclId",
        most=19,
        only=lambda rule: rule.get("egress") is True,
    ),
    Number(
        name="network-acl-entry-number",
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html",
        wanted="a number from 1 to 32766",
        fix="number the entry within the range",
        types={ACL_RULE: ("ruleNumber",)},
        least=1,
        most=32766,
    ),
    DocumentedRule(
        name="network-acl-entry-numbers-differ",
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html",
        wanted="a number that no other entry of the ACL and direction has",
        fix="give the entry an unused number",
        find=_same_numbers,
    ),
    DocumentedRule(
        name="endpoint-service-region",
        source=CROSS_REGION,
        wanted="a service of the endpoint's own region, or one that AWS lists as reachable from other regions",
        fix="use the service of the stack's own region; for Bedrock, a cross-region inference profile",
        find=_elsewhere,
    ),
    Text(
        name="endpoint-policy-size",
        source=ENDPOINT_QUOTAS,
        wanted="at most 20480 characters, white space included",
        fix="name fewer resources, or use a prefix with a wildcard",
        types={ENDPOINT: ("policy",)},
        most=20480,
    ),
    Shared(
        name="interface-endpoints-per-vpc",
        source=ENDPOINT_QUOTAS,
        wanted="at most 50 interface endpoints in one VPC",
        fix="remove endpoints, or request a higher quota before the deployment",
        type=ENDPOINT,
        owner="vpcId",
        most=50,
        only=lambda endpoint: endpoint.get("vpcEndpointType") == "Interface",
    ),
    Shared(
        name="vpcs-per-region",
        source=VPC_QUOTAS,
        wanted="at most 5 VPCs in one region",
        fix="request a higher quota before the deployment",
        type="aws:ec2/vpc:Vpc",
        most=5,
    ),
    Shared(
        name="dns-firewall-rules-per-group",
        source=DNS_QUOTAS,
        wanted="at most 100 rules in one DNS Firewall rule group",
        fix="merge domain lists",
        type="aws:route53/resolverFirewallRule:ResolverFirewallRule",
        owner="firewallRuleGroupId",
        most=100,
    ),
    Shared(
        name="dns-firewall-groups-per-vpc",
        source=DNS_QUOTAS,
        wanted="at most 5 DNS Firewall rule groups on one VPC",
        fix="merge the rule groups",
        type="aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation",
        owner="vpcId",
        most=5,
    ),
    Text(
        name="dns-firewall-domain",
        source="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-domain-lists.html",
        wanted="a name of at most 255 letters, digits, -, _ and dots, with * alone or as its first label only",
        fix="use * only before the first dot, or not at all",
        types={DOMAINS: ("domains[]",)},
        pattern=r"\*\.?|(\*\.)?([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?",
        most=255,
    ),
)
