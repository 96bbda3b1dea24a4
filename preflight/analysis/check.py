"""The whole check: record every environment twice, run every pack twice, compare the environments.

Order matters for speed: packs start first and load while the stack files are read and the program's modules are
imported; then each run is a fork; no gRPC channel is opened before the last fork.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from policies.guardrails.topology.graph.resources import Graph
from policies.parity.rules import PACK, RULES
from preflight.analysis import behaviour, owners, parity, recorded
from preflight.analysis import source_locations as places
from preflight.analysis.asking import Inquiry, rules_of
from preflight.analysis.connectivity import connectivity_of
from preflight.errors import ConfigurationError
from preflight.findings import Report, Rule, merge, summarize
from preflight.pulumi import program
from preflight.pulumi.analyzer import AnalyzerClient, serves_every_stack
from preflight.pulumi.forked import is_ours
from preflight.pulumi.kept import Derived, Kept, PolicyConfiguration, Recordings
from preflight.pulumi.packs import chosen_packs, compares_environments
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project, Stack
from preflight.pulumi.runnable import require_runnable
from preflight.recording.recorder import Recording

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """A report, and the recordings that it covers."""

    report: Report
    recordings: Recordings


def check(
    root: Path,
    stacks: Sequence[str] = (),
    packs: Sequence[Path] | None = None,
    progress: Progress = print,
    *,
    instead: Mapping[str, Mapping[str, str]] | None = None,
    started: Mapping[Path, AnalyzerClient] | None = None,
    configurations: Mapping[Path, PolicyConfiguration] | None = None,
    kept: Kept | None = None,
) -> Checked:
    """Check the project in ``root``; without names, all stacks that have a file.

    ``instead`` contains configuration that replaces values of a stack file, by stack and full key; ``configurations`` the
    configuration of policies, by the pack's folder. ``started`` are packs that serve every stack and that run already; their
    owner stops them. ``kept`` are recordings of an earlier check, and gets those of this one.
    """
    begun = time.monotonic()
    project = Project.load(root)
    require_runnable(project)
    chosen = [
        with_config(project.stack(name), (instead or {}).get(name, {}))
        for name in parity.order(root, stacks or project.stacks())
    ]
    if not chosen:
        raise ConfigurationError(
            f"there is no stack file (Pulumi.<stack>.yaml) in {root}\n"
            "fix: create one for each stack to check; it may be empty, and its values replace the defaults of Pulumi.yaml"
        )
    folders, asked_instead = chosen_packs(root, None if packs is None else list(packs))
    with contextlib.ExitStack() as stopping:
        progress("starting the policy packs")
        running = [
            ((started or {}).get(folder) or stopping.enter_context(_start(folder, project, stacks[0])), stacks)
            for folder in folders
            for stacks in ([chosen] if serves_every_stack(folder) else [[stack] for stack in chosen])
        ]
        if kept is None:  # otherwise the program is loaded: its run reports a mistake as soon
            program.read_settings(project, chosen)
        runs = _begun(project, chosen, progress, kept=kept)
        asked = Inquiry(running, configurations or {}, kept)
        with ThreadPoolExecutor(max_workers=max(len(running), 1)) as pool:
            asked.begin(pool, runs.found)
            made = kept.derived if kept is not None else Derived()
            graphs = {
                name: made.graphs.get(name) or Graph.from_recorded(one.resources)
                for (name, mode), one in runs.found.items()
                if not mode
            }
            try:
                recordings = runs.collected()
            except BaseException as error:
                asked.give_up(error)
                raise
            progress("evaluating the policy packs")
            asked.go_on(recordings)
            compares = compares_environments(root)
            known = {stack.name: recordings[stack.name, False] for stack in chosen}
            graphs = {
                name: graphs[name] if name in graphs else Graph.from_recorded(recording.resources)
                for name, recording in known.items()
            }
            compared = parity.compared(root, recordings, graphs, made.shapes) if compares else parity.NOT_COMPARED
            connectivity = connectivity_of(recordings, list(known), graphs)
            differing, behaving = behaviour.attributed(
                compared.findings, behaviour.differences(list(known), known, connectivity, graphs) if compares else ()
            )
            owned = owners.stale(root, known)
            findings = asked.findings(chosen)
        rules = [*rules_of(pack for pack, _ in running), *recorded.rules(recordings)]
    rules += [
        Rule(rule.name, PACK, rule.description, rule.remediation, str(rule.severity))
        for rule in RULES
        if rule.preflight_only and compares
    ]
    findings = parity.without_repetition(merge(findings), compared)
    findings = [
        places.located(finding, root, recordings)
        for finding in merge([*findings, *recorded.findings(recordings), *differing, *behaving, *owned])
    ]
    # Imported late: it imports the releases that preflight was installed with, which a program that runs afterwards would get too.
    from preflight.analysis import first_deployment  # noqa: PLC0415

    findings = first_deployment.expected(root, findings, list(known), owners.team_of(known))
    environments = tuple(
        summarize(stack.name, managed(recordings[stack.name, False]), rules, findings) for stack in chosen
    )
    messages = {f"{name}: {m}" for (name, _), recording in recordings.items() for m in recording.messages}
    if not folders:
        messages.add(f"no policy pack was asked: {root / 'policies'} contains none; name one with --policy-pack FOLDER")
    report = Report(
        project=project.name,
        environments=environments,
        rules=tuple(rules),
        findings=tuple(findings),
        parity=compared.parity if len(chosen) > 1 and compares else None,
        connectivity=connectivity,
        messages=tuple(sorted(messages)),
        notes=(asked_instead,) if asked_instead else (),
        seconds=time.monotonic() - begun,
    )
    return Checked(report, recordings)


def with_config(stack: Stack, config: Mapping[str, str]) -> Stack:
    """The stack with other values of some keys."""
    return replace(stack, config={**stack.config, **config}) if config else stack


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of the program that have started, and the recordings that there are without them."""

    stacks: Sequence[Stack]
    modes: Sequence[bool]
    found: Recordings
    children: Sequence[program.Child]
    kept: Kept | None

    def collected(self) -> Recordings:
        """Every recording, once the runs have ended; they are kept."""
        found = {**self.found, **program.collect(self.children)}
        if self.kept is not None:
            self.kept.keep(self.stacks, found)
        return {(stack.name, preview): found[stack.name, preview] for stack in self.stacks for preview in self.modes}


def run(
    project: Project, stacks: Sequence[Stack], progress: Progress, *, previews: bool = True, kept: Kept | None = None
) -> Recordings:
    """Record each stack with known values and, with ``previews``, as a first preview."""
    return _begun(project, stacks, progress, previews=previews, kept=kept).collected()


def _begun(
    project: Project, stacks: Sequence[Stack], progress: Progress, *, previews: bool = True, kept: Kept | None = None
) -> _Runs:
    progress("loading the program")
    program.load(project)
    modes = (False, True) if previews else (False,)
    found: dict[tuple[str, bool], Recording] = {}
    if kept is not None:
        for stack in stacks:
            found |= kept.of(stack, modes)
    missing = [stack for stack in stacks if (stack.name, False) not in found]
    notes = kept is not None
    children = program.start(
        project, [Run(stack, preview, notes_files=notes) for stack in missing for preview in modes]
    )
    progress(f"running the program for {', '.join(stack.name for stack in missing)}")
    return _Runs(stacks, modes, found, children, kept)


def managed(recording: Recording) -> int:
    """The number of resources that the engine would report as created, without default providers."""
    return sum(not resource.type.startswith("pulumi:providers:") for resource in recording.resources)


def _start(folder: Path, project: Project, stack: Stack) -> AnalyzerClient:
    return AnalyzerClient.start(
        folder,
        project=project.name,
        stack=stack.name,
        dry_run=True,
        config=stack.config,
        secret_keys=stack.secret_keys,
        forked=is_ours(folder) and serves_every_stack(folder),
    )
