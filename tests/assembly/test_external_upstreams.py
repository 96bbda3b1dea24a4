"""A committed stack with a provider on the internet: what opens, who may use it, and where that is reported."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml

from components.egress.settings import HTTPS, PORT, host_name
from components.network.addresses import WORLD
from local.stack import ROOT, Stack, recorded
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.network.addresses import TCP
from policies.guardrails.topology.reachability.evaluation import reachability
from policies.guardrails.topology.reachability.facts.build import facts_of
from preflight.analysis.connectivity import connectivity_of
from preflight.conform import order, permissions, reach, rollback_alarms, values
from preflight.recording.recorder import Recording
from preflight.review import egress
from preflight.review.side import Side
from preflight.sdk.wire import unwrap
from settings import SettingsError
from tests.assembly.guardrails import TODAY, reported
from tests.assembly.test_gateway import changed
from tests.bootstrap.program import run_bootstrap, stack_file
from tests.preflight.conform.editing import edited, with_value
from tests.settings import stack_files

STACK = "staging"
MODELS = "ai-interface:models"
HOST, SECOND = "api.provider.com", "llm.other.org"
KEY = f"ai-interface/{STACK}/model-key-provider"
DOC = ROOT / "docs" / "models.md"
OPENINGS = {"vpc-private-subnets-have-no-internet-route", "vpc-upstream-egress-declared"}
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"


def settings(*hosts: str) -> dict[str, Any]:
    """Staging's models, each with the providers before Bedrock."""
    given = stack_files.stack_file(STACK)[MODELS]
    providers = [{"kind": "external", "hostName": host, "pathPrefix": "/api/v1", "apiKeySecret": KEY} for host in hosts]
    return {**given, "groups": [{**one, "upstreams": [*providers, *one["upstreams"]]} for one in given["groups"]]}


@cache
def bootstrap() -> Recording:
    """The account, with the provider's key."""
    (environment,) = stack_file(STACK)["ai-interface-bootstrap:environments"]
    return run_bootstrap(STACK, environments=[{**environment, "modelKeys": ["provider"]}])


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging with two providers."""
    return recorded(STACK, settings={MODELS: settings(HOST, SECOND)})


@pytest.fixture(scope="module")
def closed() -> Stack:
    """Staging as it is committed."""
    return recorded(STACK)


@pytest.fixture(scope="module")
def graph(stack: Stack) -> Graph:
    """As the policies read it."""
    return Graph.from_recorded(stack.recording.resources)


def documented() -> str:
    """The exceptions in the documentation, for this stack."""
    section = DOC.read_text(encoding="utf-8").partition("### What opens")[2]
    snippet = section.partition("```yaml\n# policies/exceptions.yaml\n")[2].partition("```")[0]
    return snippet.replace("urn:pulumi:prod::", f"urn:pulumi:{STACK}::")


def test_what_opens_is_a_finding_and_nothing_else_is(stack: Stack) -> None:
    found = {one for one in reported(stack, "", TODAY) if one[0] != "secretsmanager-secrets-rotate"}
    zones = stack_files.stack_file(STACK)["ai-interface:network"]["availabilityZones"]
    routes = {("vpc-private-subnets-have-no-internet-route", f"egress-network-{zone}-to-internet") for zone in zones}
    assert found == routes | {("vpc-upstream-egress-declared", "egress-to-internet")}


def test_the_documented_exceptions_allow_that_until_they_expire(stack: Stack) -> None:
    assert reported(stack, documented(), TODAY) == set()
    expires = max(entry["expires"] for entry in yaml.safe_load(documented()))
    assert {policy for policy, _ in reported(stack, documented(), expires)} > OPENINGS


def test_only_the_egress_subnets_have_a_route_and_only_the_egress_proxy_is_in_them(graph: Graph) -> None:
    facts = facts_of(graph)
    inside = {peer.resource.name: peer for peer in facts.peers.all}
    outward = {
        name: {bool(facts.routing.outward(subnet)) for subnet in peer.subnets}
        for name, peer in inside.items()
        if peer.subnets and not peer.balances
    }
    assert {name for name, leads in outward.items() if leads != {False}} == {"egress-proxy-service"}
    assert outward["service-service"] == {False}
    assert all(str(facts.routing.outward(subnet)) for subnet in inside["egress-proxy-service"].subnets)


def test_only_the_interfaces_tasks_and_the_synthetic_chat_may_connect_to_it(graph: Graph) -> None:
    peers = facts_of(graph).peers
    (egress,) = [peer for peer in peers.all if peer.resource.name == "egress-proxy-service"]
    rules = list(peers.rules(egress, ingress=True))
    assert [(rule.covers(TCP, PORT), rule.covers(TCP, PORT + 1), bool(rule.addresses)) for rule in rules] == [
        (True, False, False)
    ] * 2
    admitted = [{one.resource.name for one in peers.all if set(rule.groups) & set(one.groups)} for rule in rules]
    assert sorted(admitted, key=sorted) == [{"service-service"}, {"synthetic-chat-schedule"}]
    reached = [rule for rule in peers.rules(egress, ingress=False) if rule.addresses]
    assert [rule.covers(TCP, HTTPS) and not rule.covers(TCP, HTTPS - 1) for rule in reached] == [True]
    assert not [one for peer in peers.all if peer.resource.name in {"service-service", "synthetic-chat-schedule"}
                for one in peers.rules(peer, ingress=False) if one.addresses]  # fmt: skip


def test_nothing_leads_in(graph: Graph) -> None:
    evaluated = reachability(graph)
    assert {path.edges[0].entry.kind for path in evaluated.paths} == {"lb.LoadBalancer"}
    assert (evaluated.exposures, evaluated.unprotected, evaluated.bypasses) == ((), (), ())


def test_every_call_of_every_task_has_a_name_a_way_and_a_permission(stack: Stack) -> None:
    assert reach.findings(stack.recording) == []


@pytest.mark.parametrize(
    "name",
    [
        "egress-registry",
        "egress-from-interface",
        "egress-from-interface-out",
        "egress-to-internet",
        "egress-network-eu-west-1a-to-internet",
        "egress-network-egress-https-to-providers",
        "egress-network-ingress-answers",
        "egress-network-ingress-tunnels-eu-west-1a",
        "network-private-egress-tunnels",
        "network-private-ingress-answers-of-egress",
        "network-private-ingress-endpoints-from-egress",
        "endpoints-from-egress",
    ],
)
def test_a_missing_part_of_the_way_is_found(stack: Stack, name: str) -> None:
    broken = changed(stack.recording, name)
    assert len(broken.resources) == len(stack.recording.resources) - 1
    assert reach.findings(broken) != []


def test_a_name_that_the_dns_firewall_blocks_is_found(stack: Stack) -> None:
    domains = [one for one in unwrap(named(stack, "network-dns-allowed")["domains"]) if HOST not in one]
    found = reach.findings(edited(stack.recording, DOMAINS, "network-dns-allowed", with_value("domains", domains)))
    assert any(HOST in one.found and "DNS Firewall" in one.headline for one in found)


def named(stack: Stack, name: str) -> dict[str, Any]:
    """The inputs of the resource with this name and a list of domains."""
    (one,) = [one for one in stack.recording.resources if one.name == name and "domains" in one.inputs]
    return one.inputs


def test_aws_accepts_it_and_the_pipeline_may_deploy_it(stack: Stack) -> None:
    found = [
        *values.findings(stack.recording),
        *order.findings(stack.recording),
        *rollback_alarms.findings(stack.recording),
        *permissions.findings(stack.recording, bootstrap()),
    ]
    assert [one.headline for one in found] == []


def containers(stack: Stack, task: str) -> dict[str, dict[str, Any]]:
    """Name → container of a task definition."""
    (one,) = [one for one in stack.recording.resources if one.name == task and "containerDefinitions" in one.inputs]
    return {made["name"]: made for made in json.loads(unwrap(one.inputs["containerDefinitions"]))}


def test_the_interfaces_proxy_alone_gets_the_key_and_the_client_certificate(stack: Stack) -> None:
    interface, egress = containers(stack, "service-task"), containers(stack, "egress-proxy-task")
    secrets = {
        name: {one["valueFrom"] for one in made.get("secrets", [])} for name, made in {**interface, **egress}.items()
    }
    holders = {name for name, held in secrets.items() if any("model-key-provider" in one for one in held)}
    shown = {name for name, held in secrets.items() if any(":secret:egress-client-" in one for one in held)}
    assert (holders, shown) == ({"proxy"}, {"proxy"})
    assert all(":secret:egress-" in one for one in secrets["egress"])
    text = " ".join(egress["egress"]["command"])
    assert f"{HOST}:{HTTPS}" in text
    assert f"{SECOND}:{HTTPS}" in text


def test_the_egress_proxys_role_has_no_permission(stack: Stack) -> None:
    roles = {str(one.outputs["name"]): one.name for one in stack.recording.of_type("aws:iam/role:Role")}
    policies = stack.recording.of_type("aws:iam/rolePolicy:RolePolicy")
    assert "egress-task" in roles.values()
    assert "egress-task" not in {roles.get(str(unwrap(one.inputs["role"]))) for one in policies}


def test_the_report_has_each_host_with_its_groups_and_what_the_network_opens(stack: Stack, closed: Stack) -> None:
    groups = ", ".join(group["name"] for group in settings()["groups"])
    egress = {
        name: set(connectivity_of({(STACK, False): one.recording}, [STACK])[0].egress)
        for name, one in (("open", stack), ("closed", closed))
    }
    added = egress["open"] - egress["closed"]
    assert {
        f"{HOST}:443 on the internet (prompts of {groups})",
        f"{SECOND}:443 on the internet (prompts of {groups})",
        "tcp 443 to every IPv4 address by NAT gateway (egress-proxy-service)",
    } <= added
    assert not [line for line in egress["closed"] if "internet" in line or "NAT" in line]


def test_diff_says_that_prompts_may_leave_aws_and_that_they_no_longer_do(stack: Stack, closed: Stack) -> None:
    group = settings()["groups"][0]["name"]
    opened = set(egress.sentences(Side(closed.recording), Side(stack.recording)))
    ended = set(egress.sentences(Side(stack.recording), Side(closed.recording)))
    assert f"prompts of the model group {group} may leave AWS to {HOST}:443" in opened
    assert f"prompts of the model group {group} no longer leave AWS to {HOST}:443" in ended


def test_without_a_provider_nothing_of_it_exists(closed: Stack) -> None:
    made = {one.type for one in closed.recording.resources}
    assert not made & {"aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip"}
    assert not [one.name for one in closed.recording.resources if "egress" in one.name.split("-")[0]]
    worldwide = [
        one.name
        for one in closed.recording.of_type("aws:ec2/route:Route")
        if one.inputs.get("destinationCidrBlock") == WORLD
    ]
    assert worldwide == ["network-public-to-internet"]


def test_the_proxy_finds_the_egress_proxy_by_its_name(stack: Stack) -> None:
    assert f"{host_name(STACK)}" in " ".join(containers(stack, "service-task")["proxy"]["command"])
    assert any(host_name(STACK) in one for one in unwrap(named(stack, "network-dns-allowed")["domains"]))


def test_a_stack_in_an_existing_vpc_is_refused() -> None:
    network = stack_files.stack_file(STACK)["ai-interface:network"]
    existing = {
        "vpcId": "vpc-0123456789abcdef0",
        "publicSubnetIds": [f"subnet-0000000000000000{letter}" for letter in "ab"],
        "privateSubnetIds": [f"subnet-0000000000000001{letter}" for letter in "ab"],
        "privateRouteTableIds": ["rtb-00000000000000001"],
    }
    with pytest.raises(SettingsError, match=r"the egress proxy needs subnets and NAT gateways"):
        recorded(STACK, settings={MODELS: settings(HOST), "ai-interface:network": {**network, "existing": existing}})
