"""Secrets that AWS can rotate are rotated at least every 90 days.

A leaked credential works until it is rotated.

The policy checks secrets whose rotation this stack declares, and master secrets that RDS manages.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_FIX = "add aws.secretsmanager.SecretRotation with automaticallyAfterDays of at most 90"
_LONGEST = 90


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each secret and each rotation."""
    for secret in graph.of_type("secretsmanager.Secret"):
        if not referring(graph, secret, "secretId", "secretsmanager.SecretRotation"):
            yield violated(secret, "", "no rotation", f"rotation every {_LONGEST} days or less", _FIX)
    for rotation in graph.of_type("secretsmanager.SecretRotation"):
        yield from _rotation(rotation)


def _rotation(rotation: Resource) -> Iterator[Finding]:
    schedule = rotation.value("rotationRules.scheduleExpression")
    if schedule is not None and not isinstance(schedule, Unknown):
        return
    yield from expect(
        rotation,
        "rotationRules.automaticallyAfterDays",
        lambda found: isinstance(found, int | float) and 0 < found <= _LONGEST,
        f"at most {_LONGEST} days",
        _FIX,
    )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("secretsmanager.Secret", "secretsmanager.SecretRotation"),
    controls=("SecretsManager.1", "SecretsManager.4"),
)
