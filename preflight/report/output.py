"""A report in the requested format."""

from __future__ import annotations

from preflight.findings import Report
from preflight.report.data import as_json, as_junit, as_markdown, as_sarif, stable
from preflight.report.text import text

__all__ = ["render", "stable"]


def render(report: Report, format_: str, *, terminal: bool) -> str:
    """The report as text, JSON, Markdown, SARIF or JUnit."""
    if format_ == "text":
        return text(report, terminal=terminal)
    return {"json": as_json, "markdown": as_markdown, "sarif": as_sarif, "junit": as_junit}[format_](report)
