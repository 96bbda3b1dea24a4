"""Converts a policy's report to a finding, whether it ran in this process or in a pack's process."""

from __future__ import annotations

from collections.abc import Mapping

from policies.guardrails.details import Details, details_of
from policies.guardrails.evaluation import Report
from policies.guardrails.rule import Level
from preflight.findings import Exemption, Finding, Seen, Verdict
from preflight.pulumi.protocol import Diagnostic


def from_diagnostic(
    diagnostic: Diagnostic, environment: str, mandatory: Mapping[str, bool], *, preview: bool
) -> Finding:
    """Convert the report of a pack's process to a finding. ``mandatory`` lists the mandatory policies by name."""
    return _finding(
        diagnostic.details or _of_a_foreign_pack(diagnostic, mandatory),
        environment=environment,
        rule=diagnostic.policy,
        urn=diagnostic.urn,
        pack=diagnostic.pack,
        severity=diagnostic.severity,
        mandatory=diagnostic.enforcement == "mandatory" or _could_not_run(diagnostic, mandatory),
        description=diagnostic.description,
        seen=Seen.PREVIEW if preview else Seen.KNOWN,
    )


def from_report(report: Report, environment: str, pack: str) -> Finding:
    """Convert a report of one of this project's policies, which ran in this process on known values, to a finding."""
    return _finding(
        details_of(report),
        environment=environment,
        rule=report.rule.name,
        urn=report.finding.urn,
        pack=pack,
        severity=str(report.rule.severity),
        mandatory=report.level is Level.MANDATORY,
        description=report.rule.description,
        seen=Seen.BOTH,
    )


def _finding(
    details: Details,
    *,
    environment: str,
    rule: str,
    urn: str,
    pack: str,
    severity: str,
    mandatory: bool,
    description: str,
    seen: Seen,
) -> Finding:
    return Finding(
        environment=environment,
        rule=rule,
        verdict=Verdict(details.verdict),
        headline=details.headline,
        urn=urn,
        resource=details.resource,
        property_path=details.property,
        found=details.found,
        wanted=details.wanted,
        fix=details.fix,
        witness=details.witness,
        unknown=details.unknown,
        assuming=details.assuming,
        pack=pack,
        severity=severity,
        mandatory=mandatory,
        description=description,
        source_line=details.line,
        seen=seen,
        exemption=Exemption(details.excepted_until, details.excepted_because, details.excepted_by)
        if details.excepted_until
        else None,
    )


def _of_a_foreign_pack(diagnostic: Diagnostic, mandatory: Mapping[str, bool]) -> Details:
    """A pack that attaches no details has only a text: its first line is the headline, the rest is the value found."""
    first, _, rest = (diagnostic.message.strip() or diagnostic.description).partition("\n")
    if _could_not_run(diagnostic, mandatory):
        fix = "change the policy so that it treats an unknown value as unknown"
        return Details(str(Verdict.NOT_PROVEN), first, found=" ".join(rest.split()), fix=fix)
    return Details(str(Verdict.VIOLATED), first, found=" ".join(rest.split()))


def _could_not_run(diagnostic: Diagnostic, mandatory: Mapping[str, bool]) -> bool:
    """Whether a mandatory policy of a foreign pack met an unknown value and checked nothing.

    ``pulumi_policy`` reports every violation at the level of its policy, and only this as advice.
    """
    advice = diagnostic.details is None and diagnostic.enforcement == "advisory"
    return advice and mandatory.get(diagnostic.policy, False)
