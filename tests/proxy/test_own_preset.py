"""The example of a platform team's own preset, in a task and behind the real Envoy: no component knows of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from components.applications import Preset
from tests.components.own_preset import example_preset
from tests.components.task_fixtures import DEPLOYMENT, SECRET_REFERENCES, build, one, text
from tests.proxy import client
from tests.proxy.gateway import ADMINISTRATOR, MEMBER, PROMPT_BYTES, SETTINGS, Gateway, gateway, header, websocket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.certificate import Certificate
    from local.server import Server

GROUP = DEPLOYMENT.model_base_urls[0]


@pytest.fixture(scope="module")
def notes() -> Preset:
    """The example's preset."""
    return example_preset()


@pytest.fixture(scope="module")
def gate(
    notes: Preset, server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The proxy as the preset wants it."""
    headers = notes.headers
    identity = replace(
        SETTINGS.identity,
        email_header=headers.email,
        name_header=headers.name,
        role_header=headers.role,
        administrator_role=headers.administrator_role,
        member_role=headers.member_role,
    )
    settings = replace(SETTINGS, identity=identity, application=notes.proxy)
    with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("notes")) as running:
        yield running


def test_the_task_runs_it_as_it_asks_and_as_safely_as_any_other(notes: Preset) -> None:
    definition = one(
        build("service", application=notes.application(DEPLOYMENT)), "aws:ecs/taskDefinition:TaskDefinition"
    )
    containers: dict[str, dict[str, Any]] = {
        container["name"]: container for container in json.loads(text(definition.inputs["containerDefinitions"]))
    }
    prepare, interface = containers["prepare"], containers["interface"]

    assert (prepare["entryPoint"], prepare["command"]) == (["chown"], ["-R", "1000:1000", "/srv/drafts"])
    assert (interface["entryPoint"], interface["command"]) == (["node"], ["/srv/notes/server.js"])
    assert interface["secrets"] == [{"name": "COOKIE_KEY", "valueFrom": SECRET_REFERENCES["session-key"]}]
    assert {entry["name"]: entry["value"] for entry in interface["environment"]}["MODEL_BASE_URL"] == GROUP
    assert [mount["containerPath"] for mount in interface["mountPoints"]] == ["/srv/drafts"]
    assert (interface["user"], interface["readonlyRootFilesystem"], interface["portMappings"]) == (
        "1000:1000",
        True,
        [],
    )


def test_it_is_told_who_it_is_in_its_own_words_and_by_nobody_else(gate: Gateway) -> None:
    spoofed = [("x-notes-user", "root@example.com"), ("x-notes-role", "owner")]
    member, administrator = gate.arrived("GET", "/", spoofed, claims=MEMBER), gate.arrived(claims=ADMINISTRATOR)

    assert (header(member, "x-notes-user"), header(member, "x-notes-role")) == (["ann@example.com"], ["user"])
    assert (header(administrator, "x-notes-user"), header(administrator, "x-notes-role")) == (
        ["root@example.com"],
        ["owner"],
    )


def test_its_paths_have_the_limits_that_it_names(gate: Gateway) -> None:
    body = b"x" * (PROMPT_BYTES + 1)

    assert gate.send("POST", "/attachments/a", body=body).status == 200
    assert gate.send("POST", "/api/v1/files/", body=body).status == 413
    assert gate.send("GET", "/assets/app.js").values("cache-control") == []
    assert gate.send("GET", "/ready", claims=None, host="10.0.0.1").status == 200
    with client.opened(gate.settings.port) as connection:
        assert websocket(gate, connection, "/ws/").startswith(b"HTTP/1.1 403 ")


def test_signing_out_ends_its_session_too(gate: Gateway) -> None:
    cookies = gate.send("GET", "/logout", claims=None).values("set-cookie")
    assert cookies[-1].startswith("notes.sid=; Max-Age=0;")
