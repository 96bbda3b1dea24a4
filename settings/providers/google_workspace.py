"""Google Workspace.

User-info returns no groups. ``hd`` is the organisation's domain and only in the response of an account that the
organisation manages; a consumer account may have an address in the same domain, and ``hd`` as a parameter of the login is only a
hint (https://developers.google.com/identity/openid-connect/openid-connect). Therefore the proxy requires ``hd`` of everyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from settings.errors import check, collected
from settings.providers.provider import BY_ADDRESS, IdentityProvider
from settings.values import HostName

_USER_INFO = "https://openidconnect.googleapis.com/v1/userinfo"
_CONSUMER = frozenset({"gmail.com", "googlemail.com"})
_INSTEAD = (
    "list people under emails, or admit the organisation with claim: {name: hd, values: [<domain>]}; for groups, put "
    "Amazon Cognito in front of Google Workspace by SAML (docs/identity/cognito.md)"
)


class GoogleWorkspace(IdentityProvider):
    """Google Workspace, one organisation."""

    title: ClassVar[str] = "Google Workspace"
    page: ClassVar[str] = "google-workspace.md"
    claims: ClassVar[str] = "sub, hd"
    verifies_email: ClassVar[bool] = True

    kind: Literal["googleWorkspace"]
    """``googleWorkspace`` for Google Workspace."""
    domains: tuple[HostName, ...] = Field(min_length=1)
    """The organisation's domains, the primary one first. Only accounts whose claim ``hd`` is one of them get access,
    regardless of every other rule."""

    @model_validator(mode="after")
    def _are_an_organisations(self) -> Self:
        with collected():
            for domain in self.domains:
                check(
                    domain not in _CONSUMER,
                    key="identity.provider.domains",
                    value=domain,
                    allowed="domains of a Google Workspace organisation, because consumer accounts have no claim hd",
                    fix="remove it, and create accounts in the organisation for these users",
                )
        return self

    @property
    def issuer(self) -> str:
        """Google's issuer."""
        return "https://accounts.google.com"

    @property
    def authorization_endpoint(self) -> str:
        """Google's login page."""
        return "https://accounts.google.com/o/oauth2/v2/auth"

    @property
    def token_endpoint(self) -> str:
        """Google's token endpoint."""
        return "https://oauth2.googleapis.com/token"

    @property
    def user_info_endpoint(self) -> str:
        """Google's user-info endpoint."""
        return _USER_INFO

    @property
    def extra_parameters(self) -> Mapping[str, str]:
        """Has Google offer the organisation's accounts; any of its accounts if it has several domains."""
        return {"hd": self.domains[0] if len(self.domains) == 1 else "*"}

    @property
    def required_claim(self) -> tuple[str, tuple[str, ...]] | None:
        """``hd``, which only accounts of the organisation have."""
        return "hd", self.domains

    def instead_of_address(self, domain: str) -> str | None:
        """A consumer account has no ``hd``."""
        return "create an account in the organisation for this user" if domain in _CONSUMER else None

    @classmethod
    def never(cls, claim: str) -> str | None:
        """Only ``sub`` and ``hd`` are not the user's to choose."""
        if claim in ("sub", "hd"):
            return None
        return BY_ADDRESS if claim == "email" else _INSTEAD

    @classmethod
    def serves(cls, user_info_endpoint: str) -> bool:
        """Google's endpoints, the earlier ones too."""
        return user_info_endpoint == _USER_INFO or user_info_endpoint.startswith("https://www.googleapis.com/oauth2/")
