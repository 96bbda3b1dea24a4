"""A report in the requested format."""

from __future__ import annotations

from collections.abc import Callable

from preflight.findings import Report
from preflight.report.data import as_json, as_junit, as_markdown, as_sarif, stable
from preflight.report.text import text

__all__ = ["RENDERERS", "render", "stable"]


RENDERERS: dict[str, Callable[[Report], str]] = {
    "json": as_json,
    "markdown": as_markdown,
    "sarif": as_sarif,
    "junit": as_junit,
}
"""Every format except ``text``, whose renderer also depends on the terminal. ``FORMATS`` in
``preflight.commands.console`` has the same names."""


def render(report: Report, format_: str, *, terminal: bool, color: bool | None = None, verbose: bool = False) -> str:
    """The report in one of ``FORMATS``. ``color`` and ``verbose`` are about ``text`` only."""
    if format_ == "text":
        return text(report, terminal=terminal, color=color, verbose=verbose)
    return RENDERERS[format_](report)
