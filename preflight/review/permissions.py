"""Who may do what more, or less: the IAM policies of both sides of a change, evaluated statement by statement.

A statement is a gain if no statement of the other side for the same principal covers its actions on its resources under conditions
that are at least as weak. Explicit denials are compared in the same way. Policies that name what is computed by AWS are compared by
the values of the recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from policies.guardrails.iam import RESOURCE_POLICIES
from policies.guardrails.topology.graph.documents import document_at
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.iam.matching import matches, matches_action
from policies.guardrails.topology.iam.statements import Statement, statements
from preflight.review.side import Side, listed

_ENDPOINT = "ec2.VpcEndpoint"
_MOST_ACTIONS = 8
_THROUGH, _ASSUMED = "endpoint ", "assuming "
_OWN_ACCOUNT = ("aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount")


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource, as one statement allows or denies it."""

    allows: bool
    action: str
    resource: str
    principal: str
    """The principal of a resource's policy; empty for a role, which is the principal itself."""
    conditions: frozenset[str]
    inverted: str = ""
    """The text of a statement with ``NotAction``, ``NotResource`` or ``NotPrincipal``, which is compared as a whole."""

    def covers(self, other: Grant) -> bool:
        """Whether it allows, or denies, everything that the other one does."""
        if (self.allows, self.inverted) != (other.allows, other.inverted):
            return False
        return (
            matches_action(self.action, other.action)
            and matches(self.resource, other.resource)
            and self.principal in ("*", other.principal)
            and self.conditions <= other.conditions
        )


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence, what is gained first. A permission on a resource that only has another ARN now is neither."""
    old, new = grants_of(before.graph), grants_of(after.graph)
    names = {**_names(before.graph), **_names(after.graph)}
    subjects = sorted({*old, *new})
    more = [text for one in subjects for text in _gained(one, old.get(one, []), new.get(one, []), names)]
    less = [text for one in subjects for text in _gained(one, new.get(one, []), old.get(one, []), names)]
    yield from (said[0] for said in more if said not in less)
    yield from (said[1] for said in less if said not in more)


def _gained(
    subject: str, one: Sequence[Grant], two: Sequence[Grant], names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The grants and denials that only ``two`` has, worded as gained and as lost."""
    new = [grant for grant in two if not any(known.covers(grant) for known in one) and (grant.allows or one)]
    if subject.startswith(_THROUGH):
        return _let_through(subject, new, names)
    groups: dict[tuple[object, ...], list[Grant]] = {}
    for grant in new:
        key = (grant.allows, grant.resource, grant.principal, grant.conditions, grant.inverted)
        groups.setdefault(key, []).append(grant)
    alike: dict[tuple[object, ...], list[list[Grant]]] = {}
    for (allows, _, principal, conditions, inverted), group in groups.items():
        actions = tuple(sorted({grant.action for grant in group}))
        alike.setdefault((allows, principal, conditions, inverted, actions), []).append(group)
    return [_worded(subject, [group[0] for group in own], own[0], names) for own in alike.values()]


def _let_through(subject: str, new: Sequence[Grant], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """An endpoint's policy only limits: one sentence about the actions."""
    found: list[tuple[str, str]] = []
    for allows in (True, False):
        actions = sorted({grant.inverted or grant.action for grant in new if grant.allows is allows})
        callers = sorted({name for grant in new if grant.allows is allows for name in _callers(grant, names)})
        if actions:
            what = f"{listed(actions, _MOST_ACTIONS)}{f' by {listed(callers, 4)}' if callers else ''}"
            verbs = ("lets through", "no longer lets through") if allows else ("stops", "no longer stops")
            found.append((f"{subject} {verbs[0]} {what}", f"{subject} {verbs[1]} {what}"))
    return found


def _callers(grant: Grant, names: Mapping[str, str]) -> Iterator[str]:
    for condition in grant.conditions:
        _, found, values = condition.partition(" aws:principalarn = ")
        yield from (names.get(arn, arn) for arn in values.split(", ") if found)


def _worded(
    subject: str, resources: Sequence[Grant], actions: Sequence[Grant], names: Mapping[str, str]
) -> tuple[str, str]:
    first = resources[0]
    under = _conditions(first, names)
    caller = "everyone" if first.principal == "*" else names.get(first.principal, first.principal)
    if subject.startswith(_ASSUMED) and first.allows and not first.inverted:
        role = subject.removeprefix(_ASSUMED)
        return f"{caller} may now assume {role}{under}", f"{caller} may no longer assume {role}{under}"
    who = f"{caller} ({subject})" if first.principal else subject
    what = first.inverted or listed(sorted({grant.action for grant in actions}), _MOST_ACTIONS)
    on = listed(sorted({names.get(grant.resource, grant.resource) for grant in resources}), 4)
    place = "" if first.inverted or not first.resource else f" on {'every resource' if on == '*' else on}"
    if first.allows:
        return f"{who} may now {what}{place}{under}", f"{who} may no longer {what}{place}{under}"
    return f"{who} is now denied {what}{place}{under}", f"{who} is no longer denied {what}{place}{under}"


def _conditions(grant: Grant, names: Mapping[str, str]) -> str:
    """The conditions, without the one that every statement of an account has."""
    shown: list[str] = []
    for condition in sorted(grant.conditions):
        test, _, values = condition.partition(" = ")
        if not test.endswith(_OWN_ACCOUNT):
            shown.append(f"{test} = {listed([names.get(one, one) for one in values.split(', ')], 3)}")
    return f", if {' and '.join(shown)}" if shown else ""


def grants_of(graph: Graph) -> dict[str, list[Grant]]:
    """Role or resource with a policy → its grants. The trust in a role and the policies of endpoints are separate subjects."""
    found: dict[str, list[Grant]] = {}
    for subject, resource, path in _documents(graph):
        for statement in statements(document_at(resource, path)):
            found.setdefault(subject, []).extend(_grants(statement))
    for role in graph.of_type("iam.Role"):
        for item in as_list(role.value("inlinePolicies")) or []:
            policy = (as_mapping(item) or {}).get("policy")
            if isinstance(policy, str):
                copy = Resource(urn=role.urn, type=role.type, name=role.name, properties={"policy": policy})
                own = statements(document_at(copy, "policy"))
                found.setdefault(f"role {role.name}", []).extend(grant for one in own for grant in _grants(one))
        for arn in as_list(role.value("managedPolicyArns")) or []:
            found.setdefault(f"role {role.name}", []).append(_managed(str(arn)))
    for attachment in graph.of_type("iam.RolePolicyAttachment"):
        for role in graph.referenced(attachment, "role", ("iam.Role",), ("name", "id", "arn")):
            policies = graph.referenced(attachment, "policyArn", ("iam.Policy",)).resources
            own = [
                grant for one in policies for item in statements(document_at(one, "policy")) for grant in _grants(item)
            ]
            found.setdefault(f"role {role.name}", []).extend(own or [_managed(str(attachment.value("policyArn")))])
    return found


def _documents(graph: Graph) -> Iterator[tuple[str, Resource, str]]:
    for role in graph.of_type("iam.Role"):
        yield f"{_ASSUMED}role {role.name}", role, "assumeRolePolicy"
    for policy in graph.of_type("iam.RolePolicy"):
        for role in graph.referenced(policy, "role", ("iam.Role",), ("name", "id", "arn")):
            yield f"role {role.name}", policy, "policy"
    for kind, path in RESOURCE_POLICIES.items():
        for resource in graph.of_type(kind):
            yield f"policy of {resource.label}", resource, path
    for endpoint in graph.of_type(_ENDPOINT):
        yield f"{_THROUGH}{endpoint.name}", endpoint, "policy"


def _managed(arn: str) -> Grant:
    """A policy whose document is not in the stack."""
    return Grant(True, "", "", "", frozenset(), inverted=f"what the policy {arn} allows")


def _grants(statement: Statement) -> Iterator[Grant]:
    under = frozenset(
        f"{one.qualifier}{':' if one.qualifier else ''}{one.operator}{'ifexists' if one.if_exists else ''} {one.key} = "
        f"{', '.join(sorted(one.values))}"
        for one in statement.conditions
    )
    if statement.not_actions or statement.not_resources or statement.not_principals:
        parts = (
            ("every action but", statement.not_actions),
            ("", statement.actions),
            ("on every resource but", statement.not_resources),
            ("on", statement.resources),
            ("by everyone but", statement.not_principals),
            ("by", statement.principals),
        )
        text = " ".join(f"{words} {listed(sorted(values), 6)}".strip() for words, values in parts if values)
        yield Grant(statement.allows, "", "", "", under, inverted=text)
        return
    for action in statement.actions:
        for resource in statement.resources or ("",):
            for principal in statement.principals or ("",):
                yield Grant(statement.allows, action, resource, principal, under)


def _names(graph: Graph) -> dict[str, str]:
    """ARN → the logical name of the resource in the stack that has it, for readers."""
    found: dict[str, str] = {}
    for resource in graph:
        if isinstance(arn := resource.value("arn"), str):
            found[arn] = resource.label
            found[f"{arn}/*"] = f"{resource.label}/*"
            found[f"{arn}:*"] = f"{resource.label}:*"
    return found
