"""Policies refuse the grants with which EventBridge does not deliver, and none of them advises such a grant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.guardrails.rules.iam import resource_policies_are_narrow, service_grants_name_their_source
from policies.guardrails.rules.kms import keys_admit_their_services
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.verdicts import Finding
from tests.policies.wire import r

EVENTS, ACCOUNT = "events.amazonaws.com", "123456789012"
OTHER = "pipes.amazonaws.com"
"""A service that is not known to send its source with every request, so that a grant without one is only advised against."""
BROKEN: list[dict[str, Any]] = [
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/*"}},
    {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}},
]
CONTEXT = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:*"}}


def grant(action: str, condition: dict[str, Any] | None, service: str = EVENTS) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "*"}
    return json.dumps({"Statement": [{**statement, **({"Condition": condition} if condition else {})}]})


def stack(of_topic: dict[str, Any] | None, of_key: dict[str, Any] | None) -> Graph:
    """An event rule that notifies an encrypted topic; the conditions are those of the two grants."""
    return Graph.from_recorded(
        [
            r("kms.Key", "key", arn="arn:key", policy=grant("kms:GenerateDataKey*", of_key)),
            r("sns.Topic", "topic", arn="arn:topic", kmsMasterKeyId="arn:key"),
            r("sns.TopicPolicy", "policy", arn="arn:topic", policy=grant("sns:Publish", of_topic)),
            r("cloudwatch.EventTarget", "target", rule="rule", arn="arn:topic"),
        ]
    )


def refused(graph: Graph) -> list[Finding]:
    return keys_admit_their_services.RULE.evaluate(graph, {})


def test_grants_as_aws_documents_them_are_accepted() -> None:
    assert refused(stack(None, CONTEXT)) == []


@pytest.mark.parametrize("condition", BROKEN, ids=str)
def test_a_condition_on_the_source_is_refused_in_both_policies(condition: dict[str, Any]) -> None:
    assert [one.property for one in refused(stack(condition, CONTEXT))] == ["policy"]
    assert [one.property for one in refused(stack(None, condition))] == ["kmsMasterKeyId"]


@pytest.mark.parametrize("kind", ["sns.Topic", "sns.TopicPolicy", "kms.Key", "kms.KeyPolicy"])
def test_the_advice_for_an_unconditioned_grant_is_not_the_condition_that_stops_delivery(kind: str) -> None:
    action = "sns:Publish" if kind.startswith("sns.") else "kms:Decrypt"
    (resource,) = Graph.from_recorded([r(kind, "x", policy=grant(action, None))])
    finding = _advice(resource)
    usual = _advice(_queue(OTHER))

    assert finding.fix != usual.fix
    assert "separate statement" in finding.fix
    assert usual.fix.startswith("add aws:SourceAccount")


@pytest.mark.parametrize("kind", ["sns.Topic", "sns.TopicPolicy"])
def test_a_grant_without_a_source_is_blocked_where_events_are_delivered_with_one(kind: str) -> None:
    """On a queue, once and by the policy that blocks; on a topic it is what delivers."""
    topic = Resource.from_recorded(r(kind, "x", policy=grant("sns:Publish", None)))
    assert len(_blocked(_queue(EVENTS))) == 1
    assert list(service_grants_name_their_source.RULE.evaluate_resource(_queue(EVENTS), {})) == []
    assert _blocked(topic) == []


def _queue(service: str) -> Resource:
    return Resource.from_recorded(r("sqs.QueuePolicy", "x", policy=grant("sqs:SendMessage", None, service)))


def _blocked(resource: Resource) -> list[Finding]:
    found = resource_policies_are_narrow.RULE.evaluate_resource(resource, {})
    return [one for one in found if "requests that it makes for any account" in one.what]


def _advice(resource: Resource) -> Finding:
    (finding,) = service_grants_name_their_source.RULE.evaluate_resource(resource, {})
    return finding
