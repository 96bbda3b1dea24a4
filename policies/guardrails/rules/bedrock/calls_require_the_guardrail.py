"""Where a stack has a guardrail, model calls must use it, and calls with another guardrail or with its draft are
denied.

The caller chooses the guardrail. A condition on bedrock:GuardrailIdentifier enforces the choice in IAM, but AWS does
not document that a Chat Completions call carries this key, and without the key such a grant denies every call. A grant
without the condition therefore passes where the task's proxy sets the guardrail header on each request, which the
application cannot change. A draft changes without a new version, and so without review.

A grant for embedding models alone, by name, needs neither: bedrock-embeddings-pass-no-guardrail reports it.

The policy checks identity policies and those of VPC endpoints; whether the guardrail filters the right content is for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...iam import names_embedding_models_only
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import Statement, statements

_KEY = "bedrock:guardrailidentifier"
_CALLS = ("bedrock:Converse", "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
_TYPES = ("ec2.VpcEndpoint", "ec2.VpcEndpointPolicy", "iam.Policy", "iam.RolePolicy")
_HEADER = "x-amzn-bedrock-guardrailidentifier"
_WANTED = f"a condition on bedrock:GuardrailIdentifier, or a proxy in the task that sets {_HEADER}"
_FIX = f"have the task's proxy set {_HEADER}, and deny calls with any other guardrail or with its DRAFT version"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each policy that allows model calls, in a stack with a guardrail."""
    if not graph.of_type("bedrock.Guardrail"):
        return
    for resource in graph.of_type(*_TYPES):
        of = document_at(resource, "policy")
        if of.unknown is not None and "bedrock" not in str(resource.value("serviceName") or "bedrock"):
            continue
        yield from undecided(resource, "policy", of, _WANTED, _FIX)
        found = statements(of)
        calls = [item for item in found if item.allows and _calls(item)]
        for item in calls:
            if _KEY not in item.keys and not names_embedding_models_only(item):
                yield from _set_by_proxy(graph, resource, f"policy[{item.label}].Condition")
        if calls:
            yield from _denials(resource, calls, [item for item in found if not item.allows and _calls(item)])


def _set_by_proxy(graph: Graph, resource: Resource, place: str) -> Iterator[Finding]:
    """Whether a container of a task sets the guardrail header on outgoing requests."""
    unknown: list[str] = []
    for task in graph.of_type("ecs.TaskDefinition"):
        of = document_at(task, "containerDefinitions")
        if of.unknown is not None:
            unknown.append(f"{task.label}.containerDefinitions")
        elif of.known and _HEADER in str(of.value).lower():
            return
    if unknown:
        yield not_proven(resource, place, unknown, _WANTED, _FIX)
    else:
        yield violated(resource, place, "no such condition", _WANTED, _FIX, what="allows calls without the guardrail")


def _denials(resource: Resource, calls: list[Statement], denials: list[Statement]) -> Iterator[Finding]:
    others = any(test.operator.startswith(("stringnot", "null")) for item in denials for test in item.tests(_KEY))
    if not others:
        wanted = "a Deny for every other guardrail, which overrides any Allow in another policy"
        yield violated(resource, "policy", "no such Deny", wanted, _FIX, what="has no matching Deny")
    allowed = [value for item in calls for test in item.tests(_KEY) for value in test.values]
    denied = [value for item in denials for test in item.tests(_KEY) for value in test.values]
    any_version = not all(_KEY in item.keys or names_embedding_models_only(item) for item in calls)
    if (any_version or any(value.endswith((":*", "DRAFT")) for value in allowed)) and not any(
        v.endswith("DRAFT") for v in denied
    ):
        yield violated(
            resource, "policy", "every version", "no draft version", _FIX, what="allows calls with a draft version"
        )


def _calls(statement: Statement) -> bool:
    return any(map(statement.covers, _CALLS))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("bedrock.Guardrail",),
    unknown_blocks=False,
)
