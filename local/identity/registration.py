"""The client that an operator has registered at the identity provider, derived from the stack file: endpoints, client
and callbacks.

None of it comes from the graph's listener rules except the secret, which no stack file contains: it is the one that
most rules use. So a rule whose endpoint, client or secret differs from the declared one cannot complete a login.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from local.stack import ROOT, Stack
from preflight.pulumi.project import Project
from settings.provider_rules import completed

RULE = "aws:lb/listenerRule:ListenerRule"
CALLBACK = "/oauth2/idpresponse"
"""The callback path that AWS requires clients to allow."""
KEYS = "/jwks"
_PREFIX = "ai-interface:"


@cache
def declared(name: str, root: Path = ROOT) -> dict[str, Any]:
    """The stack file's sections about identity: ``identity`` and ``domain``."""
    config = Project.load(root).stack(name).config
    found: dict[str, Any] = {}
    for section in ("identity", "domain"):
        value: Any = config[f"{_PREFIX}{section}"]
        found[section] = json.loads(value) if isinstance(value, str) else value
    return found


@dataclass(frozen=True)
class Registration:
    """One client of one issuer."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    authorization: str
    """A URL, like the next four fields."""
    token: str
    user_info: str
    end_session: str
    callbacks: tuple[str, ...]
    keys: str
    """The URL of the public keys; those of the machine clients' issuer if the stack file declares machine clients."""

    @classmethod
    def of(cls, stack: Stack, sections: Mapping[str, Any] | None = None) -> Registration:
        """Read the registration from the stack file; ``sections`` replaces the result of ``declared``."""
        read = declared(stack.name) if sections is None else sections
        identity, host = completed(read["identity"]), str(read["domain"]["hostName"])
        machines = cast("dict[str, Any]", identity.get("machineClients") or {})
        return cls(
            issuer=str(identity["issuer"]),
            client=str(identity["clientId"]),
            secret=_secret(stack),
            authorization=str(identity["authorizationEndpoint"]),
            token=str(identity["tokenEndpoint"]),
            user_info=str(identity["userInfoEndpoint"]),
            end_session=str(identity.get("endSessionEndpoint") or ""),
            callbacks=(f"https://{host}{CALLBACK}",),
            keys=str(machines.get("jwksEndpoint") or f"{str(identity['issuer']).rstrip('/')}{KEYS}"),
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that the provider must serve, sorted."""
        urls = (self.issuer, self.authorization, self.token, self.user_info, self.end_session, self.keys)
        return tuple(sorted({urlsplit(url).hostname or "" for url in urls if url}))


def _secret(stack: Stack) -> str:
    found: Counter[str] = Counter()
    for rule in stack.all(RULE):
        for action in rule["actions"]:
            if login := action.get("authenticateOidc"):
                found[str(login["clientSecret"])] += 1
    if not found:
        raise LookupError(f"no listener rule of {stack.name} logs users in, so there is no client secret")
    return found.most_common(1)[0][0]
