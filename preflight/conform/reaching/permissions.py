"""Whether role, endpoint and resource policies of a stack allow the IAM requests of a call.

Bootstrap creates the roles' permissions boundary, so it is not in this graph: ``preflight.conform.iam`` evaluates it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from policies.guardrails.topology.graph.documents import document
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from preflight.conform.iam.evaluator import Request, allowed
from preflight.conform.reaching.model import REGISTRY, Ask, ClientCall

Statements = list[dict[str, Any]]
ANYTHING: Statements = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
"""Allows everything, for policies in which only a denial counts: a bucket's policy, and policies outside the stack."""
_REGISTRY_ROLE = "arn:aws:iam::000000000000:role/registry"
"""ECR signs the URLs of layers with a principal of AWS's account."""


def refusal(graph: Graph, task: Resource, call: ClientCall, endpoint: Resource | None) -> str:
    """The first IAM request of a call that is not allowed, and the policy that refuses it; empty if all are allowed."""
    for ask in call.asks:
        for name, statements in _in_the_way(graph, task, call, ask, endpoint):
            context = {key: list(values) for key, values in ask.context.items()}
            if endpoint is not None and ask.by_endpoint:
                context["aws:sourcevpce"] = [str(endpoint.value("id"))]
            request = Request(
                action=ask.action, resource=ask.resource, principal=_principal(task, call), context=context
            )
            if not allowed(request, statements):
                return f"{name} does not allow {ask.action} on {ask.resource}"
    return ""


def _principal(task: Resource, call: ClientCall) -> str:
    return _REGISTRY_ROLE if call.role == REGISTRY else str(task.value(call.role))


def _in_the_way(
    graph: Graph, task: Resource, call: ClientCall, ask: Ask, endpoint: Resource | None
) -> Iterator[tuple[str, Statements]]:
    if endpoint is not None and ask.by_endpoint:
        yield f"the policy of {endpoint.label}", _statements(endpoint, "policy") or ANYTHING
    if call.role != REGISTRY:
        yield f"no policy of the role {call.role}", _of_role(graph, str(task.value(call.role)))
    for bucket in graph.of_type("s3.BucketPolicy"):
        if ask.resource.removeprefix("arn:aws:s3:::").partition("/")[0] == bucket.value("bucket"):
            yield f"{bucket.label}", [*ANYTHING, *_statements(bucket, "policy")]


def _of_role(graph: Graph, arn: str) -> Statements:
    """The statements of the role's policies in this stack."""
    roles = [role for role in graph.of_type("iam.Role") if role.value("arn") == arn]
    names = {str(role.value(key)) for role in roles for key in ("name", "id")}
    found: Statements = []
    for policy in graph.of_type("iam.RolePolicy"):
        if str(policy.value("role")) in names:
            found += _statements(policy, "policy")
    for attachment in graph.of_type("iam.RolePolicyAttachment"):
        if str(attachment.value("role")) in names:
            for policy in graph.referenced(attachment, "policyArn", ("iam.Policy",)):
                found += _statements(policy, "policy")
    return found


def _statements(resource: Resource, path: str) -> Statements:
    text = resource.value(path)
    policy = as_mapping(document(text) if isinstance(text, str) else text) or {}
    return cast("Statements", as_list(policy.get("Statement")) or [])
