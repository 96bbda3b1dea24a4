"""IAM allows the deployment to manage the program's resources, and no resources of another environment.

Each resource's requests (``iam/needs``) are evaluated against the roles that the account's bootstrap creates
(``iam/account``): ``deploy`` needs all of them, ``preview`` the reads. ``deploy`` must not be able to change or remove the two
tags that identify the owner of a key or a secret, or to take over one of another environment (``iam/owners``). The roles of
the main program need their calls allowed both by their policies and by bootstrap's boundary (``iam/uses``).

Sources: the Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html),
CloudFormation's handler permissions, and the reviewed tables ``iam/calls.tsv`` and ``iam/unneeded.tsv``.
Service control policies, session policies, and policies of other programs' resources are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from preflight.conform.iam import account as accounts
from preflight.conform.iam import needs as needed
from preflight.conform.iam import owners, reference, unread, uses
from preflight.conform.iam.account import DeploymentAccount, Role
from preflight.conform.iam.graph import Graph, statements
from preflight.conform.iam.needs import Need, Unknown
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import STACK_TYPE, RecordedResource, Recording

RULE = "conform-permissions"
SOURCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html"


def findings(recording: Recording, bootstrap: Recording | None) -> list[Finding]:
    """The requests that IAM would refuse. ``bootstrap``: the recording that creates this environment's roles, or ``None`` if
    no stack file of ``bootstrap/`` lists the environment; then a single finding reports that nothing was checked."""
    if bootstrap is None:
        return [_uncovered(recording)]
    policies = [
        *unread.of_types(recording, unread.KEY, unread.ROLE_POLICY, unread.ENDPOINT),
        *unread.of_types(bootstrap, unread.KEY, unread.POLICY),
    ]
    if unknown := unread.findings(recording, RULE, policies):
        return unknown
    graph = Graph.of(recording, bootstrap)
    account = accounts.of(bootstrap, recording.stack)
    everything = list(all_needs(graph))
    known = [need for need in everything if isinstance(need, Need)]
    return sorted(
        [
            *_unknown(recording, everything),
            *refused(account.deploy, graph, known),
            *refused(account.preview, graph, (need for need in known if need.operation == "read")),
            *trespasses(account.deploy, graph, known),
            *unfit(account, graph),
        ],
        key=lambda finding: finding.key,
    )


def all_needs(graph: Graph) -> Iterator[Need | Unknown]:
    """Every request of every resource, and of the program's lookups."""
    for resource in graph.recording.resources:
        if (resource.custom and not resource.external) or resource.type == STACK_TYPE:
            yield from needed.of_resource(resource, graph)


@dataclass(frozen=True, slots=True)
class _Place:
    """Key that groups requests with the same cause into one finding."""

    type: str
    action: str
    situation: str


def refused(role: Role, graph: Graph, needs: Iterable[Need]) -> list[Finding]:
    """One finding for each resource type, action and situation that the role is not allowed."""
    missing: dict[_Place, list[Need]] = {}
    decided: dict[tuple[object, ...], bool] = {}
    for need in needs:
        request = (need.action, need.arn, need.context)
        if request not in decided:
            decided[request] = allowed(role, graph, need)
        if not decided[request]:
            missing.setdefault(_Place(need.resource.type, need.action, need.situation), []).append(need)
    return [_refused(role, graph, place, listed) for place, listed in missing.items()]


def allowed(role: Role, graph: Graph, need: Need) -> bool:
    """Whether IAM allows the role to make the request."""
    return role.allows(need.action, need.arn, dict(need.context), graph.documents.get(need.arn, ()))


def _refused(role: Role, graph: Graph, place: _Place, needs: list[Need]) -> Finding:
    first = needs[0].resource
    operations = ", ".join(sorted({need.operation for need in needs}))
    others = len({need.resource.urn for need in needs}) - 1
    context = ", ".join(f"{key}={'/'.join(values)}" for key, values in needs[0].context)
    when = f" ({place.situation})" if place.situation else ""
    return _finding(
        graph.recording,
        first,
        headline=f"{first.type} {first.name}: {role.name} may not call {place.action} for its {operations}{when}",
        found=f"no statement allows {place.action} on {needs[0].arn} with {context}"
        + (f"; {others} more of this type" if others else ""),
        wanted=f"{place.action} allowed by a policy of the role and by its boundary, and denied by neither ({SOURCE})",
        fix="grant it in bootstrap/role_actions.py or role_documents.py with the narrowest resource and condition, run the "
        "bootstrap stack, then deploy; if the action cannot apply, document the reason in preflight/conform/iam/unneeded.tsv",
    )


def trespasses(role: Role, graph: Graph, known: Iterable[Need]) -> list[Finding]:
    """One finding for each allowed request that takes over or gives away a key or a secret."""
    found: dict[tuple[str, str, str], Finding] = {}
    for one in owners.trespasses(graph, known):
        need = one.need
        own = () if one.others else graph.documents.get(need.arn, ())
        if role.allows(need.action, need.arn, dict(need.context), own):
            found.setdefault((need.resource.type, need.action, need.situation), _trespass(role, graph, need))
    return list(found.values())


def _trespass(role: Role, graph: Graph, need: Need) -> Finding:
    resource = need.resource
    context = ", ".join(f"{key}={'/'.join(values)}" for key, values in need.context)
    return _finding(
        graph.recording,
        resource,
        headline=f"{resource.type} {resource.name}: {role.name} may call {need.action} where it {need.situation}",
        found=f"{need.action} is allowed with {context}",
        wanted="the tags environment and project cannot be changed, and resources with another environment's tags are out of "
        "reach: only these tags distinguish keys and secrets for IAM (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html)",
        fix="narrow the statement in bootstrap/role_documents.py or assembly/keys.py by aws:ResourceTag, aws:RequestTag and aws:TagKeys",
    )


def unfit(account: DeploymentAccount, graph: Graph) -> list[Finding]:
    """One finding for each call of a deployed role that its own policies or its boundary do not allow."""
    roles = deployed(account, graph)
    found: dict[tuple[str, str, str], Finding] = {}
    for use in uses.of_graph(graph):
        role = roles.get(use.role)
        if role is not None and not use_allowed(role, graph, use):
            found.setdefault((use.role, use.action, use.of.type), _unfit(role, graph, use))
    return list(found.values())


def deployed(account: DeploymentAccount, graph: Graph) -> dict[str, Role]:
    """ARN → role, for the roles that the main program creates, with the boundary that bootstrap creates for them.

    A role without that boundary gets an empty one here, which allows nothing, so each of its calls is a finding."""
    recording = graph.recording
    return {
        str(role.outputs["arn"]): Role(
            role.name,
            str(role.outputs["arn"]),
            {
                policy.name: statements(policy.inputs["policy"])
                for policy in recording.of_type("aws:iam/rolePolicy:RolePolicy")
                if policy.inputs["role"] == role.id
            },
            account.workload_boundary
            if role.inputs.get("permissionsBoundary") == account.workload_boundary_arn
            else (),
        )
        for role in recording.of_type("aws:iam/role:Role")
    }


def use_allowed(role: Role, graph: Graph, use: uses.Use) -> bool:
    """Whether IAM allows a deployed role to make the call. Keys that AWS does not populate for the action are
    omitted."""
    action = reference.find(use.action)
    context = use.context if action is None else dict(needed.kept(action, use.context))
    return role.allows(use.action, use.arn, context, graph.documents.get(use.arn, ()))


def _unfit(role: Role, graph: Graph, use: uses.Use) -> Finding:
    bounded = Role(role.name, role.arn, {"boundary": role.boundary or ()}, None)
    where = "its own policies do not allow it" if use_allowed(bounded, graph, use) else "its boundary does not allow it"
    return _finding(
        graph.recording,
        use.of,
        headline=f"{use.of.type} {use.of.name}: its role {role.name} may not call {use.action}",
        found=f"{use.action} on {use.arn}: {where}",
        wanted="the role's policies and the boundary both allow the calls that the role is used for (sources: preflight/conform/iam/uses.py)",
        fix="grant it in the component that creates the role and in workload_boundary of bootstrap/role_boundaries.py",
    )


def _unknown(recording: Recording, needs: Iterable[Need | Unknown]) -> list[Finding]:
    seen: dict[tuple[str, str], RecordedResource] = {}
    for need in needs:
        if isinstance(need, Unknown):
            seen.setdefault((need.resource.type, need.action), need.resource)
    return [_unjudged(recording, resource, action) for (_, action), resource in seen.items()]


def _unjudged(recording: Recording, resource: RecordedResource, action: str) -> Finding:
    if action:
        return _finding(
            recording,
            resource,
            headline=f"{resource.type} {resource.name}: no table covers {action}",
            found=f"{action}, which CloudFormation or the provider lists and the IAM data lacks",
            wanted=f"an action of the Service Authorization Reference ({SOURCE}), or a reason why it does not apply",
            fix="add it with its reason to preflight/conform/iam/unneeded.tsv, or its linked service to LINKED in iam/needs.py",
            verdict=Verdict.NOT_PROVEN,
        )
    return _finding(
        recording,
        resource,
        headline=f"{resource.type} {resource.name}: no table lists the actions that this type needs",
        found="a type in neither table of preflight/conform/iam/handlers.py",
        wanted="its CloudFormation types in TYPES, or PROVIDER_ONLY with its calls in iam/calls.tsv",
        fix="add the type to one of the two tables",
        verdict=Verdict.NOT_PROVEN,
    )


def _uncovered(recording: Recording) -> Finding:
    stack = next(r for r in recording.resources if r.type == STACK_TYPE)
    return _finding(
        recording,
        stack,
        headline=f"bootstrap has no roles for {recording.stack}: whether CI may deploy it is unknown",
        found=f"no stack file of bootstrap/ lists {recording.stack} under environments for this account and region",
        wanted="one bootstrap stack file for each account, with every environment in it",
        fix=f"add {recording.stack} to environments in bootstrap/Pulumi.<account>.yaml and run the bootstrap stack",
        verdict=Verdict.NOT_PROVEN,
    )


def _finding(
    recording: Recording,
    resource: RecordedResource,
    *,
    headline: str,
    found: str,
    wanted: str,
    fix: str,
    verdict: Verdict = Verdict.VIOLATED,
) -> Finding:
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=verdict,
        headline=headline,
        urn=resource.urn,
        found=found,
        wanted=wanted,
        fix=fix,
        pack="conform",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )


__all__ = ["RULE", "DeploymentAccount", "all_needs", "allowed", "findings", "refused"]
