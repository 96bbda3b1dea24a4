"""The request table holds in both real stacks, with known values and as a first preview."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_mapping
from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.http.requests import Identity, ProxyFacts, Request
from policies.guardrails.topology.reachability.evaluation import reachability
from policies.guardrails.topology.trace.request_path import trace
from policies.guardrails.topology.waf.web_acl import WebAcl
from tests.settings.stack_files import stack_file
from tests.topology.request_table import ALLOWED, MEBIBYTE, NOT_DECIDED, TABLE, Row

LEAST_ROWS = 40
STACKS = ("staging", "prod")
VIEWS = pytest.mark.parametrize("preview", [False, True], ids=["known", "first preview"])
BOTH = pytest.mark.parametrize("stack", STACKS)


def configured(stack: str) -> Mapping[str, Any]:
    """The stack file's own values."""
    return stack_file(stack)


def facts(stack: str) -> ProxyFacts:
    """What the proxy of a stack enforces: the settings' defaults and the application's paths."""
    claim = configured(stack)["ai-interface:identity"]["allowed"]["claim"]
    return ProxyFacts(
        prompt_bytes=2 * MEBIBYTE,
        upload_bytes=50 * MEBIBYTE,
        header_bytes=32 * 1024,
        upload_path_prefixes=("/api/v1/files/", "/api/v1/audio/transcriptions"),
        allowed_claim=claim["name"],
        allowed_values=tuple(claim["values"]),
        logout_path="/logout",
        websocket_path_prefixes=("/ws/socket.io",),
        requires_length=True,
    )


def sent(stack: str, row: Row) -> Request:
    """The row's request with the stack's own name and people."""
    config = configured(stack)
    request = replace(row.request, url=row.request.url.replace("{host}", config["ai-interface:domain"]["hostName"]))
    identity = request.identity
    if identity is None or identity.token:
        return request
    allowed = config["ai-interface:identity"]["allowed"]["claim"]["values"][0]
    groups = [allowed if group == ALLOWED else group for group in identity.claims["groups"]]
    return replace(request, identity=Identity({**identity.claims, "groups": groups}))


def test_the_table_is_large_enough_and_its_names_are_distinct() -> None:
    assert len(TABLE) >= LEAST_ROWS
    assert len({row.name for row in TABLE}) == len(TABLE)


@BOTH
def test_every_blocking_rule_of_the_web_acl_decides_a_row(stack: str, real_graph: Callable[[str, bool], Graph]) -> None:
    (acl,) = real_graph(stack, False).of_type("wafv2.WebAcl")
    rules = WebAcl(real_graph(stack, False), acl).rules
    blocking = {name for _, name, _, _, rule in rules if "block" in (as_mapping(rule.get("action")) or {})}
    assert blocking
    assert blocking - {row.rule for row in TABLE} == set(NOT_DECIDED), "add a request that the rule blocks to the table"


@VIEWS
@BOTH
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_request_is_decided_as_the_table_says(
    row: Row, stack: str, preview: bool, real_graph: Callable[[str, bool], Graph]
) -> None:
    outcome = trace(real_graph(stack, preview), sent(stack, row), facts(stack))
    assert (outcome.result, outcome.status) == (row.result, row.status), str(outcome)
    assert fnmatch(outcome.rule, row.rule), str(outcome)
    assert outcome.steps
    assert outcome.unknowns == ()


@VIEWS
@BOTH
def test_nothing_but_the_edge_is_reachable(stack: str, preview: bool, real_graph: Callable[[str, bool], Graph]) -> None:
    evaluated = reachability(real_graph(stack, preview))
    assert evaluated.claims
    assert {claim.verdict for claim in evaluated.claims} == {Verdict.PROVEN}
    assert [item.message() for item in (*evaluated.exposures, *evaluated.unprotected, *evaluated.unauthenticated)] == []
    assert {path.edges[0].entry.kind for path in evaluated.paths} == {"lb.LoadBalancer"}
    assert {path.target.rpartition("::")[2] for path in evaluated.paths} == {"service-service"}
