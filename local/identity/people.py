"""The users who can log in: one whom the stack file allows, an administrator, and one who is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.identity.registration import declared
from local.stack import Stack

MEMBER, ADMINISTRATOR, STRANGER = "member", "administrator", "stranger"
ELSEWHERE = "outside.example"
"""The e-mail domain of the user whom no stack allows."""


@dataclass(frozen=True)
class Person:
    """A user's subject and claims."""

    subject: str
    claims: Mapping[str, Any]

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
        identity = read["identity"]
        domain = str(read["domain"]["hostName"])
        allowed: dict[str, Any] = identity["allowed"]
        rulers: dict[str, Any] = identity.get("administrators") or {}
        return cls(
            _person(MEMBER, "Ann Lee", domain, [allowed]),
            _person(ADMINISTRATOR, "Root Lee", domain, [allowed, rulers]),
            _person(STRANGER, "Eve Doe", ELSEWHERE, []),
        )


def _person(subject: str, name: str, domain: str, rules: list[dict[str, Any]]) -> Person:
    """A user who satisfies each of these rules: by a claim's value, an address or an address's domain."""
    claims: dict[str, Any] = {"name": name, "email": f"{subject}@{domain}", "email_verified": True}
    for rule in rules:
        if claim := rule.get("claim"):
            held: list[str] = claims.setdefault(str(claim["name"]), [])
            held.append(str(claim["values"][0]))
        elif emails := rule.get("emails"):
            claims["email"] = str(emails[0])
        elif domains := rule.get("emailDomains"):
            claims["email"] = f"{subject}@{domains[0]}"
    return Person(subject, claims)
