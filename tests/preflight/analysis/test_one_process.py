"""A pack that is forked, asked over a socket and serves all stacks reports what one reports that is started and asked for each stack as
the engine does, over gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.analysis import check as module
from preflight.analysis.check import check
from preflight.findings import Finding
from preflight.pulumi.analyzer import AnalyzerClient, serves_every_stack
from preflight.pulumi.packs import packs_of
from tests.settings.stack_files import ROOT


def found(monkeypatch: pytest.MonkeyPatch, *, shared: bool) -> tuple[list[Finding], list[object]]:
    started: list[object] = []
    start = AnalyzerClient.start

    def counted(*arguments: object, **options: object) -> AnalyzerClient:
        started.append(options["forked"])
        return start(*arguments, **options)  # pyright: ignore[reportArgumentType]

    def declared(folder: Path) -> bool:
        return shared and serves_every_stack(folder)

    monkeypatch.setattr(module, "serves_every_stack", declared)
    monkeypatch.setattr(AnalyzerClient, "start", counted)
    report = check(ROOT, progress=lambda _: None).report
    monkeypatch.undo()
    return sorted(report.findings, key=repr), started


def test_both_packs_declare_it() -> None:
    assert [serves_every_stack(folder) for folder in packs_of(ROOT)] == [True, True]


def test_one_process_reports_what_one_for_each_stack_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    together, processes = found(monkeypatch, shared=True)
    apart, more = found(monkeypatch, shared=False)
    assert (processes, more) == ([True] * 2, [False] * 4)
    assert together == apart
    assert {finding.environment for finding in together} == {"staging", "prod"}
