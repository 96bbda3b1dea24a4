"""The way to private search and tool servers: one path and its methods, the server's own key, no identity, no redirect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyTool, ProxyUpstream
from components.proxy.outbound import model_routes
from local.certificate import Certificate, self_signed
from local.server import Server
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.model_path import BODY
from tests.proxy.models import MOVED, Model, model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proxy.client import Answer

SEARCH, TICKETS, STRANGER = "search.example.internal", "tickets.example.internal", "stranger.example.internal"
KEY = "sk-tickets-%REQ(:path)%-0123456789"
IDENTITY = [
    ("authorization", "Bearer application"),
    ("cookie", "token=x"),
    ("x-user-email", "ann@example.com"),
    ("X-OpenWebUI-Chat-Id", "c-1"),
]
SECONDS = 2


@dataclass(frozen=True)
class Tools:
    """The proxy and the servers behind it."""

    proxy: Gateway
    search: Model
    tickets: Model
    stranger: Model

    def call(self, method: str, target: str, body: bytes = b"") -> Answer:
        return self.proxy.model(method, target, IDENTITY, body)


def tool(path: str, methods: tuple[str, ...], host: str, server: Model, authority: Certificate) -> ProxyTool:
    return ProxyTool(
        path=path,
        methods=methods,
        upstream=ProxyUpstream(
            name=path.removeprefix("/").replace("/", ":"),
            host_name=host,
            address="127.0.0.1",
            port=server.server.port,
            path_prefix="/v1/mcp" if "tickets" in path else "/search",
            ca_certificate=authority.certificate,
            api_key_variable="TOOL_KEY_TICKETS" if "tickets" in path else "",
        ),
    )


@pytest.fixture(scope="module")
def running(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """A search server, a tool server with a key, and one whose certificate is another authority's."""
    folder = tmp_path_factory.mktemp("tools")
    authority, other = self_signed(SEARCH, TICKETS, STRANGER), self_signed(STRANGER)
    with (
        model("search", authority) as search,
        model("tickets", authority) as tickets,
        model("stranger", other) as stranger,
    ):
        settings = replace(
            SETTINGS,
            limits=replace(SETTINGS.limits, tool_seconds=SECONDS),
            application=replace(SETTINGS.application, user_headers=("X-OpenWebUI-Chat-Id",)),
            machine_host_names=("api.example.com",),
            model_groups=(),
            tools=(
                tool("/search", ("GET",), SEARCH, search, authority),
                tool("/tools/tickets", ("POST", "DELETE"), TICKETS, tickets, authority),
                tool("/tools/stranger", ("POST",), STRANGER, stranger, authority),
            ),
        )
        with gateway(settings, server.port, certificate, folder, {"TOOL_KEY_TICKETS": KEY}) as proxy:
            yield Tools(proxy, search, tickets, stranger)


@pytest.fixture
def tools(running: Tools) -> Tools:
    """The same servers, healthy and with nothing received."""
    for one in (running.search, running.tickets, running.stranger):
        one.behaviour = 200
        one.received.clear()
    return running


def test_a_declared_path_leads_to_its_server_with_the_query_and_the_servers_own_path(tools: Tools) -> None:
    assert tools.call("GET", "/search?q=a%20b&format=json").body == b"search"
    assert tools.call("POST", "/tools/tickets", BODY).body == b"tickets"
    assert tools.call("DELETE", "/tools/tickets").status == 200
    assert [one.target for one in tools.search.received] == ["/search?q=a%20b&format=json"]
    assert [(one.method, one.target, one.body) for one in tools.tickets.received] == [
        ("POST", "/v1/mcp", BODY),
        ("DELETE", "/v1/mcp", b""),
    ]
    (request,) = tools.search.received
    assert request.value("host") == f"{SEARCH}:{tools.search.server.port}"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/search", 405),
        ("GET", "/tools/tickets", 405),
        ("PUT", "/tools/tickets", 405),
        ("GET", "/search/", 403),
        ("GET", "/search/admin", 403),
        ("GET", "/SEARCH", 403),
        ("POST", "/tools/tickets/v1", 403),
        ("POST", "/tools/tickets%2fadmin", 403),
        ("POST", "/tools/../tools/other", 403),
        ("POST", "/v1/mcp", 403),
        ("GET", "/", 403),
    ],
)
def test_everything_else_is_refused(tools: Tools, method: str, target: str, status: int) -> None:
    assert tools.call(method, target, BODY if method in {"POST", "PUT"} else b"").status == status
    assert tools.search.received + tools.tickets.received == []


def test_a_body_is_limited(tools: Tools) -> None:
    too_long = [("content-length", str(SETTINGS.limits.prompt_bytes + 1))]
    assert tools.proxy.model("POST", "/tools/tickets", too_long).status == 413
    assert tools.proxy.model("POST", "/tools/tickets", [("transfer-encoding", "chunked")], b"").status == 411
    assert tools.tickets.received == []


def test_a_server_gets_its_own_key_and_nothing_about_the_user(tools: Tools) -> None:
    tools.call("GET", "/search?q=a")
    tools.call("POST", "/tools/tickets", BODY)
    (search,), (tickets,) = tools.search.received, tools.tickets.received
    assert [value for name, value in tickets.headers if name.lower() == "authorization"] == [f"Bearer {KEY}"]
    for request, allowed in ((search, set[str]()), (tickets, {"authorization"})):
        names = {name.lower() for name, _ in request.headers}
        assert names & {name.lower() for name, _ in IDENTITY} == allowed


def test_no_log_has_the_key_or_the_search(tools: Tools) -> None:
    tools.call("GET", "/search?q=confidential")
    tools.call("POST", "/tools/tickets", BODY)
    log = tools.proxy.log.read_text(encoding="utf-8")
    assert "/search" in log
    assert not [word for word in (KEY, "confidential") if word in log]


def test_a_certificate_of_another_authority_is_refused(tools: Tools) -> None:
    assert tools.call("POST", "/tools/stranger", BODY).status == 503
    assert tools.stranger.received == []


@pytest.mark.parametrize(("behaviour", "status"), [(429, 429), (500, 500), (503, 503), ("reset-before", 503)], ids=str)
def test_a_call_is_never_repeated(tools: Tools, behaviour: int | str, status: int) -> None:
    tools.tickets.behaviour = behaviour
    assert tools.call("POST", "/tools/tickets", BODY).status == status
    assert len(tools.tickets.received) == 1


def test_a_server_that_is_silent_ends_at_the_limit(tools: Tools) -> None:
    tools.tickets.behaviour = "silent"
    answered = tools.call("POST", "/tools/tickets", BODY)
    assert (answered.status, len(tools.tickets.received)) == (504, 1)


def test_a_redirect_does_not_say_where_to(tools: Tools) -> None:
    tools.tickets.behaviour = MOVED
    answered = tools.call("POST", "/tools/tickets", BODY)
    assert answered.status == 307
    assert not {name.lower() for name, _ in answered.headers} & {"location", "uri", "refresh", "set-cookie"}


def test_machine_clients_have_no_route_to_a_tool(running: Tools) -> None:
    offered = [str(route.get("match")) for route in model_routes(running.proxy.settings)]
    assert not [one for one in offered if "/search" in one or "/tools" in one]
