"""Every metric filter can count: the lines of its log have the fields that its pattern, value and dimensions name.

CloudWatch Logs accepts any pattern. One with a field that no line has never matches, its metric stays empty, and the alarms on it
are silent. The fields are read from the log format in the Envoy configuration of the container that writes to the log group.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from policies.guardrails.topology.graph.documents import document as parsed
from preflight.conform.documented.model import Json, listed, mapping
from preflight.conform.documented.services import TASK, containers
from preflight.conform.filter_patterns import FilterPatternError, fields_of, matches
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording

RULE = "conform-log-filters"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"


def findings(recording: Recording) -> list[Finding]:
    """Each field that the log lacks, each pattern that cannot be evaluated, and each log whose format is not known, sorted."""
    formats = log_formats(recording)
    found: list[Finding] = []
    for resource in recording.of_type(FILTER):
        found += _of_filter(recording, resource, formats.get(str(resource.inputs.get("logGroupName")), []))
    return sorted(found, key=lambda one: (one.urn, one.headline, one.found))


def log_formats(recording: Recording) -> dict[str, list[Mapping[str, str]]]:
    """Log group → the formats of the lines that Envoy writes to it: field → what it contains."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for task in recording.of_type(TASK):
        for container in containers(task):
            options = mapping(mapping(container.get("logConfiguration")).get("options"))
            found.setdefault(str(options.get("awslogs-group")), []).extend(_formats(container))
    return found


def _formats(container: Mapping[str, Json]) -> Iterator[Mapping[str, str]]:
    command = [str(one) for one in (*listed(container.get("entryPoint")), *listed(container.get("command")))]
    if "--config-yaml" in command[:-1]:
        yield from _in(parsed(command[command.index("--config-yaml") + 1]))


def _in(tree: object) -> Iterator[Mapping[str, str]]:
    if isinstance(tree, dict):
        for key, value in cast("dict[str, Any]", tree).items():
            if key == "json_format":
                yield cast("Mapping[str, str]", value)
            else:
                yield from _in(value)
    elif isinstance(tree, list):
        for one in cast("list[object]", tree):
            yield from _in(one)


def _of_filter(recording: Recording, resource: RecordedResource, formats: list[Mapping[str, str]]) -> Iterator[Finding]:
    pattern = str(resource.inputs.get("pattern"))
    made = mapping(resource.inputs.get("metricTransformation"))
    places = {
        "pattern": pattern,
        "metricTransformation.value": str(made.get("value")),
        "metricTransformation.dimensions": " ".join(str(one) for one in mapping(made.get("dimensions")).values()),
    }
    if not formats:
        wanted = "the log group of an Envoy container, whose format is in the graph"
        found = str(resource.inputs.get("logGroupName"))
        yield _finding(
            recording, resource, "logGroupName: the format of the lines is not known", found, wanted, proven=False
        )
        return
    try:
        matches(pattern, {})
    except FilterPatternError as error:
        wanted = "a pattern that preflight/conform/filter_patterns.py evaluates"
        yield _finding(recording, resource, "pattern: it is not readable", str(error), wanted, proven=False)
    known = sorted({name for one in formats for name in one})
    for place, text in places.items():
        if missing := [name for name in fields_of(text) if name not in known]:
            headline = f"{place}: no line of the log has the field"
            yield _finding(recording, resource, headline, ", ".join(missing), f"one of {', '.join(known)}")


def _finding(
    recording: Recording, resource: RecordedResource, headline: str, found: str, wanted: str, *, proven: bool = True
) -> Finding:
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=Verdict.VIOLATED if proven else Verdict.NOT_PROVEN,
        headline=f"{resource.name}.{headline}",
        urn=resource.urn,
        found=found,
        wanted=wanted,
        fix="name the field as the log format does (components/proxy/common.py), or add it there",
        pack="conform",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )
