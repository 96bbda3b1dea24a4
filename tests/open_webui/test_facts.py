"""Every body of the real application that can hold text passes the firewall's body rules, in both stacks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.applications.presets.open_webui import PATHS
from components.edge.rules import offers
from local.open_webui import interpreter, package
from policies.guardrails.topology.http.requests import Outcome, Request, Trail
from policies.guardrails.topology.waf.web_acl import WebAcl
from releases.manifest import load_release, versions
from tests.open_webui.recorded import facts_file, made_from, recorded_facts, recorded_versions
from tests.open_webui.routes import Route, routes, text_queries
from tests.topology.conftest import recorded_graph
from tests.topology.request_table import FREE_QUERY_THREATS, FREE_TEXT_THREATS

NEVER_FREE_TEXT = {
    "/api/v1/auths/ldap": "a directory's login, which the preset leaves off: people log in at the edge",
    "/api/v1/auths/signin": "people log in at the edge; the page sends an empty address and an empty password",
    "/api/v1/auths/signup": "the preset lets nobody sign up",
}
"""Routes whose bodies are texts by type and yet nothing that people write."""

PYTHON = interpreter()
BOTH = pytest.mark.parametrize("stack", ["staging", "prod"])


@cache
def acl(stack: str) -> WebAcl:
    graph = recorded_graph(stack, False)
    return WebAcl(graph, graph.of_type("wafv2.WebAcl")[0])


def asked(stack: str, method: str, path: str, threats: frozenset[str] = FREE_TEXT_THREATS) -> Outcome | None:
    """What the firewall says to a body in which AWS's rules see every attack that free text looks like."""
    sent = re.sub(r"\{[^}]*\}", "1", path)
    return acl(stack).evaluate(Trail(Request(method, f"https://probe.invalid{sent}", body_bytes=100, threats=threats)))


def offered(version: str) -> list[Route]:
    """The routes that the edge does not hide."""
    return [r for r in recorded_facts(version).routes if not any(offers(p, r.path) for p in PATHS.blocked)]


@BOTH
@pytest.mark.parametrize("version", recorded_versions())
def test_what_people_write_passes_the_body_rules_on_every_route(version: str, stack: str) -> None:
    listed = [route for route in offered(version) if route.holds_text]
    refused = {route.path for route in listed if asked(stack, route.method, route.path) is not None}

    assert len(listed) > 150
    assert refused - set(NEVER_FREE_TEXT) == set()


@BOTH
@pytest.mark.parametrize("path", sorted({*NEVER_FREE_TEXT, "/", "/c/{id}", "/static/x", "/oauth2/idpresponse"}))
def test_the_body_rules_still_block_where_no_free_text_is_sent(path: str, stack: str) -> None:
    for threat in sorted(FREE_TEXT_THREATS):
        outcome = asked(stack, "POST", path, frozenset({threat}))
        assert outcome is not None, threat
        assert outcome.status == 403


def test_every_excuse_is_a_route_of_some_version_and_a_path_of_the_preset() -> None:
    known = {route.path for version in recorded_versions() for route in recorded_facts(version).routes}

    assert set(NEVER_FREE_TEXT) <= known
    assert set(NEVER_FREE_TEXT) == set(PATHS.fixed_bodies)


LISTED_ONE_BY_ONE = (
    *("/api/chat/", "/api/v1/automations/", "/api/v1/calendars/", "/api/v1/channels/", "/api/v1/chats/"),
    *("/api/v1/configs/", "/api/v1/evaluations/", "/api/v1/folders/", "/api/v1/functions/", "/api/v1/knowledge/"),
    *("/api/v1/memories/", "/api/v1/models", "/api/v1/notes/", "/api/v1/prompts/", "/api/v1/retrieval/"),
    *("/api/v1/skills/", "/api/v1/tools/", "/ws/", *PATHS.uploads, *PATHS.model_calls),
)
"""What was marked as free text before: each of these prefixes, and nothing else."""


def test_a_list_by_path_is_found_wanting() -> None:
    marked: list[dict[str, Any]] = [
        {"byteMatchStatement": {"fieldToMatch": {"uriPath": dict[str, Any]()}, "positionalConstraint": "STARTS_WITH", "searchString": path, "textTransformations": [{"priority": 0, "type": "NONE"}]}}
        for path in LISTED_ONE_BY_ONE
    ]  # fmt: skip
    graph = recorded_graph("staging", False)
    narrow = WebAcl(graph, graph.of_type("wafv2.WebAcl")[0])
    statement = {"orStatement": {"statements": marked}}
    narrow.rules = [
        (priority, name, holder, path, {**rule, "statement": statement} if name == "mark-free-text" else rule)
        for priority, name, holder, path, rule in narrow.rules
    ]
    refused = {r.path for r in offered("0.11.4") if r.holds_text and narrow.evaluate(Trail(_probe(r))) is not None}

    assert {
        "/api/v1/users/user/settings/update",
        "/api/v1/users/user/variables/update",
        "/api/v1/auths/update/profile",
        "/api/v1/utils/code/format",
        "/api/v1/notifications/targets",
        "/api/events/webhooks",
    } <= refused


def _probe(route: Route) -> Request:
    path = re.sub(r"\{[^}]*\}", "1", route.path)
    return Request(route.method, f"https://probe.invalid{path}", body_bytes=100, threats=FREE_TEXT_THREATS)


@pytest.mark.skipif(not PYTHON, reason="open-webui is not installed: make test-open-webui")
def test_what_people_search_for_passes_the_query_rules() -> None:
    found = text_queries(package(PYTHON))
    offered_ = [path for path, _ in found if not any(offers(pattern, path) for pattern in PATHS.blocked)]
    refused = {
        path
        for path in offered_
        for stack in ("staging", "prod")
        if asked(stack, "GET", f"{path}?x=y", FREE_QUERY_THREATS) is not None
    }

    assert len(offered_) > 15
    assert refused == set()


def test_every_version_of_a_release_has_its_facts() -> None:
    released = {load_release(version).images["interface"].version for version in versions()}

    assert released
    assert released <= set(recorded_versions())


SOURCE = """
class Switch(BaseModel):
    on: bool
    kind: Literal["a", "b"]
    count: Optional[int] = None

class Open(Switch):
    model_config = ConfigDict(extra='allow')

class Note(BaseModel):
    title: str

class Deep(BaseModel):
    inner: list[Note]

@router.post("/switch")
async def switch(form: Switch, user=Depends(get_user)): ...
@router.post("/open")
async def opened(form: Open): ...
@router.put("/deep/{id}")
async def deep(id: str, form: Deep): ...
@router.patch("/elsewhere")
async def elsewhere(form: OfAnotherModule): ...
@router.post("/raw")
async def raw(request: Request):
    return await request.json()
@router.post("/plain")
async def plain(request: Request, limit: int = 1): ...
@router.post("/form")
async def form(name: str = Form(...)): ...
@router.post("/file")
async def file(file: UploadFile = File(...)): ...
@router.api_route("/any", methods=ANY)
async def anything(request: Request):
    return request.stream()
@router.get("/read")
async def read(q: str): ...
"""


def test_a_body_counts_as_fixed_only_when_nothing_in_it_can_be_text(tmp_path: Path) -> None:
    (tmp_path / "routers").mkdir()
    (tmp_path / "main.py").write_text("app.include_router(things.router, prefix='/api/things')\n")
    (tmp_path / "routers" / "things.py").write_text(SOURCE)

    assert [(r.path.removeprefix("/api/things"), r.method, r.body) for r in routes(tmp_path)] == [
        *(("/any", method, "raw") for method in ("PATCH", "POST", "PUT")),
        ("/deep/{id}", "PUT", "text"),
        ("/elsewhere", "PATCH", "text"),
        ("/file", "POST", "file"),
        ("/form", "POST", "text"),
        ("/open", "POST", "text"),
        ("/plain", "POST", "none"),
        ("/raw", "POST", "raw"),
        ("/switch", "POST", "fixed"),
    ]


@pytest.mark.skipif(not PYTHON, reason="open-webui is not installed: make test-open-webui")
def test_the_committed_facts_are_those_of_the_installed_package() -> None:
    installed = package(PYTHON)
    (metadata,) = installed.parent.glob("open_webui-*.dist-info")
    version = metadata.name.removeprefix("open_webui-").removesuffix(".dist-info")

    assert facts_file(version).read_text(encoding="utf-8") == made_from(version, installed)
