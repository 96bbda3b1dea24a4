"""Every vault that a backup plan fills belongs to a restore testing plan, which restores each resource that is backed up.

A copy whose key was lost, or that the role may no longer restore, looks like any other until it is needed.

The policy checks this stack's plans; it cannot see tests of another stack, of another account or by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "a restore testing plan with a selection, which includes the vault"
_FIX = "add aws.backup.RestoreTestingPlan with the vault in includeVaults, and a RestoreTestingSelection"
_SELECTION, _TESTED = "backup.RestoreTestingSelection", "protectedResourceArns"
_VAULTS = "recoveryPointSelection.includeVaults"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each vault of this stack that a backup plan of this stack fills."""
    filled = {vault.urn: vault for plan in graph.of_type("backup.Plan") for vault in _vaults(graph, plan)}
    tests = [plan for plan in graph.of_type("backup.RestoreTestingPlan") if _has_selection(graph, plan)]
    for urn in sorted(filled):
        found = [_includes(graph, plan, filled[urn]) for plan in tests]
        if True in found:
            continue
        if None in found:
            yield not_proven(filled[urn], "", [_VAULTS], _WANTED, _FIX)
        else:
            yield violated(filled[urn], "", "no restore testing plan", _WANTED, _FIX)
    yield from _untested(graph)


def _untested(graph: Graph) -> Iterator[Finding]:
    """Resources of this stack that are backed up and that no restore test selects, where there are restore tests."""
    tests = graph.of_type(_SELECTION)
    wanted, fix = "a restore test that selects it", "add its ARN to protectedResourceArns of a RestoreTestingSelection"
    backed_up = {
        one.urn: one
        for selection in graph.of_type("backup.Selection")
        for one in graph.referenced(selection, "resources")
    }
    for urn in sorted(backed_up) if tests else ():
        resource = backed_up[urn]
        found = [_selects(graph, test, resource) for test in tests]
        if True in found:
            continue
        if None in found:
            yield not_proven(resource, "", [_TESTED], wanted, fix)
        else:
            yield violated(resource, "", "no restore test", wanted, fix, what="is backed up and never restored")


def _selects(graph: Graph, test: Resource, resource: Resource) -> bool | None:
    listed, conditions = test.items(_TESTED), test.value("protectedResourceConditions")
    if (not isinstance(conditions, Unknown) and conditions is not None) or (isinstance(listed, list) and "*" in listed):
        return True
    named = graph.referenced(test, _TESTED, types=(resource.kind,))
    if any(one.urn == resource.urn for one in named):
        return True
    return None if named.unknowns or isinstance(conditions, Unknown) else False


def _vaults(graph: Graph, plan: Resource) -> Iterator[Resource]:
    rules = plan.items("rules")
    for index in range(0 if isinstance(rules, Unknown) else len(rules)):
        yield from graph.referenced(plan, f"rules[{index}].targetVaultName", types=("backup.Vault",))


def _has_selection(graph: Graph, plan: Resource) -> bool:
    return any(
        one.urn == plan.urn
        for selection in graph.of_type("backup.RestoreTestingSelection")
        for one in graph.referenced(selection, "restoreTestingPlanName", types=("backup.RestoreTestingPlan",))
    )


def _includes(graph: Graph, plan: Resource, vault: Resource) -> bool | None:
    listed = plan.items(_VAULTS)
    if isinstance(listed, list) and "*" in listed:
        return True
    named = graph.referenced(plan, _VAULTS, types=("backup.Vault",))
    if any(one.urn == vault.urn for one in named):
        return True
    return None if named.unknowns else False


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("backup.Plan", "backup.RestoreTestingPlan", "backup.RestoreTestingSelection", "backup.Vault"),
    level=Level.ADVISORY,
)
