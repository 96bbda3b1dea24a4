"""The settings' one time budget, as the proxy keeps it: a silent model server leaves the next one time to answer."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import assembly
from components.proxy import ProxyModelGroup, ProxySettings, ProxyUpstream, envoy_configuration
from components.proxy.configuration import ProxyLimits
from local.certificate import self_signed
from settings.limits import RETRY_PAUSE_SECONDS, Timeouts
from tests.proxy.gateway import SETTINGS, gateway
from tests.proxy.models import SILENT, model
from tests.settings.stack_files import Values, changed, own_values, parse

if TYPE_CHECKING:
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server

MINIMA: Values = {
    "modelDeadlineSeconds": 5,
    "streamSeconds": 10,
    "deregistrationDelaySeconds": 10,
    "edgeIdleSeconds": 10,
    "keepAliveSeconds": 15,
    "clientKeepAliveSeconds": 60,
    "requestHeadersSeconds": 1,
    "requestBodySeconds": 5,
    "stopSeconds": 5,
}
MAXIMA: Values = {
    "modelDeadlineSeconds": 3500,
    "streamSeconds": 3600,
    "deregistrationDelaySeconds": 3600,
    "edgeIdleSeconds": 4000,
    "keepAliveSeconds": 4100,
    "clientKeepAliveSeconds": 604_800,
    "requestHeadersSeconds": 60,
    "requestBodySeconds": 900,
    "stopSeconds": 120,
}
HOST = "llm.example.internal"


def limits(times: Values) -> ProxyLimits:
    """What the program tells the proxy for these times."""
    settings = parse(changed(own_values(), {"limits.timeouts": times}))
    return assembly.proxy(settings, assembly.preset(settings), "arn", {"eu-west-1": ("guardrail", "1")}).limits


def configured(times: Values, *names: str) -> str:
    """The configuration of a group with these upstreams, as text."""
    upstreams = tuple(ProxyUpstream(name=name, host_name=HOST) for name in names)
    group = ProxyModelGroup(name="general", models=("m",), upstreams=upstreams)
    return json.dumps(envoy_configuration(replace(SETTINGS, limits=limits(times), model_groups=(group,))))


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (MINIMA, 2),
        ({}, 120),
        (MAXIMA, 120),
        ({"modelDeadlineSeconds": 60}, 29),
        ({"modelSilenceSeconds": 269}, 269),
        ({"modelSilenceSeconds": 1}, 1),
        ({**MAXIMA, "modelSilenceSeconds": 1749}, 1749),
    ],
    ids=["minima", "defaults", "maxima", "a short deadline", "as long as fits", "a second", "the longest"],
)
def test_one_of_two_upstreams_may_be_silent_for_the_declared_time(times: Values, seconds: int) -> None:
    assert re.findall('"per_try_idle_timeout": "([^"]*)"', configured(times, "first", "second")) == [f"{seconds}s"]


@pytest.mark.parametrize("times", [MINIMA, {}, MAXIMA, {"modelSilenceSeconds": 9}])
def test_a_single_upstream_may_be_silent_until_the_deadline(times: Values) -> None:
    text = configured(times, "only")

    assert "per_try_idle_timeout" not in text
    assert f'"timeout": "{limits(times).model_deadline_seconds}s"' in text


@pytest.mark.parametrize("times", [MINIMA, {}, MAXIMA])
def test_no_layer_ends_a_silent_response_before_the_models_deadline(times: Values) -> None:
    applied = limits(times)
    text = configured(times, "only")
    silences = [int(one) for one in re.findall('"stream_idle_timeout": "([0-9]+)s"', text)]

    assert len(silences) == 3
    assert min(silences) >= applied.model_deadline_seconds
    assert applied.idle_seconds > applied.model_deadline_seconds


def test_at_every_accepted_deadline_the_second_upstream_has_as_long_as_the_first() -> None:
    late: list[tuple[int, int]] = []
    for deadline in range(5, 3501):
        times = Timeouts(
            model_deadline_seconds=deadline,
            edge_idle_seconds=max(10, deadline + 1),
            keep_alive_seconds=4100,
            stream_seconds=max(10, deadline + 1),
            deregistration_delay_seconds=3600,
        )
        silence = times.silence_seconds(servers=2)
        if silence < 1 or 2 * silence + RETRY_PAUSE_SECONDS > deadline:
            late.append((deadline, silence))

    assert late == []


@pytest.fixture
def authority() -> Certificate:
    return self_signed(HOST)


def test_at_the_shortest_times_a_silent_upstream_is_replaced_before_the_edge_gives_up(
    server: Server, certificate: Certificate, authority: Certificate, tmp_path: Path
) -> None:
    with model("first", authority) as first, model("second", authority) as second:
        first.behaviour = SILENT
        upstreams = tuple(
            ProxyUpstream(
                name=one.name,
                host_name=HOST,
                address="127.0.0.1",
                port=one.server.port,
                ca_certificate=authority.certificate,
            )
            for one in (first, second)
        )
        settings: ProxySettings = replace(
            SETTINGS,
            limits=limits(MINIMA),
            model_groups=(ProxyModelGroup(name="general", models=("m",), upstreams=upstreams),),
            machine_host_names=("api.example.com",),
        )
        with gateway(settings, server.port, certificate, tmp_path) as proxy:
            started = time.monotonic()
            answer = proxy.send(
                "POST",
                "/general/v1/chat/completions",
                [("authorization", "Bearer x")],
                b"{}",
                claims=None,
                host="api.example.com",
            )
            took = time.monotonic() - started

    assert (answer.status, answer.body, len(second.received)) == (200, b"second", 1)
    assert 1.9 < took < 4
