"""The gateway's resources: who reaches it, what it may call, and what its containers are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.gateway import GatewayServiceArgs, litellm
from components.gateway.envoy import envoy_configuration
from components.gateway.settings import CLIENT_NAME, PORT, TRANSLATOR_PORT, GatewayModel, GatewaySettings
from components.service.internal_identity import AUTHORITY_HOURS, CERTIFICATE_HOURS, RENEWAL_HOURS
from preflight.recording.recorder import RecordedResource, Recording
from tests.components.task_fixtures import ACCOUNT, REGION, document, one, text
from tests.gateway.program import EMBEDDING_MODELS, MODELS, recording

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
POLICY = "aws:iam/rolePolicy:RolePolicy"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
SETTINGS = GatewaySettings(
    environment="test",
    region=REGION,
    models=(GatewayModel(id="amazon.nova-lite-v1:0"),),
    guardrail_id="abc",
    guardrail_version="3",
    authority="PEM",
)


@pytest.fixture(scope="module")
def built() -> Recording:
    return recording()


def containers(built: Recording) -> dict[str, dict[str, Any]]:
    listed = json.loads(text(one(built, TASK).inputs["containerDefinitions"]))
    return {container["name"]: container for container in listed}


def rules(built: Recording, type_: str, group: RecordedResource) -> list[tuple[Any, Any, Any]]:
    """Other group or prefix list, first and last port of each rule of a group."""
    found = [r.inputs for r in built.of_type(type_) if r.inputs["securityGroupId"] == group.id]
    return sorted((r.get("referencedSecurityGroupId") or r["prefixListId"], r["fromPort"], r["toPort"]) for r in found)


def test_only_the_interfaces_tasks_may_connect_and_only_endpoints_are_reached(built: Recording) -> None:
    gateway, tasks, endpoints = (one(built, GROUP, n) for n in ("gateway-group", "workload-tasks", "endpoints-group"))
    s3 = one(built, ENDPOINT, "endpoints-s3").outputs["prefixListId"]
    assert rules(built, INGRESS, gateway) == [(tasks.id, PORT, PORT)]
    assert rules(built, EGRESS, gateway) == sorted([(endpoints.id, 443, 443), (s3, 443, 443)])
    assert (gateway.id, PORT, PORT) in rules(built, EGRESS, tasks)


def test_the_role_calls_its_models_with_the_guardrail_and_nothing_else(built: Recording) -> None:
    guardrail = one(built, "aws:bedrock/guardrail:Guardrail").outputs["guardrailArn"]
    policy = one(built, POLICY, "models-gateway-policy")
    assert policy.inputs["role"] == one(built, "aws:iam/role:Role", "gateway-task").id
    statements = {one["Sid"]: one for one in document(policy)}
    embed = statements.pop(f"EmbedWithListedModels{REGION.replace('-', '')}")
    assert embed["Action"] == ["bedrock:InvokeModel"]
    assert embed["Resource"] == sorted(
        f"arn:aws:bedrock:{REGION}::foundation-model/{model}" for model in EMBEDDING_MODELS
    )
    allowed, apply, others, draft, tokens = statements.values()
    assert others["NotResource"] == embed["Resource"]
    assert allowed == {
        "Sid": "InvokeListedModelseuwest1",
        "Effect": "Allow",
        "Action": INVOKE,
        "Resource": sorted(f"arn:aws:bedrock:{REGION}::foundation-model/{model}" for model in MODELS),
        "Condition": {"StringLike": {"bedrock:GuardrailIdentifier": [f"{guardrail}:*"]}},
    }
    assert apply["Resource"] == [guardrail]
    assert (others["Effect"], others["Condition"]) == (
        "Deny",
        {"StringNotLike": {"bedrock:GuardrailIdentifier": [f"{guardrail}:*"]}},
    )
    assert draft["Condition"] == {"StringEquals": {"bedrock:GuardrailIdentifier": [f"{guardrail}:DRAFT"]}}
    assert tokens["Action"] == ["bedrock:CallWithBearerToken"]


def test_the_interfaces_role_may_call_no_model(built: Recording) -> None:
    role = one(built, "aws:iam/role:Role", "workload-task").id
    assert [r.name for r in built.of_type(POLICY) if r.inputs["role"] == role] == []
    statements = document(one(built, ENDPOINT, f"endpoints-bedrock-runtime-{REGION}"))
    callers = {arn for s in statements for arn in s["Condition"]["StringEquals"]["aws:PrincipalArn"]}
    assert callers == {one(built, "aws:iam/role:Role", "gateway-task").outputs["arn"]}


def test_each_role_reads_its_own_secrets(built: Recording) -> None:
    arns = {r.name: r.outputs["arn"] for r in built.of_type("aws:secretsmanager/secret:Secret")}

    def read(policy: str) -> set[str]:
        statements = [
            s for s in document(one(built, POLICY, policy)) if s["Action"] == ["secretsmanager:GetSecretValue"]
        ]
        return {name for s in statements for name, arn in arns.items() if arn in s["Resource"]}

    own = {"gateway-certificate-secret", "gateway-private-key-secret", "gateway-key-secret"}
    assert read("gateway-execution-policy") == own
    assert read("gateway-client-policy") == {"gateway-client-certificate-secret", "gateway-client-private-key-secret"}


def test_no_container_is_root_or_writes_and_one_port_is_open(built: Recording) -> None:
    made = containers(built)
    assert list(made) == ["gateway", "gateway-proxy", "gateway-drain"]
    for container in made.values():
        assert container["readonlyRootFilesystem"] is True
        assert container["linuxParameters"]["capabilities"] == {"add": [], "drop": ["ALL"]}
        assert not container["user"].startswith("0:")
        assert container["mountPoints"] == []
    assert [p["containerPort"] for c in made.values() for p in c["portMappings"]] == [PORT]
    assert made["gateway-proxy"]["dependsOn"] == [{"containerName": "gateway", "condition": "HEALTHY"}]
    assert "volumes" not in one(built, TASK).inputs


def test_only_litellm_and_its_proxy_have_the_key(built: Recording) -> None:
    made = containers(built)
    assert {s["name"] for s in made["gateway"]["secrets"]} == {"GATEWAY_KEY"}
    assert {s["name"] for s in made["gateway-proxy"]["secrets"]} == {
        "GATEWAY_CERTIFICATE",
        "GATEWAY_KEY",
        "GATEWAY_PRIVATE_KEY",
    }


def test_tasks_are_found_by_every_address_of_one_name(built: Recording) -> None:
    registry = one(built, "aws:servicediscovery/service:Service")
    namespace = one(built, "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
    assert f"{registry.inputs['name']}.{namespace.inputs['name']}" == "gateway.ai-interface-test.internal"
    dns = registry.inputs["dnsConfig"]
    assert (dns["routingPolicy"], dns["namespaceId"]) == ("MULTIVALUE", namespace.id)
    service = one(built, "aws:ecs/service:Service")
    assert service.inputs["serviceRegistries"]["registryArn"] == registry.outputs["arn"]
    assert "loadBalancers" not in service.inputs


def test_certificates_are_renewed_long_before_they_expire_and_outlived_by_their_authority() -> None:
    assert 0 < CERTIFICATE_HOURS - RENEWAL_HOURS < RENEWAL_HOURS
    assert AUTHORITY_HOURS > 5 * CERTIFICATE_HOURS


def test_litellm_offers_the_declared_models_by_the_api_of_each() -> None:
    made = litellm.litellm_configuration(SETTINGS)
    (model,) = made["model_list"]
    assert model["model_name"] == "amazon.nova-lite-v1:0"
    assert model["litellm_params"]["model"] == "bedrock/converse/amazon.nova-lite-v1:0"
    assert model["litellm_params"]["guardrailConfig"] == {"guardrailIdentifier": "abc", "guardrailVersion": "3"}
    assert made["general_settings"]["master_key"] == "os.environ/GATEWAY_KEY"
    assert "database_url" not in json.dumps(made)
    assert litellm.litellm_configuration(SETTINGS) == made


def test_envoy_admits_one_client_to_one_path() -> None:
    (listener,) = envoy_configuration(SETTINGS)["static_resources"]["listeners"]
    (chain,) = listener["filter_chains"]
    tls = chain["transport_socket"]["typed_config"]
    assert tls["require_client_certificate"] is True
    (name,) = tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert name == {"san_type": "DNS", "matcher": {"exact": CLIENT_NAME}}
    routes = chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
    assert [r["match"]["path"] for r in routes if "route" in r] == ["/v1/chat/completions"]
    (cluster,) = envoy_configuration(SETTINGS)["static_resources"]["clusters"]
    address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "127.0.0.1", "port_value": TRANSLATOR_PORT}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image": "litellm:latest"}, "is not pinned"),
        ({"architecture": "RISCV"}, "Fargate runs"),
        ({"minimum_tasks": 3, "maximum_tasks": 2}, "is less than minimum_tasks"),
        ({"models": [{"id": "a", "api": "chat"}]}, "use converse or invoke"),
        ({"minimum_tasks": 2, "maximum_tasks": 2, "availability_zones": 1}, "availability zone"),
    ],
)
def test_arguments_that_cannot_work_are_refused(changes: dict[str, Any], reason: str) -> None:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ai-interface/gateway@sha256:{'0' * 64}"
    outputs = dict.fromkeys(("cluster_arn", "cluster_name", "guardrail_id", "guardrail_version", "authority", "execution_role_arn", "task_role_arn", "registry_arn", "security_group_id"), "x")  # fmt: skip
    given: dict[str, Any] = {
        **outputs,
        "environment": "test",
        "region": REGION,
        "release": "2026.11.1",
        "models": [{"id": "amazon.nova-lite-v1:0"}],
        "image": image,
        "proxy_image": image,
        "secret_references": {},
        "log_group_names": {},
        "subnet_ids": [],
        "rollback_alarm_names": [],
        "tags": {},
    }
    with pytest.raises(ValidationError, match=reason):
        GatewayServiceArgs.model_validate({**given, **changes})
