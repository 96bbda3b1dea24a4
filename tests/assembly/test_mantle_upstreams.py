"""A committed stack whose models are behind Bedrock's endpoint ``bedrock-mantle``: what opens, what is granted, and where it is
reported that no guardrail applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from local.stack import ROOT, Stack, recorded
from local.task.services import task_definition
from policies.guardrails.rules.bedrock import mantle_calls_pass_no_guardrail
from policies.guardrails.topology.graph.resources import Graph, Unknown
from policies.guardrails.topology.graph.verdicts import Verdict
from preflight.analysis.connectivity import connectivity_of
from preflight.conform import order, permissions, reach, rollback_alarms, values
from preflight.recording.recorder import Recording
from preflight.review import egress
from preflight.review.side import Side
from preflight.sdk.wire import unwrap
from tests.assembly.guardrails import TODAY, reported
from tests.assembly.test_gateway import changed
from tests.preflight.conform.editing import edited, in_statement, with_text, with_value
from tests.preflight.conform.graphs import MANTLE, MANTLE_MODEL, account, at_mantle, program
from tests.settings.stack_files import stack_file

STACK = "staging"
MODELS = "ai-interface:models"
HOST = "bedrock-mantle.eu-west-1.api.aws"
DOC = ROOT / "docs" / "models.md"
POLICY, ENDPOINT, DOMAINS, TASK = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList",
    "aws:ecs/taskDefinition:TaskDefinition",
)
RULE = "bedrock-mantle-calls-pass-no-guardrail"
GRANTS = ("models-mantle-policy", "models-synthetic-mantle-policy")
"""The policies of those who call: the interface's tasks and the synthetic chat."""


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging with one model at bedrock-mantle."""
    return Stack.of(program(MANTLE))


@pytest.fixture(scope="module")
def both() -> Stack:
    """Staging with a second group at bedrock-mantle."""
    given = stack_file(STACK)[MODELS]
    upstream = {"kind": "bedrockMantle", "region": "eu-west-1", "signingService": "bedrock"}
    second = {"name": "second", "models": [MANTLE_MODEL], "upstreams": [upstream]}
    return recorded(STACK, settings={MODELS: {**given, "groups": [*given["groups"], second]}})


def documented() -> str:
    """The exceptions in the documentation, for this stack."""
    section = DOC.read_text(encoding="utf-8").partition("## Bedrock Mantle")[2]
    snippet = section.partition("```yaml\n# policies/exceptions.yaml\n")[2].partition("```")[0]
    return snippet.replace("urn:pulumi:prod::", f"urn:pulumi:{STACK}::")


@pytest.mark.parametrize("name", ["stack", "both"])
def test_that_no_guardrail_applies_is_a_finding_and_nothing_else_is(name: str, request: pytest.FixtureRequest) -> None:
    made: Stack = request.getfixturevalue(name)
    assert reported(made, "", TODAY) == {(RULE, grant) for grant in GRANTS}


def test_the_documented_exceptions_allow_that_until_they_expire(stack: Stack) -> None:
    assert reported(stack, documented(), TODAY) == set()
    entries = yaml.safe_load(documented())
    assert [entry["urn"].rpartition("::")[2] for entry in entries] == list(GRANTS)
    for entry, grant in zip(entries, GRANTS, strict=True):
        assert (RULE, grant) in reported(stack, documented(), entry["expires"])


def test_a_first_preview_has_the_same_finding() -> None:
    graph = Graph.from_recorded(at_mantle(preview=True).resources)
    assert any(isinstance(one.value("policy"), Unknown) for one in graph.of_type("iam.RolePolicy"))
    found = mantle_calls_pass_no_guardrail.evaluate(graph, {})
    assert sorted((one.urn.rpartition("::")[2], one.verdict) for one in found) == [
        (grant, Verdict.VIOLATED) for grant in GRANTS
    ]


def test_aws_accepts_it_and_the_pipeline_may_deploy_it(stack: Stack) -> None:
    found = [
        *values.findings(stack.recording),
        *order.findings(stack.recording),
        *rollback_alarms.findings(stack.recording),
        *permissions.findings(stack.recording, account(STACK)),
    ]
    assert [one.headline for one in found] == []


def test_every_call_has_a_name_a_way_and_a_permission(stack: Stack, both: Stack) -> None:
    assert reach.findings(stack.recording) == []
    assert reach.findings(both.recording) == []


FAULTS: dict[str, tuple[Callable[[Stack], Recording], str]] = {
    "the role may not call it": (
        lambda s: changed(s.recording, "models-mantle-policy"),
        "a policy denies the client's request",
    ),
    "the role may call another model": (
        lambda s: edited(
            s.recording,
            POLICY,
            "models-mantle-policy",
            in_statement("policy", "InferWithListedModelseuwest1", with_text(MANTLE_MODEL, "other", "Condition")),
        ),
        "a policy denies the client's request",
    ),
    "the endpoint allows another project": (
        lambda s: edited(
            s.recording,
            ENDPOINT,
            "endpoints-bedrock-mantle-eu-west-1",
            in_statement(
                "policy", "InferWithListedModelseuwest1", with_text("project/default", "project/x", "Resource")
            ),
        ),
        "a policy denies the client's request",
    ),
    "no endpoint": (
        lambda s: changed(s.recording, "endpoints-bedrock-mantle-eu-west-1"),
        "the client calls a host that does not exist in the network",
    ),
    "no private name": (
        lambda s: edited(
            s.recording, ENDPOINT, "endpoints-bedrock-mantle-eu-west-1", with_value("privateDnsEnabled", False)
        ),
        "the client calls a host that does not exist in the network",
    ),
    "the name does not resolve": (
        lambda s: edited(s.recording, DOMAINS, "network-dns-allowed", with_text(HOST, "other.api.aws", "domains")),
        "the client resolves a name that the DNS Firewall blocks",
    ),
    "the endpoints do not admit the tasks": (
        lambda s: changed(s.recording, "endpoints-from-tasks"),
        "the task cannot connect to the host that it calls",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_missing_part_is_found(stack: Stack, fault: str) -> None:
    plant, expected = FAULTS[fault]
    assert any(expected in one.headline for one in reach.findings(plant(stack)))


def test_every_policy_allows_exactly_the_declared_model_and_no_key(stack: Stack) -> None:
    account_id = stack.account
    allow = {
        "Sid": "InferWithListedModelseuwest1",
        "Effect": "Allow",
        "Action": ["bedrock-mantle:CreateInference"],
        "Resource": [f"arn:aws:bedrock-mantle:eu-west-1:{account_id}:project/default"],
        "Condition": {"StringEquals": {"bedrock-mantle:Model": [MANTLE_MODEL]}},
    }
    deny = {
        "Sid": "RefuseMantleBearerTokens",
        "Effect": "Deny",
        "Action": ["bedrock-mantle:CallWithBearerToken"],
        "Resource": ["*"],
    }
    (synthetic_task,) = [one for one in stack.all(TASK) if one.name == "synthetic-chat-definition"]
    callers = [str(one["taskRoleArn"]) for one in (task_definition(stack), synthetic_task)]
    policies = {one.name: one for one in stack.all(POLICY)}
    for grant, caller in zip(GRANTS, callers, strict=True):
        assert policies[grant]["role"] == caller.rpartition("/")[2]
        assert policies[grant].document("policy")["Statement"] == [allow, deny]
    (endpoint,) = [one for one in stack.all(ENDPOINT) if one["serviceName"] == "com.amazonaws.eu-west-1.bedrock-mantle"]
    granted, denied, synthetic = endpoint.document("policy")["Statement"]
    for statement, caller, prefix in zip((granted, synthetic), callers, ("", "Synthetic"), strict=True):
        only = {"aws:PrincipalAccount": [account_id], "aws:PrincipalArn": [caller]}
        assert statement == {
            **allow,
            "Sid": f"{prefix}{allow['Sid']}",
            "Principal": "*",
            "Condition": {"StringEquals": {"bedrock-mantle:Model": [MANTLE_MODEL], **only}},
        }
    assert denied == {**deny, "Principal": "*"}
    others = [one for one in stack.all(POLICY) if one.name not in GRANTS]
    assert not [one.name for one in others if "bedrock-mantle" in str(one["policy"])]


def test_without_bedrock_runtime_there_is_no_guardrail_and_no_endpoint_to_it(stack: Stack, both: Stack) -> None:
    made = {
        name: (
            [one.name for one in made.all("aws:bedrock/guardrail:Guardrail")],
            sorted(str(one["serviceName"]).rpartition(".")[2] for one in made.all(ENDPOINT) if "bedrock" in one.name),
        )
        for name, made in (("stack", stack), ("both", both))
    }
    assert made == {
        "stack": ([], ["bedrock-mantle"]),
        "both": (["models-guardrail-eu-west-1"], ["bedrock-mantle", "bedrock-runtime"]),
    }


def route(stack: Stack, container: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A proxy's route to the endpoint, and the filter that signs the requests."""
    defined = [one for task in stack.all(TASK) for one in task.document("containerDefinitions")]
    (proxy,) = [one for one in defined if one["name"] == container]
    (text,) = [one for one in proxy["command"] if "static_resources" in one]
    found = yaml.safe_load(text)["static_resources"]
    listener = next(one for one in found["listeners"] if "bedrock-mantle" in one["name"])
    (cluster,) = [one for one in found["clusters"] if one["name"].startswith("server-") and "mantle" in one["name"]]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    made = manager["route_config"]["virtual_hosts"][0]["routes"][0]
    (options,) = cluster["typed_extension_protocol_options"].values()
    return made, options["http_filters"][0]["typed_config"]


@pytest.mark.parametrize("container", ["proxy", "synthetic-proxy"])
@pytest.mark.parametrize(("name", "service"), [("stack", "bedrock-mantle"), ("both", "bedrock")])
def test_the_proxy_signs_for_the_declared_service_and_sets_no_guardrail(
    name: str, service: str, container: str, request: pytest.FixtureRequest
) -> None:
    made, signer = route(request.getfixturevalue(name), container)
    assert (made["route"]["host_rewrite_literal"], made["route"]["prefix_rewrite"]) == (HOST, "/v1")
    assert (signer["service_name"], signer["region"]) == (service, "eu-west-1")
    assert made["request_headers_to_add"] == []


def test_the_alarms_read_the_metrics_of_the_endpoint(stack: Stack, both: Stack) -> None:
    alarms = {one.name: one for one in stack.all("aws:cloudwatch/metricAlarm:MetricAlarm") if "model-" in one.name}
    read = {
        name: [
            (one["metric"]["namespace"], one["metric"]["metricName"], one["metric"]["dimensions"])
            for one in alarm["metricQueries"]
            if "metric" in one
        ]
        for name, alarm in alarms.items()
    }
    at = ("AWS/BedrockMantle", {"Model": MANTLE_MODEL})
    assert read == {
        "model-alarms-model-outage-mantle": [(at[0], name, at[1]) for name in ("InferenceClientErrors", "Inferences")],
        "model-alarms-model-tokens-mantle": [
            (at[0], name, at[1]) for name in ("TotalInputTokens", "TotalOutputTokens")
        ],
        "model-alarms-model-throttled-mantle": [(at[0], "InferenceClientErrors", at[1])],
    }
    kinds = {one.name for one in both.all("aws:cloudwatch/metricAlarm:MetricAlarm") if "model-" in one.name}
    own = {name.removesuffix("-mantle") for name in read}
    assert {name for name in kinds if not name.endswith("-mantle")} == {*own, "model-alarms-model-server-errors"}
    assert {name for name in kinds if name.endswith("-mantle")} == set(read)


def test_the_report_has_the_endpoint(stack: Stack) -> None:
    (found,) = connectivity_of({(STACK, False): stack.recording}, [STACK])
    assert any("bedrock-mantle" in line and "bedrock-runtime" not in line for line in found.egress)
    assert any(station.name == "bedrock-mantle" for path in found.ingress for station in path.stations)


def test_the_report_and_diff_have_the_groups_whose_prompts_pass_no_guardrail(both: Stack) -> None:
    closed = recorded(STACK)
    line = f"{HOST}:443 without a guardrail (prompts of second)"
    (found,) = connectivity_of({(STACK, False): both.recording}, [STACK])
    assert line in found.egress
    opened = set(egress.sentences(Side(closed.recording), Side(both.recording)))
    ended = set(egress.sentences(Side(both.recording), Side(closed.recording)))
    assert (f"egress added: {line}" in opened, f"egress removed: {line}" in ended) == (True, True)
    (before,) = connectivity_of({(STACK, False): closed.recording}, [STACK])
    assert not [one for one in before.egress if "without a guardrail" in one]


def test_the_name_is_allowed_by_the_dns_firewall_and_no_other_of_its_domain(stack: Stack) -> None:
    (listed,) = [one for one in stack.all(DOMAINS) if one.name == "network-dns-allowed"]
    assert [one for one in unwrap(listed["domains"]) if "api.aws" in one] == [f"{HOST}."]
