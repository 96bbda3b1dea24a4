"""What people do with the interface, in a browser, on prod's twin: nothing between them and the model is left out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from components.applications.presets.open_webui import PRESET
from local.twin import Twin
from tests.browser.tab import STOP, Tab

WORDS = [f"word{number}" for number in range(60)]
NewTab = Callable[[], Tab]


@pytest.fixture
def member(twin: Twin, tab: NewTab) -> Tab:
    return tab().log_in(twin.people.member.subject)


def _host(url: str) -> str:
    return str(urlsplit(url).hostname)


def test_new_users_log_in_and_may_ask(twin: Twin, tab: NewTab) -> None:
    """In this order: the application treats the first person that it ever sees in another way than all others."""
    for person in (twin.people.member, twin.people.administrator):
        new = tab()
        new.page.goto(twin.url)
        assert _host(new.page.url) == _host(twin.provider.registration.authorization)
        new.log_in(person.subject)
        assert new.page.url.rstrip("/") == twin.url
        new.open_menu()
    secure = {str(one["name"]): (one["secure"], one["httpOnly"]) for one in new.context.cookies()}
    own = [*PRESET.session_cookie_names, *(name for name in secure if "Session" in name)]
    assert len(own) > len(PRESET.session_cookie_names)  # and the load balancer's
    assert {secure[name] for name in own} == {(True, True)}


def test_a_first_visit_gets_everything_from_the_stack_alone(twin: Twin, member: Tab) -> None:
    hosts = {_host(twin.url), *twin.provider.names}
    member.page.wait_for_timeout(3000)
    assert member.seen.hosts() <= hosts
    # The provider has no picture of itself; everything else that was asked for is there.
    provider = {path for path in member.seen.refused() if path == "/favicon.ico"}
    assert member.seen.refused().keys() == provider
    assert [one for one in member.seen.console if _host(twin.url) in one or one.startswith("uncaught")] == []
    own = [urlsplit(address).path for _, address in member.seen.answers if _host(address) == _host(twin.url)]
    static = [path for path in own if path.startswith(PRESET.paths.static)]
    assert 100 < len(static) <= PRESET.arrival.static_requests
    assert len(own) - len(static) <= PRESET.arrival.page_requests


def test_an_answer_appears_word_by_word(member: Tab) -> None:
    member.listen()
    member.ask("tell me " + " ".join(WORDS))
    member.wait_for_answer(WORDS[-1])
    states = [(at, text) for at, text in member.heard() if WORDS[0] in text]
    assert states[-1][1].split()[-1] == WORDS[-1]
    assert len({text for _, text in states}) > len(WORDS) / 4
    assert all(later.startswith(earlier) for (_, earlier), (_, later) in pairwise(states))
    assert states[-1][0] - states[0][0] > 300  # it was not collected on the way


def test_one_websocket_carries_what_happens_and_nothing_polls(twin: Twin, member: Tab) -> None:
    received: list[str] = []
    sockets = [one for one in member.seen.sockets if urlsplit(one.url).path.startswith(PRESET.paths.websockets)]
    for socket in sockets:
        assert (_host(socket.url), urlsplit(socket.url).scheme) == (_host(twin.url), "wss")
        socket.on("framereceived", lambda frame: received.append(str(frame)))
    member.ask("one two three")
    member.wait_for_answer("three")
    member.page.wait_for_timeout(1000)
    assert [one.is_closed() for one in sockets] == [False]
    assert [text for text in received if "chat:completion" in text]
    assert [url for _, url in member.seen.answers if "transport=polling" in url] == []
    assert [line for line in member.seen.console if "socket" in line.lower()] == []


def test_a_document_is_embedded_and_an_answer_quotes_it(twin: Twin, member: Tab, tmp_path: Path) -> None:
    document = tmp_path / "zoo.txt"
    document.write_text("The keeper of the reptiles is called Ottokar. He feeds the crocodiles on Tuesdays.\n")
    member.attach(document)
    member.ask("Who is the keeper of the reptiles?")
    member.wait_for_answer("called Ottokar")
    assert "1 Source" in member.answer
    assert [text for text in _embedded(twin) if "Ottokar" in text]


def _embedded(twin: Twin) -> list[str]:
    """The pieces of documents in the vector store, which is the stack's database."""
    database, name = twin.database.server, twin.database.name
    ((schema,),) = database.ask(name, "SELECT schemaname FROM pg_tables WHERE tablename = 'document_chunk'")
    rows = database.ask(name, f'SELECT text FROM "{schema}".document_chunk WHERE vector IS NOT NULL')  # noqa: S608
    return [str(text) for (text,) in rows]


def test_a_generation_stops_when_its_button_is_pressed(member: Tab) -> None:
    numbers = [str(number) for number in range(2000)]
    member.ask("count " + " ".join(numbers))
    member.wait_for_answer(" 20 ")
    member.page.locator(STOP).last.click()
    member.page.locator(STOP).wait_for(state="detached")
    stopped = member.answer
    member.page.wait_for_timeout(2000)
    assert member.answer == stopped
    assert numbers[-1] not in stopped
    assert [status for status, url in member.seen.answers if "/api/tasks/" in url and "stop" in url] == [200]


def test_signing_out_ends_at_the_provider_with_no_session_left(twin: Twin, member: Tab) -> None:
    member.open_menu()
    member.page.get_by_text("Sign Out").click()
    member.page.wait_for_url(lambda url: _host(url) == _host(twin.provider.registration.end_session))
    left = {
        str(one["name"]) for one in member.context.cookies() if _host(twin.url).endswith(str(one["domain"]).lstrip("."))
    }
    assert not {name for name in left if name in PRESET.session_cookie_names or "Session" in name}
    member.page.goto(twin.url)
    assert _host(member.page.url) == _host(twin.provider.registration.authorization)


def test_an_administrator_sees_the_admin_pages_and_a_member_does_not(twin: Twin, tab: NewTab) -> None:
    ruler = tab().log_in(twin.people.administrator.subject)
    ruler.begin()
    ruler.open_menu()
    ruler.page.get_by_text("Admin Panel").click()
    ruler.page.get_by_text(twin.people.member.email).wait_for()
    assert urlsplit(ruler.page.url).path.startswith("/admin/users")

    other = tab().log_in(twin.people.member.subject)
    other.begin()
    other.page.goto(f"{twin.url}/admin/users/overview")
    other.input.wait_for()
    assert urlsplit(other.page.url).path == "/"
    other.open_menu()
    assert other.page.get_by_text("Admin Panel").count() == 0


def test_a_user_who_is_not_allowed_learns_whom_to_ask(twin: Twin, tab: NewTab) -> None:
    stranger = tab()
    stranger.identify(twin.people.stranger.subject)
    contact = next(one["endpoint"] for one in twin.stack.all("aws:sns/topicSubscription:TopicSubscription"))
    assert str(contact) in stranger.page.locator("body").inner_text()
    assert {path: status for path, status in stranger.seen.refused().items() if path != "/favicon.ico"} == {"/": 403}


def test_nothing_was_refused_and_no_task_was_replaced(twin: Twin) -> None:
    """Last in this file: after all that people did."""
    starting = ("edge: target group", "identity provider: GET /favicon.ico")
    assert [one for one in twin.causes() if not one.startswith(starting)] == []
    assert twin.healthy()
