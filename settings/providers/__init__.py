"""The kinds of identity providers: everything that differs between them, one module each.

A provider's module states its endpoints, the scopes and parameters of a login, the claims that its user-info endpoint
returns, and what a rule needs that can never hold with it. ``docs/identity/`` has a page for each.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.providers.cognito import Cognito
from settings.providers.entra_id import EntraId
from settings.providers.google_workspace import GoogleWorkspace
from settings.providers.keycloak import Keycloak
from settings.providers.okta import Okta
from settings.providers.provider import ClaimEncoding, IdentityProvider

KINDS: tuple[type[IdentityProvider], ...] = (EntraId, Okta, GoogleWorkspace, Keycloak, Cognito)
"""Every kind. ``tests/settings/test_identity_providers.py`` compares it with the modules of this package."""

Provider = Annotated[EntraId | Okta | GoogleWorkspace | Keycloak | Cognito, Field(discriminator="kind")]

__all__ = ["KINDS", "ClaimEncoding", "IdentityProvider", "Provider"]
