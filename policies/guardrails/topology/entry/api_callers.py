"""Whom an API admits before a route asks for a login: by its resource policy, or because only a network reaches it."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph.documents import document_at
from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from ..iam.statements import admits_every_account
from ..network.paths import MISSED, PASSED, Pass

REST = "apigateway.RestApi"


def is_private(api: Resource) -> bool | None:
    """Whether only VPC endpoints reach it, which is possible for REST APIs; ``None`` if that is not known yet."""
    kinds = api.value("endpointConfiguration.types")
    if isinstance(kinds, Unknown):
        return None
    return isinstance(kinds, str | list) and "PRIVATE" in kinds


def policies_of(graph: Graph, api: Resource) -> list[Resource]:
    """The resources that declare a policy of a REST API: itself, or separate ones."""
    separate = [
        policy
        for policy in graph.of_type("apigateway.RestApiPolicy")
        if api in graph.referenced(policy, "restApiId", types=(REST,)).resources
    ]
    return [api, *separate]


def bounded(policies: Iterable[Resource], *, without: Pass) -> Pass:
    """Whether the policies of an API limit its callers; ``without`` is the answer if there are none."""
    declared = [item for item in policies if item.declares("policy") and item.value("policy") not in (None, "")]
    documents = [(policy, document_at(policy, "policy")) for policy in declared]
    if any(document.unreadable or admits_every_account(document) for _, document in documents):
        return MISSED
    unknown = tuple(f"{policy.label}.policy" for policy, document in documents if document.unknown is not None)
    if unknown:
        return Pass(None, unknown)
    return PASSED if documents else without
