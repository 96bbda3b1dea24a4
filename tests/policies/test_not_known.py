"""A finding says "not known yet" only of what a later value decides; what is declared elsewhere is said to be elsewhere."""

from __future__ import annotations

import pytest

from policies.guardrails.profiles import Profile
from policies.guardrails.topology.graph.verdicts import ELSEWHERE, NOT_KNOWN
from tests.policies.corpus import test_corpus
from tests.policies.corpus.planting import PLANTED, SAFE, Case
from tests.policies.public.table import reports, resources, rows
from tests.topology.builders import Ref, Stack

PROGRAMS = [row.program for row in rows()]


@pytest.mark.parametrize("case", [*PLANTED, *SAFE], ids=str)
def test_nothing_is_unknown_of_a_case_with_known_values(case: Case) -> None:
    found = test_corpus.reports(case, test_corpus.GRAPHS["known"])
    assert [report.message for report in found if NOT_KNOWN in report.message] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_unknown_of_a_public_program(program: str) -> None:
    found = reports(resources(program), Profile.AI_INTERFACE)
    assert [report.message for report in found if NOT_KNOWN in report.message] == []


def placed(subnet: Ref | str) -> Case:
    def change(stack: Stack) -> None:
        stack.add("ec2.SecurityGroup", "inner", vpcId="vpc-1")
        stack.add("efs.MountTarget", "files", subnetId=subnet, securityGroups=[Ref("inner")])
        stack.add("ec2.RouteTable", "table", vpcId="vpc-1")

    return Case(PLANTED[0].kind, "a mount target", "", change)


def about_subnets(case: Case, form: str) -> list[str]:
    found = test_corpus.reports(case, test_corpus.GRAPHS[form])
    return [report.finding.found for report in found if report.finding.property == "subnetId"]


def test_a_subnet_of_another_stack_is_elsewhere_also_in_a_first_preview() -> None:
    for form in test_corpus.GRAPHS:
        assert about_subnets(placed("subnet-1"), form) == [ELSEWHERE]


def test_a_subnet_that_a_later_value_names_is_not_known_yet() -> None:
    assert about_subnets(placed(Ref("table")), "first preview") == [NOT_KNOWN]


def test_the_finding_in_the_default_network_states_what_is_proven() -> None:
    def change(stack: Stack) -> None:
        opened = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["0.0.0.0/0"]}
        stack.add("ec2.SecurityGroup", "open", ingress=[opened])
        stack.add("ec2.Instance", "web", vpcSecurityGroupIds=[Ref("open")])

    found = test_corpus.reports(Case(PLANTED[0].kind, "", "", change), test_corpus.GRAPHS["known"])
    messages = [report.message for report in found if report.rule.name == "reachability-no-internal-endpoint-reachable"]
    assert any("which the default VPC, as AWS makes it, gives a public address" in message for message in messages)
    assert any("found: not set; proven: AWS places it in the default VPC" in message for message in messages)
    assert not any("latent" in message for message in messages)
