"""What the rules of a web ACL do, whether they are declared inside it or as resources of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .checks import listed
from .joins import referring
from .topology.resources import Graph, Resource, Unknown, contains_unknown
from .topology.values import Value, as_mapping

ACL = "wafv2.WebAcl"
COMMON_RULES = "AWSManagedRulesCommonRuleSet"
_NESTED = ("andStatement", "orStatement", "notStatement")


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """One rule: its name, whether it blocks, counts or labels by itself, and every statement in it."""

    name: str
    blocks: bool
    counts: bool
    labels: bool
    statements: tuple[tuple[str, Mapping[str, Any]], ...]
    metrics: Any

    def of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        """The bodies of its statements of one kind."""
        return [body for name, body in self.statements if name == kind]


@dataclass(frozen=True, slots=True)
class Firewall:
    """The rules of one web ACL; ``complete`` is false where a part of them is not known yet."""

    acl: Resource
    rules: tuple[FirewallRule, ...]
    complete: bool


def firewalls(graph: Graph) -> list[Firewall]:
    """Every web ACL with its rules."""
    return [_firewall(graph, acl) for acl in graph.of_type(ACL)]


def _firewall(graph: Graph, acl: Resource) -> Firewall:
    inline = acl.items("rules")
    complete = not isinstance(inline, Unknown) and not contains_unknown(inline)
    raw: list[Mapping[str, Any]] = (
        [] if isinstance(inline, Unknown) else [item for item in inline if isinstance(item, Mapping)]
    )
    for resource in referring(graph, acl, "webAclArn", "wafv2.WebAclRule"):
        known = {key: resource.value(key) for key in ("name", "action", "ruleLabels", "statement", "visibilityConfig")}
        complete = complete and not contains_unknown(known)
        raw.append(known)
    return Firewall(acl, tuple(_rule(item) for item in raw), complete)


def _rule(raw: Mapping[str, Any]) -> FirewallRule:
    action = as_mapping(raw.get("action")) or {}
    blocks = action.get("block") is not None
    return FirewallRule(
        str(raw.get("name", "")),
        blocks,
        action.get("count") is not None,
        raw.get("ruleLabels") not in (None, []),
        tuple(_statements(raw.get("statement"))),
        raw.get("visibilityConfig"),
    )


def _statements(statement: Value) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(statement, Mapping):
        return
    for kind, value in sorted(cast("Mapping[str, Any]", statement).items()):
        body = as_mapping(value)
        if body is None:
            continue
        yield kind, body
        if kind in _NESTED:
            for item in [*listed(body.get("statements")), *listed(body.get("statement"))]:
                yield from _statements(item)


def fields(body: Mapping[str, Any]) -> set[str]:
    """What a match statement looks at: ``cookies``, ``uriPath``, or ``header:<name>`` for one header."""
    known = as_mapping(body.get("fieldToMatch")) or {}
    found = {key for key, value in known.items() if value is not None and key != "singleHeader"}
    header = as_mapping(known.get("singleHeader"))
    if header is not None:
        found.add(f"header:{str(header.get('name')).lower()}")
    return found


def managed(rule: FirewallRule) -> list[Mapping[str, Any]]:
    """The managed rule groups that a rule applies."""
    return rule.of_kind("managedRuleGroupStatement")
