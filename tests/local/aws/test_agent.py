"""The ECS agent of a task: images, secrets and logs by the execution role, and why a task does not start."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from local.aws.access import Access
from local.aws.agent import Agent
from local.aws.sessions import Issuer, RefusedError
from local.computed import replacements
from local.stack import Stack
from local.task.services import task_definition
from tests.local.aws.world import World, stack, world

CONTAINERS = ("prepare", "proxy", "interface")


def test_every_secret_of_every_container_is_the_value_of_the_graph(served: World) -> None:
    values: dict[str, str] = {}
    for name in CONTAINERS:
        values |= served.agent.secrets(served.container(name))
    (cluster,) = served.stack.all("aws:rds/cluster:Cluster")
    versions = served.stack.all("aws:secretsmanager/secretVersion:SecretVersion")
    assert values.pop("DATABASE_MASTER_USER") == cluster["masterUsername"]
    assert values.pop("DATABASE_MASTER_PASSWORD") == served.endpoints.secrets.master_password
    assert sorted(values.values()) == sorted(one["secretString"] for one in versions)
    assert served.refusals.of("ecs agent") == []


def test_images_are_pulled_and_logs_arrive(served: World) -> None:
    for name in CONTAINERS:
        served.agent.pull(served.container(name)["image"])
        served.agent.log_stream(served.container(name)).put([f"{name} starts"])
        group = served.container(name)["logConfiguration"]["options"]["awslogs-group"]
        assert f"{name} starts" in served.endpoints.logs.of(group)
    assert served.refusals.entries == []


def test_a_rotated_secret_is_read_by_its_current_version_and_the_previous_one_by_its_stage(prod: World) -> None:
    arn = next(
        k.arn for k in prod.endpoints.secrets.known.values() if k.arn in str(prod.container("interface")["secrets"])
    )
    before = prod.agent.secret(arn)
    prod.endpoints.secrets.put(arn, "rotated")
    assert prod.agent.secret(arn) == "rotated"
    assert prod.agent.secret(f"{arn}::AWSPREVIOUS:") == before


def refusal(agent: Agent, value_from: str) -> str:
    with pytest.raises(RefusedError) as raised:
        agent.secret(value_from)
    assert str(raised.value) in [one.cause for one in agent.refusals.entries]
    return str(raised.value)


def test_a_value_from_that_leads_nowhere_names_the_cause(prod: World) -> None:
    master = prod.container("prepare")["secrets"][0]["valueFrom"].rsplit(":", 3)[0]
    session_key = prod.container("prepare")["secrets"][2]["valueFrom"].rsplit(":", 3)[0]
    region = prod.stack.region
    assert "has no JSON key passwort" in refusal(prod.agent, f"{master}:passwort::")
    assert "has no JSON key a" in refusal(prod.agent, f"{session_key}:a::")
    assert "has no value for AWSOLD" in refusal(prod.agent, f"{master}::AWSOLD:")
    assert "has no value for 00000000-0000" in refusal(prod.agent, f"{master}:::00000000-0000-0000-0000-000000000000")
    assert "no statement of" in refusal(prod.agent, f"{master[:-6]}aaaaaa")
    assert "is not a secret's ARN" in refusal(prod.agent, "arn:aws:ssm:eu-west-1:1:parameter/p")
    assert "is not a secret's ARN" in refusal(prod.agent, f"{master}:password")
    elsewhere = refusal(prod.agent, master.replace(region, "us-east-1"))
    assert "secretsmanager.us-east-1.amazonaws.com: NXDOMAIN" in elsewhere
    prod.endpoints.secrets.delete(session_key)
    assert "marked deleted" in refusal(prod.agent, session_key)


def test_an_image_and_a_log_group_that_do_not_exist_name_the_cause(prod: World) -> None:
    image = prod.container("proxy")["image"]
    with pytest.raises(RefusedError, match=r"repository/ai-interface/prox: no statement of"):
        prod.agent.pull(image.replace("/proxy@", "/prox@"))
    with pytest.raises(RefusedError, match="not in an ECR registry"):
        prod.agent.pull("docker.io/library/envoy:1")
    container: dict[str, Any] = json.loads(json.dumps(prod.container("proxy")))
    container["logConfiguration"]["options"]["awslogs-group"] += "s"
    with pytest.raises(RefusedError, match=r"logs:CreateLogStream.*: no statement of"):
        prod.agent.log_stream(container)


def test_an_endpoint_that_is_not_reached_names_host_and_address(prod: World) -> None:
    agent = replace(prod.agent, resolve=dict.fromkeys(prod.addresses, "10.30.255.1").__getitem__)
    cause = refusal(agent, prod.container("prepare")["secrets"][0]["valueFrom"])
    assert f"task-1 ({prod.task.address}) does not reach secretsmanager.{prod.stack.region}.amazonaws.com:443" in cause


def test_a_role_that_ecs_may_not_assume_is_named(prod: World) -> None:
    role = prod.stack.by_arn(str(task_definition(prod.stack)["executionRoleArn"]))
    document = role.document("assumeRolePolicy")
    document["Statement"][0]["Principal"] = {"Service": ["ec2.amazonaws.com"]}
    changed: Stack = prod.stack.changed(role, assumeRolePolicy=json.dumps(document))
    agent = replace(prod.agent, stack=changed, issuer=Issuer(Access(changed, prod.access.bootstrap)))
    cause = refusal(agent, prod.container("prepare")["secrets"][0]["valueFrom"])
    assert "executionRoleArn: ECS cannot assume" in cause
    assert "its principal is not ecs-tasks.amazonaws.com" in cause


def test_computed_certificates_are_real_where_the_provider_computes_them() -> None:
    with world(stack("prod"), replacements(stack("prod"))) as made:
        values = made.agent.secrets(made.container("proxy"))
    fake = stack("prod").one("tls:index/selfSignedCert:SelfSignedCert")["certPem"]
    assert values["PROXY_CERTIFICATE"] != fake
    from cryptography import x509  # noqa: PLC0415 - this test alone
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    certificate = x509.load_pem_x509_certificate(values["PROXY_CERTIFICATE"].encode())
    key = load_pem_private_key(values["PROXY_PRIVATE_KEY"].encode(), None)
    assert certificate.public_key() == key.public_key()
