"""The whole check: record every environment twice, run every pack twice, compare the environments.

Order matters for speed: packs start first and load while the program's modules are imported; then each run is a
fork; no gRPC channel is opened before the last fork.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from policies.parity.rules import PACK, RULES
from preflight.analysis import behaviour, owners, parity
from preflight.analysis import source_locations as places
from preflight.analysis.connectivity import connectivity_of
from preflight.errors import ConfigurationError
from preflight.findings import Finding, Report, Rule, merge, summarize
from preflight.pulumi import program
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project, Stack
from preflight.pulumi.reported import from_diagnostic
from preflight.recording.recorder import Recording

Progress = Callable[[str], None]
Recordings = Mapping[tuple[str, bool], Recording]
"""Recordings by stack, and whether each is a first preview."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A report, and the recordings that it covers."""

    report: Report
    recordings: Recordings


def packs_of(root: Path) -> list[Path]:
    """The policy packs of a project."""
    return sorted(path.parent for path in root.glob("policies/*/PulumiPolicy.yaml"))


def check(
    root: Path,
    stacks: Sequence[str] = (),
    packs: Sequence[Path] | None = None,
    progress: Progress = print,
    instead: Mapping[str, Mapping[str, str]] | None = None,
) -> Checked:
    """Check the project in ``root``; without names, all stacks that have a file.

    ``instead`` contains configuration that replaces values of a stack file, by stack and full key.
    """
    started = time.monotonic()
    project = Project.load(root)
    chosen = [
        with_config(project.stack(name), (instead or {}).get(name, {}))
        for name in parity.order(root, stacks or project.stacks())
    ]
    if not chosen:
        raise ConfigurationError(f"there is no stack file (Pulumi.<stack>.yaml) in {root}")
    folders = packs_of(root) if packs is None else list(packs)
    with contextlib.ExitStack() as stopping:
        progress("starting the policy packs")
        running = {
            (folder, stack.name): stopping.enter_context(_start(folder, project, stack))
            for folder in folders
            for stack in chosen
        }
        recordings = run(project, chosen, progress)
        progress("evaluating the policy packs")
        with ThreadPoolExecutor(max_workers=max(len(running), 1)) as pool:
            asked = [(pack, pool.submit(_ask, pack, stack, recordings)) for (_, stack), pack in running.items()]
            compared = parity.compared(root, recordings)
            connectivity = connectivity_of(recordings, [stack.name for stack in chosen])
            known = {stack.name: recordings[stack.name, False] for stack in chosen}
            differing, behaving = behaviour.attributed(
                compared.findings, behaviour.differences(list(known), known, connectivity)
            )
            owned = owners.stale(root, known)
            findings = [finding for _, answer in asked for finding in answer.result()]
        rules = _rules(running.values())
    rules += [
        Rule(rule.name, PACK, rule.description, rule.remediation, str(rule.severity))
        for rule in RULES
        if rule.preflight_only
    ]
    findings = parity.without_repetition(merge(findings), compared)
    findings = [
        places.located(finding, root, recordings) for finding in merge([*findings, *differing, *behaving, *owned])
    ]
    # Imported late: it imports the releases that preflight was installed with, which a program that runs afterwards would get too.
    from preflight.analysis import first_deployment  # noqa: PLC0415

    findings = first_deployment.expected(root, findings, list(known), owners.team_of(known))
    environments = tuple(
        summarize(stack.name, managed(recordings[stack.name, False]), rules, findings) for stack in chosen
    )
    messages = {f"{name}: {m}" for (name, _), recording in recordings.items() for m in recording.messages}
    report = Report(
        project=project.name,
        environments=environments,
        rules=tuple(rules),
        findings=tuple(findings),
        parity=compared.parity if len(chosen) > 1 else None,
        connectivity=connectivity,
        messages=tuple(sorted(messages)),
        seconds=time.monotonic() - started,
    )
    return Checked(report, recordings)


def with_config(stack: Stack, config: Mapping[str, str]) -> Stack:
    """The stack with other values of some keys."""
    return replace(stack, config={**stack.config, **config}) if config else stack


def run(project: Project, stacks: Sequence[Stack], progress: Progress, *, previews: bool = True) -> Recordings:
    """Record each stack with known values and, with ``previews``, as a first preview."""
    progress("loading the program")
    program.load(project)
    modes = (False, True) if previews else (False,)
    children = program.start(project, [Run(stack, preview) for stack in stacks for preview in modes])
    progress(f"running the program for {', '.join(stack.name for stack in stacks)}")
    return program.collect(children)


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
    )


def _ask(pack: AnalyzerClient, stack: str, recordings: Recordings) -> list[Finding]:
    """The findings of one pack on one stack, with known values and as a first preview."""
    mandatory = {policy.name: policy.enforcement == "mandatory" for policy in pack.info().policies}
    return [
        from_diagnostic(diagnostic, stack, mandatory, preview=preview)
        for preview in (False, True)
        if (stack, preview) in recordings
        for diagnostic in pack.check(recordings[stack, preview].resources)
    ]


def _rules(packs: Iterable[AnalyzerClient]) -> list[Rule]:
    rules: dict[tuple[str, str], Rule] = {}
    for pack in packs:
        info = pack.info()
        for policy in info.policies:
            rule = Rule(policy.name, info.name, policy.description, policy.remediation, policy.severity)
            rules[info.name, policy.name] = rule
    return [rules[key] for key in sorted(rules)]
