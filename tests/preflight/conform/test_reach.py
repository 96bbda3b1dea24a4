"""``conform-reach``: all calls of the real stacks succeed, and a blocked call is found for every cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from policies.guardrails.topology.graph.resources import Graph
from preflight.conform.reach import RULE, findings
from preflight.conform.reaching.calls import calls
from preflight.findings import Finding, Verdict
from preflight.sdk.wire import UNKNOWN, unwrap
from tests.assembly.profiles import offering
from tests.assembly.test_upstreams_have_names import private
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape, recorded
from tests.bootstrap.program import run_bootstrap
from tests.database.deployed import STACKS, Deployed, deployed, deployed_with_settings
from tests.preflight.conform.editing import (
    Edit,
    Inputs,
    denied_first,
    edited,
    in_container,
    in_statement,
    with_ports,
    with_text,
    with_value,
    with_variable,
    without,
)
from tests.settings.stack_files import own_values, parse

TASK = "aws:ecs/taskDefinition:TaskDefinition"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"

VIRGINIA, MILAN = ELSEWHERE
REGIONS = [*ELSEWHERE, *(replace(VIRGINIA, region=region) for region in ("af-south-1", "me-central-1"))]
"""The region with global names, and opt-in regions, whose names differ."""
TOPOLOGIES = [shape for shape in SHAPES if shape.zones == 2 and shape.hosted_zone]


@dataclass(frozen=True)
class Planted:
    """One fault, and the part of the finding that identifies it."""

    type: str
    name: str
    edit: Edit
    headline: str
    found: str


BLOCKED = "the client resolves a name that the DNS Firewall blocks"
UNANSWERED = "the client calls a host that does not exist in the network"
REFUSED = "a policy denies the client's request"
UNCONNECTED = "the task cannot connect to the host that it calls"
FAULTS = {
    "accelerated uploads": Planted(
        TASK,
        "service-task",
        with_variable("S3_USE_ACCELERATE_ENDPOINT", "true"),
        BLOCKED,
        ".s3-accelerate.amazonaws.com",
    ),
    "names for both families": Planted(
        TASK, "service-task", with_variable("AWS_USE_DUALSTACK_ENDPOINT", "true"), BLOCKED, ".s3.dualstack.eu-west-1."
    ),
    "FIPS names": Planted(
        TASK, "service-task", with_variable("AWS_USE_FIPS_ENDPOINT", "true"), BLOCKED, ".s3-fips.eu-west-1."
    ),
    "a bucket elsewhere": Planted(
        TASK, "service-task", with_variable("S3_REGION_NAME", "eu-central-1"), BLOCKED, ".s3.eu-central-1.amazonaws.com"
    ),
    "another server for uploads": Planted(
        TASK,
        "service-task",
        with_variable("S3_ENDPOINT_URL", "https://minio.example.com"),
        BLOCKED,
        "minio.example.com",
    ),
    "a log elsewhere": Planted(
        TASK,
        "service-task",
        in_container("prepare", lambda c: c["logConfiguration"]["options"].update({"awslogs-region": "us-east-1"})),
        BLOCKED,
        "logs.us-east-1.amazonaws.com",
    ),
    "an image of a public registry": Planted(
        TASK,
        "service-task",
        in_container("proxy", with_value("image", "docker.io/envoyproxy/envoy:v1.39.1")),
        BLOCKED,
        "docker.io",
    ),
    "a model server that is not declared": Planted(
        TASK,
        "service-task",
        in_container("proxy", with_text("bedrock-runtime.eu-west-1", "bedrock-runtime.us-east-1", "command")),
        BLOCKED,
        "bedrock-runtime.us-east-1.amazonaws.com",
    ),
    "a model that the role may not call": Planted(
        "aws:iam/rolePolicy:RolePolicy",
        "models-task-policy",
        in_statement("policy", "InvokeListedModelseuwest1", lambda s: s["Resource"].pop()),
        REFUSED,
        "taskRoleArn does not allow bedrock:InvokeModel on arn:aws:bedrock:eu-west-1::foundation-model/",
    ),
    "a guardrail that the endpoint does not know": Planted(
        ENDPOINT,
        "endpoints-bedrock-runtime-eu-west-1",
        with_text(":guardrail/", ":guardrail/other", "policy"),
        REFUSED,
        "the policy of ec2.VpcEndpoint endpoints-bedrock-runtime-eu-west-1 does not allow bedrock:",
    ),
    "a database that is not the stack's": Planted(
        TASK,
        "service-task",
        with_variable("DATABASE_HOST", "other.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com"),
        UNANSWERED,
        "other.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
    ),
    "a list without the cache": Planted(
        DOMAINS,
        "network-dns-allowed",
        with_text("cache.amazonaws.com", "cache.example.com", "domains"),
        BLOCKED,
        ".cache.",
    ),
    "a list without the logs": Planted(
        DOMAINS,
        "network-dns-allowed",
        with_text("logs.eu-west-1", "logs.eu-west-2", "domains"),
        BLOCKED,
        "logs.eu-west-1.",
    ),
    "an endpoint without names": Planted(
        ENDPOINT,
        "endpoints-secretsmanager",
        with_value("privateDnsEnabled", False),
        UNANSWERED,
        "secretsmanager.eu-west-1.",
    ),
    "an endpoint for another service": Planted(
        ENDPOINT,
        "endpoints-ecr-api",
        with_value("serviceName", "com.amazonaws.eu-west-1.ecr.dkr"),
        UNANSWERED,
        "api.ecr.eu-west-1.",
    ),
    "a gateway that ends uploads half way": Planted(
        ENDPOINT,
        "endpoints-s3",
        in_statement("policy", "OwnObjects", without("Action", "s3:AbortMultipartUpload")),
        REFUSED,
        "the policy of ec2.VpcEndpoint endpoints-s3 does not allow s3:AbortMultipartUpload",
    ),
    "a gateway without image layers": Planted(
        ENDPOINT,
        "endpoints-s3",
        in_statement(
            "policy",
            "ImageLayers",
            with_value("Condition", {"StringEquals": {"aws:PrincipalAccount": ["111122223333"]}}),
        ),
        REFUSED,
        "does not allow s3:GetObject on arn:aws:s3:::prod-eu-west-1-starport-layer-bucket",
    ),
    "a role without the key": Planted(
        "aws:iam/rolePolicy:RolePolicy",
        "state-task-policy",
        in_statement("policy", "EncryptUploads", without("Action", "kms:GenerateDataKey")),
        REFUSED,
        "taskRoleArn does not allow kms:GenerateDataKey",
    ),
    "a role whose key serves another region": Planted(
        "aws:iam/rolePolicy:RolePolicy",
        "state-task-policy",
        with_text("s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "policy"),
        REFUSED,
        "taskRoleArn does not allow kms:",
    ),
    "a bucket for another endpoint": Planted(
        "aws:s3/bucketPolicy:BucketPolicy",
        "uploads-policy",
        in_statement(
            "policy",
            "ObjectsOnlyByTheEndpoint",
            lambda s: s["Condition"]["StringNotEquals"].update({"aws:SourceVpce": ["vpce-00000000000000000"]}),
        ),
        REFUSED,
        "s3.BucketPolicy uploads-policy does not allow s3:",
    ),
    "a secret that the role may not read": Planted(
        ENDPOINT,
        "endpoints-secretsmanager",
        in_statement("policy", "Read", lambda s: s["Resource"].pop()),
        REFUSED,
        "does not allow secretsmanager:GetSecretValue",
    ),
    "no egress to S3": Planted(EGRESS, "endpoints-tasks-to-s3", with_ports(80), UNCONNECTED, "prefix list"),
    "no egress to the endpoints": Planted(
        EGRESS, "endpoints-tasks-to-endpoints", with_ports(80), UNCONNECTED, ":443: no rule of ecs.Service"
    ),
    "no ingress to the cache": Planted(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "state-cache-from-tasks",
        with_ports(6380),
        UNCONNECTED,
        "elasticache.ReplicationGroup state-cache's groups for tcp 6379",
    ),
    "a network ACL that denies the database": Planted(
        "aws:ec2/networkAclRule:NetworkAclRule",
        "network-private-egress-internal-5432-eu-west-1a",
        denied_first,
        UNCONNECTED,
        ":5432: ec2.NetworkAcl",
    ),
}


@pytest.mark.parametrize("stack", STACKS)
def test_every_call_of_a_stack_gets_through(stack: str) -> None:
    assert findings(deployed(stack).recording) == []


@pytest.mark.parametrize("shape", [*REGIONS, *TOPOLOGIES], ids=str)
def test_every_call_gets_through_in_every_region_and_topology(shape: Shape) -> None:
    assert findings(recorded(shape)) == []


def test_uploads_by_the_global_name_of_s3_are_found_in_virginia() -> None:
    edit = with_variable("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", None)

    (finding,) = findings(edited(recorded(VIRGINIA), TASK, "service-task", edit))

    bucket = Deployed(recorded(VIRGINIA)).environment("interface")["S3_BUCKET_NAME"]
    assert (finding.rule, finding.pack, finding.verdict) == (RULE, "conform", Verdict.VIOLATED)
    assert finding.headline == (
        f"ecs.TaskDefinition service-task.containerDefinitions[interface].environment[S3_BUCKET_NAME]: {BLOCKED}"
    )
    assert finding.found.startswith(f"{bucket}.s3.amazonaws.com, which route53.ResolverFirewallRule network-dns-block")
    assert "uploads (PutObject)" in finding.found
    assert "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT=regional" in finding.fix
    assert findings(edited(recorded(MILAN), TASK, "service-task", edit)) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_does_not_get_through_is_found(fault: str) -> None:
    planted = FAULTS[fault]
    before = deployed("staging").recording
    after = edited(before, planted.type, planted.name, planted.edit)

    found = findings(after)

    assert found
    assert {planted.headline in one.headline for one in found} == {True}, found
    assert any(planted.found in one.found for one in found), found


@pytest.mark.parametrize("stack", STACKS)
def test_every_model_of_the_settings_is_asked_for(stack: str) -> None:
    graph = Graph.from_recorded(deployed(stack).recording.resources)
    task = next(one for one in graph.of_type(TASK) if one.name == "service-task")
    (bedrock,) = [call for call in calls(graph, task) if call.host.startswith("bedrock-runtime.")]
    models = {model for group in parse(own_values(stack)).models.groups for model in group.models}

    asked = {ask.resource.rpartition("/")[2] for ask in bedrock.asks if ask.action == "bedrock:InvokeModel"}

    assert asked == models
    assert {tuple(ask.context) for ask in bedrock.asks} == {(), ("bedrock:guardrailidentifier",)}


PROFILES = {
    "openai.gpt-oss-120b-1:0": "global.openai.gpt-oss-120b-1:0",
    "openai.gpt-oss-20b-1:0": "eu.openai.gpt-oss-20b-1:0",
}


def test_calls_through_inference_profiles_get_through() -> None:
    recording = offering(deployed("staging").recording, parse(own_values()), PROFILES, "eu-central-1")

    assert findings(recording) == []


@pytest.mark.parametrize(
    ("sid", "missing"),
    [
        ("InvokeListedProfileseuwest1", "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.openai."),
        ("InvokeModelsOfProfileseuwest1", "arn:aws:bedrock:::foundation-model/openai.gpt-oss-120b"),
    ],
)
def test_a_profile_that_the_role_may_not_use_is_found(sid: str, missing: str) -> None:
    def less(statement: Inputs) -> None:
        statement["Resource"] = [arn for arn in statement["Resource"] if not arn.startswith(missing)]

    recording = offering(deployed("staging").recording, parse(own_values()), PROFILES, "eu-central-1")
    edit = in_statement("policy", sid, less)

    found = findings(edited(recording, "aws:iam/rolePolicy:RolePolicy", "models-task-policy", edit))

    assert found
    assert all("taskRoleArn does not allow bedrock:InvokeModel" in one.found and missing in one.found for one in found)


def test_names_with_and_without_a_trailing_dot_are_the_same() -> None:
    def dotted(inputs: Inputs) -> None:
        inputs["domains"] = [f"{domain.rstrip('.')}." for domain in inputs["domains"]]

    recording = deployed("staging").recording
    for name in ("network-dns-allowed", "network-dns-everything"):
        recording = edited(recording, DOMAINS, name, dotted)

    assert findings(recording) == []
    blocked = edited(recording, DOMAINS, "network-dns-allowed", with_value("domains", ["example.com."]))
    assert {BLOCKED in one.headline for one in findings(blocked)} == {True}


def test_path_style_requests_are_regional_too() -> None:
    edit = with_variable("S3_ADDRESSING_STYLE", "path")

    assert findings(edited(deployed("staging").recording, TASK, "service-task", edit)) == []


def test_a_model_server_of_another_stack_gets_through() -> None:
    groups = {
        "groups": [
            {
                "name": "own",
                "models": ["openai.gpt-oss-120b-1:0"],
                "upstreams": [private("models.internal.example.com", 8000)],
            }
        ]
    }

    assert findings(deployed_with_settings({"ai-interface:models": groups}).recording) == []


def test_a_task_that_is_not_known_yet_is_not_proven() -> None:
    recording = edited(deployed("staging").recording, TASK, "service-task", with_value("containerDefinitions", UNKNOWN))

    (finding,) = findings(recording)

    assert finding.verdict is Verdict.NOT_PROVEN


def test_a_stack_without_tasks_has_nothing_to_reach() -> None:
    assert findings(run_bootstrap("staging")) == []


def test_no_finding_shows_a_secret() -> None:
    recording = deployed("staging").recording
    password = unwrap(recording.of_type("aws:elasticache/replicationGroup:ReplicationGroup")[0].inputs["authToken"])
    edit = with_text("cache.amazonaws.com", "cache.example.com", "domains")

    found: list[Finding] = findings(edited(recording, DOMAINS, "network-dns-allowed", edit))

    assert found
    assert password not in repr(found)
