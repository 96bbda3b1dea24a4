"""``jwt-validation``: a bearer token's signature, times, issuer and claims are verified as the load balancer does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from local.edge.outgoing import Call, Unreachable, fetch
from local.edge.received import ReceivedRequest
from local.edge.surroundings import BalancerNode, EdgeSurroundings
from policies.guardrails.topology.trace.listener_rules import token_matches

if TYPE_CHECKING:
    from local.edge.listener import Entry

KEPT_SECONDS = 60.0
"""How long the issuer's keys are cached."""
_OK = 200


@dataclass
class Tokens:
    """Verifies tokens with the keys of each ``jwksEndpoint``."""

    around: EdgeSurroundings
    _keys: dict[str, tuple[float, KeySet]] = field(default_factory=dict[str, tuple[float, KeySet]])

    async def accepts(
        self, rule: Entry, options: dict[str, Any], request: ReceivedRequest, place: BalancerNode
    ) -> bool:
        """Whether a request has a token that the action accepts."""
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return False
        try:
            claims = self._claims(token.strip(), await self._key_set(str(options["jwksEndpoint"]), place))
        except (JoseError, ValueError):
            return False
        except Unreachable as error:
            self.around.refuse(f"listener rule {rule.name} jwtValidation: {error}")
            return False
        return token_matches(claims, options) is True

    def _claims(self, token: str, keys: KeySet) -> Mapping[str, Any]:
        """The claims of a token that is signed with RS256 and is valid now."""
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        now = self.around.clock()
        if now >= float(claims.get("exp", 0)) or now < float(claims.get("nbf", 0)) or now < float(claims.get("iat", 0)):
            raise ValueError("the token is not valid now")
        return claims

    async def _key_set(self, url: str, place: BalancerNode) -> KeySet:
        now = self.around.clock()
        if url in self._keys and now < self._keys[url][0] + KEPT_SECONDS:
            return self._keys[url][1]
        reply = await fetch(self.around, place, Call("GET", url))
        if reply.status != _OK:
            raise Unreachable(f"jwksEndpoint {url} answered {reply.status}")
        keys = KeySet.import_key_set(json.loads(reply.body))
        self._keys[url] = (now, keys)
        return keys
