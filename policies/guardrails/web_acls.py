"""The rules of a web ACL and their effects, whether they are inline or separate resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from .checks import listed
from .joins import referring
from .topology.graph.resources import Graph, Resource, Unknown, contains_unknown
from .topology.graph.values import Value, as_mapping

ACL = "wafv2.WebAcl"
COMMON_RULES = "AWSManagedRulesCommonRuleSet"
_NESTED = ("andStatement", "orStatement", "notStatement")
_SEPARATE = (
    "action", "name", "overrideAction", "priority", "ruleLabels", "statement", "visibilityConfig",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WebAclRule:
    """One rule: its name, its action, and every statement in it."""

    name: str
    priority: float
    actions: frozenset[str]
    """Its actions: ``allow``, ``block``, ``count``, ``captcha``, ``challenge``."""
    overridden: bool
    """Whether all actions of a rule group are changed to counting."""
    labels: tuple[str, ...]
    """The labels that it sets."""
    statement: Mapping[str, Any]
    body_key: str
    """The custom response body that it uses."""
    unclear: bool
    """Whether its priority or its effect is not known yet."""

    @property
    def blocks(self) -> bool:
        """Whether the rule's own action is to block."""
        return "block" in self.actions

    @property
    def counts(self) -> bool:
        """Whether it only counts."""
        return "count" in self.actions

    @property
    def ends(self) -> bool:
        """Whether it may block a request: by its own action, or by the rules of a group."""
        return bool(self.actions & {"block", "captcha", "challenge"}) or (not self.actions and not self.overridden)

    @property
    def statements(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Every statement in it, by kind, without the statements that narrow a rate or a group."""
        return list(_statements(self.statement))

    def of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        """The bodies of its statements of one kind."""
        return [body for name, body in self.statements if name == kind]

    def matched_labels(self) -> set[str]:
        """The labels that it matches, including those that narrow a rate or a group; a namespace ends with ``:``."""
        found = [body for name, body in _statements(self.statement, narrowing=True) if name == "labelMatchStatement"]
        return {str(body.get("key")) for body in found}


@dataclass(frozen=True, slots=True)
class WebAclRules:
    """The rules of one web ACL by priority; ``complete`` is false if some of them are not known yet."""

    acl: Resource
    rules: tuple[WebAclRule, ...]
    complete: bool


def rules_of_web_acls(graph: Graph) -> list[WebAclRules]:
    """Every web ACL with its rules, read once for a graph."""
    found: list[WebAclRules] | None = graph.memory.get(__name__)
    if found is None:
        found = graph.memory[__name__] = [_web_acl_rules(graph, acl) for acl in graph.of_type(ACL)]
    return found


def _web_acl_rules(graph: Graph, acl: Resource) -> WebAclRules:
    inline = acl.items("rules")
    complete = not isinstance(inline, Unknown) and not contains_unknown(inline)
    raw: list[Mapping[str, Any]] = (
        [] if isinstance(inline, Unknown) else [item for item in inline if isinstance(item, Mapping)]
    )
    for resource in referring(graph, acl, "webAclArn", "wafv2.WebAclRule"):
        known = {key: resource.value(key) for key in _SEPARATE}
        known["name"] = resource.name if known["name"] is None else known["name"]
        complete = complete and not contains_unknown(known)
        raw.append(known)
    rules: list[WebAclRule] = []
    for item in raw:
        rules.append(rule := _rule(item))
        for group in _groups(graph, acl, rule):
            inner = group.items("rules")
            complete = complete and not isinstance(inner, Unknown) and not contains_unknown(inner)
            known_inner = [] if isinstance(inner, Unknown) else [_rule(entry) for entry in inner if as_mapping(entry)]
            rules += [replace(entry, priority=rule.priority) for entry in sorted(known_inner, key=_priority)]
    return WebAclRules(acl, tuple(sorted(rules, key=_priority)), complete)


def _priority(rule: WebAclRule) -> float:
    return rule.priority


def _groups(graph: Graph, acl: Resource, rule: WebAclRule) -> list[Resource]:
    """The rule groups of this stack that a rule applies with their own actions."""
    named = [body.get("arn") for body in rule.of_kind("ruleGroupReferenceStatement")]
    if rule.overridden or not named:
        return []
    return list(graph.referenced(acl, "rules", ("wafv2.RuleGroup",), value=named))


def _rule(raw: Mapping[str, Any]) -> WebAclRule:
    action, override = as_mapping(raw.get("action")) or {}, as_mapping(raw.get("overrideAction")) or {}
    block, priority = as_mapping(action.get("block")) or {}, raw.get("priority")
    response = as_mapping(block.get("customResponse")) or {}
    labels = [as_mapping(item) or {} for item in listed(raw.get("ruleLabels"))]
    deciding = (raw.get("priority"), raw.get("overrideAction"), raw.get("action"), *action.values(), *override.values())
    return WebAclRule(
        name=_text(raw.get("name")),
        priority=float(priority) if isinstance(priority, int | float) else 0.0,
        actions=frozenset(name for name, value in action.items() if value is not None),
        overridden=override.get("count") is not None,
        labels=tuple(_text(label.get("name")) for label in labels),
        statement=as_mapping(raw.get("statement")) or {},
        body_key=_text(response.get("customResponseBodyKey")),
        unclear=any(isinstance(value, Unknown) for value in deciding),
    )


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _statements(statement: Value, *, narrowing: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(statement, Mapping):
        return
    for kind, value in sorted(cast("Mapping[str, Any]", statement).items()):
        body = as_mapping(value)
        if body is None:
            continue
        yield kind, body
        inner = [*listed(body.get("statements")), *listed(body.get("statement"))] if kind in _NESTED else []
        for item in [*inner, *(listed(body.get("scopeDownStatement")) if narrowing else [])]:
            yield from _statements(item, narrowing=narrowing)


def fields(body: Mapping[str, Any]) -> set[str]:
    """The part that a match statement inspects: ``cookies``, ``uriPath``, or ``header:<name>`` for one header."""
    known = as_mapping(body.get("fieldToMatch")) or {}
    found = {key for key, value in known.items() if value is not None and key != "singleHeader"}
    header = as_mapping(known.get("singleHeader"))
    if header is not None:
        found.add(f"header:{str(header.get('name')).lower()}")
    return found


def present(statement: Mapping[str, Any]) -> set[str]:
    """The fields whose presence alone is enough for a statement to match."""
    found: set[str] = set()
    for kind, value in statement.items():
        body = as_mapping(value) or {}
        inner = [present(item) for entry in listed(body.get("statements")) if (item := as_mapping(entry)) is not None]
        if kind == "orStatement":
            found |= set[str]().union(*inner)
        elif kind == "andStatement" and inner:
            found |= inner[0].intersection(*inner[1:])
        elif (kind == "sizeConstraintStatement" and _always(body)) or (
            kind == "regexMatchStatement" and str(body.get("regexString")) in _ANYTHING
        ):
            found |= fields(body)
    return found


_ANYTHING = (".", ".*", ".+", "^.*$", "^.+$")


def _always(body: Mapping[str, Any]) -> bool:
    """Whether a size constraint holds for every value that is there."""
    size, operator = body.get("size"), body.get("comparisonOperator")
    return (operator, size) in (("GE", 0), ("GE", 1), ("GT", 0))


def managed(rule: WebAclRule) -> list[Mapping[str, Any]]:
    """The managed rule groups that a rule applies."""
    return rule.of_kind("managedRuleGroupStatement")


def counted(group: Mapping[str, Any]) -> list[str]:
    """The rules of a managed group that count instead of acting."""
    overrides = [as_mapping(item) or {} for item in listed(group.get("ruleActionOverrides"))]
    return [
        str(item.get("name"))
        for item in overrides
        if not {"block", "captcha", "challenge"} & set(as_mapping(item.get("actionToUse")) or {})
    ] + [str((as_mapping(item) or {}).get("name")) for item in listed(group.get("excludedRules"))]
