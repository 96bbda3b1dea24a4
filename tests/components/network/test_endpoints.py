"""The ways out: one policy an endpoint, bound to the stack's own roles and resources, for the tasks only."""

import json
from typing import cast

import pytest
from pydantic import ValidationError

from components.network import PrivateEndpoints
from components.network.dns import allowed_domains
from components.network.endpoint_services import (
    CROSS_REGION,
    Access,
    endpoint_policy,
    s3_gateway_policy,
    service_domains,
)
from preflight.conform.documented.network import CROSS_REGION_SERVICES
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import (
    ACCOUNT,
    REGION,
    counts,
    endpoints_args,
    named,
    outputs_of,
    recorded_endpoints,
    untagged,
)

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
EXECUTION, TASK = f"arn:aws:iam::{ACCOUNT}:role/execution", f"arn:aws:iam::{ACCOUNT}:role/task"
ACCESS = Access(
    account_id=ACCOUNT,
    region=REGION,
    execution_role_arn=EXECUTION,
    task_role_arn=TASK,
    repository_arns=["arn:repository"],
    secret_arns=["arn:secret"],
    log_group_arns=["arn:group"],
    model_statements=[
        {
            "Sid": "Invoke",
            "Effect": "Allow",
            "Action": ["bedrock:InvokeModel"],
            "Resource": ["arn:model"],
            "Condition": {"StringEquals": {"bedrock:GuardrailIdentifier": ["arn:guardrail:1"]}},
        },
        {"Sid": "NoTokens", "Effect": "Deny", "Action": "bedrock:CallWithBearerToken", "Resource": "*"},
    ],
)


def statements(document: str) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", json.loads(document)["Statement"])


def bound_to(role: str, *, own_resources: bool) -> dict[str, Json]:
    equals = {"aws:PrincipalAccount": [ACCOUNT], "aws:PrincipalArn": [role]}
    return {"StringEquals": {**equals, "aws:ResourceAccount": [ACCOUNT]} if own_resources else equals}


def test_what_fargate_needs_each_bedrock_region_and_the_s3_gateway_are_made_and_nothing_else() -> None:
    recording = recorded_endpoints(model_regions=[REGION])

    assert counts(recording) == {
        "SecurityGroup": 1,
        "SecurityGroupEgressRule": 2,
        "SecurityGroupIngressRule": 1,
        "VpcEndpoint": 6,
    }
    assert [
        (e.inputs["vpcEndpointType"], e.inputs["serviceName"], e.inputs.get("serviceRegion"))
        for e in sorted(recording.of_type(ENDPOINT), key=lambda e: e.name)
    ] == [
        ("Interface", "com.amazonaws.eu-west-1.bedrock-runtime", None),
        ("Interface", "com.amazonaws.eu-west-1.ecr.api", None),
        ("Interface", "com.amazonaws.eu-west-1.ecr.dkr", None),
        ("Interface", "com.amazonaws.eu-west-1.logs", None),
        ("Gateway", "com.amazonaws.eu-west-1.s3", None),
        ("Interface", "com.amazonaws.eu-west-1.secretsmanager", None),
    ]


def test_bedrock_in_another_region_is_refused_with_the_way_that_there_is() -> None:
    with pytest.raises(
        ValidationError, match=r"an interface endpoint in eu-west-1 cannot reach bedrock-runtime in us-east-1"
    ):
        endpoints_args(model_regions=["us-east-1"])


def test_what_an_endpoint_reaches_elsewhere_is_the_list_that_the_check_of_the_graph_has() -> None:
    assert set(CROSS_REGION) == CROSS_REGION_SERVICES


def test_interface_endpoints_are_in_every_private_subnet_with_private_names() -> None:
    recording = recorded_endpoints()
    group = named(recording, "endpoints-group", "aws:ec2/securityGroup:SecurityGroup")

    for endpoint in recording.of_type(ENDPOINT):
        if endpoint.inputs["vpcEndpointType"] == "Interface":
            assert endpoint.inputs["subnetIds"] == ["subnet-00000000000000003", "subnet-00000000000000004"]
            assert endpoint.inputs["securityGroupIds"] == [group.id]
            assert endpoint.inputs["privateDnsEnabled"] is True
        else:
            assert endpoint.inputs["routeTableIds"] == ["rtb-00000000000000001"]


def test_the_tasks_reach_the_endpoints_and_s3_on_443_and_nobody_else_reaches_the_endpoints() -> None:
    recording = recorded_endpoints()
    group = named(recording, "endpoints-group", "aws:ec2/securityGroup:SecurityGroup")
    gateway = named(recording, "endpoints-s3", ENDPOINT)
    rules = [
        {key: value for key, value in rule.inputs.items() if key not in ("tags", "description")}
        for kind in ("SecurityGroupIngressRule", "SecurityGroupEgressRule")
        for rule in recording.of_type(f"aws:vpc/{kind[0].lower()}{kind[1:]}:{kind}")
    ]
    https = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}

    assert rules == [
        {"securityGroupId": group.id, "referencedSecurityGroupId": "sg-00000000000000001", **https},
        {"securityGroupId": "sg-00000000000000001", "referencedSecurityGroupId": group.id, **https},
        {"securityGroupId": "sg-00000000000000001", "prefixListId": gateway.outputs["prefixListId"], **https},
    ]
    assert "ingress" not in group.inputs
    assert "egress" not in group.inputs


def test_images_are_pulled_by_the_execution_role_from_own_repositories_only() -> None:
    expected = [
        {
            "Sid": "Login",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": ["*"],
            "Condition": bound_to(EXECUTION, own_resources=False),
        },
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": ["arn:repository"],
            "Condition": bound_to(EXECUTION, own_resources=True),
        },
    ]

    assert statements(endpoint_policy("ecr.api", ACCESS)) == expected
    assert statements(endpoint_policy("ecr.dkr", ACCESS)) == expected


def test_secrets_are_read_and_logs_written_by_the_execution_role() -> None:
    (secret,) = statements(endpoint_policy("secretsmanager", ACCESS))
    (log,) = statements(endpoint_policy("logs", ACCESS))

    assert (secret["Action"], secret["Resource"]) == (["secretsmanager:GetSecretValue"], ["arn:secret"])
    assert (log["Action"], log["Resource"]) == (
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:group:log-stream:*"],
    )
    assert secret["Condition"] == log["Condition"] == bound_to(EXECUTION, own_resources=True)


def test_models_are_called_by_the_task_role_with_the_statement_s_own_conditions_kept() -> None:
    allowed, denied = statements(endpoint_policy("bedrock-runtime", ACCESS))

    assert allowed["Condition"] == {
        "StringEquals": {
            "aws:PrincipalAccount": [ACCOUNT],
            "aws:PrincipalArn": [TASK],
            "bedrock:GuardrailIdentifier": ["arn:guardrail:1"],
        }
    }
    assert denied == {
        "Sid": "NoTokens",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["bedrock:CallWithBearerToken"],
        "Resource": ["*"],
    }


def test_an_endpoint_with_nothing_to_reach_denies_everything() -> None:
    empty = Access(account_id=ACCOUNT, region=REGION, execution_role_arn=EXECUTION, task_role_arn=TASK)

    for service in ("bedrock-runtime", "logs", "secretsmanager"):
        assert [(s["Effect"], s["Action"], s["Resource"]) for s in statements(endpoint_policy(service, empty))] == [
            ("Deny", ["*"], ["*"])
        ]


def test_only_the_image_layer_bucket_is_read_without_conditions() -> None:
    (layers,) = statements(s3_gateway_policy(ACCESS))

    assert layers == {
        "Sid": "ImageLayers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"],
    }


def test_own_buckets_are_reached_by_the_task_role_alone() -> None:
    own = Access(
        account_id=ACCOUNT,
        region=REGION,
        execution_role_arn=EXECUTION,
        task_role_arn=TASK,
        bucket_arns=["arn:aws:s3:::uploads"],
    )
    layers, objects, buckets = statements(s3_gateway_policy(own))

    assert "Condition" not in layers
    assert (objects["Resource"], objects["Action"]) == (
        ["arn:aws:s3:::uploads/*"],
        [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
    )
    assert (buckets["Resource"], buckets["Action"]) == (
        ["arn:aws:s3:::uploads"],
        ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
    )
    assert objects["Condition"] == buckets["Condition"] == bound_to(TASK, own_resources=True)


def test_every_endpoint_has_a_policy_and_none_names_a_foreign_account_or_allows_everything() -> None:
    recording = recorded_endpoints(model_regions=[REGION], model_statements=[dict(ACCESS.model_statements[0])])

    for endpoint in recording.of_type(ENDPOINT):
        for statement in statements(endpoint.inputs["policy"]):
            assert statement["Effect"] == "Allow"
            assert "*" not in statement["Action"]
            assert "Condition" in statement or statement["Sid"] == "ImageLayers"


def test_a_service_without_a_known_policy_is_refused() -> None:
    with pytest.raises(ValidationError, match="services contains ssm, which has no endpoint policy"):
        endpoints_args(services=["ecr.api", "ssm"])


def test_every_resource_is_tagged() -> None:
    assert untagged(recorded_endpoints(model_regions=[REGION])) == []


def test_endpoint_ids_come_out_by_service() -> None:
    found = outputs_of(lambda: PrivateEndpoints("endpoints", endpoints_args(model_regions=[REGION])), "endpoint_ids")

    assert sorted(found["endpoint_ids"]) == [
        "bedrock-runtime.eu-west-1",
        "ecr.api",
        "ecr.dkr",
        "logs",
        "s3",
        "secretsmanager",
    ]


def test_the_dns_allowlist_follows_from_the_declared_destinations() -> None:
    assert allowed_domains(
        region=REGION,
        account_id=ACCOUNT,
        services=["ecr.api", "ecr.dkr", "logs"],
        model_regions=["us-east-1"],
        hosts=["Login.Example.com."],
    ) == [
        "*.s3.eu-west-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
        "api.ecr.eu-west-1.amazonaws.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "login.example.com",
        "logs.eu-west-1.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
    ]
    assert service_domains("logs", "us-east-1", ACCOUNT) == ("logs.us-east-1.amazonaws.com",)


SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"


def test_a_service_of_another_vpc_gets_an_endpoint_and_a_group_that_admits_the_tasks_on_its_ports() -> None:
    recording = recorded_endpoints(private_services=[{"service_name": SERVICE, "ports": [8001, 8000]}])
    name = "endpoints-vpce-svc-0123456789abcdef0"
    endpoint, group = (
        named(recording, name, ENDPOINT),
        named(recording, f"{name}-group", "aws:ec2/securityGroup:SecurityGroup"),
    )
    assert (endpoint.inputs["serviceName"], endpoint.inputs["securityGroupIds"]) == (SERVICE, [group.id])
    assert (endpoint.inputs["privateDnsEnabled"], endpoint.inputs.get("policy")) == (False, None)
    ways = {
        kind: sorted(
            (r.inputs["fromPort"], r.inputs["toPort"])
            for r in recording.of_type(f"aws:vpc/securityGroup{kind}Rule:SecurityGroup{kind}Rule")
            if group.id in (r.inputs["securityGroupId"], r.inputs.get("referencedSecurityGroupId"))
        )
        for kind in ("Ingress", "Egress")
    }
    assert ways == {"Ingress": [(8000, 8000), (8001, 8001)], "Egress": [(8000, 8000), (8001, 8001)]}
    (component,) = recording.of_type("ai-interface:index:PrivateEndpoints")
    assert component.outputs["privateServiceNames"] == {SERVICE: endpoint.outputs["dnsEntries"][0]["dnsName"]}


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ([{"service_name": "com.amazonaws.eu-west-1.sts", "ports": [443]}], "AWS's own services are in services"),
        ([{"service_name": SERVICE, "ports": [443]}] * 2, "twice: list each service once"),
    ],
)
def test_a_service_that_is_awss_own_or_listed_twice_is_refused(services: list[dict[str, Json]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        endpoints_args(private_services=services)
