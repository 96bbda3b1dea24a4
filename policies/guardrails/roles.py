"""The permissions of roles, as far as the stack declares them."""

from __future__ import annotations

from .joins import referring
from .topology.graph.documents import document_at
from .topology.graph.resources import Graph, Resource, contains_unknown
from .topology.iam.statements import Statement, grants

ROLE_KEYS = ("arn", "id", "name")
_INSIDE = ("inlinePolicies", "managedPolicyArns")


def granted_to(graph: Graph, role: Resource) -> list[Statement] | None:
    """The statements that allow something to a role by separate policies; ``None`` if one of them is not known yet."""
    policies = [document_at(one, "policy") for one in referring(graph, role, "role", "iam.RolePolicy", keys=ROLE_KEYS)]
    if any(of.unknown is not None for of in policies) or any(contains_unknown(role.value(path)) for path in _INSIDE):
        return None
    return [item for of in policies for item in grants(of)]


def has_other_policies(graph: Graph, role: Resource) -> bool:
    """Whether a role has policies that ``granted_to`` does not read: inside it, managed, or attached."""
    inside = [role.value(path) for path in _INSIDE]
    attached = referring(graph, role, "role", "iam.RolePolicyAttachment", keys=ROLE_KEYS)
    return bool(attached) or any(not contains_unknown(value) and value not in (None, []) for value in inside)
