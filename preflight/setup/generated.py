"""Renews what follows from the stack files: declared differences that no longer exist, shapes and code owners."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from policies.parity.compare import compare
from policies.parity.declarations import AllowedDifferences, read
from policies.parity.shape import Shape
from preflight.analysis import owners, parity
from preflight.recording.recorder import Recording
from preflight.setup import commented_yaml

DIFFERENCES = "policies/parity/differences.yaml"
OWNED = (DIFFERENCES, "policies/exceptions.yaml")
"""Files whose entries name a responsible team."""


def renew(root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> list[Path]:
    """Write the files that follow from the stacks; returns those that changed."""
    shapes = parity.shapes_of(recordings)
    changed = _without_unused(root, shapes)
    changed += parity.write(root, recordings, shapes)
    stacks = parity.order(root, [stack for stack, _ in recordings])
    return [*changed, *owners.write(root, {stack: recordings[stack, False] for stack in stacks})]


def _without_unused(root: Path, shapes: Mapping[str, Shape]) -> list[Path]:
    path = root / DIFFERENCES
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    allowed = read(text, dt.datetime.now(dt.UTC).date())
    unused = _unused(allowed, shapes)
    if not unused:
        return []
    content = commented_yaml.read(text)
    for position in sorted(unused, reverse=True):
        del content["differences"][position - 1]
    path.write_text(commented_yaml.written(content), encoding="utf-8")
    return [path]


def _unused(allowed: AllowedDifferences, shapes: Mapping[str, Shape]) -> list[int]:
    """Positions of the entries that match no difference between neighbouring environments, from 1."""
    differences = [
        difference
        for earlier, later in allowed.pairs(list(shapes))
        for difference in compare(shapes[earlier], shapes[later])
    ]
    return [entry.declaration.number for entry in allowed.unused(differences)]


def responsible(text: str, before: str, now: str) -> str:
    """A file of declarations in which another team is responsible for the entries of ``before``."""
    return re.sub(rf"^(\s*owner: ){re.escape(before)}$", rf"\g<1>{now}", text, flags=re.MULTILINE)
