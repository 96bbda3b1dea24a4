"""Any stack file results in settings or in readable problems, and no secret is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.recording.recorder import record
from settings import SettingsError, StackSettings
from settings.errors import looks_like_secret, shown
from settings.stack import PREFIX
from tests.settings.stack_files import Values, as_the_engine_passes_it, changed, own_values, parse

JARGON = re.compile(
    r"pydantic|errors\.pydantic|Input should|type=|Traceback|validation error|ctx|\bNone\b|<class|\\n\s*File"
)
SECRETS = {
    "an Azure client secret": "abc8Q~dF2kL9mN4pR7sT1vW3xY5zA6bC8dE0fGhI",
    "a Google client secret": "GOCSPX-aBcDeFgHiJkLmNoPqRsTuVwX",
    "an Okta client secret": "Zx9_kQ2mB7vL4nT8rW1yH6cJ3fD5gS0aP-eUiOq",
    "a hexadecimal secret": "9f86d081884c7d659a2feaa0c55ad015",
    "a token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
    "a private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    "an access key": "AKIAIOSFODNN7EXAMPLE",
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
top_level_keys = st.sampled_from(sorted(own_values())) | st.text(max_size=12)


def paths(value: object, before: str = "") -> Iterator[str]:
    """Every place of the staging file, in the notation of the messages."""
    if isinstance(value, dict):
        for key, inner in cast("Values", value).items():
            path = f"{before}.{key}" if before else key
            yield path
            yield from paths(inner, path)
    elif isinstance(value, list):
        for position, inner in enumerate(cast("list[object]", value)):
            yield f"{before}[{position}]"
            yield from paths(inner, f"{before}[{position}]")


ALL_PATHS = sorted(paths(own_values()))
LEAVES = [p for p in ALL_PATHS if not any(q.startswith((f"{p}.", f"{p}[")) for q in ALL_PATHS)]


def answer(ask: Callable[[], object]) -> str:
    """The report on invalid values; ``None`` for valid ones."""
    try:
        ask()
    except SettingsError as error:
        return str(error)
    return ""


@settings(max_examples=150, deadline=None)
@given(values=st.dictionaries(top_level_keys, json_values, max_size=9), outside=json_values)
def test_arbitrary_values_give_readable_problems(values: Values, outside: object) -> None:
    report = answer(lambda: parse(values, region=outside, accounts=outside))
    assert report
    assert not JARGON.search(_without_echo(report))


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(ALL_PATHS), value=json_values)
def test_one_arbitrary_value_in_a_good_file_gives_settings_or_readable_problems(path: str, value: object) -> None:
    report = answer(lambda: parse(changed(own_values(), {path: value})))
    assert not JARGON.search(_without_echo(report))


@settings(max_examples=100, deadline=None)
@given(key=st.sampled_from(sorted(own_values())), text=st.text(max_size=60))
def test_arbitrary_text_for_a_structured_value_gives_settings_or_readable_problems(key: str, text: str) -> None:
    config = {**as_the_engine_passes_it("staging"), PREFIX + key: text}
    report = answer(lambda: record(StackSettings.load, stack="staging", config=config))
    assert not JARGON.search(_without_echo(report))


def _without_echo(report: str) -> str:
    """The report without the lines that repeat values of the file."""
    return "\n".join(x for x in report.splitlines() if not x.startswith(("  value:", PREFIX)))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("path", LEAVES)
def test_a_secret_in_any_place_is_never_echoed(path: str, secret: str) -> None:
    report = answer(lambda: parse(changed(own_values(), {path: secret, "extra": secret, secret: secret})))
    assert report
    assert not any(part in report for part in re.findall(r"[^\s.-]{8,}", secret) if part != "PRIVATE")


@pytest.mark.parametrize("value", ["hunter 2", "s3cret!", "01234567-89ab-cdef-0123-456789abcdef", *SECRETS.values()])
def test_what_stands_where_only_a_secrets_name_belongs_is_never_echoed(value: str) -> None:
    report = answer(lambda: parse(changed(own_values(), {"identity.clientSecretName": value})))
    assert "ai-interface:identity.clientSecretName\n  value:   (not shown: it may be a secret)" in report
    assert value not in report


def test_a_value_marked_secret_is_refused_and_never_echoed() -> None:
    config = {**as_the_engine_passes_it("staging"), "ai-interface:owner": '{"team": "correct horse"}'}
    with pytest.raises(SettingsError) as caught:
        record(StackSettings.load, stack="staging", config=config, secret_keys=("ai-interface:owner",))
    assert [(p.key, p.value) for p in caught.value.problems] == [
        ("ai-interface:owner", "(not shown: it may be a secret)")
    ]
    assert "correct horse" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "ai-interface/staging/oidc-client-secret",
        "arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
        "sha256:751b617714b91e4cfd0186a509c72480c858e012976103b09a30dad053c36175",
        "Z0123456789STAGING01",
        "AWSELBAuthSessionCookie",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "https://login.example.com/oauth2/authorize",
        "subnet-0123456789abcdef0",
    ],
)
def test_names_and_ids_are_not_taken_for_secrets(name: str) -> None:
    assert not looks_like_secret(name)


def test_long_values_and_control_characters_are_shown_short_and_on_one_line() -> None:
    assert shown("a\x1b[31m\nb\x9b") == r'"a\x1b[31m\nb\x9b"'
    assert shown("a b " * 100) == f'"{("a b " * 100)[:79]}…"'
    assert shown(10**5000) == "a number of more than 18 digits"
