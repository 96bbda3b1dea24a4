"""The egress proxy's arguments, and the times on both sides of a tunnel."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest
from pydantic import ValidationError

from components.common.aws_limits import ZONE_LETTERS
from components.egress import EgressProxyArgs
from components.egress.component import egress_plan
from components.egress.envoy import envoy_configuration
from components.egress.settings import HTTPS, NOT_PUBLIC, TUNNEL_SECONDS
from components.network.acls import PRIVATE_RANGES
from components.network.addresses import EGRESS_PREFIX_LENGTH, plan_addresses
from components.proxy import ProxyModelGroup, ProxyUpstream
from components.proxy import envoy_configuration as proxy_configuration
from components.proxy.settings import ProxyEgress, ProxySettings
from tests.proxy.gateway import SETTINGS

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/ai-interface/proxy@sha256:" + "0" * 64
RESERVED = 5
"""The addresses of a subnet that AWS keeps
(https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html)."""


def arguments(**changes: Any) -> EgressProxyArgs:  # noqa: ANN401 - fields of the arguments
    outputs = ("cluster_arn", "cluster_name", "authority", "execution_role_arn", "task_role_arn", "registry_arn")
    return EgressProxyArgs.model_validate(
        {
            **dict.fromkeys(outputs, "x"),
            "environment": "prod",
            "region": "eu-west-1",
            "release": "2026.11.1",
            "host_names": ["api.provider.com"],
            "proxy_image": IMAGE,
            "secret_references": {},
            "log_group_names": {},
            "subnet_ids": [],
            "security_group_id": "sg-1",
            "rollback_alarm_names": [],
            "tags": {},
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxy_image": "envoyproxy/envoy:v1.39.1"}, "is not pinned"),
        ({"architecture": "MIPS"}, "Fargate runs"),
        ({"host_names": []}, "at least 1 item"),
        ({"minimum_tasks": 5, "maximum_tasks": 4}, "maximum_tasks 4 is less than minimum_tasks 5"),
        ({"maximum_tasks": 13}, "less than or equal to 12"),
        ({"availability_zones": 1}, "none remain if it fails"),
    ],
)
def test_arguments_that_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        arguments(**changes)


def planned(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    known: dict[str, Any] = {"authority": "PEM", "secrets": {}, "logs": {}}
    plan = egress_plan(arguments(**changes), known)
    return {"settings": plan.settings, "configuration": envoy_configuration(plan.settings)}


def test_the_declared_hosts_can_be_reached_on_one_port_only() -> None:
    settings = planned(host_names=["b.example", "a.example", "b.example"])["settings"]
    assert settings.authorities == (f"a.example:{HTTPS}", f"b.example:{HTTPS}")


def test_twice_the_tasks_have_addresses_in_a_single_zone() -> None:
    most = arguments(maximum_tasks=12).maximum_tasks
    assert 2 * most <= IPv4Network(f"10.0.0.0/{EGRESS_PREFIX_LENGTH}").num_addresses - RESERVED


def test_every_zone_has_an_egress_subnet() -> None:
    plan = plan_addresses("10.20.0.0/20", [f"eu-west-1{letter}" for letter in ZONE_LETTERS])
    assert len({zone.egress for zone in plan.zones}) == len(ZONE_LETTERS)


def test_what_the_network_acl_denies_envoy_refuses_too() -> None:
    refused = [IPv4Network(block) for block in NOT_PUBLIC]
    assert all(any(IPv4Network(block).subnet_of(one) for one in refused) for block in PRIVATE_RANGES)


def interface(**limits: int) -> ProxySettings:
    """The interface's proxy with one provider."""
    provider = ProxyUpstream(name="g:p", host_name="api.provider.com", through_egress=True)
    return replace(
        SETTINGS,
        limits=replace(SETTINGS.limits, **limits),
        model_groups=(ProxyModelGroup(name="g", models=("x",), upstreams=(provider,)),),
        egress=ProxyEgress(
            host_name="proxy.internal",
            port=1,
            ca_certificate="PEM",
            client_certificate_variable="C",
            client_private_key_variable="K",
        ),
    )


@pytest.mark.parametrize(("idle", "deadline"), [(59, 540), (300, 3000)])
def test_the_interfaces_proxy_ends_a_tunnel_before_the_egress_proxy_does(idle: int, deadline: int) -> None:
    egress = planned(model_idle_seconds=idle, model_deadline_seconds=deadline)["settings"]
    made = proxy_configuration(interface(model_idle_seconds=idle, model_deadline_seconds=deadline))
    (server,) = [one for one in made["static_resources"]["clusters"] if one["name"] == "server-g:p"]
    (options,) = server["typed_extension_protocol_options"].values()
    common = options["common_http_protocol_options"]
    assert common["max_connection_duration"] == f"{TUNNEL_SECONDS}s"
    assert egress.tunnel_seconds >= TUNNEL_SECONDS + deadline
    assert egress.idle_seconds > max(idle, int(common["idle_timeout"].rstrip("s")))


def test_a_provider_without_an_egress_proxy_is_refused() -> None:
    with pytest.raises(ValueError, match="reached through the egress proxy, which is not set"):
        proxy_configuration(replace(interface(), egress=None))
