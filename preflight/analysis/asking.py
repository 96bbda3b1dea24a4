"""Asks the policy packs about every stack: about those whose recordings are kept while the program runs for the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from preflight.findings import Finding, Rule
from preflight.pulumi.analyzer import AnalyzerClient, read_of_other_stacks
from preflight.pulumi.kept import Elsewhere, Kept, PolicyConfiguration, Recordings
from preflight.pulumi.project import Stack
from preflight.pulumi.protocol import Preview
from preflight.pulumi.reported import from_diagnostic

Running = Sequence[tuple[AnalyzerClient, Sequence[Stack]]]
"""Packs, each with the stacks that it is asked about."""


@dataclass(slots=True)
class Inquiry:
    """The packs while they answer."""

    running: Running
    configurations: Mapping[Path, PolicyConfiguration]
    kept: Kept | None
    previews: dict[tuple[str, bool], Preview] = field(default_factory=dict[tuple[str, bool], Preview])
    _others: Future[None] = field(default_factory=Future[None])
    _answers: list[Future[dict[str, list[Finding]]]] = field(default_factory=list[Future[dict[str, list[Finding]]]])

    def begin(self, pool: Executor, recordings: Recordings) -> None:
        """Ask about the stacks that these recordings are of; the rest waits for ``go_on`` or ``give_up``."""
        self._add(recordings)
        early = {name for name, _ in recordings}
        self._answers = [pool.submit(self._ask_all, pack, stacks, early) for pack, stacks in self.running]

    def go_on(self, recordings: Recordings) -> None:
        """Ask about the other stacks."""
        self._add(recordings)
        self._others.set_result(None)

    def give_up(self, error: BaseException) -> None:
        """There are no recordings of the other stacks."""
        self._others.set_exception(error)

    def findings(self, stacks: Sequence[Stack]) -> list[Finding]:
        """The findings of every pack, by the order of the stacks; they are kept."""
        answers = [answer.result() for answer in self._answers]
        if self.kept is not None:
            for (pack, _), answer in zip(self.running, answers, strict=True):
                configuration = self.configurations.get(pack.folder, {})
                for name, found in answer.items():
                    if (elsewhere := self._elsewhere(pack.folder, name)) is not None:
                        self.kept.keep_findings(pack.folder, configuration, name, elsewhere, found)
        return [finding for answer in answers for stack in stacks for finding in answer.get(stack.name, ())]

    def _elsewhere(self, folder: Path, stack: str) -> Elsewhere | None:
        """The values in the files of other stacks on which a pack's findings on a stack depend; ``None`` if the pack does not declare
        them."""
        keys = read_of_other_stacks(folder)
        if not keys:
            return None if keys is None else {}
        others = {one.name: one for _, stacks in self.running for one in stacks if one.name != stack}
        return {name: {key: one.config.get(key) for key in keys} for name, one in sorted(others.items())}

    def _add(self, recordings: Recordings) -> None:
        made = self.kept.derived.previews if self.kept is not None else {}
        for key, recording in recordings.items():
            if key not in self.previews:
                self.previews[key] = made.get(key) or Preview(recording.resources)

    def _ask_all(self, pack: AnalyzerClient, stacks: Sequence[Stack], early: set[str]) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for stack in sorted(stacks, key=lambda one: one.name not in early):
            if stack.name not in early:
                self._others.result()
            found[stack.name] = self._ask(pack, stack)
        return found

    def _ask(self, pack: AnalyzerClient, stack: Stack) -> list[Finding]:
        """The findings of one pack on one stack, with known values and as a first preview."""
        configuration = self.configurations.get(pack.folder, {})
        elsewhere = self._elsewhere(pack.folder, stack.name)
        if self.kept is not None and elsewhere is not None:
            before = self.kept.findings_of(pack.folder, configuration, stack, elsewhere)
            if before is not None:
                return before
        pack.configure_stack(stack.name, stack.config, stack.secret_keys)
        if configuration:
            pack.configure(configuration)
        mandatory = {policy.name: policy.enforcement == "mandatory" for policy in pack.info().policies}
        return [
            from_diagnostic(diagnostic, stack.name, mandatory, preview=preview)
            for preview in (False, True)
            if (stack.name, preview) in self.previews
            for diagnostic in pack.check(self.previews[stack.name, preview])
        ]


def rules_of(packs: Iterable[AnalyzerClient]) -> list[Rule]:
    """The policies of the packs that are not disabled, sorted."""
    rules: dict[tuple[str, str], Rule] = {}
    for pack in packs:
        info = pack.info()
        for policy in info.policies:
            if policy.enforcement == "disabled":
                continue
            rule = Rule(policy.name, info.name, policy.description, policy.remediation, policy.severity)
            rules[info.name, policy.name] = rule
    return [rules[key] for key in sorted(rules)]
