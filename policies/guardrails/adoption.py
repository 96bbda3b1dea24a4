"""Writes the baseline of a stack: ``python <the pack's folder> baseline --help``.

It reads the stack as ``pulumi stack export`` prints it, so it needs neither the program nor its language.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from . import baseline
from .analyzer import declared
from .configuration import MisconfiguredError, policies
from .declarations import A_YEAR_DAYS
from .evaluation import BASELINE, CURRENT, Evaluation, Report
from .profiles import Profile
from .rules import RULES
from .server import evaluation
from .topology.graph.resources import Graph, Resource

_ABOUT_THE_PACK = (CURRENT, BASELINE, "stack-profile-is-chosen")


def main(arguments: Sequence[str]) -> int:
    """Write the file and return the exit code: 0, or 2 if it could not be written."""
    options = _parser().parse_args(arguments)
    today = dt.datetime.now(dt.UTC).date()
    try:
        text, number = written(json.loads(options.export.read_text(encoding="utf-8")), options, today)
        options.output.write_text(text, encoding="utf-8")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, MisconfiguredError) as error:
        sys.stderr.write(f"no baseline was written: {_said(error, options)}\n")
        return 2
    sys.stdout.write(
        f"wrote {options.output}: {number} findings are frozen until {options.expires.isoformat()}\n"
        f"name the file in the stack's configuration: guardrails:baseline, relative to the pack's folder\n"
    )
    return 0


def written(state: dict[str, Any], options: argparse.Namespace, today: dt.date) -> tuple[str, int]:
    """The file's text for an exported stack, and the number of findings in it."""
    last = today + dt.timedelta(days=A_YEAR_DAYS)
    if not today < options.expires <= last:
        raise ValueError(
            f"--expires is {options.expires}; allowed: a day from tomorrow to {last}; fix: choose one of these"
        )
    chosen = {"guardrails:profile": str(options.profile)}
    if options.exceptions:
        chosen["guardrails:exceptions"] = str(options.exceptions.resolve())
    found = [
        (report.rule.name, report.finding)
        for report in reports(state, evaluation(policies(RULES, {}, chosen), today))
        if report.exemption is None and report.rule.name not in _ABOUT_THE_PACK
    ]
    return baseline.written(found, options.owner, options.expires), len(found)


def reports(state: dict[str, Any], evaluation_: Evaluation) -> list[Report]:
    """The reports on an exported stack: on each resource's inputs, and on all outputs together."""
    resources = cast("list[dict[str, Any]]", (state.get("deployment") or state)["resources"] or [])
    alone = [Resource.from_recorded({**entry, "outputs": None}) for entry in resources]
    graph = Graph.from_recorded(
        {
            **entry,
            "inputs": declared(entry.get("outputs") or {}, entry.get("propertyDependencies") or {}),
            "outputs": None,
        }
        for entry in resources
    )
    return [
        *(report for resource in alone for report in evaluation_.on_resource(resource)),
        *evaluation_.on_stack(graph)[0],
    ]


def _said(error: Exception, options: argparse.Namespace) -> str:
    if isinstance(error, json.JSONDecodeError | LookupError | TypeError | AttributeError):
        return f"{options.export} is not an exported stack ({error}); fix: pulumi stack export --file {options.export}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python <the pack's folder> baseline",
        description="Freeze the findings that a stack has today, until a date.",
    )
    parser.add_argument("--export", type=Path, required=True, metavar="FILE", help="what pulumi stack export printed")
    parser.add_argument("--owner", required=True, help="the team that fixes the frozen findings")
    parser.add_argument(
        "--expires",
        type=dt.date.fromisoformat,
        required=True,
        metavar="YYYY-MM-DD",
        help="the first day without the file",
    )
    parser.add_argument(
        "--profile", type=Profile, choices=list(Profile), default=Profile.BASELINE, help="default: %(default)s"
    )
    parser.add_argument("--exceptions", type=Path, metavar="FILE", help="the stack's exceptions, which are not frozen")
    parser.add_argument("--output", type=Path, default=Path("guardrails-baseline.yaml"), metavar="FILE")
    return parser
