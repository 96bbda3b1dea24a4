"""Whether IAM lets the deployment make, change and remove what the program registers.

Each resource's requests (``iam/needs``) are judged against the roles that the account's bootstrap makes (``iam/account``):
``deploy`` has to be allowed all of them, ``preview`` the reads. Then, what nobody may do: change or remove the two tags
that say whose a key or a secret is, or take over one of another environment (``iam/owners``). Then the roles of the main
program: what they are for has to be in their own policies and in the boundary that bootstrap gives them (``iam/uses``).

Sources: the Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html),
CloudFormation's handler permissions, and the reviewed tables ``iam/calls.tsv`` and ``iam/unneeded.tsv``.
It cannot see service control policies, session policies, or policies of resources that another program makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from preflight.conform.iam import account as accounts
from preflight.conform.iam import needs as needed
from preflight.conform.iam.account import Account, Role
from preflight.conform.iam.graph import Graph
from preflight.conform.iam.needs import Need, Unknown
from preflight.findings import Finding, Verdict
from preflight.recorder import STACK_TYPE, RecordedResource, Recording

RULE = "conform-permissions"
SOURCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html"


def findings(recording: Recording, bootstrap: Recording | None) -> list[Finding]:
    """What IAM would refuse. ``bootstrap``: the recording of the bootstrap stack that makes this environment's roles, or
    ``None`` where no stack file of ``bootstrap/`` names the environment; then one finding says that nothing was judged."""
    if bootstrap is None:
        return [_uncovered(recording)]
    graph = Graph.of(recording, bootstrap)
    account = accounts.of(bootstrap, recording.stack)
    return sorted(
        [
            *_unknown(recording, all_needs(graph)),
            *refused(account.deploy, graph, (n for n in all_needs(graph) if isinstance(n, Need))),
            *refused(account.preview, graph, (n for n in all_needs(graph) if isinstance(n, Need) and n.operation == "read")),
        ],
        key=lambda finding: finding.key,
    )


def all_needs(graph: Graph) -> Iterator[Need | Unknown]:
    """Every request of every resource, and of the program's own look-ups."""
    for resource in graph.recording.resources:
        if (resource.custom and not resource.external) or resource.type == STACK_TYPE:
            yield from needed.of_resource(resource, graph)


@dataclass(frozen=True, slots=True)
class _Place:
    """Requests that one statement would allow, or that are missing for one reason."""

    type: str
    action: str
    situation: str


def refused(role: Role, graph: Graph, needs: Iterable[Need]) -> list[Finding]:
    """One finding for each resource type, action and situation that the role is not allowed."""
    missing: dict[_Place, list[Need]] = {}
    for need in needs:
        if not allowed(role, graph, need):
            missing.setdefault(_Place(need.resource.type, need.action, need.situation), []).append(need)
    return [_refused(role, graph, place, listed) for place, listed in missing.items()]


def allowed(role: Role, graph: Graph, need: Need) -> bool:
    """Whether IAM lets the role make the request."""
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
        "bootstrap stack, then deploy; where the action cannot apply, say why in preflight/conform/iam/unneeded.tsv",
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
            headline=f"{resource.type} {resource.name}: what {action} needs cannot be told",
            found=f"{action}, which CloudFormation or the provider lists and the IAM data does not explain",
            wanted=f"an action of the Service Authorization Reference ({SOURCE}), or a reason why it does not apply",
            fix="add it with its reason to preflight/conform/iam/unneeded.tsv, or its linked service to LINKED in iam/needs.py",
            verdict=Verdict.NOT_PROVEN,
        )
    return _finding(
        recording,
        resource,
        headline=f"{resource.type} {resource.name}: nobody has said which actions this type needs",
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
        headline=f"bootstrap has no roles for {recording.stack}: whether CI may deploy it cannot be told",
        found=f"no stack file of bootstrap/ lists {recording.stack} under environments for this account and region",
        wanted="one bootstrap stack file for each account, with every environment that lives there",
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


__all__ = ["RULE", "Account", "all_needs", "allowed", "findings", "refused"]
