"""What holds for every rule: a crash is no verdict, and a request is read once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from policies.guardrails.analyzer import Analyzer
from policies.guardrails.evaluation import Evaluation, Policy
from policies.guardrails.exceptions import Exemptions
from policies.guardrails.profiles import Profile
from policies.guardrails.rule import Rule, Severity
from policies.guardrails.server import pack
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Value
from policies.guardrails.topology.graph.verdicts import Finding
from preflight.pulumi.protocol import stack_request
from tests.policies.wire import r

TOPIC = Resource("urn:pulumi:test::project::aws:sns/topic:Topic::x", "aws:sns/topic:Topic", "x")


def stumble_on_stack(_graph: Graph, _settings: Value) -> Iterator[Finding]:
    raise KeyError("secret-looking-value")
    yield


def stumble_on_resource(_resource: Resource, _settings: Value) -> Iterator[Finding]:
    raise KeyError("secret-looking-value")
    yield


def evaluation(**evaluate: Value) -> Evaluation:
    rule = Rule("stumbles", "It stumbles.", Severity.HIGH, "repair it", ("sns.Topic",), **evaluate)
    return Evaluation([Policy.of(rule)], Exemptions())


def test_a_stack_policy_that_crashes_blocks_and_says_where() -> None:
    reports, _ = evaluation(stack=stumble_on_stack).on_stack(Graph([TOPIC]))
    assert [(report.level, report.message.splitlines()[0]) for report in reports] == [
        ("mandatory", "not proven: the stack could not be checked")
    ]
    assert "KeyError (stumble_on_stack, line" in reports[0].message
    assert "secret-looking-value" not in reports[0].message


def test_a_resource_policy_that_crashes_names_the_resource() -> None:
    [report] = evaluation(resource=stumble_on_resource).on_resource(TOPIC)
    assert (report.level, report.message.splitlines()[0]) == (
        "mandatory",
        "not proven: sns.Topic x could not be checked",
    )


def test_a_stack_without_its_types_is_not_applicable() -> None:
    reports, idle = evaluation(stack=stumble_on_stack).on_stack(Graph([]))
    assert reports == []
    assert [(rule.name, reason) for rule, reason in idle] == [("stumbles", "the stack has no sns.Topic")]


def test_one_request_is_read_into_one_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    original = Graph.__init__

    def counted(self: Graph, resources: Value) -> None:
        built.append(1)
        original(self, resources)

    monkeypatch.setattr(Graph, "__init__", counted)
    answer = Analyzer(pack(dt.date(2030, 1, 1), profile=Profile.AI_INTERFACE)).AnalyzeStack(
        stack_request([r("sns.Topic"), r("ec2.Vpc", "v")]), None
    )
    assert len(built) == 1
    assert {item.policyName for item in answer.diagnostics} >= {"stack-ownership-tags", "vpc-flow-logs-recorded"}


def test_policies_without_anything_to_judge_are_told_as_such() -> None:
    answer = Analyzer(pack(dt.date(2030, 1, 1), profile=Profile.AI_INTERFACE)).AnalyzeStack(
        stack_request([r("sns.Topic")]), None
    )
    idle = {item.policy_name: item.reason for item in answer.not_applicable}
    assert idle["ecs-task-roles-apart"] == "the stack has no ecs.TaskDefinition"
    assert "stack-ownership-tags" not in idle


def test_the_pack_remediates_nothing() -> None:
    answer = Analyzer(pack(dt.date(2030, 1, 1), profile=Profile.AI_INTERFACE)).Remediate(None, None)
    assert list(answer.remediations) == []
