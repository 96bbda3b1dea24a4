"""The roles of one environment as bootstrap creates them: policies, permissions boundary, and what they allow.

The documents come from the recording of ``bootstrap/__main__.py``, so the evaluated documents are those that AWS receives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.conform.iam import evaluator
from preflight.conform.iam.conditions import listed
from preflight.conform.iam.graph import statements
from preflight.recording.recorder import RecordedResource, Recording

Statements = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Role:
    """The permissions of one role."""

    name: str
    arn: str
    documents: Mapping[str, Statements]
    """Name of an attached policy → its statements."""
    boundary: Statements | None
    _about: dict[str, tuple[Statements, Statements]] = field(
        default_factory=dict[str, tuple[Statements, Statements]], init=False, repr=False, compare=False
    )
    """Action → the statements of policies and boundary that cover it, cached because most cover few actions."""

    def allows(self, action: str, resource: str, context: Mapping[str, tuple[str, ...]], own: Statements = ()) -> bool:
        """Whether IAM allows the request. ``own``: the statements of the resource's policy, which can deny, and which
        can allow a role that they name regardless of the role's policies."""
        request = evaluator.Request(
            action=action,
            resource=resource,
            principal=self.arn,
            context={key: list(values) for key, values in context.items()},
        )
        identity, bound = self._named(action)
        if any(s["Effect"] == "Deny" and evaluator.matches(s, request) for s in (*identity, *bound, *own)):
            return False
        bounds = [] if self.boundary is None else [bound]
        return evaluator.allowed(request, identity, *bounds) or evaluator.allowed(
            request, _naming(own, self.arn), *bounds
        )

    def _named(self, action: str) -> tuple[Statements, Statements]:
        if action not in self._about:
            listed = [statement for document in self.documents.values() for statement in document]
            self._about[action] = (
                tuple(s for s in listed if evaluator.names_action(s, action)),
                tuple(s for s in self.boundary or () if evaluator.names_action(s, action)),
            )
        return self._about[action]


def _naming(own: Statements, role: str) -> list[Mapping[str, Any]]:
    """The statements that name the role. A statement that names only the account defers to the role's policies."""
    return [s for s in own if isinstance(s.get("Principal"), dict) and role in listed(s["Principal"].get("AWS", []))]


@dataclass(frozen=True, slots=True)
class DeploymentAccount:
    """The roles that deploy one environment, and the boundary of the roles that they create."""

    deploy: Role
    preview: Role
    workload_boundary: Statements
    workload_boundary_arn: str


def environments(bootstrap: Recording) -> tuple[str, ...]:
    """The environments for which a bootstrap stack creates roles, sorted."""
    names = {str(r.inputs["name"]) for r in bootstrap.of_type(_ROLE)}
    return tuple(
        sorted(n.removeprefix("ai-interface-").removesuffix("-deploy") for n in names if n.endswith("-deploy"))
    )


_ROLE, _POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
_ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def of(bootstrap: Recording, environment: str) -> DeploymentAccount:
    """The account's roles for an environment; ``LookupError`` if the stack creates none for it."""
    by_arn = {str(p.outputs["arn"]): p for p in bootstrap.of_type(_POLICY)}
    boundary = f"ai-interface-{environment}-workload-boundary"
    bound = next((p for p in by_arn.values() if p.inputs["name"] == boundary), None)
    if bound is None:
        raise LookupError(f"bootstrap stack {bootstrap.stack} creates no roles for {environment}")
    return DeploymentAccount(
        _role(bootstrap, f"ai-interface-{environment}-deploy", by_arn),
        _role(bootstrap, f"ai-interface-{environment}-preview", by_arn),
        statements(bound.inputs["policy"]),
        str(bound.outputs["arn"]),
    )


def _role(bootstrap: Recording, name: str, policies: Mapping[str, RecordedResource]) -> Role:
    role = next(r for r in bootstrap.of_type(_ROLE) if r.inputs["name"] == name)
    attached = [str(a.inputs["policyArn"]) for a in bootstrap.of_type(_ATTACHED) if a.inputs["role"] == role.id]
    bound = role.inputs.get("permissionsBoundary")
    return Role(
        name,
        str(role.outputs["arn"]),
        {str(policies[arn].inputs["name"]): statements(policies[arn].inputs["policy"]) for arn in sorted(attached)},
        statements(policies[str(bound)].inputs["policy"]) if bound else None,
    )
