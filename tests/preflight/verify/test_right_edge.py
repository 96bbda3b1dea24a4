"""At a correct edge every row is sent and answered as predicted, and no request changes anything."""

from __future__ import annotations

from preflight.account.lines import Status
from preflight.verify.requests import MOST_REQUESTS, READING, Credentials, RequestRow, harmless, rows, within_rates
from preflight.verify.stack import StackInCheckout
from tests.preflight.verify.faults import SIGNED_IN, Site, failed

LEAST_ROWS = 90


def test_a_right_edge_has_nothing_to_say(site: Site) -> None:
    edge = site.edge()
    found = site.verified(edge)
    assert [(line.subject, line.found) for line in found if line.status is not Status.OK] == []
    assert len(edge.received) >= LEAST_ROWS


def test_without_a_session_requests_that_need_one_are_unknown_and_not_sent(site: Site) -> None:
    edge = site.edge()
    found = site.verified(edge, Credentials())
    assert failed(found) == []
    untold = [line.subject for line in found if line.status is Status.CANNOT_TELL]
    assert untold == ["requests of a signed-in user", "cookies of the session"]
    assert all(not request.cookies for request in edge.received)


def test_no_request_could_change_anything(site: Site) -> None:
    edge = site.edge()
    site.verified(edge)
    others = [request for request in edge.received if request.method not in READING]
    assert {request.method for request in others} == {"POST", "PROPFIND"}
    assert all(request.identity is None for request in others)


def test_a_row_that_the_application_would_act_upon_is_never_made(stack: StackInCheckout) -> None:
    (row,) = [row for row in rows(stack, SIGNED_IN) if row.name == "a signed-in user's first page"]
    served = RequestRow("x", row.request, row.outcome)
    assert harmless(served)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        request = type(row.request)(method, row.request.url, identity=stack.signed_in_user)
        assert not harmless(RequestRow("x", request, stack.follow(request)))


def test_the_table_is_whole_bounded_and_says_both_sides_of_each_limit(stack: StackInCheckout) -> None:
    found = rows(stack, SIGNED_IN)
    kept, rest = within_rates(stack, found)
    assert LEAST_ROWS <= len(found) < MOST_REQUESTS
    assert rest == []
    assert len(kept) == len(found)
    fits = [row.name for row in found if "largest allowed size" in row.name]
    more = [row.name for row in found if row.name.endswith("one byte too large")]
    assert len(fits) == len(more) == 3 + 1 + len(stack.proxy.upload_path_prefixes)


def test_credentials_do_not_show() -> None:
    assert "a-member" not in repr(SIGNED_IN)
