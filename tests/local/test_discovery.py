"""Cloud Map's names, and the metrics in a log: what a service publishes of itself."""

from __future__ import annotations

import json

import pytest

from local.aws.embedded_metrics import extract
from local.discovery import MOST_ADDRESSES, NAMESPACE, Discovery
from local.names import VPC, Names
from local.signals import Metrics
from local.stack import Stack
from local.task.deployment import Deployment, InvalidServiceError
from local.task.services import REGISTRY, SERVICE, TASK_DEFINITION, interface, others, task_definition
from tests.local.twin.gateway import with_gateway

SCHEDULE = "aws:scheduler/schedule:Schedule"
MANY = [f"10.20.0.{number}" for number in range(4, 4 + MOST_ADDRESSES + 2)]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return with_gateway()


def name(stack: Stack) -> str:
    return f"{stack.one(REGISTRY)['name']}.{stack.one(NAMESPACE)['name']}"


def registered(stack: Stack) -> Names:
    """The names of a stack of which many tasks are healthy."""
    names = Names(stack, {})
    for address in MANY:
        names.discovery.register(str(stack.one(REGISTRY)["arn"]), address)
    return names


def test_an_answer_has_up_to_eight_addresses(stack: Stack) -> None:
    found = registered(stack).find(name(stack))
    (record,) = stack.one(REGISTRY)["dnsConfig"]["dnsRecords"]
    assert found
    assert (found.addresses, found.ttl) == (tuple(MANY[:MOST_ADDRESSES]), record["ttl"])


def test_a_weighted_answer_has_one(stack: Stack) -> None:
    config = {**stack.one(REGISTRY)["dnsConfig"], "routingPolicy": "WEIGHTED"}
    found = registered(stack.changed(stack.one(REGISTRY), dnsConfig=config)).find(name(stack))
    assert found
    assert found.addresses == (MANY[0],)


def test_a_name_without_a_task_does_not_exist(stack: Stack) -> None:
    names = registered(stack)
    for address in MANY:
        names.discovery.deregister(str(stack.one(REGISTRY)["arn"]), address)
    assert names.find(name(stack)) is None
    assert name(stack) in set(names.all())


def test_the_name_exists_inside_its_own_network_alone(stack: Stack) -> None:
    assert registered(stack).find(name(stack), inside=False) is None
    other = stack.changed(stack.one(NAMESPACE), vpc="vpc-0")
    assert other.one(VPC).id != "vpc-0"
    assert registered(other).find(name(stack)) is None
    assert Discovery(stack, "vpc-0").names() == []


def test_the_service_behind_the_load_balancer_is_the_interface(stack: Stack) -> None:
    (called,) = others(stack)
    assert interface(stack)["loadBalancers"]
    assert task_definition(stack) != task_definition(stack, called)
    (scheduled,) = stack.all(SCHEDULE)
    started = [scheduled["target"]["ecsParameters"]["taskDefinitionArn"]]
    started += [one["taskDefinition"] for one in stack.all(SERVICE)]
    assert sorted(one["arn"] for one in stack.all(TASK_DEFINITION)) == sorted(started)


def test_a_service_whose_registry_or_task_definition_is_missing_is_refused(stack: Stack) -> None:
    (called,) = others(stack)
    other = stack.changed(called, serviceRegistries={"registryArn": "arn:other"})
    with pytest.raises(InvalidServiceError, match="the stack has no Cloud Map service arn:other"):
        Deployment.of(other, called.name)
    with pytest.raises(InvalidServiceError, match="the stack has no task definition arn:other"):
        Deployment.of(stack.changed(called, taskDefinition="arn:other"), called.name)
    with pytest.raises(InvalidServiceError, match="has no service nothing"):
        Deployment.of(stack, "nothing")


def test_a_scaled_service_keeps_its_shares(stack: Stack) -> None:
    settings = Deployment.of(stack, others(stack)[0].name).settings
    scaled = settings.scaled(3)
    assert (scaled.desired, scaled.least, scaled.most) == (
        3,
        3 * settings.least_percent // 100,
        3 * settings.most_percent // 100,
    )


def message(**changes: object) -> str:
    """A line in the embedded metric format."""
    directive = {
        "Namespace": "own",
        "Dimensions": [["environment"], ["environment", "model"]],
        "Metrics": [{"Name": "Calls", "Unit": "Count"}],
    }
    head = {"Timestamp": 1000, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": head, "environment": "test", "model": "m", "Calls": 2, **changes})


def test_a_line_has_a_value_for_each_set_of_dimensions() -> None:
    metrics = Metrics()
    extract(message(), metrics)
    assert [(one.namespace, one.name, dict(one.dimensions), one.value, one.at) for one in metrics.data] == [
        ("own", "Calls", {"environment": "test"}, 2, 1),
        ("own", "Calls", {"environment": "test", "model": "m"}, 2, 1),
    ]
    extract(message(Calls=[1, 3]), metrics)
    assert [one.value for one in metrics.data[2:]] == [1, 3, 1, 3]


@pytest.mark.parametrize(
    "text", ["a line", '{"_aws": 1}', '"_aws" {', message(environment=None, _aws={"Timestamp": 1})]
)
def test_another_line_has_none(text: str) -> None:
    metrics = Metrics()
    extract(text, metrics)
    assert metrics.data == []
