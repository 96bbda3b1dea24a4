"""A report as JSON, Markdown (for a pull request), SARIF and JUnit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from xml.etree import ElementTree as Xml

from preflight.findings import Connectivity, Finding, Report, Rule, Verdict, by_cause, grouped
from preflight.report.comment import fitted
from preflight.sdk.wire import Json, Wire

MARKER = "<!-- ai-interface preflight -->"
"""Marks the comment that is updated on every push."""
_LONGEST_VALUE = 2_000
"""Characters of one detail of a finding."""
_MOST_EXCEPTIONS = 60
_SARIF_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}


def as_json(report: Report) -> str:
    """The whole report as sorted JSON, without the duration, so that two runs give the same text."""
    content: Wire = asdict(report)
    del content["seconds"]
    for shown, connectivity in zip(content["connectivity"], report.connectivity, strict=True):
        shown["ingress"] = list(map(str, connectivity.ingress))
    content["clean"] = report.exit_code == 0
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_markdown(report: Report) -> str:
    """A comment for a pull request: the verdict first, details folded away. Findings that do not fit are named."""
    return fitted(markdown_blocks(report))


def markdown_blocks(report: Report) -> list[tuple[str, str]]:
    """Name and Markdown of each part, each complete in itself, the most important first."""
    groups = grouped(report.failing)
    blocks = [("the verdict", "\n".join(_markdown_verdict(report, len(groups))))]
    blocks += [
        (f"finding {one.rule}", "\n".join(_markdown_finding(one, where, others)))
        for one, where, others in by_cause(groups)
    ]
    blocks += [(f"paths of {one.environment}", _markdown_paths(one)) for one in report.connectivity]
    if advice := grouped([f for f in report.findings if f.is_advice]):
        blocks.append(("advice", _markdown_advice(advice)))
    allowed = grouped([f for f in report.findings if f.exemption is not None])
    if allowed:
        blocks.append(("exceptions", _markdown_exceptions(allowed)))
    return blocks


def _markdown_verdict(report: Report, failing: int) -> list[str]:
    verdict = "clean" if not failing else f"{failing} finding{'' if failing == 1 else 's'} to act on"
    lines = [MARKER, f"### {report.project} preflight: {verdict}", ""]
    lines += ["| environment | resources | proven | violated | not proven | advice | exceptions | next expires |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---|"]
    for e in report.environments:
        numbers = (e.resources, e.proven, e.violated, e.not_proven, e.advised, e.exceptions)
        lines.append(f"| {e.name} | {' | '.join(map(str, numbers))} | {e.next_expiry} |")
    if report.parity is not None:
        declared = ", ".join(f"{kind} {number}" for kind, number in sorted(report.parity.declared.items()))
        lines += ["", f"**Parity:** {report.parity.verdict}" + (f": {declared}" if declared else "")]
    for note in report.notes:
        lines += ["", f"**Note:** {_escape(note)}"]
    return lines


def _markdown_advice(advice: Sequence[tuple[Finding, tuple[str, ...]]]) -> str:
    lines = [f"<details><summary>{len(advice)} pieces of advice, which do not fail the check</summary>", ""]
    for finding, environments in advice[:_MOST_EXCEPTIONS]:
        where = f", {_escape(finding.details['source'])}" if "source" in finding.details else ""
        headline = _short(_escape(finding.headline))
        lines.append(f"- {finding.verdict}: `{finding.rule}` {headline} ({', '.join(environments)}{where})")
    more = len(advice) - _MOST_EXCEPTIONS
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else []), "", "</details>"])


def _markdown_paths(connectivity: Connectivity) -> str:
    proof = "no other ingress path (proven)" if connectivity.proven else "not proven that no other ingress path exists"
    ingress = "; ".join(map(str, connectivity.ingress)) or "none"
    lines = [f"**{connectivity.environment}** ingress: {_escape(ingress)}; {proof}."]
    lines += [f"Egress: {_escape(', '.join(connectivity.egress)) or 'none'}."]
    lines += [f"Access: {_escape(sentence)}." for sentence in connectivity.admission]
    return "\n".join(lines)


def _markdown_exceptions(allowed: Sequence[tuple[Finding, tuple[str, ...]]]) -> str:
    lines = [f"<details><summary>{len(allowed)} allowed by exceptions</summary>", ""]
    for finding, environments in allowed[:_MOST_EXCEPTIONS]:
        if finding.exemption is not None:
            until = f"until {finding.exemption.expires}, {_escape(finding.exemption.owner)}"
            where = ", ".join(environments)
            reason = _short(_escape(finding.exemption.reason))
            lines.append(f"- `{finding.rule}` {_short(_escape(finding.headline))} ({where}; {until}): {reason}")
    more = len(allowed) - _MOST_EXCEPTIONS
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else []), "", "</details>"])


def _short(escaped: str) -> str:
    """Escaped text within a length, without half of an entity."""
    if len(escaped) <= _LONGEST_VALUE:
        return escaped
    start = escaped[:_LONGEST_VALUE]
    start = start.rpartition("&")[0] if "&" in start[-6:] else start
    return start.rstrip("\\") + " …"


def _markdown_finding(finding: Finding, environments: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    facts = f"`{finding.rule}` · {', '.join(environments)}" + (f" · {finding.severity}" if finding.severity else "")
    lines = [
        f"<details open><summary><b>{finding.verdict}</b>: {_short(_escape(finding.headline))}</summary>",
        "",
        facts,
        "",
    ]
    lines += [f"- **{label}:** {_short(_escape(value))}" for label, value in finding.details.items()]
    if others:
        lines.append(f"- **also ({len(others)}):** {_short(_escape(', '.join(others)))}")
    return [*lines, "", "</details>"]


def _escape(text: str) -> str:
    for character in ("&", "<", ">"):
        text = text.replace(character, {"&": "&amp;", "<": "&lt;", ">": "&gt;"}[character])
    for character in "\\`*_[]|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0 with the line that created each resource; excepted findings are suppressed results."""
    rules = sorted(report.rules, key=lambda rule: rule.name)
    known = {rule.name for rule in rules}
    extra = sorted({f.rule for f in report.findings} - known)
    rules += [Rule(name, "preflight", name.replace("-", " ")) for name in extra]
    index = {rule.name: number for number, rule in enumerate(rules)}
    driver: Wire = {
        "name": "ai-interface preflight",
        "informationUri": "https://www.pulumi.com/docs/iac/using-pulumi/crossguard/",
        "rules": [_sarif_rule(rule) for rule in rules],
    }
    results = [_sarif_result(f, environments, index[f.rule]) for f, environments in grouped(report.findings)]
    run: Wire = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    if report.notes:
        notes = [{"level": "note", "message": {"text": note}} for note in report.notes]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": notes}]
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _sarif_rule(rule: Rule) -> Wire:
    content: Wire = {"id": rule.name, "shortDescription": {"text": rule.description or rule.name}}
    if rule.remediation:
        content["help"] = {"text": rule.remediation}
    if rule.severity:
        content["properties"] = {"security-severity": _SECURITY_SEVERITY[rule.severity], "tags": ["security"]}
    return content


LOCATED = frozenset({"source", "urn"})
"""Details that fit into fields of SARIF."""


def _sarif_result(finding: Finding, environments: tuple[str, ...], index: int) -> Wire:
    details = [f"{name}: {value}" for name, value in finding.details.items() if name not in LOCATED]
    message = f"{finding.verdict} in {', '.join(environments)}: {finding.headline}"
    location: Wire = {"logicalLocations": [{"fullyQualifiedName": finding.urn or finding.rule, "kind": "resource"}]}
    location["physicalLocation"] = {
        "artifactLocation": {"uri": finding.source_file or "Pulumi.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": max(finding.source_line, 1)},
    }
    seed = "\n".join((finding.rule, finding.place, (finding.resource or finding.headline).partition(" ")[0]))
    result: Wire = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _SARIF_LEVELS.get(finding.severity, "error") if finding.fails else "note",
        "message": {"text": "\n".join([message, *details])},
        "locations": [location],
        "partialFingerprints": {"preflight/v1": hashlib.sha256(seed.encode()).hexdigest()},
    }
    if finding.exemption is not None:
        until = f"until {finding.exemption.expires} ({finding.exemption.owner}): {finding.exemption.reason}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": until}]
    return result


def as_junit(report: Report) -> str:
    """A suite for each environment, a case for each policy."""
    root = Xml.Element("testsuites", name=f"{report.project} preflight")
    for environment in report.environments:
        own = [f for f in report.findings if f.environment == environment.name]
        names = sorted({rule.name for rule in report.rules} | {f.rule for f in own})
        suite = Xml.SubElement(root, "testsuite", name=environment.name, tests=str(len(names)))
        failed = 0
        for name in names:
            case = Xml.SubElement(suite, "testcase", classname=f"preflight.{environment.name}", name=name)
            failing = [f for f in own if f.rule == name and f.fails]
            failed += bool(failing)
            if failing:
                verdict = min((f.verdict for f in failing), key=list(Verdict).index)
                failure = Xml.SubElement(case, "failure", type=str(verdict), message=failing[0].headline)
                failure.text = "\n\n".join(_plain(f) for f in failing)
        suite.set("failures", str(failed))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _plain(finding: Finding) -> str:
    lines = [f"{finding.verdict}: {finding.headline}"]
    lines += [f"{name}: {value}" for name, value in finding.details.items()]
    return "\n".join(lines)


def stable(value: Json) -> str:
    """JSON with sorted keys, for readers and for comparisons."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
