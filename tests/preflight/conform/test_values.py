"""AWS's published data allows every value in the real graphs, and faults of many kinds are found."""

from __future__ import annotations

import dataclasses
import importlib
import json

import pytest

from preflight.conform import cloudformation, service_models, values
from preflight.errors import PreflightError
from preflight.findings import Verdict
from preflight.sdk.wire import secret, unwrap
from tests.assembly.topologies import Shape
from tests.preflight.conform.graphs import (
    SAMPLE,
    STACKS,
    account,
    environment,
    graph,
    of_types,
    with_input,
    with_recorded_prompts,
)

GRAPHS: list[str | Shape] = [*STACKS, *(f"account {stack}" for stack in STACKS), *SAMPLE]
GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
CLUSTER, INSTANCE = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ACL, CACHE = "aws:wafv2/webAcl:WebAcl", "aws:elasticache/replicationGroup:ReplicationGroup"


@pytest.mark.parametrize("name", GRAPHS, ids=str)
def test_aws_takes_every_value(name: str | Shape) -> None:
    assert [(f.headline, f.found, f.wanted) for f in values.findings(graph(name))] == []


def test_aws_takes_every_value_where_prompts_are_recorded() -> None:
    assert [(f.headline, f.found, f.wanted) for f in values.findings(with_recorded_prompts())] == []


@pytest.mark.parametrize(
    ("token", "path", "value"),
    [
        (GROUP, ("description",), "The interface's tasks"),
        (RULE, ("description",), "The interface's tasks"),
        ("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", ("description",), "The team\u2019s"),
        (RULE, ("cidrIpv4",), "10.0.0.0/40"),
        ("aws:ec2/vpc:Vpc", ("cidrBlock",), "10.0.0.0/40"),
        ("aws:ec2/networkAclRule:NetworkAclRule", ("protocol",), "tcpp"),
        ("aws:ec2/flowLog:FlowLog", ("trafficType",), "EVERYTHING"),
        ("aws:ec2/vpcEndpoint:VpcEndpoint", ("vpcEndpointType",), "interface"),
        ("aws:route53/resolverFirewallRule:ResolverFirewallRule", ("action",), "DENY"),
        ("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList", ("name",), "x" * 65),
        ("aws:route53/resolverFirewallConfig:ResolverFirewallConfig", ("firewallFailOpen",), "CLOSED"),
        ("aws:lb/listenerRule:ListenerRule", ("priority",), 50001),
        ("aws:lb/listenerRule:ListenerRule", ("actions", 0, "type"), "authenticate-saml"),
        ("aws:lb/targetGroup:TargetGroup", ("healthCheck", "interval"), 301),
        ("aws:lb/loadBalancer:LoadBalancer", ("ipAddressType",), "ipv6"),
        (ACL, ("description",), "It is the operator's"),
        (ACL, ("rules", 0, "statement", "byteMatchStatement", "positionalConstraint"), "EXACT"),
        (ACL, ("rules", 0, "visibilityConfig", "metricName"), "a metric"),
        ("aws:ecs/service:Service", ("launchType",), "Fargate"),
        ("aws:appautoscaling/target:Target", ("scalableDimension",), "ecs:service:Count"),
        ("aws:appautoscaling/target:Target", ("resourceId",), ""),
        (CLUSTER, ("engineVersion",), "16.99"),
        (CLUSTER, ("backupRetentionPeriod",), 36),
        (CLUSTER, ("masterUsername",), "1owner"),
        (INSTANCE, ("instanceClass",), "db.serverles"),
        (INSTANCE, ("performanceInsightsRetentionPeriod",), 8),
        (CACHE, ("nodeType",), "cache.t4g.huge"),
        (CACHE, ("engineVersion",), "8.9"),
        (CACHE, ("numCacheClusters",), 7),
        ("aws:rds/clusterParameterGroup:ClusterParameterGroup", ("parameters", 0, "applyMethod"), "at once"),
        ("aws:s3/bucketVersioning:BucketVersioning", ("versioningConfiguration", "status"), "On"),
        ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", ("rules", 0, "status"), "On"),
        ("aws:backup/plan:Plan", ("rules", 0, "ruleName"), "x" * 51),
        ("aws:iam/role:Role", ("maxSessionDuration",), 60),
        ("aws:iam/role:Role", ("description",), "An em dash \u2014 which IAM refuses"),
        (
            "aws:iam/rolePolicy:RolePolicy",
            ("policy",),
            json.dumps({"Statement": [{"Effect": "Permit", "Action": "*"}]}),
        ),
        ("aws:iam/rolePolicy:RolePolicy", ("policy",), "no JSON"),
        ("aws:kms/key:Key", ("deletionWindowInDays",), 5),
        ("aws:kms/alias:Alias", ("name",), "ai-interface"),
        ("aws:secretsmanager/secret:Secret", ("description",), "x" * 2049),
        ("aws:cloudwatch/logGroup:LogGroup", ("retentionInDays",), 31),
        ("aws:cloudwatch/logGroup:LogGroup", ("name",), "/ai interface"),
        ("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", ("policyDocument",), "x" * 51201),
        (ALARM, ("comparisonOperator",), "GreaterThan"),
        (ALARM, ("alarmDescription",), "x" * 1025),
        ("aws:cloudwatch/eventRule:EventRule", ("description",), "x" * 513),
        ("aws:cloudwatch/eventTarget:EventTarget", ("inputTransformer", "inputTemplate"), "x" * 8193),
        ("aws:sns/topicSubscription:TopicSubscription", ("topic",), "operations"),
        ("aws:budgets/budget:Budget", ("timeUnit",), "WEEKLY"),
        ("aws:budgets/budget:Budget", ("name",), "models: all"),
        ("aws:bedrock/guardrail:Guardrail", ("name",), "ai interface"),
        ("aws:bedrock/guardrail:Guardrail", ("blockedInputMessaging",), "x" * 501),
        ("aws:acm/certificate:Certificate", ("validationMethod",), "HTTP-01"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("aws:") else None,
)
def test_a_planted_fault_is_found_where_it_is(token: str, path: tuple[str | int, ...], value: object) -> None:
    found = values.findings(with_input(of_types(environment("prod"), token), token, path, value))
    assert {f.headline.partition(" is refused")[0].rpartition(".")[2] for f in found} == {path[0]}
    assert {f.verdict for f in found} == {Verdict.VIOLATED}
    assert all("https://docs.aws.amazon.com/" in f.fix for f in found)


@pytest.mark.parametrize(
    ("token", "path", "value"),
    [
        ("aws:ecr/repository:Repository", ("name",), "ai-interface/Interface"),
        ("aws:ecr/lifecyclePolicy:LifecyclePolicy", ("policy",), "{}"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", ("url",), "x" * 256),
        ("aws:iam/policy:Policy", ("path",), "ai-interface"),
        ("aws:iam/policy:Policy", ("tags", "owner"), "x" * 257),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", ("policyArn",), "short"),
        ("aws:secretsmanager/secretPolicy:SecretPolicy", ("secretArn",), ""),
    ],
)
def test_a_planted_fault_in_an_account_is_found(token: str, path: tuple[str | int, ...], value: object) -> None:
    found = values.findings(with_input(of_types(account("prod"), token), token, path, value))
    assert {(f.rule, f.verdict) for f in found} == {(values.RULE, Verdict.VIOLATED)}
    assert {f.headline.partition(" is refused")[0].rpartition(".")[2] for f in found} == {path[0]}


def test_the_same_fault_in_two_resources_is_two_findings() -> None:
    recording = of_types(environment("prod"), GROUP)
    resources = [
        dataclasses.replace(r, inputs={**r.inputs, "description": "The team's"}) if r.type == GROUP else r
        for r in recording.resources
    ]
    groups = [r.urn for r in recording.resources if r.type == GROUP]
    found = values.findings(dataclasses.replace(recording, resources=resources))
    assert [f.urn for f in found] == groups
    assert len(groups) == len(set(groups)) == 7


def test_rules_of_cfn_lint_about_two_values_and_two_resources_apply() -> None:
    subnet, vpc, task = "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc", "aws:ecs/taskDefinition:TaskDefinition"
    recording = of_types(environment("prod"), subnet, vpc, task)
    blocks = [r.inputs["cidrBlock"] for r in recording.of_type(subnet)]
    faults = {
        "E3047": with_input(recording, task, ("memory",), "8193"),
        "E3048": with_input(recording, task, ("cpu",), "3072"),
        "E3059": with_input(recording, subnet, ("cidrBlock",), "192.168.0.0/24"),
        "E3060": with_input(recording, subnet, ("cidrBlock",), blocks[-1]),
    }
    for rule, faulty in faults.items():
        assert f"({rule} of cfn-lint)" in " ".join(f.headline for f in values.findings(faulty))


def test_a_missing_property_that_aws_requires_is_found() -> None:
    recording = with_input(of_types(environment("prod"), RULE), RULE, ("ipProtocol",), None)
    assert {f.wanted.partition(": ")[2] for f in values.findings(recording)} == {"'IpProtocol' is a required property"}


def test_a_resource_in_another_region_is_held_against_that_region() -> None:
    token = "aws:bedrock/guardrail:Guardrail"
    recording = with_input(of_types(environment("prod"), token), token, ("region",), "ap-southeast-5")
    (guardrail,) = recording.of_type(token)
    assert values.region_of(recording, guardrail) == "ap-southeast-5"
    found = [f for f in values.findings(recording) if f.urn == guardrail.urn]
    missing = cloudformation.schema("AWS::Bedrock::Guardrail", "ap-southeast-5") == {}
    assert bool(found) == missing


def test_a_region_that_the_data_does_not_know_is_one_clear_message() -> None:
    recording = of_types(environment("prod"), GROUP)
    provider = "pulumi:providers:aws"
    with pytest.raises(PreflightError, match=r"no schemas of the region mars-north-1.*change aws:region"):
        values.findings(with_input(recording, provider, ("region",), "mars-north-1"))


def test_a_type_without_a_translation_is_not_proven() -> None:
    recording = of_types(environment("prod"), GROUP)
    first = next(r for r in recording.resources if r.type == GROUP)
    other = dataclasses.replace(first, type="aws:kinesis/stream:Stream", urn=f"{first.urn}-stream")
    found = values.findings(dataclasses.replace(recording, resources=[*recording.resources, other]))
    assert [(f.verdict, f.found) for f in found] == [(Verdict.NOT_PROVEN, "aws:kinesis/stream:Stream")]


@pytest.mark.parametrize("value", ["hunter2\n'quoted'", "x" * 4000])
def test_a_secret_is_checked_and_never_shown(value: str) -> None:
    token, path = "aws:elasticache/replicationGroup:ReplicationGroup", ("description",)
    recording = with_input(of_types(environment("prod"), token), token, path, secret([value]))
    found = [f for f in values.findings(recording) if ".description" in f.headline]
    assert found
    for finding in found:
        assert finding.found == "[secret]"
        shown = json.dumps(dataclasses.asdict(finding))
        assert value not in shown
        assert json.dumps(value)[1:-1] not in shown
        assert repr(value)[1:-1] not in shown


def test_the_secrets_of_a_graph_are_in_no_finding_about_their_resources() -> None:
    recording = of_types(environment("prod"), "aws:lb/listenerRule:ListenerRule")
    rule = next(r for r in recording.of_type("aws:lb/listenerRule:ListenerRule") if len(r.inputs["actions"]) > 1)
    hidden = unwrap(rule.inputs["actions"][0]["authenticateOidc"]["clientSecret"])
    actions = [{**rule.inputs["actions"][0], "order": 0}, *rule.inputs["actions"][1:]]
    resources = [
        dataclasses.replace(r, inputs={**r.inputs, "actions": actions}) if r.urn == rule.urn else r
        for r in recording.resources
    ]
    found = values.findings(dataclasses.replace(recording, resources=resources))
    assert {f.urn for f in found} == {rule.urn}
    assert hidden not in json.dumps([dataclasses.asdict(f) for f in found])


@pytest.mark.parametrize(
    ("missing", "forget"),
    [("cfnlint", cloudformation.forget), ("botocore", service_models.forget)],
)
def test_a_missing_package_is_one_message_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, missing: str, forget: object
) -> None:
    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> object:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, package)

    recording = of_types(environment("prod"), GROUP)
    assert callable(forget)
    forget()
    monkeypatch.setattr(importlib, "import_module", absent)
    try:
        with pytest.raises(PreflightError, match=rf"^{missing} is not installed.*run make setup in a checkout"):
            values.findings(recording)
    finally:
        monkeypatch.undo()
        forget()
