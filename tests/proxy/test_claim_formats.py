"""Each format of a claim is read strictly, a claim in another one has no values, and a refusal names its kind."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.proxy import ProxyPeople
from components.proxy.settings import CLAIM_FORMATS
from local.identity.user_info import bracketed
from tests.proxy.gateway import IDENTITY, SETTINGS, Gateway, gateway

if TYPE_CHECKING:
    from local.certificate import Certificate
    from local.server import Server

EMAIL = "ann@outside.test"
USERS, GUESTS, COMMA = "ai-users", "ai guests (Dublin)", "a,b"
VALUES = {
    "": (USERS, GUESTS, COMMA),
    "json-text": (USERS, GUESTS, COMMA),
    "comma-separated": (USERS, GUESTS),
    "space-separated": (USERS,),
    "bracketed": (USERS, GUESTS, COMMA),
}
"""Format → the values that it can hold."""
WRITTEN: dict[str, Any] = {
    "": list,
    "json-text": json.dumps,
    "comma-separated": ", ".join,
    "space-separated": " ".join,
    "bracketed": bracketed,
}
"""Format → how a provider writes several values."""
LOOKALIKES: dict[str, list[Any]] = {
    "": [f"{USERS},staff", f"{USERS} staff", f'["{USERS}"]', f"[{USERS}]", {"0": USERS}, [[USERS]], f" {USERS}"],
    "json-text": [USERS, [USERS], f"[{USERS}]", f'["{USERS}"] x', f'{{"a":"{USERS}"}}', f'"{USERS}"', f'["{USERS}', ""],
    "comma-separated": [[USERS], f"{USERS} staff", f"{USERS};staff", f"[{USERS}]", f"{USERS.upper()}", ",", ""],
    "space-separated": [[USERS], f"{USERS},staff", f"x{USERS} {USERS}x", " ", ""],
    "bracketed": [[USERS], f"{USERS}, staff", f"[{USERS}", f"{USERS}]", f"[[{USERS}]]", "[ai%2Duser]", "[]", ""],
}
"""Format → claims that hold no listed value in it, although a careless reading finds one."""


@pytest.fixture(scope="module")
def proxies(
    server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Gateway]]:
    """A proxy for each format: ``groups`` grants access, and ``roles`` the administrator's role."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Gateway] = {}
        for name, values in VALUES.items():
            identity = replace(
                IDENTITY,
                allowed=ProxyPeople(claim_name="groups", claim_values=values, claim_format=name),
                administrators=ProxyPeople(claim_name="roles", claim_values=("ruler",), claim_format=name),
            )
            folder = tmp_path_factory.mktemp(name or "list")
            changed = replace(SETTINGS, identity=identity)
            found[name] = stack.enter_context(gateway(changed, server.port, certificate, folder))
        yield found


@pytest.mark.parametrize("format_", CLAIM_FORMATS)
def test_any_of_the_values_is_found_wherever_it_is(proxies: dict[str, Gateway], format_: str) -> None:
    write = WRITTEN[format_]
    if format_ == "json-text":
        assert proxies[format_].send("GET", "/", claims={"email": EMAIL, "groups": f'[null,"{USERS}"]'}).status == 200
    for value in VALUES[format_]:
        for held in ([value], ["staff", value], [value, "staff"], ["x", value, "staff"]):
            answer = proxies[format_].send("GET", "/", claims={"email": EMAIL, "groups": write(held)})
            assert answer.status == 200, held


@pytest.mark.parametrize("format_", CLAIM_FORMATS)
def test_a_claim_in_another_form_has_no_values(proxies: dict[str, Gateway], format_: str) -> None:
    others: list[Any] = [7, True, {}, [], {"a": USERS}]
    for claim in [*LOOKALIKES[format_], *others]:
        answer = proxies[format_].send("GET", "/", claims={"email": EMAIL, "groups": claim})
        assert (answer.status, b"reason: other-value." in answer.body) == (403, True), claim


@pytest.mark.parametrize("format_", CLAIM_FORMATS)
def test_administrators_are_read_in_the_same_form(proxies: dict[str, Gateway], format_: str) -> None:
    write = WRITTEN[format_]
    claims = {"email": EMAIL, "groups": write([USERS]), "roles": write(["member", "ruler"])}
    seen = proxies[format_].arrived(claims=claims)
    assert dict(seen["headers"])["x-user-role"] == "admin"


pieces = st.sampled_from([USERS, "a,b", "staff", ",", " ", "[", "]", '"', "+", "%2C", "%", "{", "\\", "\u00e9", "null"])
texts = st.lists(pieces, max_size=8).map("".join)


def _by_hand(format_: str, text: str) -> set[str] | None:
    """The values of a text, read by other code than the proxy's; ``None`` if that code is stricter."""
    if format_ == "json-text":
        try:
            found = json.loads(text)
        except ValueError:
            return None
        listed = cast("list[object]", found) if isinstance(found, list) else []
        return {one for one in listed if isinstance(one, str)}
    if format_ == "bracketed":
        inside = re.fullmatch(r"\[(.*)\]", text, re.DOTALL)
        return {text} if inside is None else {unquote_plus(one.strip(" ")) for one in inside[1].split(",")}
    separator = {"": "\0", "comma-separated": ",", "space-separated": " "}[format_]
    return {one if format_ == "" else one.strip(" ") for one in text.split(separator)}


@pytest.mark.parametrize("format_", CLAIM_FORMATS)
def test_any_text_has_the_values_that_other_code_reads_in_it(proxies: dict[str, Gateway], format_: str) -> None:
    @settings(max_examples=80, deadline=None)
    @given(text=texts)
    def reads(text: str) -> None:
        status = proxies[format_].send("GET", "/", claims={"email": EMAIL, "groups": text}).status
        expected = _by_hand(format_, text)
        assert status in (200, 403)
        if expected is not None:
            assert (status == 200) == bool(expected & set(VALUES[format_])), (text, expected)

    reads()


def test_a_format_that_the_proxy_does_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match="claim_format is 'list'"):
        ProxyPeople(claim_format="list")


@pytest.fixture(scope="module")
def strict(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A proxy that requires a claim and a verified address of everyone."""
    identity = replace(
        IDENTITY, required_claim_name="hd", required_claim_values=("example.com",), email_verified_required=True
    )
    with gateway(
        replace(SETTINGS, identity=identity), server.port, certificate, tmp_path_factory.mktemp("strict")
    ) as running:
        yield running


GOOD = {"email": "ann@example.com", "email_verified": True, "hd": "example.com"}
KINDS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"email_verified": "true"}, None),
    ({"email_verified": None}, "unverified"),
    ({"email_verified": False}, "unverified"),
    ({"email_verified": "false"}, "unverified"),
    ({"email_verified": 1}, "unverified"),
    ({"hd": None}, "no-claim"),
    ({"hd": "other.example"}, "other-value"),
    ({"hd": ["other.example"]}, "other-value"),
    ({"email": None}, "no-email"),
    ({"email": "x@outside.test"}, "no-claim"),
    ({"email": "x@outside.test", "groups": None}, "no-claim"),
    ({"email": "x@outside.test", "groups": []}, "other-value"),
    ({"email": "x@outside.test", "groups": ["staff"]}, "other-value"),
    ({"email": "x@outside.test", "hasgroups": True}, "groups-overage"),
    ({"email": "x@outside.test", "_claim_names": {"groups": "src1"}}, "groups-overage"),
    ({"email": "x@outside.test", "_claim_names": {"roles": "src1"}}, "no-claim"),
    ({"email": "x@outside.test", "_claim_names": "groups"}, "no-claim"),
    ({"email": "x@outside.test", "_claim_names": ["groups"]}, "no-claim"),
    ({"email": "x@outside.test", "_claim_names": {"groups": "src1"}, "groups": ["ai-users"]}, None),
]
"""Changes of good claims → the kind of refusal; ``None``: admitted."""


def test_a_refusal_names_its_kind_on_the_page_and_in_the_log_and_no_one(strict: Gateway) -> None:
    sent = [strict.send("GET", "/", claims={**GOOD, **change}) for change, _ in KINDS]
    deadline = time.monotonic() + 10
    while len(lines := strict.logged()) < len(KINDS):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for (change, kind), answer, line in zip(KINDS, sent, lines, strict=True):
        assert (answer.status, line["status"], line["refused"]) == (403 if kind else 200, answer.status, kind), change
        if kind:
            assert f"reason: {kind}.".encode() in answer.body
            assert IDENTITY.contact.encode() in answer.body
    assert "outside.test" not in strict.log.read_text(encoding="utf-8")


def test_everyone_with_a_session_is_admitted_only_by_the_option_for_it(
    server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    identity = replace(IDENTITY, allowed=ProxyPeople(everyone_the_provider_assigns=True))
    folder = tmp_path_factory.mktemp("everyone")
    with gateway(replace(SETTINGS, identity=identity), server.port, certificate, folder) as running:
        claims: list[dict[str, Any]] = [{"email": EMAIL}, {"email": EMAIL, "email_verified": False}, {"sub": "1"}]
        assert [running.send("GET", "/", claims=one).status for one in claims] == [200, 403, 403]
        assert running.send("GET", "/", claims=None).status == 401
        assert dict(running.arrived(claims=claims[0])["headers"])["x-user-role"] == IDENTITY.member_role
