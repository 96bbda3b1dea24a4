"""An Amazon Cognito user pool, with its own users or in front of a SAML or OIDC provider.

User-info returns the user's attributes, all of them as text, also ``email_verified``. Groups of the pool are in its tokens
only, and a pre token generation trigger changes tokens only
(https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from settings.providers.provider import BY_ADDRESS, ClaimEncoding, IdentityProvider
from settings.values import HostName

_CUSTOM = "custom:"
_INSTEAD = (
    "map the groups to a custom attribute and use its name, for example custom:groups: by attribute mapping from a SAML "
    "or OIDC provider, or with a trigger that writes it"
)


class Cognito(IdentityProvider):
    """An Amazon Cognito user pool, also in front of a SAML provider."""

    title: ClassVar[str] = "Amazon Cognito"
    page: ClassVar[str] = "cognito.md"
    claims: ClassVar[str] = "sub, username, and custom attributes (custom:<name>)"
    verifies_email: ClassVar[bool] = True

    kind: Literal["cognito"]
    """``cognito`` for an Amazon Cognito user pool."""
    user_pool_id: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]{1,55}$"),
        Field(
            description="the id of a user pool: its region, _ and letters and digits, for example eu-west-1_aBcD12345"
        ),
    ]
    """The user pool's id, which begins with its region."""
    domain: HostName
    """The host name of the user pool's domain: ``<prefix>.auth.<region>.amazoncognito.com``, or the custom domain."""

    @property
    def issuer(self) -> str:
        """The user pool, at the region's endpoint."""
        region = self.user_pool_id.partition("_")[0]
        return f"https://cognito-idp.{region}.amazonaws.com/{self.user_pool_id}"

    @property
    def authorization_endpoint(self) -> str:
        """The login page at the user pool's domain."""
        return f"https://{self.domain}/oauth2/authorize"

    @property
    def token_endpoint(self) -> str:
        """The token endpoint at the user pool's domain."""
        return f"https://{self.domain}/oauth2/token"

    @property
    def user_info_endpoint(self) -> str:
        """The user-info endpoint at the user pool's domain."""
        return f"https://{self.domain}/oauth2/userInfo"

    def encoding(self, claim: str) -> ClaimEncoding | None:
        """Custom attributes are text, in the form that Cognito gives to a SAML attribute."""
        return ClaimEncoding.BRACKETED if claim.startswith(_CUSTOM) else None

    @classmethod
    def never(cls, claim: str) -> str | None:
        """Users may edit their standard attributes unless the app client forbids it, so no rule may depend on one."""
        if claim in ("sub", "username") or claim.startswith(_CUSTOM):
            return None
        return BY_ADDRESS if claim == "email" else _INSTEAD

    @classmethod
    def serves(cls, user_info_endpoint: str) -> bool:
        """A domain with a prefix. A custom domain looks like any other host."""
        return str(urlsplit(user_info_endpoint).hostname).endswith(".amazoncognito.com")
