"""The checks that every service makes first: verify the request's signature, and evaluate IAM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from local.aws.access import Access
from local.aws.iam import Context, Decision, Policy, Request
from local.aws.sessions import Credentials, Issuer, now
from local.aws.signature import SignatureError, Verifier
from local.refusals import Refusals
from local.server import Received
from local.stack import Resource

VPC = "aws:ec2/vpc:Vpc"


class ServiceError(Exception):
    """An error response: HTTP status, AWS's error code, and the cause, which is also recorded."""

    def __init__(self, status: int, code: str, cause: str) -> None:
        super().__init__(cause)
        self.status, self.code, self.cause = status, code, cause


@dataclass(frozen=True)
class Arrival:
    """How a request reached the service."""

    endpoint: Resource
    """The VPC endpoint."""
    policy: Policy
    source: str
    """The client's private address; empty if the wiring does not distinguish clients."""


@dataclass(frozen=True)
class Ask:
    """One IAM evaluation for a request."""

    action: str
    resource: str
    context: Context = field(default_factory=dict[str, tuple[str, ...]])
    """The context keys that this service adds to every request, in lower case."""


@dataclass(frozen=True)
class Gate:
    """The checks of one service in one region."""

    part: str
    """The name of the part that refuses, for the record of refusals."""
    access: Access
    issuer: Issuer
    refusals: Refusals
    service: str
    """The service name in the signature: ``s3``, ``bedrock``."""
    region: str
    hosts: Callable[[str], bool]
    clock: Callable[[], datetime] = now
    also: tuple[str, ...] = ()
    """Other service names that the service accepts in a signature."""

    def session(self, request: Received) -> Credentials:
        """Return the signer of the request. Raises ``ServiceError`` with the first mismatch."""
        try:
            verifier = Verifier(self.issuer, self.service, self.region, self.hosts, self.clock, self.also)
            return verifier.verify(request)
        except SignatureError as error:
            raise self.error(403, error.code, str(error)) from None

    def ask(self, session: Credentials, asks: Iterable[Ask], arrival: Arrival, request: Received) -> None:
        """Evaluate IAM. Raises ``ServiceError`` if it denies one of the questions."""
        for one in asks:
            context = {**self._context(session, arrival, request), **one.context}
            answer = self.access.decide(Request(one.action, one.resource, session.principal, context), arrival.policy)
            self._let(answer)

    def ask_for(self, session: Credentials, asks: Iterable[Ask], service: str) -> None:
        """Evaluate IAM for a request that a service makes on the caller's behalf, such as one to KMS; it passes no
        endpoint. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
        """
        for one in asks:
            context = {
                **session.context(),
                **self._of_resource(),
                "aws:viaawsservice": ("true",),
                "aws:calledvia": (f"{service}.amazonaws.com",),
                "aws:calledviafirst": (f"{service}.amazonaws.com",),
                "aws:calledvialast": (f"{service}.amazonaws.com",),
                "aws:securetransport": ("true",),
                "kms:viaservice": (f"{service}.{self.region}.amazonaws.com",),
                "kms:calleraccount": (session.principal.account,),
                **one.context,
            }
            self._let(self.access.decide(Request(one.action, one.resource, session.principal, context)))

    def error(self, status: int, code: str, cause: str) -> ServiceError:
        """Return an error and record its cause."""
        self.refusals.add(self.part, cause)
        return ServiceError(status, code, cause)

    def _let(self, answer: Decision) -> None:
        if not answer:
            code = "AccessDenied" if self.service == "s3" else "AccessDeniedException"
            raise self.error(403 if self.service in {"s3", "bedrock", "bedrock-mantle"} else 400, code, answer.cause)

    def _context(self, session: Credentials, arrival: Arrival, request: Received) -> dict[str, tuple[str, ...]]:
        """The context keys that AWS sets for a request through a VPC endpoint."""
        at = self.clock()
        return {
            **session.context(),
            **self._of_resource(),
            "aws:sourcevpc": (str(arrival.endpoint["vpcId"]),),
            "aws:sourcevpce": (arrival.endpoint.id,),
            "aws:vpcsourceip": (arrival.source or session.node.address,),
            "aws:securetransport": ("true",),
            "aws:viaawsservice": ("false",),
            "aws:currenttime": (at.strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(at.timestamp())),),
            "aws:useragent": (request.value("user-agent") or "",),
        }

    def _of_resource(self) -> dict[str, tuple[str, ...]]:
        account = self.access.stack.account
        return {"aws:requestedregion": (self.region,), "aws:resourceaccount": (account,)}


def tags_of(resource: Resource) -> dict[str, str]:
    """Return the tags of a resource."""
    return cast("dict[str, str]", resource.get("tagsAll") or resource.get("tags") or {})


def keys_of(tags: Mapping[str, str], *prefixes: str) -> dict[str, tuple[str, ...]]:
    """Return a resource's tags as condition keys: ``aws:ResourceTag/…`` and the service's own."""
    named = ((f"{prefix}/{key}", value) for prefix in ("aws:resourcetag", *prefixes) for key, value in tags.items())
    return {key.lower(): (value,) for key, value in named}


def tagged(resource: Resource, *prefixes: str) -> dict[str, tuple[str, ...]]:
    """The tags of a resource as condition keys."""
    return keys_of(tags_of(resource), *prefixes)
