"""The users who can log in: one whom the stack file allows, an administrator, and one who is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from local.identity.registration import declared
from local.identity.user_info import RESPONSES, Account
from local.stack import Stack
from settings.provider_rules import completed

MEMBER, ADMINISTRATOR, STRANGER = "member", "administrator", "stranger"
ELSEWHERE = "outside.example"
"""The e-mail domain of the user whom no stack allows."""


@dataclass(frozen=True)
class Person:
    """A user's subject and claims."""

    subject: str
    claims: Mapping[str, Any]
    """The user-info response, of the kind of provider that the stack file names."""
    assigned: bool = True
    """Whether the provider lets the user log in, where it admits assigned users only."""

    @property
    def email(self) -> str:
        """The address."""
        return str(self.claims["email"])


@dataclass(frozen=True)
class People:
    """The users of the provider by subject."""

    member: Person
    administrator: Person
    stranger: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.member, self.administrator, self.stranger))

    @classmethod
    def of(cls, stack: Stack, sections: Mapping[str, Any] | None = None) -> People:
        """Create the users of a stack; ``sections`` replaces sections of the stack file."""
        read = declared(stack.name) if sections is None else sections
        identity = completed(read["identity"])
        domain = str(read["domain"]["hostName"])
        allowed: dict[str, Any] = cast("dict[str, Any]", identity["allowed"])
        rulers: dict[str, Any] = cast("dict[str, Any]", identity.get("administrators") or {})
        return cls(
            _person(account(MEMBER, "Ann Lee", domain, [allowed]), identity),
            _person(account(ADMINISTRATOR, "Root Lee", domain, [allowed, rulers]), identity),
            _person(
                Account(STRANGER, "Eve Doe", f"{STRANGER}@{ELSEWHERE}", managed=False),
                identity,
                assigned=not allowed.get("everyoneTheProviderAssigns"),
            ),
        )


def account(subject: str, name: str, domain: str, rules: list[dict[str, Any]]) -> Account:
    """A user who satisfies each of these rules: by a claim's value, an address or an address's domain."""
    email = f"{subject}@{domain}"
    held: dict[str, list[str]] = {}
    for rule in rules:
        if claim := rule.get("claim"):
            held.setdefault(str(claim["name"]), []).append(str(claim["values"][0]))
        elif emails := rule.get("emails"):
            email = str(emails[0])
        elif domains := rule.get("emailDomains"):
            email = f"{subject}@{domains[0]}"
    return Account(held.get("sub", [subject])[0], name, email, held)


def _person(account: Account, identity: Mapping[str, Any], *, assigned: bool = True) -> Person:
    kind = str(cast("dict[str, Any]", identity.get("provider") or {}).get("kind", ""))
    return Person(account.subject, RESPONSES[kind](account, identity), assigned)
