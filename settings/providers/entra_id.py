"""Microsoft Entra ID, one tenant.

Its user-info endpoint is Microsoft Graph's and returns ``sub``, names, ``picture`` and ``email``, nothing else, and cannot be
customized: no groups, no app roles, no ``email_verified`` (https://learn.microsoft.com/entra/identity-platform/userinfo). ``sub``
is pairwise: another one for each client (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StringConstraints

from settings.providers.provider import BY_ADDRESS, IdentityProvider

_LOGIN = "https://login.microsoftonline.com"
_USER_INFO = "https://graph.microsoft.com/oidc/userinfo"
_INSTEAD = (
    "in allowed, require assignment at the enterprise application and write everyoneTheProviderAssigns: true; in administrators, "
    "write emails; to use groups, put Amazon Cognito in front of Entra ID (docs/identity/cognito.md)"
)


class EntraId(IdentityProvider):
    """Microsoft Entra ID, one tenant."""

    title: ClassVar[str] = "Entra ID"
    page: ClassVar[str] = "entra-id.md"
    claims: ClassVar[str] = "sub"
    claims_of_a_client: ClassVar[frozenset[str]] = frozenset({"sub"})
    verifies_email: ClassVar[bool] = False
    assignment: ClassVar[str] = "Assignment required? at the enterprise application"

    kind: Literal["entraId"]
    """``entraId`` for Microsoft Entra ID."""
    tenant_id: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
        Field(
            description="the directory (tenant) id in lower case, for example 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            json_schema_extra={
                "fix": "copy it from the app registration's overview; common and organizations admit other tenants"
            },
        ),
    ]
    """The directory (tenant) id: only users of this tenant can log in, and its guests."""
    accept_unverified_email: StrictBool = False
    """True: ``emails`` and ``emailDomains`` may grant access, although Entra ID does not verify addresses: anyone who
    can set a user's ``mail`` in the tenant decides whom such a rule matches. Omitted: such rules are refused."""

    @property
    def issuer(self) -> str:
        """The tenant's issuer, version 2.0."""
        return f"{_LOGIN}/{self.tenant_id}/v2.0"

    @property
    def authorization_endpoint(self) -> str:
        """The tenant's login page."""
        return f"{_LOGIN}/{self.tenant_id}/oauth2/v2.0/authorize"

    @property
    def token_endpoint(self) -> str:
        """The tenant's token endpoint."""
        return f"{_LOGIN}/{self.tenant_id}/oauth2/v2.0/token"

    @property
    def user_info_endpoint(self) -> str:
        """Microsoft Graph's, the same for every tenant."""
        return _USER_INFO

    @property
    def end_session_endpoint(self) -> str | None:
        """The tenant's logout page."""
        return f"{_LOGIN}/{self.tenant_id}/oauth2/v2.0/logout"

    @property
    def accepts_rules_by_email(self) -> bool:
        """Only with the option named for the risk."""
        return self.accept_unverified_email

    @classmethod
    def never(cls, claim: str) -> str | None:
        """Only ``sub`` identifies a user; names can be edited and are not unique."""
        if claim == "sub":
            return None
        return BY_ADDRESS if claim == "email" else _INSTEAD

    @classmethod
    def serves(cls, user_info_endpoint: str) -> bool:
        """Microsoft Graph's endpoint."""
        return user_info_endpoint.lower() == _USER_INFO
