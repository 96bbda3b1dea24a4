"""A web ACL's rules are consistent: labels are set before they are matched, and custom responses are defined and used.

A rule that matches a label which no earlier rule sets never applies. An unused custom response is left over from a
removed rule. AWS refuses two rules with the same priority.

The policy covers the labels of the web ACL's own rules and the label namespaces of managed groups; it accepts any label
of other rule groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...checks import listed
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, WebAclRules, managed, rules_of_web_acls

_WANTED = "rules that are consistent with each other"
_FIX = "restore the rule that sets the label or uses the response, or remove the unused part"
_MANAGED = "awswaf:managed:"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL."""
    for web_acl in rules_of_web_acls(graph):
        if not web_acl.complete:
            yield not_proven(web_acl.acl, "rules", ["rules"], _WANTED, _FIX)
            continue
        yield from _labels(web_acl)
        yield from _answers(web_acl)
        yield from _priorities(web_acl)


def _labels(web_acl: WebAclRules) -> Iterator[Finding]:
    labels: set[str] = set()
    by_group = False
    groups = False
    for rule in web_acl.rules:
        for wanted in sorted(rule.matched_labels()):
            if wanted.startswith("awswaf:clientip:") or _is_set(wanted, labels):
                continue
            if groups if wanted.startswith(_MANAGED) else by_group:
                continue
            place = f"rules[{rule.name}].statement"
            what = f"matches the label {wanted}, which no earlier rule sets"
            yield violated(web_acl.acl, place, wanted, "a label that an earlier rule sets", _FIX, what=what)
        labels.update(rule.labels)
        groups = groups or bool(managed(rule))
        by_group = by_group or bool(rule.of_kind("ruleGroupReferenceStatement"))


def _is_set(wanted: str, labels: set[str]) -> bool:
    return any(
        label == wanted or label.endswith(f":{wanted}") or (wanted.endswith(":") and label.startswith(wanted))
        for label in labels
    )


def _answers(web_acl: WebAclRules) -> Iterator[Finding]:
    bodies = [as_mapping(item) or {} for item in listed(web_acl.acl.value("customResponseBodies"))]
    defined = {str(body.get("key")) for body in bodies}
    default = web_acl.acl.value("defaultAction.block.customResponse.customResponseBodyKey")
    if isinstance(default, Unknown):
        yield not_proven(web_acl.acl, "defaultAction", [default], _WANTED, _FIX)
        return
    used = {rule.body_key for rule in web_acl.rules} | {default}
    for key in sorted(defined - used):
        place, wanted = f"customResponseBodies[{key}]", "a rule that uses this response"
        yield violated(web_acl.acl, place, "no rule", wanted, _FIX, what="is not used")


def _priorities(web_acl: WebAclRules) -> Iterator[Finding]:
    inline = [as_mapping(item) or {} for item in listed(web_acl.acl.value("rules"))]
    for priority, count in sorted(Counter(str(item.get("priority")) for item in inline).items()):
        if count > 1 and priority != "None":
            wanted, fix = "one rule for each priority", "give each rule a different priority"
            yield violated(web_acl.acl, f"rules[priority={priority}]", f"{count} rules", wanted, fix)


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=(ACL,))
