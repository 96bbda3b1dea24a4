"""Resources that AWS requires are created first, and each missing dependency is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest

from preflight.conform.order import findings, pairs
from preflight.recording.recorder import Recording
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape, recorded
from tests.preflight.conform.changed_graphs import STACKS, bootstrap, stack


@pytest.mark.parametrize("name", STACKS)
def test_the_stacks_wait_for_what_aws_asks_for(name: str) -> None:
    assert findings(stack(name)) == []
    assert findings(bootstrap(name)) == []


@pytest.mark.parametrize("shape", [*SHAPES, *ELSEWHERE], ids=str)
def test_so_does_every_topology(shape: Shape) -> None:
    assert findings(recorded(shape)) == []


@cache
def _needed() -> dict[str, tuple[str, str]]:
    """What exists first in prod → its type and one resource that needs it."""
    return {needed.resource.urn: (needed.resource.type, user.name) for user, _, needed in pairs(stack("prod"))}


def _independent(recording: Recording, urns: Iterable[str]) -> Recording:
    """The recording without dependencies on these resources."""
    gone = frozenset(urns)
    return replace(
        recording,
        resources=[
            replace(one, dependencies=tuple(urn for urn in one.dependencies if urn not in gone))
            for one in recording.resources
        ],
    )


def test_every_kind_of_prerequisite_is_in_the_graph() -> None:
    assert {type_.rpartition(":")[2] for type_, _ in _needed().values()} == {
        "BucketPolicy",
        "CertificateValidation",
        "DefaultNetworkAcl",
        "InternetGateway",
        "ListenerRule",
        "LogResourcePolicy",
        "RolePolicy",
        "TopicPolicy",
    }


@pytest.mark.parametrize("urn", sorted(_needed()), ids=lambda urn: urn.rpartition("::")[2])
def test_whatever_no_longer_waits_is_found(urn: str) -> None:
    found = findings(_independent(stack("prod"), [urn]))

    name = urn.rpartition("::")[2]
    assert found
    assert all(f" {name} exists" in one.headline for one in found)
    assert _needed()[urn][1] in {one.headline.partition(".")[0] for one in found}
    assert {one.rule for one in found} == {"conform-order"}


def test_a_component_that_waits_counts_for_what_is_in_it() -> None:
    recording = stack("prod")
    (service,) = recording.of_type("aws:ecs/service:Service")
    (component,) = recording.of_type("ai-interface:index:InterfaceService")
    assert component.urn == service.parent

    def waiting(in_the_component: tuple[str, ...]) -> Recording:
        """The stack in which the service itself waits for nothing, and its component for these."""
        instead = {
            service.urn: replace(service, dependencies=()),
            component.urn: replace(component, dependencies=in_the_component),
        }
        return replace(recording, resources=[instead.get(one.urn, one) for one in recording.resources])

    assert findings(waiting(service.dependencies)) == []
    assert {one.urn for one in findings(waiting(()))} == {service.urn}


def test_an_internal_load_balancer_needs_no_internet_gateway() -> None:
    recording = stack("prod")
    (balancer,) = recording.of_type("aws:lb/loadBalancer:LoadBalancer")
    (gateway,) = recording.of_type("aws:ec2/internetGateway:InternetGateway")
    internal = replace(balancer, inputs={**balancer.inputs, "internal": True})
    changed = replace(recording, resources=[internal if one is balancer else one for one in recording.resources])

    assert findings(_independent(recording, [gateway.urn])) != []
    assert findings(_independent(changed, [gateway.urn])) == []
