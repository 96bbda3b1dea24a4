"""Every customer managed key has one alias.

The console and API identify a key by a UUID; an alias shows the key's purpose to an operator who is about to schedule
its deletion.

The policy cannot see an alias that another stack declares, so it is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "add aws.kms.Alias for the key"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each key."""
    aliases = graph.of_type("kms.Alias")
    unknown = [
        a
        for a in aliases
        if isinstance(a.value("targetKeyId"), Unknown)
        and not graph.referenced(a, "targetKeyId", ("kms.Key",)).resources
    ]
    for key in graph.of_type("kms.Key"):
        if referring(graph, key, "targetKeyId", "kms.Alias", keys=("id", "arn", "keyId")):
            continue
        if unknown:
            yield not_proven(key, "", [f"{alias.label}.targetKeyId" for alias in unknown], "an alias", _FIX)
        else:
            yield violated(key, "", "no alias", "an alias", _FIX, what="has no alias")


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=("kms.Key",), level=Level.ADVISORY
)
