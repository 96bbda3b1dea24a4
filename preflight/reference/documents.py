"""Documents that are generated from the code: their paths, their content, and whether they are current.

``python -m preflight docs`` lists the ones that are out of date, ``--write`` writes them. A test runs it, so adding a
setting, a policy or an option without regenerating the reference fails. ``docs/changes.md`` is not among them, because
planning its table takes minutes (``python -m tests.preflight.changes.document``).
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from policies.guardrails import controls
from preflight.capacity import sheet
from preflight.conform.stack_file import ROOT
from preflight.errors import PreflightError
from preflight.pulumi.program import Run, collect, load, start
from preflight.pulumi.project import Project
from preflight.ready import calls
from preflight.recording.recorder import Recording
from preflight.reference import command_line, init_answers, logs, policies, recovery, settings_keys

SECTIONS: Mapping[str, Callable[[], str]] = {"docs/ready.md": calls.markdown}
"""Path of each hand-written document with a generated section → the function that generates it."""
GRAPH_SECTIONS: Mapping[str, Callable[[Mapping[str, Recording]], str]] = {
    "docs/logging.md": logs.section,
    "docs/restore.md": recovery.section,
}
"""The same for sections that are generated from the graphs of all stacks. A folder without a project has none."""
PROJECT = "Pulumi.yaml"
BEGIN, END = "<!-- generated: make docs -->", "<!-- end of generated section -->"
"""The lines around a generated section."""


@cache
def capacity() -> str:
    """The capacity of every stack of this checkout, in the order of their names. Recording them takes seconds."""
    project = Project.load(ROOT)
    load(project)
    runs = [Run(project.stack(name), preview=False) for name in sorted(project.stacks())]
    recordings = collect(start(project, runs))
    return sheet.document(recordings[run.stack.name, False] for run in runs)


def documents(parser: ArgumentParser) -> Mapping[str, Callable[[], str]]:
    """Path of each document → the function that generates it. ``parser`` is the command line's."""
    return {
        "docs/capacity.md": capacity,
        "docs/controls.md": controls.markdown,
        "docs/reference/command-line.md": lambda: command_line.markdown(parser),
        "docs/reference/init-answers.md": init_answers.markdown,
        "docs/reference/policies.md": policies.markdown,
        "docs/reference/settings.md": settings_keys.markdown,
    }


def stale(root: Path, parser: ArgumentParser) -> Mapping[str, str]:
    """Path → current text of the documents whose committed text differs, or that are missing.

    Raises ``PreflightError`` for a document whose generated section is not marked.
    """
    current = {name: make() for name, make in documents(parser).items()}
    current |= {name: _with_section(root, name, make()) for name, make in SECTIONS.items()}
    if (root / PROJECT).is_file():
        graphs = recordings(root)
        current |= {name: _with_section(root, name, make(graphs)) for name, make in GRAPH_SECTIONS.items()}
    return {name: text for name, text in current.items() if _committed(root / name) != text}


def write(root: Path, parser: ArgumentParser) -> list[Path]:
    """Write the documents that are out of date; returns their paths. Raises as ``stale`` does."""
    changed = stale(root, parser)
    for name, text in changed.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [root / name for name in changed]


def recordings(root: Path) -> Mapping[str, Recording]:
    """Stack → its graph with known values."""
    project = Project.load(root)
    load(project)
    runs = [Run(project.stack(name), preview=False) for name in project.stacks()]
    return {stack: found for (stack, _), found in collect(start(project, runs)).items()}


def _with_section(root: Path, name: str, section: str) -> str:
    """The committed text with its generated section renewed."""
    text = _committed(root / name) or ""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise PreflightError(
            f"{name} has no section to generate: it must have the line `{BEGIN}` once, and after it `{END}` once. "
            "Restore them with git, then run `make docs`."
        )
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{section}\n{END}{after}"


def _committed(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
