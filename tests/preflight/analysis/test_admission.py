"""The report names access that the identity provider alone decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from preflight.analysis.admission import BY_ADDRESS, EVERYONE, admission
from preflight.analysis.connectivity import connectivity_of
from preflight.findings import Report
from preflight.recording.recorder import Recording
from preflight.report.data import as_json, as_markdown
from preflight.report.text import text
from tests.parity.test_real_stacks import PROJECT, recorded, with_config
from tests.settings.identity_providers import identity, provider

ENTRA_ADDRESSES = {
    "provider": provider("entraId", acceptUnverifiedEmail=True),
    "allowed": {"emailDomains": ["example.com"]},
}
CASES: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "the committed file": ({}, ()),
    "everyone": (identity("entraId"), (EVERYONE,)),
    "unverified addresses": (
        identity("entraId", **ENTRA_ADDRESSES),
        (BY_ADDRESS.format(who="users (identity.allowed)"),),
    ),
    "both": (
        identity(
            "entraId",
            provider=provider("entraId", acceptUnverifiedEmail=True),
            administrators={"emails": ["a@example.com"]},
        ),
        (EVERYONE, BY_ADDRESS.format(who="administrators (identity.administrators)")),
    ),
    "verified addresses": (identity("okta", allowed={"emailDomains": ["example.com"]}), ()),
    "any other provider": (
        {"allowed": {"emails": ["a@example.com"]}, "administrators": {"emails": ["a@example.com"]}},
        (BY_ADDRESS.format(who="users (identity.allowed) and administrators (identity.administrators)"),),
    ),
}


@cache
def recording(case: str) -> Recording:
    stack = PROJECT.stack("staging")
    section, _ = CASES[case]
    if "provider" not in section:
        section = json.loads(stack.config["ai-interface:identity"]) | section
    return recorded(with_config(stack, {"ai-interface:identity": json.dumps(section)}))["staging", False]


@pytest.mark.parametrize("case", CASES)
def test_what_only_the_provider_decides_is_named_once(case: str) -> None:
    assert admission(recording(case)) == CASES[case][1]


def report(case: str) -> Report:
    connectivity = connectivity_of({("staging", False): recording(case)}, ["staging"])
    return Report("ai-interface", (), (), (), connectivity=connectivity)


def test_every_format_with_connectivity_has_it() -> None:
    shown = report("everyone")
    for content in (text(shown, terminal=False), as_markdown(shown), as_json(shown)):
        assert " ".join(content.split()).count("access control is entirely at the provider") == 1
    without = report("the committed file")
    assert "  access " not in text(without, terminal=False)
    assert "Access: " not in as_markdown(without)
    assert json.loads(as_json(without))["connectivity"][0]["admission"] == []
