"""The calls that a command declares, and the IAM actions that they need."""

from __future__ import annotations

from collections.abc import Mapping

from preflight.account.session import Calls

_PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
"""boto3's name of a service → prefix of its IAM actions, where they differ."""


def declared(operations: Mapping[str, tuple[str, ...]], exceptions: Calls) -> Calls:
    """Service and method of boto3 → IAM actions; ``exceptions`` lists the calls whose action has a different name."""
    return {
        (service, operation): exceptions.get((service, operation), (_action(service, operation),))
        for service, methods in sorted(operations.items())
        for operation in methods
    }


def _action(service: str, operation: str) -> str:
    name = "".join(word.capitalize() for word in operation.split("_"))
    return f"{_PREFIXES.get(service, service)}:{name}"
