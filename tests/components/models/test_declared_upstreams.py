"""One declaration of upstreams: permissions, endpoint policies, security groups, DNS and the proxy follow from it."""

import json
from collections.abc import Callable

import pulumi

import assembly
from components.data import Data
from components.models import ModelAccess
from components.monitoring import Operations
from components.network import PrivateEndpoints, PrivateNetwork
from components.proxy import envoy_arguments
from components.service import WorkloadIdentity
from preflight.recording.recorder import Recording, record
from releases.acceptance import accepted
from settings import StackSettings
from tests.components.task_fixtures import document, text
from tests.settings.stack_files import Values, changed, own_values, parse

HOST, GROUP = "models.internal.example.com", "sg-0123456789abcdef0"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
PRIVATE: Values = {
    "kind": "private",
    "hostName": HOST,
    "port": 8000,
    "securityGroupId": GROUP,
    "caCertificate": CERTIFICATE,
}
OTHER: Values = {**PRIVATE, "hostName": "other.internal.example.com", "securityGroupId": "sg-0123456789abcdef1"}
HOME: Values = {"kind": "bedrock", "region": "eu-west-1"}


def _settings(*upstreams: Values) -> StackSettings:
    return parse(changed(own_values(), {"models.groups[0].upstreams": list(upstreams)}))


def _program(settings: StackSettings) -> Callable[[], None]:
    def program() -> None:
        operations = Operations("operations", assembly.operations(settings))
        network = PrivateNetwork("network", assembly.network(settings, operations))
        workload = WorkloadIdentity("workload", assembly.workload(settings, network, operations))
        models = ModelAccess("models", assembly.models(settings, accepted(settings)[1], workload, None))
        state = Data("state", assembly.data(settings, network, operations, workload))
        PrivateEndpoints(
            "endpoints",
            assembly.endpoints(
                settings,
                network=network,
                operations=operations,
                workload=workload,
                models=models,
                data=state,
                gateway=None,
            ),
        )
        pulumi.export("guardrails", models.guardrail_ids)

    return program


def _proxy(settings: StackSettings) -> str:
    regions = {u.region for g in settings.models.groups for u in g.upstreams if u.kind == "bedrock"}
    guardrails = {region: (f"guardrail-{region}", "1") for region in regions}
    arguments = envoy_arguments(assembly.proxy(settings, assembly.preset(settings), "arn", guardrails))
    return arguments[arguments.index("--config-yaml") + 1]


def _names_that_resolve(recording: Recording) -> list[str]:
    lists = recording.of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")
    return sorted({str(domain).rstrip(".") for each in lists for domain in each.inputs["domains"]})


def _everywhere(settings: StackSettings) -> dict[str, str]:
    """What each room made of the declaration, as text."""
    recording = record(_program(settings))
    endpoints = recording.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
    rules = recording.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    policies = recording.of_type("aws:iam/rolePolicy:RolePolicy")
    return {
        "role": json.dumps([document(policy) for policy in policies if policy.name == "models-task-policy"]),
        "endpoints": json.dumps([(e.inputs["serviceName"], text(e.inputs["policy"])) for e in endpoints]),
        "security groups": json.dumps([rule.inputs for rule in rules]),
        "names": json.dumps(_names_that_resolve(recording)),
        "proxy": _proxy(settings),
    }


def test_removing_a_private_upstream_removes_it_everywhere() -> None:
    declared, removed = _everywhere(_settings(HOME, PRIVATE)), _everywhere(_settings(HOME))

    assert [room for room, made in declared.items() if HOST in made or GROUP in made] == [
        "security groups",
        "names",
        "proxy",
    ]
    assert not [room for room, made in removed.items() if HOST in made or GROUP in made]


def test_removing_bedrock_removes_it_everywhere() -> None:
    declared, removed = _everywhere(_settings(HOME, PRIVATE)), _everywhere(_settings(PRIVATE))

    assert [room for room, made in declared.items() if "bedrock" in made] == ["role", "endpoints", "names", "proxy"]
    assert not [room for room, made in removed.items() if "bedrock" in made]


def _acl_ports(settings: StackSettings) -> set[int]:
    rules = record(_program(settings)).of_type("aws:ec2/networkAclRule:NetworkAclRule")
    return {rule.inputs["fromPort"] for rule in rules if rule.inputs["protocol"] == "tcp"}


def test_the_subnets_let_the_port_of_a_declared_upstream_pass_and_no_other() -> None:
    assert _acl_ports(_settings(HOME, PRIVATE)) - _acl_ports(_settings(HOME)) == {8000}


def test_what_is_removed_from_the_declaration_is_gone_from_all_four_places() -> None:
    declared, removed = _everywhere(_settings(HOME, PRIVATE)), _everywhere(_settings(OTHER))
    places = {
        "endpoints": ["bedrock-runtime"],
        "security groups": [GROUP],
        "names": ["bedrock-runtime", HOST],
        "proxy": ["bedrock-runtime", HOST],
    }

    for place, traces in places.items():
        assert [trace for trace in traces if trace in declared[place]] == traces, place
        assert [trace for trace in traces if trace in removed[place]] == [], place
