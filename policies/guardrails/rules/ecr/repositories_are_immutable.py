"""Image repositories have immutable tags, scan images on push, and have a lifecycle policy.

Immutable tags keep a released image as it was reviewed; a lifecycle policy keeps unused images from accumulating.

The policy cannot see the results of a scan.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_FIX = "set imageTagMutability to IMMUTABLE and imageScanningConfiguration.scanOnPush to true; add a lifecycle policy"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each repository."""
    for repository in graph.of_type("ecr.Repository"):
        yield from expect(
            repository,
            "imageTagMutability",
            lambda found: str(found).startswith("IMMUTABLE"),
            "IMMUTABLE",
            _FIX,
            default="MUTABLE",
        )
        yield from expect_value(repository, "imageScanningConfiguration.scanOnPush", True, _FIX, default=False)
        if not referring(graph, repository, "repository", "ecr.LifecyclePolicy", keys=("id", "name")):
            yield violated(repository, "", "no lifecycle policy", "a lifecycle policy", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecr.Repository",),
    controls=("ECR.1", "ECR.2", "ECR.3"),
)
