"""Values and references are the same from a recording and from policy arguments, known or not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi_policy import PolicyResource, PolicyResourceOptions
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.guardrails.topology.graph.resources import (
    Graph,
    Resource,
    Secret,
    Unknown,
    contains_unknown,
    kind_of,
    reveal,
)
from policies.guardrails.topology.graph.values import SECRET_SIGNATURE, SIGNATURE, Value, overlay, shown
from policies.guardrails.topology.graph.verdicts import Claim, Verdict, hop, not_proven, violated

OPTIONS = PolicyResourceOptions(
    protect=True,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
    parent="urn:parent",
)


def recorded(name: str, type_: str, inputs: dict[str, Any], **more: Value) -> dict[str, Any]:
    return {"urn": f"urn:{name}", "type": type_, "name": name, "inputs": inputs, **more}


SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
SERVICE = "aws:ecs/service:Service"


def proxied(
    name: str, type_: str, props: dict[str, Any], depends: dict[str, list[PolicyResource]] | None = None
) -> PolicyResource:
    return PolicyResource(
        type_, unknown_checking_proxy(props), f"urn:{name}", name, OPTIONS, None, None, [], depends or {}
    )


def test_every_value_of_a_proxy_is_read_without_raising() -> None:
    resource = Resource.from_policy(
        proxied(
            "a",
            GROUP,
            {"id": UNKNOWN_STRING_VALUE, "ingress": [{"cidrBlocks": ["10.0.0.0/8", UNKNOWN_STRING_VALUE]}]},
            {"id": [], "ingress": []},
        )
    )
    assert resource.get("id") == Unknown("id")
    assert resource.get("ingress[0].cidrBlocks") == ["10.0.0.0/8", Unknown("ingress[0].cidrBlocks[1]")]
    assert resource.get("ingress.0.cidrBlocks.1") == Unknown("ingress[0].cidrBlocks[1]")
    assert resource.get("ingress[1].cidrBlocks") is None
    assert resource.get("id.anything.below") == Unknown("id")
    assert resource.protect
    assert resource.parent == "urn:parent"


def test_a_foreign_mapping_that_refuses_unknown_values_is_converted_too() -> None:
    class UnknownValueError(Exception):
        pass

    class Refusing(dict[str, Any]):
        def __getitem__(self, key: str) -> Value:
            raise UnknownValueError(key)

    resource = Resource.from_policy(
        PolicyResource(GROUP, Refusing(id=1), "urn:a", "a", OPTIONS, None, None, [], {"id": []})
    )
    assert resource.get("id") == Unknown("id")


def test_an_unknown_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(Unknown("assignPublicIp"))


def test_secrets_are_judged_but_never_printed() -> None:
    secret = {SIGNATURE: SECRET_SIGNATURE, "value": {"clientSecret": "hush"}}
    resource = Resource.from_recorded(recorded("rule", "aws:lb/listenerRule:ListenerRule", {"actions": [secret]}))
    assert isinstance(resource.get("actions[0].clientSecret"), Secret)
    assert resource.value("actions[0].clientSecret") == "hush"
    assert reveal(resource.get("actions")) == [{"clientSecret": "hush"}]
    assert "hush" not in repr(resource) + str(resource.get("actions[0]")) + shown(resource.get("actions"))


def test_answers_lie_over_declarations_without_hiding_known_ones() -> None:
    resource = Resource.from_recorded(
        recorded(
            "a",
            SUBNET,
            {"cidrBlock": "10.0.0.0/24", "tags": {"owner": "us"}, "list": ["x"]},
            outputs={
                "cidrBlock": UNKNOWN_STRING_VALUE,
                "id": "subnet-1",
                "tags": {"name": "n"},
                "list": [UNKNOWN_STRING_VALUE],
            },
        )
    )
    assert resource.properties == {
        "cidrBlock": "10.0.0.0/24",
        "id": "subnet-1",
        "tags": {"owner": "us", "name": "n"},
        "list": ["x"],
    }
    assert overlay({"a": 1}, None) is None
    assert isinstance(overlay(Secret("a"), "a"), Secret)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("aws:lb/listener:Listener", "lb.Listener"),
        ("aws:alb/listener:Listener", "lb.Listener"),
        ("aws:elasticloadbalancingv2/listener:Listener", "lb.Listener"),
        ("aws.lb.Listener", "lb.Listener"),
        ("lb.Listener", "lb.Listener"),
        ("aws-native:ec2:SecurityGroup", "aws-native:ec2:SecurityGroup"),
        ("pulumi:pulumi:Stack", "pulumi:pulumi:Stack"),
    ],
)
def test_types_are_found_under_their_short_name(type_: str, kind: str) -> None:
    assert kind_of(type_) == kind


def test_known_identifiers_and_property_dependencies_join_the_same_resources() -> None:
    def graph(known: bool) -> Graph:
        def value(text: str) -> str:
            return text if known else UNKNOWN_STRING_VALUE

        network = {
            "subnets": [value("subnet-a"), value("subnet-b")],
            "securityGroups": [value("sg-1")],
            "assignPublicIp": False,
        }
        depends = {"networkConfiguration": ["urn:a", "urn:b", "urn:g"]}
        return Graph.from_recorded(
            [
                recorded("a", SUBNET, {}, outputs={"id": value("subnet-a")}),
                recorded("b", SUBNET, {}, outputs={"id": value("subnet-b")}),
                recorded("g", GROUP, {}, outputs={"id": value("sg-1")}),
                recorded("s", SERVICE, {"networkConfiguration": network}, property_dependencies=depends),
            ]
        )

    for known in (True, False):
        service = graph(known).of_type("ecs.Service")[0]
        subnets = graph(known).referenced(service, "networkConfiguration.subnets", types=["ec2.Subnet"])
        assert [subnet.name for subnet in subnets] == ["a", "b"]
        assert subnets.complete
        assert not subnets.ambiguous
        groups = graph(known).referenced(service, "networkConfiguration.securityGroups", types=[GROUP])
        assert [group.name for group in groups] == ["g"]


def test_an_identifier_of_nothing_here_is_external_and_incomplete() -> None:
    graph = Graph.from_recorded([recorded("s", SERVICE, {"networkConfiguration": {"subnets": ["subnet-elsewhere"]}})])
    found = graph.referenced(graph.resources[0], "networkConfiguration.subnets", types=["ec2.Subnet"])
    assert (found.resources, found.complete, found.external) == ((), False, ("subnet-elsewhere",))


def test_an_unknown_without_a_dependency_is_named() -> None:
    graph = Graph.from_recorded([recorded("s", SERVICE, {"networkConfiguration": {"subnets": UNKNOWN_STRING_VALUE}})])
    found = graph.referenced(graph.resources[0], "networkConfiguration.subnets", types=["ec2.Subnet"])
    assert not found.complete
    assert found.unknowns == (Unknown("networkConfiguration.subnets"),)


def test_more_candidates_than_unknown_values_are_ambiguous() -> None:
    graph = Graph.from_recorded(
        [
            recorded("a", SUBNET, {}),
            recorded("b", SUBNET, {}),
            recorded(
                "s", SERVICE, {"subnetId": UNKNOWN_STRING_VALUE}, property_dependencies={"subnetId": ["urn:a", "urn:b"]}
            ),
            recorded(
                "t",
                SERVICE,
                {"subnetIds": UNKNOWN_STRING_VALUE},
                property_dependencies={"subnetIds": ["urn:a", "urn:b"]},
            ),
        ]
    )
    single, several = graph.of_type(SERVICE)
    assert graph.referenced(single, "subnetId", types=[SUBNET]).ambiguous
    assert graph.referenced(several, "subnetIds", types=[SUBNET]).complete


def test_a_dependency_on_a_component_stands_for_its_children() -> None:
    graph = Graph.from_recorded(
        [
            recorded("net", "ai-interface:index:PrivateNetwork", {}),
            recorded("a", SUBNET, {}, parent="urn:net"),
            recorded(
                "s", SERVICE, {"subnetIds": [UNKNOWN_STRING_VALUE]}, property_dependencies={"subnetIds": ["urn:net"]}
            ),
        ]
    )
    assert [found.name for found in graph.referenced(graph.by_urn["urn:s"], "subnetIds", types=[SUBNET])] == ["a"]


def test_a_known_identifier_joins_a_resource_whose_own_identifier_is_missing() -> None:
    graph = Graph.from_recorded(
        [
            recorded("a", SUBNET, {}),
            recorded("s", SERVICE, {"subnetIds": ["subnet-a"]}, property_dependencies={"subnetIds": ["urn:a"]}),
        ]
    )
    found = graph.referenced(graph.by_urn["urn:s"], "subnetIds", types=[SUBNET])
    assert [item.name for item in found] == ["a"]
    assert found.complete


def test_a_message_says_verdict_place_found_wanted_fix_and_witness() -> None:
    group = Resource(urn="urn:g", type=GROUP, name="db")
    finding = violated(
        group,
        "ingress[0]",
        ["0.0.0.0/1", "128.0.0.0/1"],
        "the task's group only",
        "name the group",
        witness=[hop(group, "ingress[0]", "0.0.0.0/0")],
    )
    assert finding.message().splitlines() == [
        "violated: ec2.SecurityGroup db.ingress[0]",
        "found: [0.0.0.0/1, 128.0.0.0/1]",
        "wanted: the task's group only",
        "fix: name the group",
        "witness: ec2.SecurityGroup db.ingress[0] (0.0.0.0/0)",
    ]
    open_ = not_proven(group, "vpcId", [Unknown("vpcId")], "a vpc of this stack", "declare it")
    assert Claim("nothing is public", findings=(open_,)).verdict is Verdict.NOT_PROVEN
    assert Claim("nothing is public", findings=(open_, finding)).verdict is Verdict.VIOLATED
    assert Claim("nothing is public").verdict is Verdict.PROVEN
    assert contains_unknown({"a": [Unknown("a")]})


def test_what_only_the_provider_will_choose_counts_as_not_set() -> None:
    props = {"ingress": UNKNOWN_STRING_VALUE, "vpcId": UNKNOWN_STRING_VALUE, "egress": UNKNOWN_STRING_VALUE}
    vpc = proxied("vpc", "aws:ec2/vpc:Vpc", {})
    asked = Resource.from_policy(proxied("g", GROUP, props, {"vpcId": [vpc], "egress": []}))
    told = Resource.from_recorded(
        recorded("g", GROUP, {"vpcId": UNKNOWN_STRING_VALUE, "egress": UNKNOWN_STRING_VALUE}, outputs=props)
    )
    alone = Resource.from_policy(SimpleNamespace(urn="u", resource_type=GROUP, name="g", props=props))
    assert alone.get("ingress") == Unknown("ingress")
    for resource in (asked, told):
        assert resource.get("ingress") is None
        assert resource.get("egress") == Unknown("egress")
        assert resource.get("vpcId") == Unknown("vpcId")
