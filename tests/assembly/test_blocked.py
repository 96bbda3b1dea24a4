"""``identity.blocked`` in a stack file: what the proxy gets, what a reviewer reads, and that environments may differ in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.proxy.settings import ProxyPeople
from policies.guardrails.topology.http.requests import Identity
from preflight.analysis.edge_proxy import configuration, facts
from preflight.recording.recorder import Recording
from preflight.review import identity
from preflight.review.side import Side
from settings.stack import PREFIX
from tests.once import main_program
from tests.proxy.gateway import SETTINGS
from tests.settings.stack_files import as_the_engine_passes_it, stack_file

BLOCKED: dict[str, Any] = {
    "users": ["0123456789abcdef"],
    "emails": ["Mallory@example.com"],
    "emailDomains": ["left.example.com"],
    "claim": {"name": "sub", "values": ["00u1"]},
}


def staging(blocked: dict[str, Any] | None = None) -> Recording:
    config = as_the_engine_passes_it("staging")
    identity = {**stack_file("staging")[f"{PREFIX}identity"], **({"blocked": blocked} if blocked else {})}
    config[f"{PREFIX}identity"] = json.dumps(identity)
    return main_program("staging", config)


@pytest.fixture(scope="module")
def committed() -> Recording:
    return staging()


@pytest.fixture(scope="module")
def with_a_block() -> Recording:
    return staging(BLOCKED)


def test_the_proxy_gets_each_selector(committed: Recording, with_a_block: Recording) -> None:
    found = facts(configuration(with_a_block))
    assert found.blocked_users == ("0123456789abcdef",)
    assert found.blocked_emails == ("mallory@example.com",)
    assert found.blocked_email_domains == ("left.example.com",)
    assert (found.blocked_claim, found.blocked_values) == ("sub", ("00u1",))
    assert "blocked" not in json.dumps(facts(configuration(committed)).allowed_values)
    assert facts(configuration(committed)).blocked_users == ()


@pytest.mark.parametrize(
    ("more", "admitted"),
    [
        ({}, True),
        ({"sub": "00u1"}, False),
        ({"sub": "00u2"}, True),
        ({"email": "MALLORY@example.com"}, False),
        ({"email": "x@left.example.com"}, False),
        ({"email": "x@still.left.example.com"}, True),
    ],
)
def test_a_trace_refuses_whom_the_proxy_refuses(
    with_a_block: Recording, more: dict[str, str], *, admitted: bool
) -> None:
    proxy = facts(configuration(with_a_block))
    assert proxy.admits(Identity({**proxy.admitted_claims(), **more})) is admitted


def test_a_pull_request_says_whom_it_blocks(committed: Recording, with_a_block: Recording) -> None:
    said = "\n".join(identity.sentences(Side(committed), Side(with_a_block)))
    assert "refused although another rule allows them: additionally " in said
    assert "the address mallory@example.com" in said
    assert "the user 0123456789abcdef (a keyed hash)" in said


def test_without_a_block_the_proxy_has_nothing_to_compare() -> None:
    assert SETTINGS.identity.blocked == ProxyPeople()
    assert SETTINGS.identity.blocked.empty
