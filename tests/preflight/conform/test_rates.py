"""An office behind one address can use the application, computed for every rate rule of the recorded web ACL."""

from __future__ import annotations

import pytest

from components.applications import find_preset
from preflight.conform.rates import RequestKind, declared_people, evaluated, findings, kinds
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Wire
from tests.open_webui.recorded import recorded_facts, recorded_versions
from tests.preflight.conform.editing import edited
from tests.preflight.conform.graphs import OFFICE_PEOPLE, with_offices
from tests.preflight.conform.planted import ACL, real, rule, shapes, with_change

OPEN_WEBUI = find_preset("open-webui")


def first_visit(version: str) -> tuple[RequestKind, ...]:
    """The files of a real first visit, by folder, with the preset's other requests."""
    files = recorded_facts(version).first_visit
    below = tuple(RequestKind(f"files {place}", times, (("GET", place),)) for place, times in files.items())
    return (*below, *(kind for kind in kinds(OPEN_WEBUI) if kind.name != "static files"))


@pytest.mark.parametrize("index", range(len(shapes())), ids=[str(shape) for shape in shapes()])
def test_the_declared_people_fit_behind_one_address(index: int) -> None:
    assert findings(real(index)) == []


@pytest.mark.parametrize("version", recorded_versions())
def test_so_they_do_with_the_first_visit_that_the_real_frontend_needs(version: str) -> None:
    assert evaluated(real(application=OPEN_WEBUI.name), first_visit(version), declared_people("staging")) == []


@pytest.mark.parametrize("version", recorded_versions())
def test_twenty_people_are_found_when_static_files_count_as_pages_of_3000(version: str) -> None:
    def put_back(inputs: Wire) -> None:
        rate = rule(inputs, "rate-pages-address")["statement"]["rateBasedStatement"]
        rate["limit"] = 3000
        scope = rate["scopeDownStatement"]["notStatement"]["statement"]["orStatement"]["statements"]
        scope[:] = [item for item in scope if item["labelMatchStatement"]["key"] != "path:static"]

    found = evaluated(with_change(ACL, put_back, OPEN_WEBUI.name), first_visit(version), 20)

    assert [f.headline.partition(" returns")[0].rpartition("(")[2] for f in found] == ["rate-pages-address)"]


OFFICE_RULES = ("rate-uploads-office", "rate-model-calls-office", "rate-requests-office")


def _at_the_office(recording: Recording, people: int = OFFICE_PEOPLE) -> list[str]:
    found = evaluated(recording, kinds(OPEN_WEBUI), declared_people("staging"), people)
    return sorted(one.headline.partition(")")[0].rpartition("(")[2] for one in found)


def test_the_declared_people_fit_behind_one_address_of_an_office() -> None:
    assert _at_the_office(with_offices()) == []


def test_one_more_does_not() -> None:
    assert _at_the_office(with_offices(), OFFICE_PEOPLE + 1) == sorted(OFFICE_RULES)


def test_an_address_rule_that_counts_offices_too_is_found() -> None:
    def put_back(inputs: Wire) -> None:
        rate = rule(inputs, "rate-pages-address")["statement"]["rateBasedStatement"]
        rate["scopeDownStatement"] = rate["scopeDownStatement"]["andStatement"]["statements"][0]

    (acl,) = [one.name for one in with_offices().of_type(ACL)]
    assert _at_the_office(edited(with_offices(), ACL, acl, put_back)) == ["rate-pages-address"]


def test_a_low_limit_of_one_session_is_found_too() -> None:
    def lower(inputs: Wire) -> None:
        rule(inputs, "rate-model-calls-session")["statement"]["rateBasedStatement"]["limit"] = 10

    (finding,) = findings(with_change(ACL, lower, OPEN_WEBUI.name))
    assert "one user's session" in finding.headline


def test_a_rule_that_only_counts_locks_no_one_out() -> None:
    def counting(inputs: Wire) -> None:
        made = rule(inputs, "rate-pages-address")
        made["statement"]["rateBasedStatement"]["limit"] = 10
        made["action"] = {"count": {}}

    assert findings(with_change(ACL, counting)) == []


@pytest.mark.parametrize("version", recorded_versions())
def test_the_preset_s_numbers_hold_for_every_recorded_version(version: str) -> None:
    files = recorded_facts(version).first_visit
    static = sum(times for place, times in files.items() if place in OPEN_WEBUI.paths.static)

    assert 100 < static <= OPEN_WEBUI.arrival.static_requests
    assert sum(files.values()) - static <= 5, "files at the root count as pages"
