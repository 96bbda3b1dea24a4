"""A committed stack with private upstreams behind Bedrock: a peered server with a public certificate, and one behind AWS
PrivateLink; each has an API key. Every policy holds, every call has a way, and only the proxy gets the keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml

from assembly.model_keys import key_variable
from local.stack import Stack, recorded
from local.task.services import task_definition
from preflight.conform import documented, order, permissions, reach, values
from preflight.fakes import calls
from preflight.fakes.values import Site
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Wire
from settings import SettingsError
from settings.upstreams import PrivateUpstream
from tests.assembly.guardrails import reported
from tests.assembly.test_gateway import changed
from tests.bootstrap.program import run_bootstrap, stack_file
from tests.preflight.conform.editing import edited, in_statement, with_text
from tests.settings import stack_files

STACK = "staging"
MODELS = "ai-interface:models"


@cache
def bootstrap() -> Recording:
    """Staging's account, with a secret for each key."""
    (environment,) = stack_file(STACK)["ai-interface-bootstrap:environments"]
    return run_bootstrap(STACK, environments=[{**environment, "modelKeys": ["llm", "partner"]}])


SERVICE_ID = "vpce-svc-0123456789abcdef0"
SERVICE = f"com.amazonaws.vpce.eu-west-1.{SERVICE_ID}"
PEERED, LINKED, PORT = "llm.example.com", "llm.partner.internal", 8000
PEERED_KEY = "ai-interface/staging/model-key-llm"
SECRETS = [one for one in bootstrap().of_type("aws:secretsmanager/secret:Secret") if "model-key" in one.name]
LINKED_KEY = next(str(one.outputs["arn"]) for one in SECRETS if one.name.endswith("partner"))
UPSTREAMS: list[dict[str, Any]] = [
    {"kind": "private", "hostName": PEERED, "securityGroupId": "sg-0123456789abcdef0", "apiKeySecret": PEERED_KEY},
    {
        "kind": "private",
        "hostName": LINKED,
        "port": PORT,
        "endpointService": SERVICE,
        "caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "apiKeySecret": LINKED_KEY,
    },
]
TASK, POLICY, ENDPOINT = (
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
)
LOOK_UP = "aws:secretsmanager/getSecret:getSecret"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"


def settings() -> dict[str, Any]:
    """Staging's models, with both servers behind Bedrock."""
    given = stack_files.stack_file(STACK)[MODELS]
    return {**given, "groups": [{**one, "upstreams": [*one["upstreams"], *UPSTREAMS]} for one in given["groups"]]}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging with both servers."""
    return recorded(STACK, settings={MODELS: settings()})


def containers(stack: Stack) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(task_definition(stack)["containerDefinitions"])}


def secret_arns(stack: Stack) -> dict[str, str]:
    """Variable of the proxy → the secret's ARN."""
    return {one["name"]: one["valueFrom"] for one in containers(stack)["proxy"]["secrets"]}


def test_every_guardrail_holds(stack: Stack) -> None:
    assert reported(stack) == set()


def test_aws_accepts_it_and_the_pipeline_may_deploy_it(stack: Stack) -> None:
    found = [
        *values.findings(stack.recording),
        *documented.findings(stack.recording),
        *order.findings(stack.recording),
        *permissions.findings(stack.recording, bootstrap()),
    ]
    assert [one.headline for one in found] == []


def test_an_endpoint_service_of_another_region_is_found(stack: Stack) -> None:
    elsewhere = edited(
        stack.recording,
        ENDPOINT,
        f"endpoints-{SERVICE_ID}",
        with_text("vpce.eu-west-1", "vpce.us-east-1", "serviceName"),
    )
    assert [one.headline.rpartition(" ")[2] for one in documented.findings(elsewhere)] == ["endpoint-service-region"]


def test_a_key_of_another_environment_is_found(stack: Stack) -> None:
    other = [
        replace(one, inputs={**one.inputs, "tags": {**one.inputs["tags"], "environment": "prod"}})
        if "model-key-llm" in one.name and one.type.endswith(":Secret")
        else one
        for one in bootstrap().resources
    ]
    found = permissions.findings(stack.recording, replace(bootstrap(), resources=other))
    assert any(PEERED_KEY in one.found and "its boundary does not allow it" in one.found for one in found)


def test_every_call_has_a_name_a_way_and_a_permission(stack: Stack) -> None:
    assert reach.findings(stack.recording) == []


def test_the_proxy_alone_gets_the_keys_as_they_are_when_the_task_starts(stack: Stack) -> None:
    (peered, linked) = (key_variable("general", PrivateUpstream.model_validate(one)) for one in UPSTREAMS)
    arns = secret_arns(stack)
    assert arns[linked] == LINKED_KEY
    # Without a version: the current one.
    assert arns[peered] == next(str(one.outputs["arn"]) for one in SECRETS if one.name.endswith("llm"))
    for name, container in containers(stack).items():
        named = {one["valueFrom"] for one in container["secrets"]}
        assert bool(named & {arns[peered], arns[linked]}) is (name == "proxy")
    assert [
        one.name for one in stack.all("aws:secretsmanager/secretVersion:SecretVersion") if "key-llm" in one.name
    ] == []


def test_the_program_never_asks_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    token = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    real = calls.CALLS[token]

    def noted(site: Site, args: Wire) -> Wire:
        asked.append(str(args["secretId"]))
        return real(site, args)

    monkeypatch.setitem(calls.CALLS, token, noted)
    recorded(STACK, settings={MODELS: settings()})
    assert not set(asked) & {PEERED_KEY, LINKED_KEY}


def test_the_execution_role_reads_exactly_these_secrets_and_decrypts_nothing_else(stack: Stack) -> None:
    policy = next(one for one in stack.all(POLICY) if one.name == "models-keys-policy")
    read, decrypt = policy.document("policy")["Statement"]
    arns = sorted(arn for name, arn in secret_arns(stack).items() if name.startswith("MODEL_KEY_"))
    assert len(arns) == 2
    assert (read["Action"], read["Resource"]) == (["secretsmanager:GetSecretValue"], arns)
    assert decrypt["Action"] == ["kms:Decrypt"]
    assert all(":key/" in arn and "*" not in arn for arn in decrypt["Resource"])
    assert decrypt["Condition"]["StringEquals"]["kms:EncryptionContext:SecretARN"] == arns


FAULTS: dict[str, tuple[Callable[[Stack], Recording], str]] = {
    "the role may not read a key": (
        lambda s: changed(s.recording, "models-keys-policy"),
        "a policy denies the client's request",
    ),
    "the endpoint's policy lacks a key": (
        lambda s: edited(
            s.recording,
            ENDPOINT,
            "endpoints-secretsmanager",
            in_statement("policy", "Read", with_text(LINKED_KEY, "arn:other", "Resource")),
        ),
        "a policy denies the client's request",
    ),
    "no endpoint to the service": (
        lambda s: changed(s.recording, f"endpoints-{SERVICE_ID}"),
        "the client calls a host that does not exist in the network",
    ),
    "the endpoint's group does not admit the tasks": (
        lambda s: changed(s.recording, f"endpoints-{SERVICE_ID}-from-tasks-{PORT}"),
        "the task cannot connect to the host that it calls",
    ),
    "the tasks may not connect to the endpoint": (
        lambda s: changed(s.recording, f"endpoints-tasks-to-{SERVICE_ID}-{PORT}"),
        "the task cannot connect to the host that it calls",
    ),
    "the endpoint's name does not resolve": (
        lambda s: edited(
            s.recording, DOMAINS, "network-dns-allowed", with_text(f"*.{SERVICE_ID}.", "*.vpce-svc-other.", "domains")
        ),
        "the client resolves a name that the DNS Firewall blocks",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_missing_part_is_found(stack: Stack, fault: str) -> None:
    plant, expected = FAULTS[fault]
    assert any(expected in one.headline for one in reach.findings(plant(stack)))


def test_the_proxy_connects_to_the_endpoint_and_expects_the_declared_name(stack: Stack) -> None:
    (endpoint,) = [one for one in stack.all(ENDPOINT) if one["serviceName"] == SERVICE]
    (configuration,) = [
        yaml.safe_load(one) for one in containers(stack)["proxy"]["command"] if "static_resources" in one
    ]
    clusters = {one["name"]: one for one in configuration["static_resources"]["clusters"]}
    linked, peered = (clusters[f"server-general:{host}:{port}"] for host, port in ((LINKED, PORT), (PEERED, 443)))

    def place(cluster: dict[str, Any]) -> tuple[str, int]:
        socket = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        return socket["address"], socket["port_value"]

    def trusted(cluster: dict[str, Any]) -> tuple[str, str, str]:
        tls = cluster["transport_socket"]["typed_config"]
        context = tls["common_tls_context"]["validation_context"]
        (matcher,) = context["match_typed_subject_alt_names"]
        return tls["sni"], matcher["matcher"]["exact"], next(iter(context["trusted_ca"]))

    assert place(linked) == (endpoint["dnsEntries"][0]["dnsName"], PORT)
    assert trusted(linked) == (LINKED, LINKED, "inline_string")
    assert place(peered) == (PEERED, 443)
    assert trusted(peered) == (PEERED, PEERED, "filename")


def test_the_endpoint_admits_the_tasks_on_the_declared_port_only(stack: Stack) -> None:
    (endpoint,) = [one for one in stack.all(ENDPOINT) if one["serviceName"] == SERVICE]
    (group,) = endpoint["securityGroupIds"]
    rules = stack.where("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", securityGroupId=group)
    assert [(one["fromPort"], one["toPort"]) for one in rules] == [(PORT, PORT)] * 2
    (service,) = stack.all("aws:ecs/service:Service")
    (schedule,) = [one for one in stack.all("aws:scheduler/schedule:Schedule") if one.name == "synthetic-chat-schedule"]
    synthetic = schedule["target"]["ecsParameters"]["networkConfiguration"]["securityGroups"]
    assert sorted(one["referencedSecurityGroupId"] for one in rules) == sorted(
        [*service["networkConfiguration"]["securityGroups"], *synthetic]
    )
    assert endpoint.get("policy") is None  # It takes none.


def test_a_secret_with_the_default_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = calls.CALLS[LOOK_UP]
    monkeypatch.setitem(calls.CALLS, LOOK_UP, lambda site, args: {**real(site, args), "kmsKeyId": ""})
    with pytest.raises(SettingsError, match="a secret that is encrypted with a customer managed key"):
        recorded(STACK, settings={MODELS: settings()})
