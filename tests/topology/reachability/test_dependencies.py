"""What a workload reaches by itself: only what its groups let out and the other's let in, on the same port."""

from __future__ import annotations

import pytest

from policies.guardrails.topology.http.requests import Identity, ProxyFacts, Request
from policies.guardrails.topology.reachability.dependencies import reached_by
from policies.guardrails.topology.reachability.facts.build import facts_of
from policies.guardrails.topology.trace.request_path import trace
from tests.topology.builders import Inputs, Ref, Stack, compliant

FACTS = ProxyFacts(
    prompt_bytes=1000, upload_bytes=1000, header_bytes=4000, allowed_claim="groups", allowed_values=("users",)
)


def _with_ways_out() -> Stack:
    stack = compliant()
    ways: dict[str, Inputs] = {
        "to-state": {"referencedSecurityGroupId": Ref("state-sg"), "fromPort": 5432, "toPort": 5432},
        "to-endpoints": {"referencedSecurityGroupId": Ref("endpoint-sg"), "fromPort": 443, "toPort": 443},
        "to-s3": {"prefixListId": Ref("s3", "prefixListId"), "fromPort": 443, "toPort": 443},
    }
    for name, inputs in ways.items():
        stack.add(
            "vpc.SecurityGroupEgressRule", name, securityGroupId=Ref("task-sg"), ipProtocol="tcp", **inputs
        )  # fmt: skip
    stack.add("s3.Bucket", "uploads")
    stack.add("s3.Bucket", "logs")
    stack["s3"].inputs["policy"] = Ref("uploads", "arn")
    stack["bedrock"].inputs["serviceName"] = "com.amazonaws.eu-west-1.bedrock-runtime"
    return stack


def _found(stack: Stack, *, known: bool = True) -> list[tuple[str, str, str, str]]:
    graph = stack.graph(known=known)
    (service,) = graph.of_type("ecs.Service")
    return [(r.role, r.resource.name, r.ports, r.ways) for r in reached_by(facts_of(graph), service)]


@pytest.mark.parametrize("known", [True, False])
def test_stores_models_and_buckets_are_reached_through_their_rules(known: bool) -> None:
    assert _found(_with_ways_out(), known=known) == [
        ("bucket", "uploads", "443", "to-s3, s3"),
        ("cache", "cache", "5432", "to-state, state-in"),
        ("database", "db", "5432", "to-state, state-in"),
        ("database", "reports", "5432", "to-state, state-in"),
        ("file system", "files", "5432", "to-state, state-in"),
        ("models", "bedrock", "443", "to-endpoints, endpoint-in"),
    ]


CLOSED: dict[str, dict[str, Inputs]] = {
    "no way out": {"to-state": {}},
    "no way in": {"state-in": {}},
    "another port": {"state-in": {"fromPort": 6379, "toPort": 6379}},
    "another group": {"state-in": {"referencedSecurityGroupId": Ref("edge-sg")}},
    "another protocol": {"to-state": {"ipProtocol": "udp"}},
}


@pytest.mark.parametrize("closed", CLOSED)
def test_a_store_behind_a_closed_door_is_not_reached(closed: str) -> None:
    stack = _with_ways_out()
    for rule, change in CLOSED[closed].items():
        if change:
            stack[rule].inputs.update(change)
        else:
            stack.drop(rule)

    assert [role for role, *_ in _found(stack)] == ["bucket", "models"]


def test_a_bucket_that_the_gateways_policy_does_not_name_is_not_reached() -> None:
    stack = _with_ways_out()
    stack["s3"].inputs["policy"] = '{"Statement": []}'

    assert "bucket" not in {role for role, *_ in _found(stack)}


def test_a_trace_goes_on_to_what_the_application_reaches() -> None:
    request = Request("GET", "https://chat.example.test/x", identity=Identity({"groups": ["users"]}))
    steps = [str(step) for step in trace(_with_ways_out().graph(), request, FACTS).steps]
    last = steps[steps.index("proxy: forwards it to the application") + 1 :]

    assert "rds.Cluster db: the application's database, on port 5432 by to-state, state-in" in last
    assert last[-1] == "ec2.VpcEndpoint bedrock: the application's models, on port 443 by to-endpoints, endpoint-in"


def test_a_request_that_is_refused_reaches_nothing() -> None:
    request = Request("GET", "https://chat.example.test/x", identity=Identity({"groups": ["others"]}))
    steps = [str(step) for step in trace(_with_ways_out().graph(), request, FACTS).steps]

    assert not [step for step in steps if step.startswith(("rds.", "elasticache.", "s3."))]
