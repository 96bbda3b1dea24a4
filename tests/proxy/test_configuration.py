"""The configuration itself: valid, small, the same each time, and without what must not be in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components.applications import default_preset
from components.proxy import (
    ProxyApplication,
    ProxyModelGroup,
    ProxyPeople,
    ProxySettings,
    ProxyUpstream,
    envoy_arguments,
    envoy_configuration,
)
from components.proxy import identity as proxy_identity
from components.proxy.configuration import ProxyLogout
from local import envoy
from tests.components.own_preset import example_preset
from tests.proxy.gateway import SETTINGS, gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.certificate import Certificate
    from local.server import Server

DECODER_SHA256 = "b908717374801ef2c3efd320f0ccc150904f0e4c02e5956e28ac8c561966de78"
LARGEST_ARGUMENTS = 44_000
"""A task definition holds 64 KB, with every quotation mark escaped; what is left is for the other containers."""


def upstream(name: str, **more: Any) -> ProxyUpstream:  # noqa: ANN401 - any field
    """Return an upstream in a region."""
    return ProxyUpstream(
        name=name,
        host_name=f"bedrock-runtime.{name}.amazonaws.com",
        path_prefix="/openai/v1",
        signing_region=name,
        **more,
    )


def group(*regions: str) -> ProxyModelGroup:
    """Return a group with failover over regions."""
    return ProxyModelGroup(
        name="general", models=("a.model-v1:0",), upstreams=tuple(upstream(region) for region in regions)
    )


HOSTILE = 'x"\\\n]] ]==] %REQ(COOKIE)% <b>&amp;\u2028ä'
CASES = {
    "common": SETTINGS,
    "with two regions": replace(SETTINGS, model_groups=(group("eu-west-1", "eu-central-1"),)),
    "nothing but an application": replace(
        SETTINGS,
        application=ProxyApplication(),
        logout=ProxyLogout(),
        model_groups=(group("eu-west-1"),),
    ),
    "many host names": replace(
        SETTINGS, host_names=tuple(f"chat{n}.example.com" for n in range(5)), machine_host_names=("api.example.com",)
    ),
    "the Open WebUI preset": replace(SETTINGS, application=default_preset().proxy),
    "a preset of a platform team": replace(SETTINGS, application=example_preset().proxy),
    "unusual text": replace(
        SETTINGS,
        identity=replace(
            SETTINGS.identity,
            contact=HOSTILE,
            client_id=HOSTILE,
            issuer=HOSTILE,
            allowed=ProxyPeople(claim_name=HOSTILE, claim_values=(HOSTILE,), emails=("ö@example.com",)),
        ),
    ),
}


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES.keys())
def test_envoy_accepts_the_configuration_without_a_warning(settings: ProxySettings, certificate: Certificate) -> None:
    result = envoy.validate(settings, certificate)
    assert (result.returncode, result.stderr.strip()) == (0, "")


def test_envoy_refuses_a_configuration_that_is_wrong(certificate: Certificate) -> None:
    assert envoy.validate(replace(SETTINGS, port=70_000), certificate).returncode != 0


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES.keys())
def test_the_same_settings_give_the_same_small_arguments(settings: ProxySettings) -> None:
    arguments = envoy_arguments(settings)
    assert arguments == envoy_arguments(replace(settings))
    assert len(json.dumps(arguments)) < LARGEST_ARGUMENTS


def strings(value: object) -> Iterator[str]:
    """Yield every key and text inside."""
    if isinstance(value, dict):
        for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield str(key)  # pyright: ignore[reportUnknownArgumentType]
            yield from strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, str):
        yield value


def test_there_is_no_admin_interface_no_cache_and_no_compressor() -> None:
    configuration = envoy_configuration(CASES["with two regions"])
    assert "admin" not in configuration
    filters = sorted({text for text in strings(configuration) if text.startswith("envoy.filters.http.")})
    assert filters == [
        "envoy.filters.http.aws_request_signing",
        "envoy.filters.http.buffer",
        "envoy.filters.http.lua",
        "envoy.filters.http.rbac",
        "envoy.filters.http.router",
        "envoy.filters.http.upstream_codec",
    ]


def test_the_buffer_holds_one_byte_and_only_where_no_body_is_declared() -> None:
    configuration = envoy_configuration(CASES["with two regions"])
    (inbound,) = (one for one in configuration["static_resources"]["listeners"] if one["name"] == "inbound")
    manager = inbound["filter_chains"][0]["filters"][0]["typed_config"]
    (buffer,) = (one for one in manager["http_filters"] if one["name"] == "envoy.filters.http.buffer")
    assert (buffer["disabled"], buffer["typed_config"]["max_request_bytes"]) == (True, 1)
    for host in manager["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            setting = route.get("typed_per_filter_config", {}).get("envoy.filters.http.buffer")
            unmeasured = {"name": "content-length", "present_match": False} in route["match"].get("headers", [])
            served = "route" in route and not route["route"].get("upgrade_configs")
            assert (setting is not None) == (unmeasured and served), route["name"]
            assert setting is None or setting["buffer"] == {"max_request_bytes": 1}


def test_a_server_is_called_by_its_name_and_by_its_port_only_where_that_is_unusual() -> None:
    (group,) = CASES["with two regions"].model_groups
    first, second = group.upstreams
    groups = (replace(group, upstreams=(first, replace(second, port=8443))),)
    configuration = envoy_configuration(replace(CASES["with two regions"], model_groups=groups))
    called = [
        route["route"]["host_rewrite_literal"]
        for listener in configuration["static_resources"]["listeners"]
        if "internal_listener" in listener
        for host in listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
        for route in host["routes"]
    ]
    assert called == [first.host_name, f"{second.host_name}:8443"]


EVERYWHERE = ProxySettings(host_names=("chat.example.com",), identity=SETTINGS.identity).listen_address


def test_the_only_way_in_from_the_network_is_the_inbound_listener() -> None:
    configuration = envoy_configuration(replace(CASES["with two regions"], listen_address=EVERYWHERE))
    listeners = configuration["static_resources"]["listeners"]
    addresses = {
        one["name"]: one.get("address", {}).get("socket_address", {}).get("address", "internal") for one in listeners
    }
    assert addresses == {
        "inbound": EVERYWHERE,
        "models": "127.0.0.1",
        "upstream-eu-west-1": "internal",
        "upstream-eu-central-1": "internal",
    }


def test_nobody_is_meant_by_people_without_a_rule() -> None:
    assert ProxyPeople().empty
    assert ProxyPeople(claim_name="groups").empty
    assert not ProxyPeople(emails=("a@example.com",)).empty


def test_a_failing_identity_script_lets_no_one_in(
    server: Server, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(settings: ProxySettings) -> str:
        return f'function envoy_on_request(handle) error("broken for {settings.port}") end'

    monkeypatch.setattr(proxy_identity, "identity_script", broken)
    with gateway(SETTINGS, server.port, certificate, tmp_path) as running:
        spoofed = [("x-user-email", "root@example.com"), ("x-user-role", "admin")]
        assert running.send("GET", "/", spoofed).status == 403
        assert running.send("GET", "/health", claims=None, host="10.0.0.1").status == 200


def test_the_json_decoder_is_the_reviewed_one_with_its_licence() -> None:
    text = Path(proxy_identity.__file__).with_name("files").joinpath("dkjson_decode.lua").read_text(encoding="utf-8")
    assert "Copyright (C) 2010-2021 David Heiko Kolf" in text
    assert "Permission is hereby granted, free of charge" in text
    assert hashlib.sha256(text.encode()).hexdigest() == DECODER_SHA256


def test_an_upstream_named_twice_is_refused() -> None:
    twice = replace(SETTINGS, model_groups=(group("eu-west-1"), replace(group("eu-west-1"), name="coding")))
    with pytest.raises(ValueError, match=r"more than one listener in the proxy is named upstream-eu-west-1: give each"):
        envoy_configuration(twice)


def test_a_group_named_twice_is_refused() -> None:
    twice = replace(SETTINGS, model_groups=(group("eu-west-1"), group("eu-central-1")))
    with pytest.raises(ValueError, match=r"more than one cluster in the proxy is named group-general: give each"):
        envoy_configuration(twice)
