"""Every page of ``docs/identity/`` is followed: the stack with its section, on the local environment, with the provider's
own responses. Each user of its table logs in through load balancer, provider and Envoy, and gets what the page states."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local.identity import People
from local.identity.people import ELSEWHERE, Person, account
from local.identity.user_info import RESPONSES, Account, Claims, with_overage
from local.stack import Stack
from settings.provider_rules import completed
from settings.providers import KINDS
from tests.local.edge.with_proxy import LOG, with_proxy
from tests.local.edge.world import World
from tests.local.identity.pages import Expected, Page, blocks, pages
from tests.settings.identity_providers import kind_of
from tests.settings.stack_files import changed, own_values, parse

PAGES = pages()
LOG_SECONDS = 10


@dataclass(frozen=True)
class Case:
    """A user of a page: the account, and how the response differs from the one of such an account."""

    of: Callable[[Account], Account] = lambda one: one
    response: Callable[[Claims, str], Claims] = lambda claims, _: claims
    assigned: bool = True


def _in_other_groups(one: Account) -> Account:
    return replace(one, held={claim: ["others", "visitors"] for claim in one.held})


def _without(name: str) -> Callable[[Claims, str], Claims]:
    return lambda claims, _: {key: value for key, value in claims.items() if key != name}


USERS: dict[str, Case] = {
    "an allowed user": Case(),
    "an administrator": Case(),
    "a user in other groups": Case(_in_other_groups),
    "a user without groups": Case(lambda one: replace(one, held={})),
    "a user in too many groups": Case(response=with_overage),
    "a user whose address is not verified": Case(lambda one: replace(one, verified=False)),
    "a user without an e-mail address": Case(response=_without("email")),
    "a user who is not assigned": Case(assigned=False),
    "a user of another domain": Case(lambda one: replace(one, email=f"{one.subject}@{ELSEWHERE}")),
    "a consumer account with an allowed address": Case(lambda one: replace(one, managed=False)),
    "a user of another organisation": Case(response=lambda claims, _: {**claims, "hd": ELSEWHERE}),
}
"""User in the tables → what the provider knows and returns."""


@dataclass(frozen=True)
class Everyone(People):
    """The users of a table, in addition to the three whom a stack implies."""

    others: tuple[Person, ...]

    def __iter__(self) -> Iterator[Person]:
        """All of them."""
        return iter((*super().__iter__(), *self.others))


def _person(page: Page, row: Expected, number: int) -> Person:
    """The user of a row, whom without its difference the page's rules would admit."""
    section = page.sections
    identity = completed(section["identity"])
    rules = [section["identity"]["allowed"]]
    if row.user == "an administrator":
        rules.append(section["identity"]["administrators"])
    case = USERS[row.user]
    one = case.of(account(f"user{number}", "Ann Lee", section["domain"]["hostName"], rules))
    claim = next(iter(one.held), "groups")
    return Person(one.subject, case.response(RESPONSES[page.kind](one, identity), claim), case.assigned)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_user_of_the_page_gets_what_it_states(page: Page, tmp_path: Path) -> None:
    own = People.of(Stack.of(page.recording()), page.sections)
    table = [_person(page, row, number) for number, row in enumerate(page.rows)]
    people = Everyone(own.member, own.administrator, own.stranger, tuple(table))
    with with_proxy(page.recording(), tmp_path, sections=page.sections, people=people) as running:
        for row, person in zip(page.rows, table, strict=True):
            assert _answer(running, person, tmp_path / LOG) == (row.answer, row.refused), (row, running.causes())
        assert _answer(running, own.member, tmp_path / LOG) == ("200", "")
        if own.administrator.subject not in {one.subject for one in table}:
            assert _answer(running, own.administrator, tmp_path / LOG) == ("200, administrator", "")
        assert not _answer(running, own.stranger, tmp_path / LOG)[0].startswith("200")


def _answer(running: World, person: Person, log: Path) -> tuple[str, str]:
    """The answer and ``refused``, in the words of the tables."""
    before = len(_inbound(log))
    response = running.browser().login(person.subject, running.url("/c/1"))
    if not response.url.startswith(running.url("/")):
        assert "not assigned" in response.text
        assert response.status == 403
        return "the provider's page", ""
    deadline = time.monotonic() + LOG_SECONDS
    while len(_inbound(log)) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    line = _inbound(log)[-1]
    assert line["status"] == response.status
    _is_without_identity(line, person)
    if response.status == 200:
        headers: dict[str, str] = json.loads(response.body)
        assert headers["x-user-email"] == person.email
        return "200, administrator" if headers["x-user-role"] == "admin" else "200", line["refused"] or ""
    assert f"reason: {line['refused']}." in response.text
    assert contact() in response.text
    return str(response.status), line["refused"]


def _inbound(log: Path) -> list[dict[str, Any]]:
    """The proxy's lines about users' requests; those about health checks are of another route."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return [line for line in lines if line["route"] != "health"]


def _is_without_identity(line: dict[str, Any], person: Person) -> None:
    text = json.dumps(line)
    personal = [value for value in person.claims.values() if isinstance(value, str) and len(value) > 4]
    assert [value for value in personal if value in text] == []


def contact() -> str:
    """Whom the page names: the stack file's owner."""
    return str(own_values()["owner"]["contact"])


def test_every_block_of_every_page_is_a_section_of_a_stack_file() -> None:
    assert len(PAGES) == len(list(blocks()))
    for page in PAGES:
        parse(changed(own_values(), {"identity": page.identity}))
        assert {row.user for row in page.rows} >= {"an allowed user", "an administrator"}, page


def test_every_kind_has_a_page_that_uses_it() -> None:
    used = {(page.kind, f"{page.name.rpartition('-')[0]}.md") for page in PAGES if page.kind}
    assert used == {(kind_of(kind), kind.page) for kind in KINDS}


def test_the_users_of_the_tables_are_all_used() -> None:
    assert {row.user for page in PAGES for row in page.rows} == set(USERS)
    assert {row.refused for page in PAGES for row in page.rows} == {
        "",
        "no-claim",
        "other-value",
        "groups-overage",
        "unverified",
        "no-email",
    }
