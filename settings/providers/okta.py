"""Okta: its org authorization server, or a custom one.

The org server's user-info endpoint returns ``groups`` for the scope ``groups``. A custom server has the claims that are
configured there, and no scope ``groups`` unless someone adds it.
(https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from settings.errors import check
from settings.providers.provider import BASIC_SCOPES, BY_ADDRESS, IdentityProvider
from settings.values import HostName

_GROUPS = "groups"


class Okta(IdentityProvider):
    """Okta: the org authorization server, or a custom one."""

    title: ClassVar[str] = "Okta"
    page: ClassVar[str] = "okta.md"
    claims: ClassVar[str] = "sub, groups, and any claim of a custom authorization server"
    verifies_email: ClassVar[bool] = True
    assignment: ClassVar[str] = "Assignments of the app integration, with Federation Broker Mode off"

    kind: Literal["okta"]
    """``okta`` for Okta."""
    domain: HostName
    """The host name of the organisation, or its custom domain, for example ``example.okta.com``."""
    authorization_server: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$"),
            Field(description="the id of a custom authorization server: letters and digits, for example default"),
        ]
        | None
    ) = None
    """The id of a custom authorization server, such as ``default``. Omitted: the org authorization server."""

    @model_validator(mode="after")
    def _is_not_the_console(self) -> Self:
        check(
            "-admin." not in self.domain,
            key="identity.provider.domain",
            value=self.domain,
            allowed="the host name at which users log in; -admin is the administrators' console",
            fix=f"write {self.domain.replace('-admin.', '.', 1)}",
        )
        return self

    @property
    def issuer(self) -> str:
        """The organisation, or the custom server."""
        server = self.authorization_server
        return f"https://{self.domain}" + (f"/oauth2/{server}" if server else "")

    @property
    def authorization_endpoint(self) -> str:
        """The login page."""
        return f"{self._base}/authorize"

    @property
    def token_endpoint(self) -> str:
        """The server's token endpoint."""
        return f"{self._base}/token"

    @property
    def user_info_endpoint(self) -> str:
        """The server's user-info endpoint."""
        return f"{self._base}/userinfo"

    @property
    def _base(self) -> str:
        server = self.authorization_server
        return f"https://{self.domain}/oauth2/{f'{server}/' if server else ''}v1"

    def scopes(self, claims: Collection[str]) -> tuple[str, ...]:
        """``groups`` too at the org server, if a rule reads that claim."""
        needed = _GROUPS in claims and self.authorization_server is None
        return (*BASIC_SCOPES, _GROUPS) if needed else BASIC_SCOPES

    def instead_of(self, claim: str) -> str | None:
        """The org server has no custom claims: ``groups`` and ``sub`` are the ones that an administrator controls."""
        if claim == "email":
            return BY_ADDRESS
        if self.authorization_server is None and claim not in (_GROUPS, "sub"):
            return (
                "use the claim groups, or add the claim to a custom authorization server (ID Token, Always) and set "
                "identity.provider.authorizationServer to its id"
            )
        return None
