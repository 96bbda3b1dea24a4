"""The answers about people: who may use the application, and who administers it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from settings.providers import IdentityProvider
from settings.values import Email, HostName

EVERYONE = "everyone assigned"
_SYNONYMS = (EVERYONE, "everyoneTheProviderAssigns", "everyoneTheProviderAssigns: true")
_CLAIM = re.compile(r"^(?P<claim>[A-Za-z_][A-Za-z0-9_:./-]*)=(?P<values>[^,\s][^,]*(?:,[^,]+)*)$")
_ADDRESSES = "e-mail addresses or domains with commas between them (ann@example.com, example.com)"
_BY_CLAIM = "a claim and its values (groups=chat-users)"


def allowed(provider: type[IdentityProvider] | None, *, administrators: bool, accepts_addresses: bool) -> str:
    """The forms that an answer may have with this identity provider."""
    forms: list[str] = []
    if provider is not None and provider.assignment and not administrators:
        forms.append(f"“{EVERYONE}” ({provider.title} admits assigned users only: {provider.assignment})")
    if accepts_addresses:
        forms.append(_ADDRESSES)
    never = provider.never("groups") if provider is not None else None
    returned = (
        f"a claim that {provider.title} returns: {provider.claims}, written as name=value (docs/identity/ shows where to find it)"
        if provider and never
        else ""
    )
    forms.append(returned or _BY_CLAIM)
    without = f"; not groups: {provider.title} does not return them" if provider and never else ""
    return "; or ".join(forms) + without


def people(provider: type[IdentityProvider] | None, *, administrators: bool, accepts_addresses: bool) -> Any:  # noqa: ANN401 - a type
    """The type of an answer: a text in one of the allowed forms."""

    def one_of_the_forms(answer: str) -> str:
        if _everyone(answer):
            if administrators or provider is None or not provider.assignment:
                raise ValueError("no assignment")
        elif claim := _CLAIM.match(answer):
            if provider is not None and provider.never(claim["claim"]):
                raise ValueError("never returned")
        elif not accepts_addresses or not all(map(_is_address, _values(answer))):
            raise ValueError("not people")
        return answer

    forms = allowed(provider, administrators=administrators, accepts_addresses=accepts_addresses)
    return Annotated[str, AfterValidator(one_of_the_forms), Field(description=forms)]


def claim_of(answer: str) -> str:
    """The claim of an answer that selects by one; otherwise empty."""
    found = _CLAIM.match(answer)
    return found["claim"] if found else ""


def share_a_value(one: str, other: str) -> bool:
    """Whether two answers select by the same claim and have a value in common."""
    first, second = _CLAIM.match(one), _CLAIM.match(other)
    if first is None or second is None or first["claim"] != second["claim"]:
        return False
    return bool(set(_values(first["values"])) & set(_values(second["values"])))


def own_to_a_client(provider: type[IdentityProvider] | None) -> frozenset[str]:
    """The claims whose value for one person differs between clients of this provider."""
    return provider.claims_of_a_client if provider is not None else frozenset()


def _everyone(answer: str) -> bool:
    return answer.casefold() in {synonym.casefold() for synonym in _SYNONYMS}


def _values(text: str) -> list[str]:
    return [value.strip() for value in text.split(",")]


def _is_address(text: str) -> bool:
    try:
        TypeAdapter[str](Email if "@" in text else HostName).validate_python(text)
    except ValidationError:
        return False
    return True


def selector(answer: str) -> dict[str, Any]:
    """``identity.allowed`` or ``identity.administrators`` for an answer in one of the forms."""
    if _everyone(answer):
        return {"everyoneTheProviderAssigns": True}
    if claim := _CLAIM.match(answer):
        return {"claim": {"name": claim["claim"], "values": _values(claim["values"])}}
    found = {"emailDomains": [one for one in _values(answer) if "@" not in one]}
    found["emails"] = [one for one in _values(answer) if "@" in one]
    return {name: values for name, values in found.items() if values}
