"""No rule on a plain HTTP listener forwards requests; every redirect is a permanent redirect to HTTPS.

A rule that forwards on port 80 transfers cookies and prompts over the internet in clear text, even if it authenticates.

The default actions of listeners are checked by elb-listeners-use-tls.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "move the rule to the HTTPS listener, and have the port 80 listener only redirect"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each listener rule."""
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        if isinstance(actions, Unknown):
            yield not_proven(rule, "actions", [actions], "actions with known values", _FIX)
            continue
        listeners = graph.referenced(rule, "listenerArn", ("lb.Listener",))
        plain = [listener for listener in listeners if _may_be_plain(listener)]
        for index in range(len(actions)):
            yield from _action(rule, f"actions[{index}]", plain)
            if listeners.resources and not plain:
                yield from _loop(rule, f"actions[{index}].redirect")


def _loop(rule: Resource, path: str) -> Iterator[Finding]:
    """A redirect of an HTTPS listener to itself never ends."""
    target = as_mapping(rule.value(path)) or {}
    usual = {"host": "#{host}", "path": "/#{path}", "port": "443", "protocol": "HTTPS", "query": "#{query}"}
    told = {key: target.get(key) for key in usual}
    unknown = [value for value in told.values() if isinstance(value, Unknown)]
    same = all(
        isinstance(told[key], Unknown) or told[key] in (None, value, f"#{{{key}}}") for key, value in usual.items()
    )
    if target and same and unknown:
        yield not_proven(rule, path, unknown, "a different address", "attach the rule to the listener on port 80")
    elif target and same:
        fix = "attach the rule to the listener on port 80"
        yield violated(rule, path, "its own address", "a different address", fix, what="redirects to itself")


def _may_be_plain(listener: Resource) -> bool:
    protocol = listener.value("protocol")
    return isinstance(protocol, Unknown) or protocol in (None, "HTTP")


def _action(rule: Resource, path: str, plain: list[Resource]) -> Iterator[Finding]:
    kind = rule.value(f"{path}.type")
    if kind == "redirect":
        yield from expect_value(rule, f"{path}.redirect.protocol", "HTTPS", _FIX, default="#{protocol}")
        yield from expect(
            rule,
            f"{path}.redirect.statusCode",
            lambda found: found == "HTTP_301",
            "HTTP_301",
            "make the redirect permanent",
        )
    elif plain and isinstance(plain[0].value("protocol"), Unknown) and kind != "fixed-response":
        yield not_proven(rule, f"{path}.type", [f"{plain[0].label}.protocol"], "a rule on an HTTPS listener", _FIX)
    elif plain and kind != "fixed-response":
        found = f"{kind} on {plain[0].label}, which uses plain HTTP"
        yield violated(rule, f"{path}.type", found, "redirect or fixed-response", _FIX, what="forwards in clear text")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("lb.ListenerRule",),
    controls=("ELB.1", "ELB.18"),
)
