"""A private search server and tool servers of staging, as the twin runs them, behind the real Envoy of the recorded task."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local import private_servers
from local.authority import Authority
from local.aws.credentials import TaskCredentials
from local.private_model import PrivateModel
from local.private_servers import PrivateServer
from local.stack import Stack, recorded
from local.wiring import Node
from preflight.sdk.wire import unwrap
from tests.local.around import until
from tests.local.aws.envoy import proxy
from tests.local.aws.world import TASK_ID, World, world
from tests.tasks import interface_task

GROUP = "sg-0123456789abcdef0"
SEARCH, WIKI, PORT = "search.example.com", "wiki.example.internal", 9443


@dataclass(frozen=True)
class Declared:
    """A stack with the servers, and the authority that its settings declare."""

    stack: Stack
    authority: Authority


def stack_with(kind: str) -> Declared:
    """Staging with a search server and two tool servers on one host."""
    authority = Authority.make("CN=tools")
    wiki = {
        "kind": "mcp",
        "hostName": WIKI,
        "port": PORT,
        "securityGroupId": GROUP,
        "caCertificate": authority.certificate,
    }
    given = {
        "search": {"kind": kind, "hostName": SEARCH, "securityGroupId": GROUP},
        "servers": [{"name": "wiki", **wiki}, {"name": "pages", "path": "/pages/mcp", **wiki}],
    }
    return Declared(recorded("staging", settings={"ai-interface:tools": given}), authority)


@pytest.fixture(scope="module")
def declared() -> Declared:
    return stack_with("searxng")


@contextlib.contextmanager
def running(declared: Declared, authority: Authority | None = None) -> Generator[tuple[World, str]]:
    """The world and the URL of the loopback listener."""
    with world(declared.stack) as made, contextlib.ExitStack() as held:
        for number, one in enumerate(private_servers.declared(declared.stack)):
            made.addresses[one.address] = f"10.30.99.{number + 1}"
            held.enter_context(
                _server(made, one, (authority or declared.authority) if one.authority else made.authority)
            )
        credentials = TaskCredentials(made.stack, made.wiring, made.task, TASK_ID, made.issuer, made.refusals)
        url, _ = held.enter_context(proxy(made, held.enter_context(credentials)))
        yield made, url


def _server(made: World, one: PrivateServer, authority: Authority) -> PrivateModel:
    node = Node(one.node, made.addresses[one.address])
    return PrivateModel(
        made.wiring,
        [node],
        one.port,
        one.name,
        authority.issue(one.name),
        one.models,
        made.refusals,
        prefix=one.prefix,
        tools=dict(one.tools),
    )


def called(url: str, tool: str, method: str, **params: object) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(f"{url}/tools/{tool}", json=message, timeout=20).json()["result"]


def variables(declared: Declared) -> dict[str, str]:
    definitions = unwrap(interface_task(declared.stack.recording).inputs["containerDefinitions"])
    (interface,) = [one for one in json.loads(str(definitions)) if one["name"] == "interface"]
    return {str(one["name"]): str(one["value"]) for one in interface["environment"]}


def test_the_servers_are_those_of_the_configuration(declared: Declared) -> None:
    found = {
        (one.name, one.port): (one.prefix, one.models, one.tools) for one in private_servers.declared(declared.stack)
    }
    assert found == {
        (SEARCH, 443): ("", (), (("/search", "searxng"),)),
        (WIKI, PORT): ("", (), (("/mcp", "mcp"), ("/pages/mcp", "mcp"))),
    }


def test_a_search_and_a_call_of_a_tool_arrive_and_are_answered(declared: Declared) -> None:
    assert {
        one["url"].partition("/tools/")[2] for one in json.loads(variables(declared)["TOOL_SERVER_CONNECTIONS"])
    } == {
        "wiki",
        "pages",
    }
    with running(declared) as (made, url):
        found = httpx.get(f"{url}/search", params={"q": "tides", "format": "json"}, timeout=20).json()
        assert [one["content"] for one in found["results"]] == ["About tides"]
        for tool in ("wiki", "pages"):
            called(url, tool, "initialize", protocolVersion="2025-06-18")
            (offered,) = called(url, tool, "tools/list")["tools"]
            answer = called(url, tool, "tools/call", name=offered["name"], arguments={"text": "hello"})
            assert answer == {"content": [{"type": "text", "text": "hello"}]}
        assert made.refusals.entries == []


def test_the_applications_own_search_api_is_answered() -> None:
    with running(stack_with("external")) as (made, url):
        found = httpx.post(f"{url}/search", json={"query": "tides", "count": 3}, timeout=20).json()
        assert [one["snippet"] for one in found] == ["About tides"]
        assert made.refusals.entries == []


def test_a_server_of_another_authority_is_named(declared: Declared) -> None:
    with running(declared, Authority.make("CN=tools")) as (made, url):
        assert httpx.post(f"{url}/tools/wiki", json={}, timeout=20).status_code == 503
        assert until(10, lambda: made.refusals.of(WIKI)), made.refusals.entries
        assert any(one.startswith("TLS with 127.0.0.1 failed") for one in made.refusals.of(WIKI)), made.refusals.entries
