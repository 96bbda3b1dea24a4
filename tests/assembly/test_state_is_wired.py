"""The state in the real program: what is made from it reaches endpoints, network, task and service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.service.scaling import lost_zone_shortage
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.network.acls import NetworkAcls
from policies.guardrails.topology.network.addresses import parse
from preflight.recording.recorder import RecordedResource, Recording
from tests.components.task_fixtures import text
from tests.preflight.conform.graphs import with_open_webui
from tests.tasks import interface_task


@pytest.fixture(scope="module", params=["staging", "prod"])
def program(request: pytest.FixtureRequest) -> Recording:
    """With Open WebUI, which uses both stores."""
    return with_open_webui(str(request.param))


def _one(program: Recording, type_: str, name: str) -> RecordedResource:
    (found,) = [r for r in program.of_type(type_) if r.name == name]
    return found


def _endpoint(program: Recording, name: str) -> dict[str, dict[str, Any]]:
    policy = text(_one(program, "aws:ec2/vpcEndpoint:VpcEndpoint", f"endpoints-{name}").inputs["policy"])
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_the_secrets_endpoint_serves_every_secret_of_the_task_and_no_other(program: Recording) -> None:
    generated = [r.outputs["arn"] for r in program.of_type("aws:secretsmanager/secret:Secret")]
    master = _one(program, "aws:rds/cluster:Cluster", "state-database").outputs["masterUserSecrets"][0]["secretArn"]

    assert _endpoint(program, "secretsmanager")["Read"]["Resource"] == sorted([*generated, master])


def test_the_gateway_serves_the_bucket_and_the_bucket_serves_the_gateway(program: Recording) -> None:
    bucket = _one(program, "aws:s3/bucket:Bucket", "state-uploads").outputs["arn"]
    gateway = _one(program, "aws:ec2/vpcEndpoint:VpcEndpoint", "endpoints-s3").outputs["id"]
    policy = json.loads(text(_one(program, "aws:s3/bucketPolicy:BucketPolicy", "uploads-policy").inputs["policy"]))

    assert _endpoint(program, "s3")["OwnObjects"]["Resource"] == [f"{bucket}/*"]
    assert policy["Statement"][0]["Condition"]["StringNotEquals"] == {"aws:SourceVpce": [gateway]}


def test_the_private_subnets_let_both_stores_ports_pass_between_themselves(program: Recording) -> None:
    rules = [r.inputs for r in program.of_type("aws:ec2/networkAclRule:NetworkAclRule")]
    allowed = [rule for rule in rules if (rule["protocol"], rule["ruleAction"]) == ("tcp", "allow")]
    blocks = sorted(
        s.inputs["cidrBlock"] for s in program.of_type("aws:ec2/subnet:Subnet") if s.name.startswith("network-private")
    )

    assert blocks
    for port in (5432, 6379):
        for leaving in (True, False):
            found = [
                rule["cidrBlock"]
                for rule in allowed
                if (rule["fromPort"], rule["toPort"]) == (port, port) and bool(rule.get("egress")) is leaving
            ]
            assert sorted(found) == blocks, (port, leaving)


def test_nothing_in_the_public_subnets_gets_to_the_stores_ports(program: Recording) -> None:
    # Answers to tasks need an entry for every port from 1024 up, the stores' among them: the denial before it counts.
    graph = Graph.from_recorded(program.resources)
    acls = NetworkAcls(graph)
    subnets = graph.of_type("ec2.Subnet")
    public = [block for s in subnets if "-public-" in s.name and (block := parse(str(s.value("cidrBlock"))))]
    private = [s for s in subnets if "-private-" in s.name]

    assert len(public) == len(private) > 1
    for subnet in private:
        for port in (5432, 6379):
            admitted = acls.admitted(subnet)["tcp"].at(port)
            assert [str(block) for block in public if admitted & block] == [], (subnet.name, port)


def test_the_stores_names_resolve(program: Recording) -> None:
    domains = {
        domain.rstrip(".")
        for listed in program.of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")
        for domain in listed.inputs["domains"]
    }
    assert {"*.cache.amazonaws.com", "*.eu-west-1.rds.amazonaws.com"} <= domains


def test_the_master_secret_reaches_prepare_alone_and_the_application_gets_the_rest(program: Recording) -> None:
    definition = interface_task(program)
    containers = {c["name"]: c for c in json.loads(text(definition.inputs["containerDefinitions"]))}
    cluster = _one(program, "aws:rds/cluster:Cluster", "state-database").outputs
    master = cluster["masterUserSecrets"][0]["secretArn"]
    holders = [name for name, c in containers.items() if any(master in s["valueFrom"] for s in c.get("secrets", []))]
    variables = {v["name"]: v["value"] for v in containers["interface"]["environment"]}

    assert holders == ["prepare"]
    assert (variables["DATABASE_HOST"], variables["DATABASE_USER"]) == (cluster["endpoint"], "interface")


def test_the_service_waits_for_the_state_and_its_one_way_in(program: Recording) -> None:
    # A component's children are among what the engine waits for, and it waits for them only if they are named or known.
    awaited = set(_one(program, "aws:ecs/service:Service", "service-service").dependencies)
    names = {r.name for r in program.resources if r.urn in awaited or r.parent in awaited}

    assert {"state-database-eu-west-1a", "state-cache", "uploads-policy"} <= names


def test_several_tasks_run_and_losing_a_zone_leaves_enough(program: Recording) -> None:
    (target,) = program.of_type("aws:appautoscaling/target:Target")
    zones = len({s.inputs["availabilityZone"] for s in program.of_type("aws:ec2/subnet:Subnet")})
    tasks = range(target.inputs["minCapacity"], target.inputs["maxCapacity"] + 1)
    policies = program.of_type("aws:appautoscaling/policy:Policy")
    values = {p.name: p.inputs["targetTrackingScalingPolicyConfiguration"]["targetValue"] for p in policies}

    assert tasks.start >= zones >= 2
    assert lost_zone_shortage(tasks, zones, values["service-scaling-cpu"]) == ""
