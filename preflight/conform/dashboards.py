"""Every graph of a dashboard shows something: its metrics exist, with these dimensions and statistics.

CloudWatch accepts any line, and shows an empty graph for a metric that is not published. The lines are compared with
``metrics.tsv``, as the alarms are (``alarms_can_fire``); a graph of an alarm has the alarm's metrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.conform.alarms_can_fire import DIMENSIONS, OWN, published
from preflight.conform.documented.model import Json, document, listed, mapping
from preflight.conform.metrics import Metric, documented
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording

RULE = "conform-dashboards"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


def findings(recording: Recording) -> list[Finding]:
    """Each line of a graph that shows nothing, sorted."""
    found: list[Finding] = []
    for board in recording.of_type(DASHBOARD):
        body = mapping(document(board.inputs.get("dashboardBody")))
        for widget in map(mapping, listed(body.get("widgets"))):
            properties = mapping(widget.get("properties"))
            for line in listed(properties.get("metrics")):
                found += _line(recording, board, str(properties.get("title")), listed(line))
    return sorted(found, key=lambda one: (one.urn, one.headline, one.found))


def _line(recording: Recording, board: RecordedResource, title: str, line: list[Json]) -> Iterator[Finding]:
    metric = _metric(line)
    row = documented().get((metric.namespace, metric.name))
    if row is None:
        wanted = "a metric in preflight/conform/metrics.tsv, with the page that documents it"
        yield _finding(recording, board, f"{title}: the metric is not known to exist", metric.label, wanted)
        return
    if frozenset(metric.of) not in row.dimensions:
        sets = " or ".join(sorted("+".join(sorted(one)) for one in row.dimensions))
        found = f"{metric.label} with {'+'.join(sorted(metric.of)) or 'no dimensions'}"
        yield _finding(recording, board, f"{title}: the metric has no such set of dimensions", found, sets)
    if metric.statistic not in row.statistics:
        found, wanted = f"{metric.statistic} of {metric.label}", ", ".join(sorted(row.statistics))
        yield _finding(recording, board, f"{title}: the statistic means nothing for the metric", found, wanted)
    for name, value in metric.dimensions:
        type_, key = DIMENSIONS.get(name, ("", ""))
        known = {str(resource.outputs.get(key)) for resource in recording.of_type(type_)} if type_ else {value}
        if value not in known:
            wanted = f"the {key} of a {type_.rpartition(':')[2]} of the stack"
            yield _finding(recording, board, f"{title}: {name} names no resource", value, wanted)
    if metric.namespace.startswith(OWN) and not published(recording, metric):
        wanted = "a metric filter or a container of the stack that publishes it"
        yield _finding(recording, board, f"{title}: nothing publishes the metric", metric.label, wanted)


def _metric(line: list[Json]) -> Metric:
    """A line: namespace, metric, dimensions in turn, and an object with the statistic."""
    texts = [str(one) for one in line if isinstance(one, str)]
    options = mapping(next((one for one in line if not isinstance(one, str)), None))
    namespace, name, *pairs = texts
    dimensions = tuple(sorted(zip(pairs[::2], pairs[1::2], strict=True)))
    return Metric("m", namespace, name, str(options.get("stat") or "Average"), dimensions, 300)


def _finding(recording: Recording, board: RecordedResource, headline: str, found: str, wanted: str) -> Finding:
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=Verdict.VIOLATED,
        headline=f"{board.name}.{headline}",
        urn=board.urn,
        found=found,
        wanted=wanted,
        fix="correct the graph in assembly/dashboard.py",
        pack="conform",
        source_file=board.source_file,
        source_line=board.source_line,
    )
