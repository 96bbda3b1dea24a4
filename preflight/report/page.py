"""One self-contained page about all environments, for a reviewer: the verdict first, then what it follows from.

It loads nothing from the network. Its script only filters a table and describes the arrow under the pointer; without it, everything
can still be read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import jinja2
from markupsafe import Markup

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.analysis.check import Checked
from preflight.cost.estimate import Estimate
from preflight.cost.render import money
from preflight.findings import grouped
from preflight.report.sections import budget, drawing, governance, reviewed
from preflight.report.sections.glance import answers
from preflight.review import path_limits as limits
from preflight.review import request_table as requests
from preflight.review.diagram import Diagram, diagram_of
from preflight.review.zones import zone_losses

_Value = TypeVar("_Value")
_TEMPLATES = Path(__file__).with_name("templates")


def html(checked: Checked, root: Path | None = None, costs: Mapping[str, Estimate] | None = None) -> str:
    """The page. ``root`` is the project's folder, whose declarations it shows; without it, the page is about the graphs alone.
    ``costs`` is the cost of each stack."""
    report = checked.report
    names = [environment.name for environment in report.environments]
    recordings = {name: checked.recordings[name, False] for name in names}
    graphs = {name: Graph.from_recorded(recording.resources) for name, recording in recordings.items()}
    diagrams = {name: diagram_of(recordings[name], graphs[name]) for name in names}
    losses = {name: zone_losses(graphs[name]) for name in names}
    timed = {name: limits.limits_of(recordings[name], graphs[name]) for name in names}
    roles, one_team = governance.responsible(recordings), governance.one_team(recordings)
    lines = requests.lines_of(recordings, graphs)
    today = dt.datetime.now(dt.UTC).date()
    differences = governance.declared(root, recordings, today) if root else []
    counted, controls = governance.ledger()
    return _template().render(
        css=_own("report.css"),
        js=_own("report.js"),
        report=report,
        names=names,
        groups=grouped(report.failing),
        exceptions=grouped([finding for finding in report.findings if finding.exemption is not None]),
        answers=answers(
            report,
            diagrams,
            recordings,
            losses=losses,
            roles=roles,
            one_team=one_team,
            requests=lines,
            differences=differences,
            costs=costs or {},
        ),
        costs={name: costs[name] for name in names if name in costs} if costs else {},
        money=money,
        diagrams=diagrams,
        drawings=_drawings(diagrams),
        connection_id=drawing.connection_id,
        releases={name: recording.outputs.get("release") for name, recording in recordings.items()},
        budgets=_once({name: budget.picture(own) for name, own in timed.items()}),
        limit_rows=_limit_rows(timed),
        places=limits.PLACES,
        requests=lines,
        one_team=one_team,
        clients=(requests.ANYBODY, requests.STRANGER, requests.MEMBER),
        reviewed=reviewed.groups_of(recordings, graphs),
        losses=losses,
        roles=roles,
        differences=differences,
        alarms=_once({name: tuple(governance.alarms(graphs[name])) for name in names}),
        counted=counted,
        controls=controls,
        witnesses={name: _witnesses(graph) for name, graph in graphs.items()},
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _own(name: str) -> Markup:
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def _drawings(diagrams: Mapping[str, Diagram]) -> dict[str, Markup]:
    return {name: drawing.svg(diagram, name) for name, diagram in diagrams.items() if diagram.nodes}


def _once(values: Mapping[str, _Value]) -> dict[str, _Value]:
    """Environments with the same value as one entry: ``staging and prod``."""
    found: dict[str, tuple[list[str], _Value]] = {}
    for name, value in values.items():
        found.setdefault(repr(value), ([], value))[0].append(name)
    return {" and ".join(names): value for names, value in found.values()}


def _limit_rows(timed: Mapping[str, list[limits.PathLimit]]) -> list[tuple[str, str, dict[str, list[str]]]]:
    """Kind, what the limit is about, and place → its values; with the environment where they differ."""
    rows: dict[tuple[str, str], dict[str, dict[str, list[str]]]] = {}
    for name, own in timed.items():
        for one in own:
            rows.setdefault((one.kind, one.what), {}).setdefault(one.place, {}).setdefault(one.value, []).append(name)
    everywhere = len(timed)
    return [
        (
            kind,
            what,
            {
                place: [
                    value if len(names) == everywhere else f"{value} ({', '.join(names)})"
                    for value, names in values.items()
                ]
                for place, values in places.items()
            },
        )
        for (kind, what), places in sorted(rows.items(), key=lambda row: (limits.KINDS.index(row[0][0]), row[0][1]))
    ]


def _witnesses(graph: Graph) -> list[str]:
    return sorted({" → ".join(map(str, path.hops)) for path in reachability(graph).paths})
