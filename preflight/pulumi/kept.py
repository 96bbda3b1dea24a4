"""Recordings, what is derived from them, and findings that ``check --watch`` keeps from one check to the next, for stacks that a change cannot have affected.

A recording depends on the program's files, on the stack's configuration and on the other stack files that the run opened. A change of
anything but a stack file ends the process that keeps the recordings (``preflight.analysis.watching``). The findings of a pack on such
a stack are kept while the values in other stacks' files do not change on which the pack declares that they depend
(``analyzer.read_of_other_stacks``).
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from policies.guardrails.topology.graph.resources import Graph
from policies.parity.shape import Shape
from preflight.findings import Finding
from preflight.pulumi.project import Stack
from preflight.pulumi.protocol import Preview
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Json

STACK_FILE = re.compile(r"Pulumi(\.[^.]+)?\.yaml")
"""The name of a stack file, or of the project's file, on which every stack depends."""
PROJECT_FILE = "Pulumi.yaml"
Recordings = Mapping[tuple[str, bool], Recording]
"""Recordings by stack, and whether each is a first preview."""
PolicyConfiguration = Mapping[str, Mapping[str, Json]]
"""Policy → its enforcement level and its settings."""
Elsewhere = Mapping[str, Mapping[str, str | None]]
"""Another stack → the values there on which a pack's findings depend."""
_Findings = dict[tuple[Path, str], tuple[PolicyConfiguration, Elsewhere, list[Finding]]]
"""Pack and stack → the configuration of the pack's policies, the values of other stacks, and the findings on the stack."""


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@dataclass(slots=True)
class Derived:
    """The results of a check that follow from recordings alone. The process that waits for a change makes it in advance, and its forks have it."""

    graphs: dict[str, Graph] = field(default_factory=dict[str, Graph])
    """Graphs of the recordings with known values, by stack."""
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    previews: dict[tuple[str, bool], Preview] = field(default_factory=dict[tuple[str, bool], Preview])
    """The requests to the packs."""

    def of(self, stacks: Collection[str]) -> Derived:
        """The part for these stacks."""
        return Derived(
            {name: one for name, one in self.graphs.items() if name in stacks},
            {name: one for name, one in self.shapes.items() if name in stacks},
            {key: one for key, one in self.previews.items() if key[0] in stacks},
        )


@dataclass(slots=True)
class Kept:
    """The recordings of stacks that no change has affected since."""

    recordings: dict[tuple[str, bool], Recording] = field(default_factory=dict[tuple[str, bool], Recording])
    stacks: dict[str, Stack] = field(default_factory=dict[str, Stack])
    findings: _Findings = field(default_factory=_Findings)
    day: dt.date = field(default_factory=_today)
    derived: Derived = field(default_factory=Derived)

    def without(self, changed: Collection[str], *, listed: bool) -> Kept:
        """The recordings that a change of these files cannot have affected; none if a file appeared or is gone (``listed``)."""
        if listed or PROJECT_FILE in changed or self.day != _today():
            return Kept()
        affected = {
            name
            for (name, _), recording in self.recordings.items()
            if self.stacks[name].path.name in changed or recording.opened & set(changed)
        }
        recordings = {key: recording for key, recording in self.recordings.items() if key[0] not in affected}
        stacks = {name: stack for name, stack in self.stacks.items() if name not in affected}
        unseen = set(changed) - {stack.path.name for stack in self.stacks.values()}
        findings = {
            key: found for key, found in self.findings.items() if key[1] in stacks and not (unseen and found[1])
        }  # what is read of a stack that is not checked is not compared
        return Kept(recordings, stacks, findings, derived=self.derived.of(stacks))

    def to_send(self) -> Kept:
        """Without what is derived: that is made again sooner than it is written and read."""
        return replace(self, derived=Derived())

    def of(self, stack: Stack, modes: Sequence[bool]) -> Recordings:
        """The recordings of a stack in all modes; none if one is missing, or with another configuration."""
        keys = [(stack.name, mode) for mode in modes]
        if self.stacks.get(stack.name) != stack or any(key not in self.recordings for key in keys):
            return {}
        return {key: self.recordings[key] for key in keys}

    def findings_of(
        self, pack: Path, configuration: PolicyConfiguration, stack: Stack, elsewhere: Elsewhere
    ) -> list[Finding] | None:
        """The findings of a pack on a stack whose recordings are kept; ``None`` with another configuration, with other values
        ``elsewhere``, or if there are none."""
        *given, found = self.findings.get((pack, stack.name), (None, None, None))
        return found if given == [configuration, elsewhere] and self.stacks.get(stack.name) == stack else None

    def keep_findings(
        self, pack: Path, configuration: PolicyConfiguration, stack: str, elsewhere: Elsewhere, found: list[Finding]
    ) -> None:
        """Keep the findings of a pack on a stack."""
        self.findings[pack, stack] = (configuration, elsewhere, found)

    def keep(self, stacks: Sequence[Stack], recordings: Recordings) -> None:
        """Keep the recordings of these stacks, and no findings on stacks that have been recorded again."""
        again = {name for (name, mode), one in recordings.items() if self.recordings.get((name, mode)) is not one}
        self.findings = {key: found for key, found in self.findings.items() if key[1] not in again}
        self.derived = self.derived.of({name for name, _ in recordings} - again)
        self.stacks = {stack.name: stack for stack in stacks}
        self.recordings = {key: recording for key, recording in recordings.items() if key[0] in self.stacks}


def note_opened() -> set[str]:
    """The names of the stack files that this process opens from now on; it grows, and cannot be ended."""
    opened: set[str] = set()

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and arguments and isinstance(arguments[0], str | bytes):
            path = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode(errors="replace")
            if path.endswith(".yaml") and STACK_FILE.fullmatch(name := Path(path).name):
                opened.add(name)

    sys.addaudithook(note)
    return opened
