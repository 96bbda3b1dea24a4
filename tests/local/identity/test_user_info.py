"""The presets and the local environment were written from the same documentation, but apart: what one states, the other does."""

from __future__ import annotations

from typing import Any

import pytest

from local.identity.user_info import RESPONSES, Account, bracketed
from settings.identity import Identity
from settings.providers import KINDS, ClaimEncoding, IdentityProvider
from tests.settings.identity_providers import PARAMETERS, identity, kind_of, provider
from tests.settings.stack_files import changed, own_values, parse

NAMES = ("groups", "roles", "custom:groups", "cognito:groups", "realm_access", "resource_access.chat", "upn", "tid")
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in PARAMETERS),
    ("okta", {"authorizationServer": "default"}),
]


def settings_of(kind: str, more: dict[str, Any], **section: Any) -> Identity:  # noqa: ANN401 - YAML
    given = identity(kind, provider=provider(kind, **more), **section)
    return parse(changed(own_values(), {"identity": given})).identity


def response(kind: str, found: Identity, **account: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Account
    one = Account("1", "Ann Lee", "ann@example.com", {name: ["a", "b c"] for name in NAMES}, **account)
    return RESPONSES[kind](one, found.model_dump(by_alias=True, mode="json"))


def test_every_kind_has_a_response() -> None:
    assert set(RESPONSES) == {"", *(kind_of(kind) for kind in KINDS)}


@pytest.mark.parametrize(("kind", "more"), VARIANTS)
def test_user_info_returns_the_claims_that_a_rule_may_read_and_none_that_is_refused(
    kind: str, more: dict[str, Any]
) -> None:
    found = settings_of(kind, more)
    assert isinstance(found.provider, IdentityProvider)
    works = {name for name in NAMES if found.provider.instead_of(name) is None}
    assert set(response(kind, found)) & set(NAMES) == works


@pytest.mark.parametrize(("kind", "more"), VARIANTS)
def test_an_address_is_marked_as_verified_where_the_preset_requires_it(kind: str, more: dict[str, Any]) -> None:
    found = settings_of(kind, more)
    assert isinstance(found.provider, IdentityProvider)
    marked = "email_verified" in response(kind, found)
    assert marked == found.provider.verifies_email


@pytest.mark.parametrize(("kind", "more"), VARIANTS)
def test_several_values_have_the_form_that_the_preset_states(kind: str, more: dict[str, Any]) -> None:
    found = settings_of(kind, more)
    assert isinstance(found.provider, IdentityProvider)
    claims = response(kind, found)
    for name in set(claims) & set(NAMES):
        encoding = found.provider.encoding(name)
        assert isinstance(claims[name], list if encoding is None else str), name
        if encoding is not None:
            assert encoding is ClaimEncoding.BRACKETED
            assert claims[name] == bracketed(["a", "b c"]) == "[a, b+c]"


def test_the_organisation_is_in_the_response_of_a_managed_account_only() -> None:
    found = settings_of("googleWorkspace", {})
    assert isinstance(found.provider, IdentityProvider)
    assert found.provider.required_claim is not None
    name, values = found.provider.required_claim
    assert response("googleWorkspace", found)[name] in values
    assert name not in response("googleWorkspace", found, managed=False)
