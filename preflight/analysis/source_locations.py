"""Find the place to fix a finding: the line that created the resource, a declaration, or the stack file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from policies.guardrails.evaluation import CURRENT
from policies.parity.rules import DECLARATIONS
from preflight.findings import Finding
from preflight.recording.recorder import Recording

DECLARED_IN = {
    DECLARATIONS.name: "policies/parity/differences.yaml",
    CURRENT: "policies/exceptions.yaml",
}
"""Rules about the entries of a file, whose findings refer to the line of the entry."""


def located(finding: Finding, root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> Finding:
    """The finding with file and line, if it has none and they can be found."""
    if finding.source_file:
        return finding
    if finding.rule in DECLARED_IN:
        return replace(finding, source_file=DECLARED_IN[finding.rule], source_line=finding.source_line or 1)
    for _, recording in sorted(recordings.items()):
        for resource in recording.resources:
            if finding.urn and resource.urn == finding.urn and resource.source_file:
                return replace(finding, source_file=resource.source_file, source_line=resource.source_line)
    stack = finding.environment.rpartition(" ")[2]  # of several environments the later one
    file = f"Pulumi.{stack}.yaml"
    return replace(finding, source_file=file, source_line=1) if (root / file).is_file() else finding
