"""A report as JSON, Markdown (for a pull request), SARIF and JUnit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from xml.etree import ElementTree as Xml

from preflight.findings import Finding, Report, Rule, Verdict, grouped
from preflight.sdk.wire import Json, Wire

MARKER = "<!-- ai-interface preflight -->"
"""Marks the comment that is updated on every push."""
LONGEST_COMMENT = 60_000
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
    """A comment for a pull request: the verdict first, details folded away."""
    groups = grouped(report.failing)
    verdict = "clean" if not groups else f"{len(groups)} finding{'' if len(groups) == 1 else 's'} to act on"
    lines = [MARKER, f"### {report.project} preflight: {verdict}", ""]
    lines += ["| environment | resources | proven | violated | not proven | exceptions | next expires |"]
    lines += ["|---|---:|---:|---:|---:|---:|---|"]
    for e in report.environments:
        lines.append(
            f"| {e.name} | {e.resources} | {e.proven} | {e.violated} | {e.not_proven} | {e.exceptions} | {e.next_expiry} |"
        )
    if report.parity is not None:
        declared = ", ".join(f"{kind} {number}" for kind, number in sorted(report.parity.declared.items()))
        lines += ["", f"**Parity:** {report.parity.verdict}" + (f": {declared}" if declared else "")]
    for connectivity in report.connectivity:
        proof = (
            "no other ingress path (proven)" if connectivity.proven else "not proven that no other ingress path exists"
        )
        lines += [
            "",
            f"**{connectivity.environment}** ingress: {'; '.join(map(str, connectivity.ingress)) or 'none'}; {proof}.",
        ]
        lines += [f"Egress: {', '.join(connectivity.egress) or 'none'}."]
    for finding, environments in groups:
        lines += ["", *_markdown_finding(finding, environments)]
    allowed = [f for f in report.findings if f.exemption is not None]
    if allowed:
        lines += ["", f"<details><summary>{len(grouped(allowed))} allowed by exceptions</summary>", ""]
        for finding, environments in grouped(allowed):
            if finding.exemption is not None:
                until = f"until {finding.exemption.expires}, {_escape(finding.exemption.owner)}"
                where = ", ".join(environments)
                lines.append(
                    f"- `{finding.rule}` {_escape(finding.headline)} ({where}; {until}): {_escape(finding.exemption.reason)}"
                )
        lines += ["", "</details>"]
    return _cut(lines)


def _cut(lines: list[str]) -> str:
    length = 0
    for number, line in enumerate(lines):
        length += len(line) + 1
        if length > LONGEST_COMMENT:
            rest = "\n\n(shortened; run `make check` to see all findings)\n"
            return "\n".join(lines[:number]) + rest
    return "\n".join(lines) + "\n"


def _markdown_finding(finding: Finding, environments: tuple[str, ...]) -> list[str]:
    facts = f"`{finding.rule}` · {', '.join(environments)}" + (f" · {finding.severity}" if finding.severity else "")
    lines = [f"<details open><summary><b>{finding.verdict}</b>: {_escape(finding.headline)}</summary>", "", facts, ""]
    lines += [f"- **{label}:** {_escape(value)}" for label, value in finding.details.items()]
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
