"""The properties that every kind of identity provider states."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import ClassVar

from settings.values import Section

BASIC_SCOPES = ("openid", "email", "profile")


class ClaimEncoding(StrEnum):
    """How a provider writes several values into one claim. The proxy reads exactly this form, and no other."""

    JSON_TEXT = "json-text"
    """The text of a JSON list of texts, ``["a","b"]``."""
    COMMA_SEPARATED = "comma-separated"
    """Text with commas between the values; spaces around a value do not count."""
    SPACE_SEPARATED = "space-separated"
    """Text with spaces between the values."""
    BRACKETED = "bracketed"
    """Amazon Cognito's text for a SAML attribute: one value as it is, several as ``[a, b]``, form-encoded
    (https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html)."""


class IdentityProvider(Section):
    """An identity provider whose endpoints, scopes and claims are known."""

    title: ClassVar[str]
    """The product's name in messages."""
    page: ClassVar[str]
    """The page with the steps, below ``docs/identity/``."""
    claims: ClassVar[str]
    """The claims by which a rule can work, for messages."""
    claims_of_a_client: ClassVar[frozenset[str]] = frozenset()
    """Claims whose value for one person differs between clients, so that a value of one environment matches no one in another
    (OpenID Connect Core 1.0, section 8: pairwise identifiers)."""
    verifies_email: ClassVar[bool]
    """Whether every user-info response has ``email_verified``. If so, a response without it is refused like ``false``."""
    assignment: ClassVar[str] = ""
    """How the provider limits a login to assigned users; empty if it cannot."""

    @property
    @abstractmethod
    def issuer(self) -> str:
        """The issuer of its ID tokens."""

    @property
    @abstractmethod
    def authorization_endpoint(self) -> str:
        """The page to which browsers are redirected to log in."""

    @property
    @abstractmethod
    def token_endpoint(self) -> str:
        """The token endpoint, called by the load balancer."""

    @property
    @abstractmethod
    def user_info_endpoint(self) -> str:
        """The user-info endpoint, called by the load balancer."""

    @property
    def end_session_endpoint(self) -> str | None:
        """A logout page that works without an ID token or a query; ``None`` if the provider has none."""
        return None

    @property
    def extra_parameters(self) -> Mapping[str, str]:
        """Further parameters of the authorization request."""
        return {}

    @property
    def required_claim(self) -> tuple[str, tuple[str, ...]] | None:
        """A claim that everyone must have, with its values, before any rule applies; ``None`` if there is none."""
        return None

    @property
    def accepts_rules_by_email(self) -> bool:
        """Whether ``emails`` and ``emailDomains`` may grant access."""
        return True

    def scopes(self, claims: Collection[str]) -> tuple[str, ...]:
        """The scopes that a login needs so that user-info returns these claims."""
        del claims
        return BASIC_SCOPES

    def encoding(self, claim: str) -> ClaimEncoding | None:
        """How it writes several values of a claim; ``None`` for a JSON list."""
        del claim
        return None

    def instead_of(self, claim: str) -> str | None:
        """The fix for a rule by a claim that user-info never returns, or that users can edit; ``None`` if it works."""
        return self.never(claim)

    def instead_of_address(self, domain: str) -> str | None:
        """The fix for a rule by an address in a domain whose users can never get access; ``None`` if they can."""
        del domain
        return None

    @classmethod
    def never(cls, claim: str) -> str | None:
        """The same for any instance of this kind."""
        del claim
        return None

    @classmethod
    def serves(cls, user_info_endpoint: str) -> bool:
        """Whether an endpoint in the stack file is this provider's, so that its limits apply without ``provider`` too."""
        del user_info_endpoint
        return False


BY_ADDRESS = "write addresses under emails, and domains under emailDomains"
"""The fix for a rule by the claim ``email``, which those keys compare without regard for case."""
