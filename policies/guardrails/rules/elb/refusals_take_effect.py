"""A listener rule that refuses requests is on a listener that forwards some.

On a listener that only redirects or answers itself, such a rule refuses nothing: the requests that it was made for pass by another
listener.

The policy reads the rules and default actions of this stack's listeners; which paths to refuse is for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_RULE, _PATH = "lb.ListenerRule", "listenerArn"
_WANTED = "a listener that forwards requests"
_FIX = "name the listener whose requests the rule refuses"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each listener of which a rule refuses requests."""
    for listener in graph.of_type("lb.Listener"):
        rules = referring(graph, listener, _PATH, _RULE)
        refusing = [rule for rule in rules if _kinds(rule, "actions") == {"fixed-response"}]
        kinds = [_kinds(listener, "defaultActions"), *(_kinds(rule, "actions") for rule in rules)]
        if any("forward" in found for found in kinds):
            continue
        unknown = any(None in found for found in kinds)
        for rule in refusing:
            if unknown:
                yield not_proven(rule, _PATH, [f"{listener.label}.defaultActions"], _WANTED, _FIX)
            else:
                what = "refuses requests where none is forwarded"
                yield violated(rule, _PATH, listener.name, _WANTED, _FIX, what=what)


def _kinds(resource: Resource, path: str) -> set[str | None]:
    """The types of a list of actions; ``None`` stands for one that is not known yet."""
    actions = resource.items(path)
    if isinstance(actions, Unknown):
        return {None}
    kinds = [action if isinstance(action, Unknown) else (as_mapping(action) or {}).get("type") for action in actions]
    return {None if isinstance(kind, Unknown) else str(kind) for kind in kinds}


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=(_RULE,),
    level=Level.ADVISORY,
    unknown_blocks=False,
)
