"""IAM's decision on a request, and the statement that decides it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html, for one
account without organization policies:

1. An explicit Deny in any policy that applies to the request wins: the caller's, its permissions boundary, the
   resource's, or the VPC endpoint's.
2. The endpoint's policy must allow the request.
3. A resource policy that names the role allows the request without the role's own policies, within the permissions
   boundary; one that names the account delegates the decision to the role's policies. A key policy must do one of the
   two.
4. Otherwise the role's policies must allow the request, and so must its permissions boundary.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from preflight.conform.iam.conditions import Context, MalformedPolicyError, filled, like, listed, unmet

__all__ = ["Context", "Decision", "MalformedPolicyError", "Policy", "Principal", "Request", "Statement", "decide"]

_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))


@dataclass(frozen=True)
class Principal:
    """The caller: a session of a role, or an AWS service."""

    arn: str = ""
    """The role's ARN; empty for a service."""
    service: str = ""
    """``ecs-tasks.amazonaws.com``; empty for a role."""

    @property
    def account(self) -> str:
        """The role's account; empty for a service."""
        return self.arn.split(":")[4] if self.arn else ""

    @property
    def root(self) -> str:
        """The principal that stands for the role's whole account in a policy."""
        return f"arn:aws:iam::{self.account}:root"

    def __str__(self) -> str:
        return f"role {self.arn.rpartition('/')[2]}" if self.arn else self.service


@dataclass(frozen=True)
class Request:
    """One request for IAM to evaluate."""

    action: str
    resource: str
    principal: Principal
    context: Context = field(default_factory=dict[str, tuple[str, ...]])

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    name: str
    """Its ``Sid``, or its position in the document."""
    document: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.document["Effect"] == "Allow"

    def about(self, request: Request) -> bool:
        """Whether the statement covers the request's action and resource, regardless of its principal and
        conditions."""
        return self._action(request.action) and self._resource(request)

    def matches(self, request: Request) -> bool:
        """Whether the statement applies to the request."""
        return self.about(request) and self.names(request.principal) and not any(self.unmet(request))

    def unmet(self, request: Request) -> Iterator[str]:
        """Return a description of each condition that the request does not meet."""
        return unmet(self.document.get("Condition", {}), request.context)

    def names(self, principal: Principal) -> bool:
        """Whether the statement's principal, if it has one, covers this principal."""
        if "NotPrincipal" in self.document:
            return not _principal(self.document["NotPrincipal"], principal)
        return _principal(self.document.get("Principal", "*"), principal)

    def names_itself(self, principal: Principal) -> bool:
        """Whether the statement names this principal or any principal; naming the account delegates the decision to the
        account's own policies."""
        named = self.document.get("Principal", "*")
        return _principal(named, principal) and (
            isinstance(named, str)
            or bool({principal.arn, "*"} & set(listed(named.get("AWS", []))) or principal.service)
        )

    def _action(self, action: str) -> bool:
        negated = "NotAction" in self.document
        patterns = listed(self.document["NotAction" if negated else "Action"])
        return any(like(pattern.lower(), action.lower()) for pattern in patterns) is not negated

    def _resource(self, request: Request) -> bool:
        negated = "NotResource" in self.document
        # A trust policy and a repository's policy are about what they lie on.
        texts = listed(self.document.get("NotResource" if negated else "Resource", "*"))
        patterns = [one for text in texts if (one := filled(text, request.context)) is not None]
        return any(like(pattern, request.resource) for pattern in patterns) is not negated


def _principal(named: str | Mapping[str, Any], principal: Principal) -> bool:
    if isinstance(named, str):
        return named == "*"
    if principal.service:
        return principal.service in listed(named.get("Service", []))
    return bool({"*", principal.arn, principal.root, principal.account} & set(listed(named.get("AWS", []))))


@dataclass(frozen=True)
class Policy:
    """A policy document, with the name that refusals show: ``bucket policy uploads-policy``."""

    name: str
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, name: str, document: str | Mapping[str, Any]) -> Policy:
        """Read a document. Raises ``MalformedPolicyError`` for a document that AWS would refuse."""
        parsed: Any = json.loads(document) if isinstance(document, str) else document
        found: Any = parsed["Statement"]
        entries = cast("list[Mapping[str, Any]]", found if isinstance(found, list) else [found])
        return cls(name, tuple(_statement(name, number, entry) for number, entry in enumerate(entries, 1)))

    def first(self, request: Request, *, allow: bool) -> Statement | None:
        """Return the first statement of this effect that applies to the request."""
        return next((one for one in self.statements if one.allows is allow and one.matches(request)), None)


def _statement(policy: str, number: int, entry: Mapping[str, Any]) -> Statement:
    name = str(entry.get("Sid") or f"number {number}")
    if unknown := sorted(set(entry) - _ELEMENTS):
        raise MalformedPolicyError(f"{policy}: statement {name} has {unknown}, which IAM does not support")
    if entry.get("Effect") not in {"Allow", "Deny"}:
        raise MalformedPolicyError(f"{policy}: statement {name} needs the effect Allow or Deny")
    for one, other in _PAIRS:
        if one in entry and other in entry:
            raise MalformedPolicyError(f"{policy}: statement {name} has both {one} and {other}")
    if not {"Action", "NotAction"} & set(entry):
        raise MalformedPolicyError(f"{policy}: statement {name} has no action")
    return Statement(name, entry)


@dataclass(frozen=True)
class Decision:
    """IAM's decision, with its reason."""

    allowed: bool
    cause: str
    """The statement that decided; for an implicit denial, the missing permission."""

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True)
class Policies:
    """The policies that apply to one request."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    resource: Sequence[Policy] = ()
    endpoint: Policy | None = None
    resource_decides: bool = False
    """Whether the resource's policy must allow the request in any case, as key policies and trust policies must."""


def decide(request: Request, policies: Policies) -> Decision:
    """Return IAM's decision on one request."""
    everything = [*policies.identity, *policies.resource, *_present(policies.boundary), *_present(policies.endpoint)]
    for policy in everything:
        if denying := policy.first(request, allow=False):
            return Decision(False, f"{request}: explicit deny by statement {denying.name} of {policy.name}")
    granted = _first(policies.resource, request)
    # A service has no identity policies: only the resource's policy can allow it.
    own = bool(request.principal.arn) and not (granted and granted[1].names_itself(request.principal))
    allowing = _first(policies.identity, request) if own else granted
    for policy in (policies.endpoint, policies.boundary):
        if policy is not None and policy.first(request, allow=True) is None:
            return Decision(False, _missing(request, f"{policy.name} allows it", [policy]))
    if granted is None and (policies.resource_decides or request.principal.service):
        names = " and ".join(one.name for one in policies.resource) or "no policy of the resource"
        return Decision(False, _missing(request, f"{names} allows it for {request.principal}", policies.resource))
    if allowing is None:
        return Decision(False, _missing(request, f"{request.principal}'s policies allows it", policies.identity))
    policy, statement = allowing
    return Decision(True, f"{request}: allowed by statement {statement.name} of {policy.name}")


def _first(policies: Sequence[Policy], request: Request) -> tuple[Policy, Statement] | None:
    return next(((p, s) for p in policies if (s := p.first(request, allow=True)) is not None), None)


def _present(policy: Policy | None) -> list[Policy]:
    return [] if policy is None else [policy]


def _missing(request: Request, verb: str, policies: Sequence[Policy]) -> str:
    """Describe an implicit denial, and the statements that would allow the request with other conditions or another
    principal."""
    near: list[str] = []
    for policy in policies:
        for one in policy.statements:
            if one.allows and one.about(request):
                wrong = list(one.unmet(request))
                if not one.names(request.principal):
                    wrong.insert(0, f"its principal is not {request.principal}")
                near.append(f"statement {one.name} of {policy.name} does not apply: {'; '.join(wrong)}")
    hint = f" ({'. '.join(near)})" if near else ""
    return f"{request}: no statement of {verb}{hint}"
