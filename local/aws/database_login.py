"""Checks whether a database login by IAM is allowed: the token's signature, and ``rds-db:connect`` of the role that
signed it.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from local.aws.access import Access
from local.aws.iam import Request
from local.aws.sessions import Issuer, now
from local.aws.signature import SignatureError, Verifier
from local.server import Received
from local.stack import Resource


@dataclass(frozen=True)
class DatabaseLogin:
    """Logins to one cluster."""

    access: Access
    issuer: Issuer
    cluster: Resource
    clock: Callable[[], datetime] = now

    def refusal(self, token: str, user: str) -> str:
        """Return the reason why a login with this token as this user is refused; empty if it is allowed."""
        if not self.cluster.get("iamDatabaseAuthenticationEnabled"):
            return f"cluster {self.cluster.name}: iamDatabaseAuthenticationEnabled is not on"
        place, _, query = token.partition("/?")
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        if asked.get("Action") != "connect" or asked.get("DBUser") != user:
            return f"the token is for the user {asked.get('DBUser')}, not for {user}"
        stack, port = self.access.stack, self.cluster["port"]
        hosts = {f"{self.cluster[key]}:{port}" for key in ("endpoint", "readerEndpoint")}
        verifier = Verifier(self.issuer, "rds-db", stack.region, hosts.__contains__, self.clock)
        try:
            session = verifier.verify(Received("GET", f"/?{query}", (("host", place),), b""))
        except SignatureError as error:
            return f"the token for {place}: {error}"
        account, identifier = stack.account, self.cluster["clusterResourceId"]
        resource = f"arn:aws:rds-db:{stack.region}:{account}:dbuser:{identifier}/{user}"
        answer = self.access.decide(Request("rds-db:connect", resource, session.principal, session.context()))
        return "" if answer else answer.cause
