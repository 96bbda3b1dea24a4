"""Every value of the real programs is in the form in which AWS returns it, and one that is not is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from preflight.conform import normal_forms, round_trip
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Json, Wire, secret
from tests import once
from tests.assembly.topologies import ELSEWHERE, SHAPES, recorded
from tests.bootstrap.program import run_bootstrap

ROOT = Path(__file__).resolve().parents[3]
PROJECT = Project.load(ROOT)
STACKS = ("staging", "prod")
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
ACL = "aws:wafv2/webAcl:WebAcl"


@cache
def stacks() -> dict[str, Recording]:
    return {name: recording for (name, _), recording in once.recordings(*STACKS).items()}


def said(recording: Recording) -> list[str]:
    return [f"{finding.headline}: {finding.found}" for finding in round_trip.findings(recording)]


@pytest.mark.parametrize("stack", STACKS)
def test_every_value_of_the_environments_is_as_aws_returns_it(stack: str) -> None:
    assert said(stacks()[stack]) == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_value_of_bootstrap_is_as_aws_returns_it(stack: str) -> None:
    assert said(run_bootstrap(stack)) == []


@pytest.mark.parametrize("shape", [*SHAPES, *ELSEWHERE], ids=str)
def test_every_value_is_as_aws_returns_it_in_every_topology(shape: Json) -> None:
    assert said(recorded(shape)) == []


# -- the check finds what it is for ------------------------------------------------------------------------------------


def without_dots(inputs: Wire) -> None:
    inputs["domains"] = [domain.rstrip(".") for domain in inputs["domains"]]


def every_protocol_with_ports(inputs: Wire) -> None:
    inputs["ipProtocol"] = "-1"


def host_bits(inputs: Wire) -> None:
    inputs["cidrBlock"] = inputs["cidrBlock"].replace(".0/", ".1/")


def streams(inputs: Wire) -> None:
    inputs["logDestination"] += ":*"


def upper_case_header(inputs: Wire) -> None:
    assert replace_header(inputs)


def replace_header(value: Json) -> bool:
    if isinstance(value, dict):
        entries = cast("Wire", value)
        if "singleHeader" in entries:
            entries["singleHeader"]["name"] = entries["singleHeader"]["name"].title()
            return True
        return any(map(replace_header, entries.values()))
    return isinstance(value, list) and any(map(replace_header, cast("list[Json]", value)))


def value_of_aws(inputs: Wire) -> None:
    inputs["parameters"].append({"applyMethod": "immediate", "name": "timezone", "value": "UTC"})


def tls_at_once_from_version_17(inputs: Wire) -> None:
    inputs["family"] = "aurora-postgresql17"
    (forced,) = (one for one in inputs["parameters"] if one["name"] == "rds.force_ssl")
    forced["applyMethod"] = "immediate"


@pytest.mark.parametrize(
    ("type_", "change", "properties"),
    [
        (PARAMETERS, value_of_aws, {"parameters"}),
        (PARAMETERS, tls_at_once_from_version_17, {"parameters"}),
        (DOMAINS, without_dots, {"domains"}),
        (EGRESS, every_protocol_with_ports, {"fromPort", "toPort"}),
        ("aws:ec2/vpc:Vpc", host_bits, {"cidrBlock"}),
        ("aws:ec2/flowLog:FlowLog", streams, {"logDestination"}),
        (ACL, upper_case_header, {"rules"}),
    ],
)
@pytest.mark.parametrize("stack", STACKS)
def test_another_form_is_found(stack: str, type_: str, change: Callable[[Wire], None], properties: set[str]) -> None:
    recording = copy.deepcopy(stacks()[stack])
    changed = recording.of_type(type_)
    for resource in changed:
        change(resource.inputs)
    found = round_trip.findings(recording)
    assert {finding.urn for finding in found} == {resource.urn for resource in changed}
    assert {finding.headline.partition(".")[2].partition(" ")[0] for finding in found} == properties
    assert all("https://" in finding.wanted for finding in found)


def test_dns_lists_without_final_dots_are_found_by_name() -> None:
    recording = copy.deepcopy(stacks()["prod"])
    for resource in recording.of_type(DOMAINS):
        without_dots(resource.inputs)
    assert "ResolverFirewallDomainList network-dns-everything.domains is returned in another form: ['*']" in said(
        recording
    )


@pytest.mark.parametrize(
    ("type_", "name", "value"),
    [
        ("aws:rds/cluster:Cluster", "preferredMaintenanceWindow", "Sun:03:30-Sun:04:30"),
        ("aws:ec2/networkAclRule:NetworkAclRule", "protocol", "6"),
        ("aws:route53/record:Record", "name", "Chat.Example.com."),
    ],
)
def test_a_difference_that_the_provider_suppresses_is_not_found(type_: str, name: str, value: str) -> None:
    recording = copy.deepcopy(stacks()["prod"])
    for resource in recording.of_type(type_):
        assert round_trip.compared(type_, {name: value}) != {name: value}
        resource.inputs[name] = value
    assert said(recording) == []


def test_a_secret_in_another_form_is_not_printed() -> None:
    recording = copy.deepcopy(stacks()["prod"])
    for resource in recording.of_type(DOMAINS):
        resource.inputs["domains"] = secret(["canary.example.com"])
    shown = "\n".join(f"{one.headline} {one.found} {one.wanted}" for one in round_trip.findings(recording))
    assert "domains is returned in another form" in shown
    assert "canary" not in shown


def test_what_postgresql_sets_and_aws_does_not_may_be_applied_at_once() -> None:
    """The real group repeats defaults of the engine, such as ``log_statement``: for RDS, those are a user's values."""
    (group,) = stacks()["prod"].of_type(PARAMETERS)
    at_once = {one["name"] for one in group.inputs["parameters"] if one["applyMethod"] == "immediate"}
    assert "log_statement" in at_once
    assert not at_once & {*normal_forms.AURORA_SETS, "rds.force_ssl"}


# -- the forms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "declared", "expected"),
    [
        (normal_forms.firewall_domain, "*", "*."),
        (normal_forms.firewall_domain, "*.example.com", "*.example.com."),
        (normal_forms.without_final_dot, "Chat.example.com.", "chat.example.com"),
        (normal_forms.lower_case, "Sun:03:30-Sun:04:30", "sun:03:30-sun:04:30"),
        (normal_forms.network_address, "100.68.0.18/18", "100.68.0.0/18"),
        (normal_forms.network_address, "not/an address", "not/an address"),
        (normal_forms.protocol_name, "6", "tcp"),
        (normal_forms.protocol_name, "all", "-1"),
        (normal_forms.log_group_arn, "arn:aws:logs:x:1:log-group:a:*", "arn:aws:logs:x:1:log-group:a"),
        (normal_forms.log_group_arn, "arn:aws:s3:::a:*", "arn:aws:s3:::a:*"),
        (normal_forms.whole_number, "1000", "1000.0"),
        (normal_forms.json_document, '{"b": 1, "a": [2]}', '{"a":[2],"b":1}'),
        (normal_forms.json_document, "{no json", "{no json"),
    ],
)
def test_a_form_is_reached_once_and_kept(form: Callable[[Json], Json], declared: str, expected: str) -> None:
    assert form(declared) == expected
    assert form(expected) == expected


@pytest.mark.parametrize("row", round_trip.TABLE, ids=lambda row: f"{row.type} {row.path}")
def test_every_row_has_a_source_and_is_about_something_that_exists(row: round_trip.Form) -> None:
    assert row.source.startswith("https://")
    assert row.form.__doc__
