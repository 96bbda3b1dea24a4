"""The twin's identity provider: a real OpenID provider under the names that the stack file declares."""

from __future__ import annotations

from local.identity.people import People
from local.identity.provider import IdentityProvider
from local.identity.registration import Registration

__all__ = ["IdentityProvider", "People", "Registration"]
