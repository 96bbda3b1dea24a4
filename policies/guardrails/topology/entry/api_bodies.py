"""The routes that an API imports from an OpenAPI document instead of declaring them one by one.

Each operation with an integration forwards requests, without authentication unless a security scheme of API Gateway (an
authorizer or IAM) is required on it. An API key identifies a usage plan, not the caller, so it does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..graph.documents import document
from ..graph.resources import Resource
from ..graph.values import Unknown, as_list, as_mapping, contains_unknown
from ..network.paths import MISSED, PASSED, Pass

_INTEGRATION = "x-amazon-apigateway-integration"
_AUTHORIZERS = ("x-amazon-apigateway-authorizer", "x-amazon-apigateway-authtype")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, its place in the document, and whether it authenticates the caller."""

    place: str
    authentication: Pass
    signed: bool = False
    """Whether a signature of IAM is what it asks for."""


def operations(api: Resource) -> Iterator[Operation]:
    """The operations that forward requests; one unknown operation if the document cannot be read."""
    body = api.value("body")
    if body is None or body == "":
        return
    read = as_mapping(document(body) if isinstance(body, str) else body)
    if isinstance(body, Unknown) or read is None or contains_unknown(body):
        yield Operation("body", Pass(None, (f"{api.label}.body",)))
        return
    schemes = _schemes(read)
    for path, item in sorted((as_mapping(read.get("paths")) or {}).items()):
        for method, details in sorted((as_mapping(item) or {}).items()):
            operation = as_mapping(details) or {}
            integration = as_mapping(operation.get(_INTEGRATION))
            if integration is None or str(integration.get("type")).lower() == "mock":
                continue
            place = f"body[{method.removeprefix('x-amazon-apigateway-')} {path}]"
            signed = _is_signed(operation)
            yield Operation(place, PASSED if signed or _asks(read, operation, schemes) else MISSED, signed)


def _schemes(read: dict[str, Any]) -> set[str]:
    """The names of the security schemes that API Gateway itself enforces."""
    components = as_mapping(read.get("components")) or {}
    declared = {
        **(as_mapping(components.get("securitySchemes")) or {}),
        **(as_mapping(read.get("securityDefinitions")) or {}),
    }
    return {name for name, scheme in declared.items() if set(_AUTHORIZERS) & set(as_mapping(scheme) or {})}


def _is_signed(operation: dict[str, Any]) -> bool:
    return str((as_mapping(operation.get("x-amazon-apigateway-auth")) or {}).get("type")).upper() == "AWS_IAM"


def _asks(read: dict[str, Any], operation: dict[str, Any], schemes: set[str]) -> bool:
    choices = as_list(operation.get("security", read.get("security"))) or []
    return bool(choices) and all(schemes & set(as_mapping(choice) or {}) for choice in choices)
