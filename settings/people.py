"""Sets of people: who may use the application, and who administers it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from settings.providers import ClaimEncoding
from settings.values import Email, HostName, Section

OPEN_MAIL_DOMAINS = frozenset(
    {
        "aol.com",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "web.de",
        "yahoo.com",
        "yandex.com",
        "zoho.com",
    }
)
"""Public mail providers: allowing one of these domains gives access to anyone on the internet."""


class NamedClaim(Section):
    """A claim, and the values that match."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_:./-]{0,127}$"),
        Field(description="the name of a claim, for example groups"),
    ]
    """The claim's name."""
    values: tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...] = Field(min_length=1)
    """The values that match. One match is enough."""


class Claim(NamedClaim):
    """A claim in the identity provider's user-info response, and the values that match."""

    format: ClaimEncoding | None = None
    """How the provider writes several values into the claim. Omitted: the form that ``provider`` is known to use; without
    ``provider`` a text, or a JSON list of texts."""


class People(Section):
    """A set of people, selected by claim, e-mail domain or address. At least one selector is required."""

    claim: Claim | None = None
    """People whose claim has one of the values (a string claim, or a list that contains it)."""
    email_domains: tuple[HostName, ...] = ()
    """People with an address in one of these domains. Subdomains are not included."""
    emails: tuple[Email, ...] = ()
    """People with one of these addresses. Case is ignored."""

    @property
    def is_empty(self) -> bool:
        """Whether no selector is given."""
        return not (self.claim or self.email_domains or self.emails)

    def certainly_leaves_out(self, email: str) -> bool:
        """Whether no selector can match the address. False if a claim is set, because a claim can match any address."""
        domain = email.rpartition("@")[2].lower()
        return (
            self.claim is None
            and domain not in self.email_domains
            and email.lower() not in {e.lower() for e in self.emails}
        )


class Users(People):
    """The users of the application, selected by claim, e-mail domain or address, or by the identity provider alone. At least one
    selector is required."""

    everyone_the_provider_assigns: StrictBool = False
    """True: everyone who can log in, because the identity provider lets only assigned users log in. **Nothing here checks
    that**: if assignment is not required there, every user of the tenant gets access. Only without
    other selectors, and with a ``provider`` that can require assignment."""

    @property
    def is_empty(self) -> bool:
        """Whether no selector is given."""
        return super().is_empty and not self.everyone_the_provider_assigns

    def certainly_leaves_out(self, email: str) -> bool:
        """The same; the identity provider may assign anyone."""
        return not self.everyone_the_provider_assigns and super().certainly_leaves_out(email)


UserId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{16}$"),
    Field(description="16 hexadecimal digits, as in the field user of the proxy's log"),
]


class Blocked(People):
    """People who are refused although ``allowed`` selects them. One matching selector is enough. All empty: no one."""

    users: tuple[UserId, ...] = ()
    """User ids from the field ``user`` of the proxy's log: a keyed hash of the e-mail address, so that no identity is in the
    repository. Every environment has its own key, so a user has another id in each."""
