"""Where to fix a finding: the line that created the resource, a declaration, or the stack file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.findings import Finding
from preflight.recording.recorder import Recording

_ENTRY = re.compile(r"entry (\d+)\b")
LISTS = {
    "declared-differences-are-current": ("policies/parity/differences.yaml", "differences"),
    "stack-exceptions-current": ("policies/guardrails/exceptions.yaml", "exceptions"),
}
"""Rules about the entries of a file: the file, and the key of its list."""


def located(finding: Finding, root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> Finding:
    """The finding with file and line, where it has none and there is one."""
    if finding.source_file:
        return finding
    if finding.rule in LISTS:
        file, key = LISTS[finding.rule]
        return replace(finding, source_file=file, source_line=_line_of_entry(root / file, key, finding.headline))
    for _, recording in sorted(recordings.items()):
        for resource in recording.resources:
            if finding.urn and resource.urn == finding.urn and resource.source_file:
                return replace(finding, source_file=resource.source_file, source_line=resource.source_line)
    stack = finding.environment.rpartition(" ")[2]  # of several environments the later one
    file = f"Pulumi.{stack}.yaml"
    return replace(finding, source_file=file, source_line=1) if (root / file).is_file() else finding


def _line_of_entry(path: Path, key: str, text: str) -> int:
    """The line on which the entry begins that the text names by its number; 1 where there is none."""
    number = _ENTRY.search(text)
    try:
        document: object = cast("Any", yaml).compose(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return 1
    if number is None or not isinstance(document, yaml.MappingNode):
        return 1
    for name, value in document.value:
        if isinstance(value, yaml.SequenceNode) and name.value == key and int(number[1]) <= len(value.value):
            return value.value[int(number[1]) - 1].start_mark.line + 1
    return 1
