"""The values that a stack file with ``identity.provider`` may leave out, and rules that can never hold with a provider.

The checks also recognise the endpoints of Entra ID, Google and Cognito without ``provider``: a rule by a claim that their
user-info never returns would lock every user out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from pydantic import TypeAdapter, ValidationError

from settings.errors import check
from settings.people import Blocked, People, Users
from settings.providers import KINDS, ClaimEncoding, IdentityProvider, Provider

ENDPOINTS = {
    "issuer": "issuer",
    "authorizationEndpoint": "authorization_endpoint",
    "tokenEndpoint": "token_endpoint",
    "userInfoEndpoint": "user_info_endpoint",
}
"""Key in the stack file → field."""
_UNKNOWN = "https://unknown.invalid"
"""Stands for the endpoints of an invalid ``provider``, so that only the mistake in it is reported."""
_PROVIDER: TypeAdapter[IdentityProvider] = TypeAdapter(Provider)
_SEPARATORS = {ClaimEncoding.COMMA_SEPARATED: ",", ClaimEncoding.SPACE_SEPARATED: " "}


class _Section(Protocol):
    """The part of ``identity`` that is checked."""

    @property
    def provider(self) -> IdentityProvider | None: ...
    @property
    def user_info_endpoint(self) -> str: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def allowed(self) -> Users: ...
    @property
    def administrators(self) -> People: ...
    @property
    def blocked(self) -> Blocked: ...


def completed(identity: Mapping[str, object]) -> dict[str, object]:
    """The section as it is written in the stack file, with the endpoints, scopes and logout page of its provider."""
    given = dict(identity)
    if given.get("provider") is None:
        return given
    try:
        provider = _PROVIDER.validate_python(given["provider"], by_alias=True, by_name=False)
    except ValidationError:
        return {**dict.fromkeys(ENDPOINTS, _UNKNOWN), **given}
    found: dict[str, object] = {key: getattr(provider, field) for key, field in ENDPOINTS.items()}
    found["scopes"] = list(provider.scopes(set(_claim_names(given))))
    if provider.end_session_endpoint is not None:
        found["endSessionEndpoint"] = provider.end_session_endpoint
    return {**found, **given}


def _claim_names(identity: Mapping[str, object]) -> Iterator[str]:
    for who in ("allowed", "administrators", "blocked"):
        match identity.get(who):
            case {"claim": {"name": str(name)}}:
                yield name
            case _:
                pass


def check_provider(identity: _Section) -> None:
    """Report what the provider contradicts."""
    provider = identity.provider
    if provider is not None:
        _check_explicit(identity, provider)
    for who, people in (("allowed", identity.allowed), ("administrators", identity.administrators)):
        _check_encoding(f"identity.{who}.claim", people, provider)
        _check_claim(f"identity.{who}.claim.name", people, identity)
        _check_emails(f"identity.{who}", people, provider)
    # A rule by a claim that is never returned would block no one. Addresses are not checked: a blocked user may have any.
    _check_encoding("identity.blocked.claim", identity.blocked, provider)
    _check_claim("identity.blocked.claim.name", identity.blocked, identity)
    _check_everyone(identity.allowed, provider)


def _check_explicit(identity: _Section, provider: IdentityProvider) -> None:
    for key, field in ENDPOINTS.items():
        written, known = cast("str", getattr(identity, field)), cast("str", getattr(provider, field))
        check(
            written == known,
            key=f"identity.{key}",
            value=written,
            allowed=f"{known}, which follows from identity.provider, or nothing",
            fix=f"remove {key}, or correct identity.provider",
        )
    rules = (identity.allowed, identity.administrators, identity.blocked)
    names = {people.claim.name for people in rules if people.claim}
    needed = provider.scopes(names)
    check(
        set(needed) <= set(identity.scopes),
        key="identity.scopes",
        value=" ".join(identity.scopes),
        allowed=f"a list that includes {' '.join(needed)}, which {provider.title} needs to return the claims of your rules",
        fix="remove scopes, or add the missing ones",
    )


def _check_claim(key: str, people: People, identity: _Section) -> None:
    claim = people.claim
    if claim is None:
        return
    kind = identity.provider or next((one for one in KINDS if one.serves(identity.user_info_endpoint)), None)
    if kind is None:
        return
    fix = kind.instead_of(claim.name) if isinstance(kind, IdentityProvider) else kind.never(claim.name)
    hint = "" if identity.provider else "; set identity.provider, see docs/identity/" + kind.page
    check(
        fix is None,
        key=key,
        value=claim.name,
        allowed=f"{kind.claims}: the load balancer sees only {kind.title}'s user-info response, in which every other claim is "
        "missing or chosen by the user",
        fix=f"{fix}{hint}",
    )
    required = identity.provider.required_claim if identity.provider else None
    for value in claim.values if required is not None and required[0] == claim.name else ():
        check(
            required is None or value in required[1],
            key=f"{key.removesuffix('name')}values",
            value=value,
            allowed=f"values that identity.provider admits: {', '.join(required[1]) if required else ''}",
            fix="remove it, or add it to identity.provider",
        )


def _check_emails(key: str, people: People, provider: IdentityProvider | None) -> None:
    if provider is None:
        return
    for address in people.emails:
        instead = provider.instead_of_address(address.rpartition("@")[2].lower())
        check(
            instead is None,
            key=f"{key}.emails",
            value=address,
            allowed="addresses of users whom identity.provider admits",
            fix=str(instead),
        )
    if provider.accepts_rules_by_email:
        return
    for name, given in (("emailDomains", people.email_domains), ("emails", people.emails)):
        check(
            not given,
            key=f"{key}.{name}",
            value=", ".join(given),
            allowed=f"no rule by address: {provider.title} does not verify e-mail addresses, and returns no email_verified",
            fix="if only administrators you trust can set a user's mail in the tenant, set "
            "identity.provider.acceptUnverifiedEmail: true; otherwise name people by claim: {name: sub, values: [...]}",
        )


def _check_everyone(users: Users, provider: IdentityProvider | None) -> None:
    if not users.everyone_the_provider_assigns:
        return
    key = "identity.allowed.everyoneTheProviderAssigns"
    able = ", ".join(kind.title for kind in KINDS if kind.assignment)
    check(
        provider is not None and bool(provider.assignment),
        key=key,
        value="true",
        allowed=f"only with an identity.provider that can require assignment: {able}",
        fix="name the users by claim, emailDomains or emails",
    )
    check(
        not (users.claim or users.email_domains or users.emails),
        key=key,
        value="true",
        allowed="no other selector next to it: they would have no effect",
        fix="remove claim, emailDomains and emails, or remove everyoneTheProviderAssigns",
    )


def _check_encoding(key: str, people: People, provider: IdentityProvider | None) -> None:
    claim = people.claim
    if claim is None:
        return
    encoding = claim.format or (provider.encoding(claim.name) if provider else None)
    separator = _SEPARATORS.get(encoding) if encoding else None
    for value in claim.values:
        check(
            separator is None or separator not in value,
            key=f"{key}.values",
            value=value,
            allowed=f"values without {separator!r}, which separates values in a claim that is {encoding}",
            fix="write each value as a separate element of the list",
        )
