"""Metric filters and saved queries name fields that the lines of their log group have.

CloudWatch Logs accepts any field. One that no line has never matches: the filter's metric stays empty, and the query finds nothing
on the day of the incident.

The policy knows the formats of Envoy's access log, if a container's definition contains the configuration, and of flow logs, DNS
query logs, web ACLs, ElastiCache and Container Insights. Groups that anything else writes to are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...log_formats import Format, formats_of
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_READERS = {
    "cloudwatch.LogMetricFilter": (
        "logGroupName",
        ("pattern", "metricTransformation.value", "metricTransformation.dimensions"),
    ),
    "cloudwatch.QueryDefinition": ("logGroupNames", ("queryString",)),
}
"""Type → the property that names its log groups, and the properties that name fields."""
_FILTER = "cloudwatch.LogMetricFilter"
_FIX = "name the log group that was meant, or a field that its lines have"
_WANTED = "fields that the lines of the log group have"
_OF_PATTERN = re.compile(r"\$\.([A-Za-z_][\w.]*)")
_TEXTS = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?<=like )\s*/(?:[^/\\]|\\.)*/\w*|(?<=~ )\s*/(?:[^/\\]|\\.)*/\w*|#.*"
)
_DEFINED = re.compile(r"\bas\s+([@\w.]+)", re.IGNORECASE)
_NAME = re.compile(r"`([^`]+)`|(?<![\w.@])(@?[A-Za-z_][\w.]*)(?!\s*\()(?![\w.])")
_CLAUSE = re.compile(r"\s*(fields|display|filter|stats|sort|dedup)\b(.*)", re.IGNORECASE | re.DOTALL)
_OTHER = re.compile(r"\s*(limit)\b", re.IGNORECASE)
_WORDS = frozenset(
    ["and", "or", "not", "in", "like", "as", "by", "asc", "desc", "true", "false", "null", "is", "regex"]
)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each metric filter and each saved query."""
    readers = graph.of_type(*_READERS)
    if not readers:
        return
    formats, undecided = formats_of(graph, _WANTED, _FIX)
    yield from undecided
    for reader in readers:
        path, places = _READERS[reader.kind]
        groups = graph.referenced(reader, path, ("cloudwatch.LogGroup",), ("name", "id", "arn"))
        if not groups or groups.external or groups.ambiguous or any(group.urn not in formats for group in groups):
            continue
        known = [one for group in groups for one in formats[group.urn]]
        if unknown := [one.unknown for one in known if one.unknown is not None]:
            yield not_proven(reader, path, unknown, _WANTED, _FIX)
            continue
        for place in places:
            yield from _place(reader, place, known, ", ".join(group.name for group in groups))


def _place(reader: Resource, place: str, formats: list[Format], groups: str) -> Iterator[Finding]:
    text = reader.value(place)
    if isinstance(text, Unknown):
        yield not_proven(reader, place, [text], _WANTED, _FIX)
        return
    fields = list(_of_pattern(str(text))) if reader.kind == _FILTER else _of_query(str(text or ""))
    if fields is None:
        return
    if reader.kind == _FILTER:
        formats = [one for one in formats if one.is_json]
    if missing := sorted({field for field in fields if not any(one.has(field) for one in formats)}):
        what = f"names a field that no line of {groups} has"
        yield violated(reader, place, ", ".join(missing), _WANTED, _FIX, what=what)


def _of_pattern(text: str) -> Iterator[str]:
    """The fields of a pattern for JSON, or of the values that a filter takes from the line."""
    yield from _OF_PATTERN.findall(re.sub(r'"[^"]*"', "", text))


def _of_query(query: str) -> list[str] | None:
    """The fields of the line that a query uses; ``None`` if it has a command that may add other fields."""
    without = _TEXTS.sub(" ", query)
    made = set(_DEFINED.findall(without))
    found: list[str] = []
    for part in without.split("|"):
        clause = _CLAUSE.fullmatch(part)
        if clause is None and part.strip() and not _OTHER.match(part):
            return None
        names = [quoted or plain for quoted, plain in _NAME.findall(_DEFINED.sub(" ", clause[2]))] if clause else []
        found += [name for name in names if not _is_word(name, made)]
    return found


def _is_word(name: str, made: set[str]) -> bool:
    """Whether a name stands for no field of the line: a word of the language, a field of CloudWatch's, or one that the query makes."""
    return name.startswith("@") or name in made or name.lower() in _WORDS


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_READERS)),
    level=Level.ADVISORY,
    unknown_blocks=False,
)
