"""No identity policy allows chats at Bedrock's endpoint bedrock-mantle, where no guardrail applies.

AWS documents guardrails for bedrock-runtime only, and the actions of bedrock-mantle have no condition key for one: prompts and
answers pass no filter there, and nothing in IAM can require one. A stack that needs the endpoint declares an exception that
expires.

The policy reports each grant of a policy that is attached to a role. A grant of every action (``*``) is for
iam-identity-policies-are-narrow. It cannot see policies of other stacks.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.matching import matches_action
from ...topology.iam.statements import Statement, grants

_INFER = "bedrock-mantle:CreateInference"
_ENDPOINT = ".bedrock-mantle"
_WANTED = (
    "no calls of bedrock-mantle, or an exception by reviewers who accept that prompts and answers pass no guardrail"
)
_FIX = "call the models at bedrock-runtime with the guardrail, or declare an exception that expires"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each attached identity policy. Where none is known to grant it, an endpoint shows that one not yet known may."""
    granted, unknown = False, list[str]()
    for resource in [*graph.of_type("iam.RolePolicy"), *_attached(graph)]:
        of = document_at(resource, "policy")
        if of.unknown is not None:
            unknown.append(f"{resource.label}.policy")
        for statement in grants(of):
            if _allows(statement):
                granted = True
                models = sorted({value for test in statement.tests("bedrock-mantle:model") for value in test.values})
                found = ", ".join(models) or "every model"
                place = f"policy[{statement.label}]"
                yield violated(resource, place, found, _WANTED, _FIX, what="allows chats without a guardrail")
    if unknown and not granted:
        for endpoint in graph.of_type("ec2.VpcEndpoint"):
            if str(endpoint.value("serviceName")).endswith(_ENDPOINT):
                yield not_proven(endpoint, "serviceName", unknown, _WANTED, _FIX)


def _allows(statement: Statement) -> bool:
    return any(action != "*" and matches_action(action, _INFER) for action in statement.actions)


def _attached(graph: Graph) -> list[Resource]:
    """The managed policies that are attached to a role. Others, such as permissions boundaries, grant nothing."""
    found: dict[str, Resource] = {}
    for attachment in graph.of_type("iam.RolePolicyAttachment"):
        for policy in graph.referenced(attachment, "policyArn", ("iam.Policy",), ("arn", "id")).resources:
            found[policy.urn] = policy
    return [found[urn] for urn in sorted(found)]


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("iam.Policy", "iam.RolePolicy", "iam.RolePolicyAttachment", "ec2.VpcEndpoint"),
    unknown_blocks=False,
)
