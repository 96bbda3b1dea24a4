"""Stacks other than the committed staging: prod, and one with machine clients."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.certificate import self_signed
from local.ports import LOOPBACK, held_ports
from preflight.account.lines import Status
from preflight.sdk.wire import Wire
from preflight.verify.client import Live
from preflight.verify.command import stack_of
from preflight.verify.live import Sending, lines
from preflight.verify.requests import Credentials, rows
from preflight.verify.stack import INGRESS, RULE, StackInCheckout
from releases.manifest import load_release
from tests.assembly.topologies import HOST, SHAPES, recorded
from tests.preflight.verify.edge import MEMBER, SESSION, TOKEN, proxy
from tests.preflight.verify.faults import SIGNED_IN, Site, changed, failed
from tests.settings.stack_files import ROOT, own_values, parse
from tests.settings.stack_files import changed as with_values
from tests.topology.request_table import NOT_DECIDED

BOTH = Credentials(cookie=f"{SESSION}={MEMBER}", token=TOKEN)
MACHINES = next(shape for shape in SHAPES if shape.machine_clients)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A correct edge of a stack with machine clients."""
    settings = parse(with_values(own_values(), {"domain.hostName": HOST}))
    stack = StackInCheckout(settings, load_release(settings.release), recorded(MACHINES))
    folder = tmp_path_factory.mktemp("machines")
    with proxy(stack, Path(folder / "envoy.log")) as port:
        yield Site(stack, port, folder, self_signed(*stack.hosts, days=90))


def test_only_machine_clients_are_admitted(machines: Site) -> None:
    edge = machines.edge()
    found = machines.verified(edge, BOTH)
    assert [(line.subject, line.found) for line in found if line.status is not Status.OK] == []
    assert "a machine client on /general/v1/*" in [line.subject for line in found]
    assert set(machines.stack.hosts) == set(MACHINES.hosts)


def test_models_that_answer_without_a_token_are_found(machines: Site) -> None:
    edge = machines.edge()

    def forwards(resources: list[Wire]) -> None:
        for one in resources:
            if one["type"] == RULE and one["name"].startswith("edge-machine"):
                one["inputs"]["actions"] = [a for a in one["inputs"]["actions"] if a["type"] == "forward"]

    edge.stack = changed(edge.stack, forwards)
    assert [s for s in failed(machines.verified(edge, BOTH)) if s.startswith("edge-machine-1: GET")]


def test_a_token_that_is_refused_is_found(machines: Site) -> None:
    found = machines.verified(machines.edge(), Credentials(cookie=BOTH.cookie, token="expired"))
    assert failed(found) == ["a machine client on /general/v1/*"]
    assert all("expired" not in line.found + line.fix for line in found)


def test_without_a_token_its_rows_are_unknown(machines: Site) -> None:
    found = machines.verified(machines.edge(), SIGNED_IN)
    assert [line.subject for line in found if line.status is not Status.OK] == ["requests of a machine client"]


@pytest.fixture(scope="module", params=["staging", "prod"])
def committed(request: pytest.FixtureRequest, stack: StackInCheckout) -> StackInCheckout:
    """Each committed stack."""
    return stack if request.param == stack.name else stack_of(ROOT, request.param)


def only_from(block: str) -> Callable[[list[Wire]], None]:
    """The edge admits the clients of one block only."""

    def edit(resources: list[Wire]) -> None:
        rules = [one["inputs"] for one in resources if one["type"] == INGRESS and one["inputs"].get("cidrIpv4")]
        assert rules
        for inputs in rules:
            inputs["cidrIpv4"] = block

    return edit


def test_where_the_edge_admits_some_networks_the_rows_are_those_of_a_client_there(stack: StackInCheckout) -> None:
    narrow = changed(stack, only_from("203.0.113.0/24"))
    assert narrow.client == "203.0.113.0"
    assert [(r.name, str(r.outcome)) for r in rows(narrow)] == [(r.name, str(r.outcome)) for r in rows(stack)]


@pytest.mark.parametrize(("block", "status"), [("203.0.113.0/24", Status.CANNOT_TELL), ("0.0.0.0/0", Status.MISSING)])
def test_a_silent_host_is_missing_only_where_every_network_is_admitted(
    block: str, status: Status, stack: StackInCheckout
) -> None:
    chosen = changed(stack, only_from(block)) if status is Status.CANNOT_TELL else stack
    with held_ports(0) as (silent,):
        live = Live(ssl.create_default_context(), stack.host, {443: (LOOPBACK, silent)})
        (line,) = lines(Sending(chosen, live, pause=0))
    assert (line.subject, line.status) == ("the live host", status)


NOT_BY_REQUESTS = ("rate-", "mark-", "ip-reputation", "known-bad-inputs", "core")
"""Rules that decide only when a rate is exhausted or in an attack, and rules that only label a request."""


def test_every_rule_of_listeners_and_firewall_decides_some_row(committed: StackInCheckout) -> None:
    deciding = {row.outcome.rule for row in rows(committed, SIGNED_IN)}
    listener_rules = {name for name, _, _ in committed.rule_paths()}
    assert listener_rules - deciding == set()
    blocking = {
        str(rule["name"])
        for rule in committed.web_acl["rules"]
        if "block" in (rule.get("action") or {}) and not str(rule["name"]).endswith(("-body", "-query"))
    }
    named = {name for name in blocking if not name.startswith(NOT_BY_REQUESTS)}
    assert len(named) >= 12
    assert named - deciding == set(NOT_DECIDED), "add a request that the rule blocks to preflight/verify/requests.py"
