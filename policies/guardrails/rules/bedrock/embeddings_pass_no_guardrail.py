"""Where a stack has a guardrail, no grant lets embedding models be called without it.

The texts of documents reach such a model without the filters that chats pass: AWS does not document that a guardrail applies
to calls for embeddings, so a stack that needs them has to allow them without one.

A vector shows no text to a user, so this is advisory. The policy lists each grant that names embedding models only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...iam import names_embedding_models_only
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import grants

_WANTED = "no calls for embeddings, or reviewers who accept that they pass no guardrail"
_FIX = "review who uploads documents and where the vectors are stored, or use an embedding model on a private server"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each identity policy of a stack with a guardrail."""
    if not graph.of_type("bedrock.Guardrail"):
        return
    for resource in graph.of_type("iam.Policy", "iam.RolePolicy"):
        for statement in grants(document_at(resource, "policy")):
            if names_embedding_models_only(statement):
                found = ", ".join(sorted({arn.rpartition("/")[2] for arn in statement.resources}))
                place = f"policy[{statement.label}]"
                yield violated(resource, place, found, _WANTED, _FIX, what="allows embeddings without the guardrail")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("bedrock.Guardrail",),
    level=Level.ADVISORY,
)
