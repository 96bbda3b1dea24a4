"""The WAF's log keeps every block and every detection, and drops records of ordinary requests.

A record contains the actions of the rules that matched and the labels that they set; the first filter whose conditions
match decides, otherwise the default. Records are derived from the web ACL: a block, a match of each managed rule that
only counts, a match of each rule in count mode, and ordinary requests with the labels that rules set.

Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingFilter.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.http.requests import Trail
from policies.guardrails.topology.waf.web_acl import WebAcl, managed_label
from policies.guardrails.web_acl_limits import COMMON_LIMITS
from preflight.conform.firewall_headers import ordinary
from preflight.conform.stack_file import preset_of
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

RULE = "conform-firewall-log"
SOURCE = "https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingFilter.html"
_TRIED_OUT = "count-only:"
_ACTIONS = ("allow", "block", "captcha", "challenge", "count")


@dataclass(frozen=True, slots=True)
class Record:
    """One log record, as evaluated by the filter."""

    what: str
    actions: frozenset[str]
    labels: frozenset[str]
    kept: bool
    """Whether the log must keep the record; otherwise it must drop it."""


def findings(recording: Recording) -> list[Finding]:
    """Each record that a web ACL's log should keep but drops, or the reverse."""
    graph = Graph.from_recorded(recording.resources)
    found: list[Finding] = []
    for acl in graph.of_type("wafv2.WebAcl"):
        for log in graph.of_type("wafv2.WebAclLoggingConfiguration"):
            if acl in graph.referenced(log, "resourceArn", types=("wafv2.WebAcl",)).resources:
                found += _log(recording.stack, log, list(_records(recording.stack, graph, acl)))
    return sorted(found, key=lambda finding: finding.key)


def keeps(filter_: Mapping[str, Any] | None, record: Record) -> bool:
    """Whether a logging filter keeps a record; a log without a filter keeps all."""
    if filter_ is None:
        return True
    for item in as_list(filter_.get("filters")) or []:
        one = as_mapping(item) or {}
        met = [_met(as_mapping(condition) or {}, record) for condition in as_list(one.get("conditions")) or []]
        if met and (all(met) if one.get("requirement") == "MEETS_ALL" else any(met)):
            return one.get("behavior") == "KEEP"
    return filter_.get("defaultBehavior") == "KEEP"


def _met(condition: Mapping[str, Any], record: Record) -> bool:
    action, label = as_mapping(condition.get("actionCondition")), as_mapping(condition.get("labelNameCondition"))
    if action is not None:
        return action.get("action") in record.actions
    return label is not None and str(label.get("labelName")).lower() in {known.lower() for known in record.labels}


def _records(stack: str, graph: Graph, resource: Resource) -> Iterator[Record]:
    acl = WebAcl(graph, resource)
    yield Record("a block", frozenset({"BLOCK"}), frozenset(), kept=True)
    marks = Record("a block of a marked request", frozenset({"BLOCK", "COUNT"}), frozenset({"path:upload"}), kept=True)
    yield marks
    for what, request in ordinary(preset_of(stack)).items():
        trail = Trail(request)
        if acl.evaluate(trail) is None:
            labels = frozenset(_own(resource, label) for label in trail.labels)
            yield Record(f"{what}, allowed", frozenset({"ALLOW", "COUNT"}), labels, kept=False)
    for _, name, _, _, rule in acl.rules:
        own = [str((as_mapping(item) or {}).get("name")) for item in as_list(rule.get("ruleLabels")) or []]
        tried = frozenset(_own(resource, label) for label in own if label.startswith(_TRIED_OUT))
        if tried:
            yield Record(f"a match of {name}, which only counts", frozenset({"ALLOW", "COUNT"}), tried, kept=True)
        yield from _managed(rule)


def _managed(rule: Mapping[str, Any]) -> Iterator[Record]:
    group = as_mapping((as_mapping(rule.get("statement")) or {}).get("managedRuleGroupStatement"))
    for item in as_list((group or {}).get("ruleActionOverrides")) or []:
        override = as_mapping(item) or {}
        if "count" in (as_mapping(override.get("actionToUse")) or {}):
            name = str(override.get("name"))
            label = managed_label(str((group or {}).get("name")), name)
            # A managed size rule that our own limits replace is not a detection: ordinary prompts exceed it.
            kept = name not in COMMON_LIMITS
            actions = frozenset({"ALLOW", "COUNT", "EXCLUDED_AS_COUNT"})
            yield Record(f"a match of {name}, which counts", actions, frozenset({label}), kept=kept)


def _own(acl: Resource, label: str) -> str:
    """The full name of a label of the web ACL's own rules."""
    if label.startswith("awswaf:"):
        return label
    arn = str(acl.value("arn") or "")
    account = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 - the account is an ARN's fifth field
    return f"awswaf:{account}:webacl:{acl.value('name')}:{label}"


def _log(stack: str, log: Resource, records: list[Record]) -> Iterator[Finding]:
    filter_ = as_mapping(log.value("loggingFilter"))
    for record in records:
        if keeps(filter_, record) is not record.kept:
            verb, wanted = ("drops", "a filter that keeps it") if record.kept else ("keeps", "a filter that drops it")
            yield Finding(
                environment=stack,
                pack="conform",
                rule=RULE,
                verdict=Verdict.VIOLATED,
                headline=f"{log.label}.loggingFilter {verb} {record.what}",
                urn=log.urn,
                found=f"actions {', '.join(sorted(record.actions))}; labels {', '.join(sorted(record.labels)) or 'none'}",
                wanted=f"{wanted} ({SOURCE})",
                fix="keep BLOCK and the labels of detections; do not keep every COUNT or EXCLUDED_AS_COUNT",
            )
