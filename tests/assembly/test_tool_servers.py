"""A committed stack with a private search server, and two private tool servers: one behind AWS PrivateLink, one in the security
group of the search server. Every policy holds, every call has a way, and only the proxy gets
the keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml

from local.stack import Stack, recorded
from local.task.services import task_definition
from preflight.conform import documented, order, permissions, reach, values, variables
from preflight.ready.wanted import Wanted
from preflight.recording.recorder import Recording
from preflight.review import egress
from preflight.review.side import Side
from releases.acceptance import accepted
from tests.assembly.guardrails import reported
from tests.assembly.test_gateway import changed
from tests.bootstrap.program import run_bootstrap, stack_file
from tests.preflight.conform.editing import edited, in_statement, with_text
from tests.settings.stack_files import changed as with_changes
from tests.settings.stack_files import own_values, parse

STACK = "staging"
TOOLS = "ai-interface:tools"
SERVICE_ID = "vpce-svc-0123456789abcdef0"
SERVICE = f"com.amazonaws.vpce.eu-west-1.{SERVICE_ID}"
GROUP = "sg-0123456789abcdef0"
SEARCH, TICKETS, WIKI, PORT = "search.example.com", "tickets.partner.internal", "wiki.example.com", 8000
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SEARCH_KEY, TICKETS_KEY = (f"ai-interface/staging/model-key-{name}" for name in ("search", "tickets"))
SETTINGS: dict[str, Any] = {
    "search": {"kind": "searxng", "hostName": SEARCH, "securityGroupId": GROUP, "apiKeySecret": SEARCH_KEY},
    "servers": [
        {
            "name": "tickets",
            "kind": "mcp",
            "hostName": TICKETS,
            "port": PORT,
            "endpointService": SERVICE,
            "caCertificate": CA,
            "apiKeySecret": TICKETS_KEY,
            "path": "/v1/mcp",
        },
        {"name": "wiki", "kind": "mcp", "hostName": WIKI, "securityGroupId": GROUP},
    ],
}
TASK, POLICY, ENDPOINT = (
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
)
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


@cache
def bootstrap() -> Recording:
    """Staging's account, with a secret for each key."""
    (environment,) = stack_file(STACK)["ai-interface-bootstrap:environments"]
    return run_bootstrap(STACK, environments=[{**environment, "modelKeys": ["search", "tickets"]}])


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging with the servers."""
    return recorded(STACK, settings={TOOLS: SETTINGS})


def containers(stack: Stack) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(task_definition(stack)["containerDefinitions"])}


def proxy_configuration(stack: Stack) -> dict[str, Any]:
    (found,) = [yaml.safe_load(one) for one in containers(stack)["proxy"]["command"] if "static_resources" in one]
    return found["static_resources"]


def variables_of(stack: Stack) -> dict[str, str]:
    return {one["name"]: one["value"] for one in containers(stack)["interface"]["environment"]}


def test_every_guardrail_holds(stack: Stack) -> None:
    assert reported(stack) == set()


def test_aws_accepts_it_and_the_pipeline_may_deploy_it(stack: Stack) -> None:
    found = [
        *values.findings(stack.recording),
        *documented.findings(stack.recording),
        *order.findings(stack.recording),
        *variables.findings(stack.recording),
        *permissions.findings(stack.recording, bootstrap()),
    ]
    assert [one.headline for one in found] == []


def test_every_call_has_a_name_a_way_and_a_permission(stack: Stack) -> None:
    assert reach.findings(stack.recording) == []


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
            in_statement("policy", "Read", with_text(secret_arns(s)["TOOL_KEY_TICKETS"], "arn:other", "Resource")),
        ),
        "a policy denies the client's request",
    ),
    "no endpoint to the service": (
        lambda s: changed(s.recording, f"endpoints-{SERVICE_ID}"),
        "the client calls a host that does not exist in the network",
    ),
    "the tasks may not connect to the endpoint": (
        lambda s: changed(s.recording, f"endpoints-tasks-to-{SERVICE_ID}-{PORT}"),
        "the task cannot connect to the host that it calls",
    ),
    "the search server's name does not resolve": (
        lambda s: edited(
            s.recording, DOMAINS, "network-dns-allowed", with_text(SEARCH, "other.example.com", "domains")
        ),
        "the client resolves a name that the DNS Firewall blocks",
    ),
    "the endpoint's name does not resolve": (
        lambda s: edited(
            s.recording, DOMAINS, "network-dns-allowed", with_text(f"*.{SERVICE_ID}.", "*.vpce-svc-other.", "domains")
        ),
        "the client resolves a name that the DNS Firewall blocks",
    ),
}


def secret_arns(stack: Stack) -> dict[str, str]:
    """Variable of the proxy → the secret's ARN."""
    return {one["name"]: one["valueFrom"] for one in containers(stack)["proxy"]["secrets"]}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_missing_part_is_found(stack: Stack, fault: str) -> None:
    plant, expected = FAULTS[fault]
    assert any(expected in one.headline for one in reach.findings(plant(stack)))


def test_the_proxy_alone_gets_the_keys_and_the_execution_role_reads_exactly_them(stack: Stack) -> None:
    made = {one.name: str(one.outputs["arn"]) for one in bootstrap().of_type("aws:secretsmanager/secret:Secret")}
    wanted = {arn for name, arn in made.items() if "model-key" in name}
    found = secret_arns(stack)
    assert {found["SEARCH_KEY"], found["TOOL_KEY_TICKETS"]} == wanted
    for name, container in containers(stack).items():
        assert bool({one["valueFrom"] for one in container["secrets"]} & wanted) is (name == "proxy")
    policy = next(one for one in stack.all(POLICY) if one.name == "models-keys-policy")
    read, _ = policy.document("policy")["Statement"]
    assert read["Resource"] == sorted(wanted)


def test_the_tasks_may_connect_to_the_declared_groups_and_ports_only(stack: Stack) -> None:
    rules = stack.where(EGRESS, referencedSecurityGroupId=GROUP)
    assert [(one["fromPort"], one["toPort"]) for one in rules] == [(443, 443)]
    (endpoint,) = [one for one in stack.all(ENDPOINT) if one["serviceName"] == SERVICE]
    (linked,) = endpoint["securityGroupIds"]
    reaching = [*rules, *stack.where(EGRESS, referencedSecurityGroupId=linked)]
    assert [one["fromPort"] for one in reaching] == [443, PORT]
    # Not the synthetic chat, which calls no tool.
    (service,) = stack.all("aws:ecs/service:Service")
    assert [[one["securityGroupId"]] for one in reaching] == [service["networkConfiguration"]["securityGroups"]] * 2


def test_the_application_calls_only_what_the_proxy_forwards(stack: Stack) -> None:
    """Each address in its variables is a route on the loopback listener, which leads to the declared server."""
    static = proxy_configuration(stack)
    (listener,) = [one for one in static["listeners"] if one["name"] == "models"]
    socket = listener["address"]["socket_address"]
    base = f"http://{socket['address']}:{socket['port_value']}"
    (manager,) = [one["typed_config"] for chain in listener["filter_chains"] for one in chain["filters"]]
    (host,) = manager["route_config"]["virtual_hosts"]
    routes = {base + str(one["match"].get("path")): one for one in host["routes"] if "route" in one}
    given = variables_of(stack)
    connections = json.loads(given["TOOL_SERVER_CONNECTIONS"])
    called = [given["SEARXNG_QUERY_URL"], *(one["url"] for one in connections)]
    targets = [routes[url]["route"] for url in called]
    assert [one["host_rewrite_literal"] for one in targets] == [SEARCH, f"{TICKETS}:{PORT}", WIKI]
    assert [one["prefix_rewrite"] for one in targets] == ["/search", "/v1/mcp", "/mcp"]
    assert {one["timeout"] for one in targets} == {"60s"}
    assert not [one for one in targets if "retry_policy" in one]
    clusters = {one["name"]: one for one in static["clusters"]}
    assert [clusters[one["cluster"]]["transport_socket"]["typed_config"]["sni"] for one in targets] == [
        SEARCH,
        TICKETS,
        WIKI,
    ]


def test_the_interface_offers_the_search_and_every_server_to_every_user(stack: Stack) -> None:
    given = variables_of(stack)
    assert (given["ENABLE_WEB_SEARCH"], given["WEB_SEARCH_ENGINE"]) == ("true", "searxng")
    assert given["BYPASS_WEB_SEARCH_WEB_LOADER"] == "true"
    for one in json.loads(given["TOOL_SERVER_CONNECTIONS"]):
        assert (one["type"], one["auth_type"], one["key"], one["config"]["enable"]) == ("mcp", "none", "", True)
        assert one["config"]["access_grants"] == [{"principal_type": "user", "principal_id": "*", "permission": "read"}]
    # Code of users and administrators stays off.
    assert given["ENABLE_PLUGINS"] == "false"


def test_the_changes_name_each_server_and_what_it_gets(stack: Stack) -> None:
    found = list(egress.sentences(Side(recorded(STACK).recording), Side(stack.recording)))
    for text in (
        f"egress added: {SEARCH}:443 (searches)",
        f"egress added: {TICKETS}:{PORT} (calls of tools)",
        f"egress added: {WIKI}:443 (calls of tools)",
    ):
        assert text in found


def test_the_account_is_asked_for_the_keys(stack: Stack) -> None:
    settings = parse(with_changes(own_values(), {"tools": SETTINGS}))
    wanted = Wanted(settings, accepted(settings)[0], stack.recording, bootstrap(), backend="", state_bucket="")
    assert wanted.model_keys == [SEARCH_KEY, TICKETS_KEY]
