"""What a policy pack reports over the Analyzer protocol, as a finding."""

from __future__ import annotations

import re
from collections.abc import Mapping

from preflight.findings import LABELS, Exemption, Finding, Seen, Verdict
from preflight.pulumi.protocol import Diagnostic

_EXCEPTED = re.compile(r"^excepted until (\d{4}-\d{2}-\d{2}): (.*?)(?: \(owner: (.*)\))?$")


def from_diagnostic(
    diagnostic: Diagnostic, environment: str, mandatory: Mapping[str, bool], *, preview: bool
) -> Finding:
    """Read a policy's report. ``mandatory`` says which policies are, by name."""
    lines = diagnostic.message.splitlines() or [diagnostic.description]
    first, parts, exemption = lines[0].strip(), dict[str, str](), None
    for line in lines[1:]:
        label, _, text = line.partition(": ")
        if excepted := _EXCEPTED.match(line.strip()):
            exemption = Exemption(excepted[1], excepted[2], excepted[3] or "")
        elif label.strip() in LABELS:
            parts[label.strip()] = text.strip()
    verdict = Verdict.VIOLATED
    must = diagnostic.enforcement == "mandatory"
    for known in Verdict:
        if first.startswith(f"{known}: "):
            verdict, first = known, first.removeprefix(f"{known}: ")
    if first.startswith("can't run policy"):
        verdict, must = Verdict.NOT_PROVEN, mandatory.get(diagnostic.policy, True)
        parts["fix"] = "let the policy treat an unknown value as unknown"
    return Finding(
        environment=environment,
        rule=diagnostic.policy,
        verdict=verdict,
        headline=first,
        urn=diagnostic.urn,
        found=parts.get("found", ""),
        wanted=parts.get("wanted", ""),
        fix=parts.get("fix", ""),
        witness=parts.get("witness", ""),
        unknown=parts.get("unknown", ""),
        assuming=parts.get("assuming", ""),
        pack=diagnostic.pack,
        severity=diagnostic.severity,
        mandatory=must,
        description=diagnostic.description,
        seen=Seen.PREVIEW if preview else Seen.KNOWN,
        exemption=exemption,
    )
