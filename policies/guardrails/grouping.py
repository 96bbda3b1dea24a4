"""Findings of one cause as one report: a stack has few causes and many resources.

Findings of a policy have one cause if verdict, level and fix are the same, apart from the resource's own name; what is
only advice has one cause a policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from .evaluation import Report
from .function_urls import PERMISSION_POLICY, URL_POLICY, permissions_of_urls
from .rule import Level, Severity
from .topology.graph.resources import Graph
from .topology.graph.verdicts import Verdict

MOST_NAMED = 20
"""The number of further places that a message names."""
_LEVELS = (Level.MANDATORY, Level.ADVISORY, Level.DISABLED)
_SEVERITIES = tuple(reversed(Severity))

Group: TypeAlias = tuple[Report, ...]
"""The reports of one cause, in a stable order; never empty."""
Spot: TypeAlias = tuple[object, ...]
"""A violated property of a resource, or a report that concerns no property."""


REACH = "reachability-no-internal-endpoint-reachable"
"""The policy that reports what is reached by an open property, with the path, where others report the property alone."""


def once(reports: Iterable[Report], graph: Graph) -> list[Report]:
    """The reports without repetitions: of one property, either the one with the path from the internet or the stricter one.

    A policy on one resource stops it before it exists, so both run; a reader of all reports needs the cause once. For the same
    reason the permission of a public function URL is not reported in addition to the URL.
    """
    distinct: dict[tuple[object, ...], Report] = {}
    for report in reports:
        item = report.finding
        found = (item.verdict, item.urn, item.property, item.what, item.found, item.wanted, item.fix)
        distinct.setdefault((report.rule.name, report.level, *found), report)
    left = list(distinct.values())
    reached = {_spot(report): _LEVELS.index(report.level) for report in left if report.rule.name == REACH}
    strict = {
        spot: min(_LEVELS.index(report.level) for report in left if report.rule.name != REACH and _spot(report) == spot)
        for spot in reached
        if any(report.rule.name != REACH and _spot(report) == spot for report in left)
    }
    of_urls = _of_urls(left, graph)
    return [
        report
        for report in left
        if not _is_repeated(report, reached, strict)
        and not (report.rule.name == PERMISSION_POLICY and _is_milder(report, of_urls))
    ]


def _of_urls(reports: Iterable[Report], graph: Graph) -> dict[str, int]:
    """URN of a permission → how strictly the URL is reported that it belongs to."""
    permissions = permissions_of_urls(graph)
    found: dict[str, int] = {}
    for report in reports:
        if report.rule.name == URL_POLICY and report.finding.verdict is Verdict.VIOLATED:
            for urn in permissions.get(report.finding.urn, ()):
                found[urn] = min(_LEVELS.index(report.level), found.get(urn, len(_LEVELS)))
    return found


def _is_milder(report: Report, of_urls: Mapping[str, int]) -> bool:
    """Whether a permission's URL is reported at least as strictly."""
    urn = report.finding.urn
    return urn in of_urls and of_urls[urn] <= _LEVELS.index(report.level)


def _is_repeated(report: Report, reached: Mapping[Spot, int], strict: Mapping[Spot, int]) -> bool:
    spot = _spot(report)
    if spot not in strict:
        return False
    return reached[spot] > strict[spot] if report.rule.name == REACH else reached[spot] <= strict[spot]


def _spot(report: Report) -> Spot:
    finding = report.finding
    is_found = finding.property and finding.verdict is Verdict.VIOLATED
    return (finding.urn, finding.property) if is_found else (id(report),)


def grouped(reports: Iterable[Report]) -> list[Group]:
    """The reports by cause, worst first: what blocks, then violations, then by severity."""
    groups: dict[tuple[object, ...], list[Report]] = {}
    for report in sorted(reports, key=_order):
        groups.setdefault(_cause(report), []).append(report)
    return [tuple(group) for group in groups.values()]


def message(group: Group) -> str:
    """The first report in full, and the places of the others."""
    return "\n".join([group[0].message, *also(group)])


def also(group: Group) -> list[str]:
    """The line that names the other places of the cause; none if there is only one."""
    _, *others = dict.fromkeys(_place(report) for report in group)
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return [f"also ({len(others)}): {', '.join(others[:MOST_NAMED])}{more}"] if others else []


def _place(report: Report) -> str:
    finding = report.finding
    return f"{finding.resource}.{finding.property}" if finding.property else finding.resource


def _cause(report: Report) -> tuple[object, ...]:
    common = (report.rule.name, report.level, report.note, report.exemption)
    finding = report.finding
    fix = finding.fix.replace(finding.resource, "") if finding.resource else finding.fix
    return common if report.level is Level.ADVISORY else (*common, finding.verdict, fix)


def _order(report: Report) -> tuple[object, ...]:
    return (
        _LEVELS.index(report.level),
        report.finding.verdict is not Verdict.VIOLATED,
        _SEVERITIES.index(report.rule.severity),
        report.rule.name,
        report.finding.urn,
        report.finding.property,
        report.finding.found,
    )
