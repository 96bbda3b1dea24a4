"""Shared by the commands: progress on a terminal, messages, and recordings of the project's stacks."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from preflight.findings import Finding, Report
    from preflight.recording.recorder import Recording

FORMATS = ("text", "json", "markdown", "sarif", "junit")
"""The result that ``preflight.report.output`` renders."""


class Commands(Protocol):
    """The part of ``argparse``'s sub-command action that is used here."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """Add one command."""
        ...


def add_output(command: argparse.ArgumentParser, formats: Iterable[str] = FORMATS) -> None:
    """The options of a command that prints a report or writes it to a file."""
    command.add_argument("--format", choices=tuple(formats), default="text")
    command.add_argument("--output", type=Path, metavar="FILE", help="write to this file instead of standard output")


def progress() -> Callable[[str], None]:
    """Show progress, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda step: write_error(f"\r\033[K{step} …")


def end_progress() -> None:
    """Clear the line of progress."""
    if sys.stderr.isatty():
        write_error("\r\033[K")


def say(message: str) -> None:
    """Print a message of preflight itself to standard error."""
    end_progress()
    write_error(f"preflight: {message}\n")


def write_error(text: str) -> None:
    """Write to standard error immediately."""
    sys.stderr.write(text)
    sys.stderr.flush()


def write(content: str, output: Path | None) -> None:
    """Write to a file, or to standard output if none is given."""
    if output is None:
        sys.stdout.write(content)
    else:
        output.write_text(content, encoding="utf-8")


def write_report(report: Report, options: argparse.Namespace) -> int:
    """Render a report in the requested format; returns the exit code."""
    from preflight.report.output import render

    end_progress()
    terminal = options.output is None and sys.stdout.isatty()
    color = terminal and not os.environ.get("NO_COLOR")  # https://no-color.org
    verbose: bool = getattr(options, "verbose", False)
    write(render(report, options.format, terminal=terminal, color=color, verbose=verbose), options.output)
    return report.exit_code


def recorded(root: Path, stack: str, *, preview: bool = False) -> Recording:
    """One stack, recorded once."""
    from preflight.pulumi.program import Run, collect, load, start
    from preflight.pulumi.project import Project

    project = Project.load(root.resolve())
    chosen = project.stack(stack)
    load(project)
    return collect(start(project, [Run(chosen, preview)]))[stack, preview]


def all_recorded(folder: Path) -> tuple[Path, Mapping[tuple[str, bool], Recording]]:
    """The project's folder, and every stack with known values."""
    from preflight.analysis.check import run
    from preflight.pulumi.project import Project

    root = folder.resolve()
    project = Project.load(root)
    recordings = run(project, [project.stack(name) for name in project.stacks()], progress(), previews=False)
    end_progress()
    return root, recordings


def wrote(root: Path, paths: Iterable[Path]) -> int:
    """Print the files that were written."""
    sys.stdout.write("".join(f"wrote {path.relative_to(root)}\n" for path in paths))
    return 0


def stale(findings: Iterable[Finding]) -> int:
    """Print the outdated files; returns the exit code."""
    found = list(findings)
    sys.stdout.write("".join(f"{finding.headline}: {finding.fix}\n" for finding in found))
    return 1 if found else 0
