"""A grant to use a key is limited to a service or to certain data, by kms:ViaService or an encryption context.

A role with an unlimited right to decrypt can read everything encrypted with the key, not only the data it was meant
for.

An application that calls KMS directly needs such a grant, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import grants

_WANTED = "a condition on kms:ViaService or kms:EncryptionContext"
_FIX = "add kms:ViaService, or the encryption context, to the statement's conditions"
_BOUNDS = ("kms:encryptioncontext", "kms:grantisforawsresource", "kms:viaservice")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One identity policy."""
    of = document_at(resource, "policy")
    yield from undecided(resource, "policy", of, _WANTED, _FIX)
    for item in grants(of):
        uses = any(action.lower().startswith("kms:") for action in item.actions)
        if uses and not any(key.startswith(_BOUNDS) for key in item.keys):
            yield violated(resource, f"policy[{item.label}].Condition", "no such condition", _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy"),
    level=Level.ADVISORY,
)
