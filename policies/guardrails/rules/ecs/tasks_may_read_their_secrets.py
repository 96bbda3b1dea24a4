"""A task's execution role may read each secret in the task definition and decrypt with the secret's key.

A policy on the wrong role, or a secret encrypted with another key, makes the next deployment fail and invites a grant
that is too broad.

The policy checks secrets, keys and roles of this stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ...checks import containers, listed
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, contains_unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.matching import matches
from ...topology.iam.statements import Statement, grants

_WANTED = "a statement on the execution role for this secret and its key"
_FIX = "allow the execution role to read the secret (secretsmanager:GetSecretValue) and to decrypt with its key (kms:Decrypt)"
_CONTEXT = "kms:encryptioncontext:secretarn"
_INSIDE = ("inlinePolicies", "managedPolicyArns")
_KEYS = ("arn", "id", "name")


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each secret of each container."""
    for task in graph.of_type("ecs.TaskDefinition"):
        found, undecided = containers(task, _WANTED, _FIX)
        yield from undecided
        roles = graph.referenced(task, "executionRoleArn", ("iam.Role",), _KEYS).resources
        if len(roles) != 1 or _has_managed(graph, roles[0]):
            continue
        policies = [document_at(p, "policy") for p in referring(graph, roles[0], "role", "iam.RolePolicy", keys=_KEYS)]
        named = {
            str(cast("dict[str, object]", as_mapping(item) or {}).get("valueFrom"))
            for container in found
            for item in listed(container.get("secrets"))
        }
        if named and (_is_unclear(roles[0]) or any(policy.unknown is not None for policy in policies)):
            yield not_proven(task, "executionRoleArn", [f"the policies of {roles[0].label}"], _WANTED, _FIX)
            continue
        allowed = [item for policy in policies for item in grants(policy)]
        for secret in graph.of_type("secretsmanager.Secret"):
            arn = secret.value("arn")
            if isinstance(arn, str) and any(value.startswith(arn) for value in named):
                yield from _secret(graph, roles[0], secret, arn, allowed)


def _has_managed(graph: Graph, role: Resource) -> bool:
    """Whether the role has policies that are not evaluated here."""
    inline = not _is_unclear(role) and any(role.value(path) not in (None, []) for path in _INSIDE)
    attached = referring(graph, role, "role", "iam.RolePolicyAttachment", keys=_KEYS)
    custom = [item for item in attached if ":iam::aws:" not in str(item.value("policyArn"))]
    return inline or bool(custom)


def _is_unclear(role: Resource) -> bool:
    return any(contains_unknown(role.value(path)) for path in _INSIDE)


def _secret(graph: Graph, role: Resource, secret: Resource, arn: str, allowed: list[Statement]) -> Iterator[Finding]:
    if not _may(allowed, "secretsmanager:GetSecretValue", arn):
        yield violated(
            role,
            "",
            f"no statement for {secret.name}",
            _WANTED,
            _FIX,
            what="cannot be read by the task's execution role",
        )
    for key in graph.referenced(secret, "kmsKeyId", ("kms.Key",), ("arn", "id", "keyId")):
        key_arn = key.value("arn")
        if contains_unknown(key_arn):
            yield not_proven(secret, "kmsKeyId", [f"{key.label}.arn"], _WANTED, _FIX)
        elif isinstance(key_arn, str) and not _may(
            [item for item in allowed if _is_about(item, arn)], "kms:Decrypt", key_arn
        ):
            found = f"{key.name}, which {role.name} may not use to decrypt"
            yield violated(
                secret,
                "kmsKeyId",
                found,
                _WANTED,
                _FIX,
                what="is encrypted with a key that the execution role may not use",
            )


def _is_about(statement: Statement, secret: str) -> bool:
    """Whether the statement's encryption context does not restrict it to other secrets."""
    named = [value for item in statement.tests(_CONTEXT) for value in item.values]
    return not named or any(matches(value, secret) for value in named)


def _may(allowed: list[Statement], action: str, arn: str) -> bool:
    return any(item.covers(action) and item.covers_resource(arn) for item in allowed)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    unknown_blocks=False,
)
