"""Keycloak, one realm.

User-info returns what a mapper of the client or of a client scope adds with "Add to userinfo". The default mappers of roles
write objects, ``realm_access`` and ``resource_access``, and not to user-info.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from settings.providers.provider import BY_ADDRESS, IdentityProvider
from settings.values import HttpsUrl


def _without_slash(url: str) -> str:
    return url.rstrip("/")


class Keycloak(IdentityProvider):
    """Keycloak, one realm."""

    title: ClassVar[str] = "Keycloak"
    page: ClassVar[str] = "keycloak.md"
    claims: ClassVar[str] = "sub, and any claim without a dot that a mapper adds to user-info"
    verifies_email: ClassVar[bool] = True

    kind: Literal["keycloak"]
    """``keycloak`` for Keycloak."""
    base_url: Annotated[HttpsUrl, AfterValidator(_without_slash)]
    """The server's URL up to ``/realms``, for example ``https://sso.example.com``; before version 17 it ends with
    ``/auth``. It needs public IPv4 addresses: the load balancer calls it over the internet."""
    realm: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,255}$"),
        Field(description="the realm's name: letters, digits, dots, hyphens and underscores"),
    ]
    """The realm's name, with its exact case."""

    @property
    def issuer(self) -> str:
        """The realm."""
        return f"{self.base_url}/realms/{self.realm}"

    @property
    def authorization_endpoint(self) -> str:
        """The realm's login page."""
        return f"{self._base}/auth"

    @property
    def token_endpoint(self) -> str:
        """The realm's token endpoint."""
        return f"{self._base}/token"

    @property
    def user_info_endpoint(self) -> str:
        """The realm's user-info endpoint."""
        return f"{self._base}/userinfo"

    @property
    def end_session_endpoint(self) -> str | None:
        """The realm's logout page, which asks the user to confirm."""
        return f"{self._base}/logout"

    @property
    def _base(self) -> str:
        return f"{self.issuer}/protocol/openid-connect"

    @classmethod
    def never(cls, claim: str) -> str | None:
        """Keycloak writes a name with a dot as nested objects, which no rule matches."""
        if claim == "email":
            return BY_ADDRESS
        if claim in ("realm_access", "resource_access") or "." in claim:
            return (
                "add a mapper (User Realm Role, User Client Role or Group Membership) whose token claim name has no dot, "
                "with Multivalued and Add to userinfo on, and use that name"
            )
        return None
