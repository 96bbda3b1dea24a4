"""What the network writes down, and which names resolve in it."""

import json

from components.network import PrivateNetwork
from preflight.recording.recorder import record
from tests.components.edge_fixtures import ACCOUNT, REGION, named, network_args, recorded_network


def test_every_flow_is_logged_each_minute_by_a_role_that_only_this_account_s_flow_logs_may_take() -> None:
    recording = recorded_network()
    (flow,) = recording.of_type("aws:ec2/flowLog:FlowLog")
    role = named(recording, "network-flow", "aws:iam/role:Role")
    group = named(recording, "network-flow", "aws:cloudwatch/logGroup:LogGroup")

    assert {key: value for key, value in flow.inputs.items() if key != "tags"} == {
        "vpcId": named(recording, "network-vpc", "aws:ec2/vpc:Vpc").id,
        "trafficType": "ALL",
        "maxAggregationInterval": 60,
        "logDestinationType": "cloud-watch-logs",
        "logDestination": group.outputs["arn"],
        "iamRoleArn": role.outputs["arn"],
    }
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert (trust["Principal"], trust["Condition"]) == (
        {"Service": ["vpc-flow-logs.amazonaws.com"]},
        {
            "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
            "ArnLike": {"aws:SourceArn": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"]},
        },
    )
    find, grant = json.loads(named(recording, "network-flow", "aws:iam/rolePolicy:RolePolicy").inputs["policy"])[
        "Statement"
    ]
    assert (find["Action"], find["Resource"]) == (["logs:DescribeLogGroups"], ["*"])
    assert (grant["Action"], grant["Resource"]) == (
        ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [group.outputs["arn"], f"{group.outputs['arn']}:*"],
    )


def test_flow_and_dns_logs_are_kept_as_long_as_asked_and_encrypted_with_the_given_key() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    recording = record(lambda: PrivateNetwork("network", network_args(log_key_arn=key)))

    assert {
        group.name: (group.inputs["retentionInDays"], group.inputs["kmsKeyId"])
        for group in recording.of_type("aws:cloudwatch/logGroup:LogGroup")
    } == {"network-flow": (90, key), "network-dns": (90, key)}


def test_only_allowed_names_resolve_and_the_resolver_fails_closed() -> None:
    recording = recorded_network()
    lists = {
        r.id: r.inputs["domains"]
        for r in recording.of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")
    }
    rules = recording.of_type("aws:route53/resolverFirewallRule:ResolverFirewallRule")

    assert [
        (
            r.inputs["priority"],
            r.inputs["action"],
            lists[r.inputs["firewallDomainListId"]],
            r.inputs.get("blockResponse"),
            r.inputs.get("firewallDomainRedirectionAction"),
        )
        for r in sorted(rules, key=lambda r: r.inputs["priority"])
    ] == [
        (100, "ALLOW", ["login.example.com.", "logs.eu-west-1.amazonaws.com."], None, "TRUST_REDIRECTION_DOMAIN"),
        (200, "BLOCK", ["*."], "NXDOMAIN", None),
    ]
    group = named(recording, "network-dns", "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup")
    assert {r.inputs["firewallRuleGroupId"] for r in rules} == {group.id}
    (config,) = recording.of_type("aws:route53/resolverFirewallConfig:ResolverFirewallConfig")
    vpc = named(recording, "network-vpc", "aws:ec2/vpc:Vpc").id
    assert config.inputs == {"resourceId": vpc, "firewallFailOpen": "DISABLED"}
    (association,) = recording.of_type(
        "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
    )
    assert association.inputs["priority"] == 101  # AWS takes 101 to 9899, and 101 is asked first.
    assert (association.inputs["vpcId"], association.inputs["firewallRuleGroupId"]) == (vpc, group.id)


def test_every_dns_question_is_logged_before_the_network_is_used() -> None:
    recording = recorded_network()
    vpc = named(recording, "network-vpc", "aws:ec2/vpc:Vpc")
    log = named(recording, "network-dns", "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig")
    permission = named(recording, "network-dns", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
    association = named(
        recording, "network-dns", "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
    )

    group = named(recording, "network-dns", "aws:cloudwatch/logGroup:LogGroup").outputs["arn"]
    assert log.inputs["destinationArn"] == group
    assert association.inputs == {"resolverQueryLogConfigId": log.id, "resourceId": vpc.id}
    assert permission.urn in log.dependencies
