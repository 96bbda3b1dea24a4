"""The questions that a reviewer asks first, each answered in a sentence or two that follows from the graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from preflight.analysis.edge_proxy import configuration, facts
from preflight.cost.estimate import Estimate
from preflight.cost.prices import REFERENCE
from preflight.cost.render import rounded
from preflight.errors import PreflightError
from preflight.findings import Report
from preflight.recording.recorder import Recording
from preflight.report.sections.governance import DeclaredDifference, Responsible
from preflight.review.diagram import Diagram
from preflight.review.path_limits import size
from preflight.review.request_table import ANYBODY, RequestLine
from preflight.review.zones import ZoneLoss

_WHOLE = (": absent → present", ": present → absent")
"""Ends of values about whole resources, which a summary names by their zone instead."""
_SHORT, _SHOWN = 70, 2
"""Characters of a value that is short enough for a summary, and how many of each kind it shows."""


@dataclass(frozen=True, slots=True)
class FirstQuestion:
    """One question, its answer, and the part of the page with the details."""

    question: str
    answers: tuple[str, ...]
    anchor: str


def answers(
    report: Report,
    diagrams: Mapping[str, Diagram],
    recordings: Mapping[str, Recording],
    *,
    losses: Mapping[str, Sequence[ZoneLoss]],
    roles: Sequence[Responsible],
    one_team: Sequence[str],
    requests: Sequence[RequestLine],
    differences: Sequence[DeclaredDifference],
    costs: Mapping[str, Estimate],
) -> list[FirstQuestion]:
    """Every question that the stacks can answer."""
    found = [
        FirstQuestion(
            "What is public?",
            (*_same(_public(report, diagrams, recordings)), *_without_log_in(requests)),
            "architecture",
        ),
        FirstQuestion("What may a logged-in user upload?", tuple(_same(_uploads(recordings))), "requests"),
        FirstQuestion(
            "How do the environments differ, and until when?",
            tuple(_differences(report, recordings, differences)),
            "differences",
        ),
        FirstQuestion("Who approves a prompt?", (*_approvals(roles), *one_team), "people"),
        FirstQuestion("What does the loss of an availability zone do?", tuple(_same(_losses(losses))), "zones"),
    ]
    idle = {
        name: f"about {rounded(one.total.minimum)} a month idle, {rounded(one.total.expected)} expected"
        f"{f', with prices of {REFERENCE}' if one.elsewhere else ''}"
        for name, one in costs.items()
    }
    found.append(FirstQuestion("What does it cost?", tuple(f"{name}: {text}." for name, text in idle.items()), "costs"))
    return [one for one in found if one.answers]


def _same(texts: Mapping[str, str]) -> Iterator[str]:
    """The text once, if it is the same in every environment; otherwise each with its environment."""
    if len(set(texts.values())) == 1:
        yield next(iter(texts.values()))
        return
    yield from (f"{name}: {text}" for name, text in texts.items())


def _public(report: Report, diagrams: Mapping[str, Diagram], recordings: Mapping[str, Recording]) -> dict[str, str]:
    found: dict[str, str] = {}
    proven = {one.environment: one.proven for one in report.connectivity}
    for name, diagram in diagrams.items():
        public = [node.title for node in diagram.nodes if node.public and node.column != "aws"]
        url = recordings[name].outputs.get("url")
        ports = sorted({link.label for link in diagram.links if link.public and link.source == "users"})
        shown = ", ".join(public) or "nothing"
        at = f" ({url})" if isinstance(url, str) else ""
        on = f" on port {', '.join(ports)}" if ports else ""
        rest = (
            "Nothing else: proven."
            if proven.get(name, True)
            else "It is not proven that nothing else is: see the findings."
        )
        found[name] = f"{shown}{at}{on}. {rest}"
    return found


def _without_log_in(requests: Sequence[RequestLine]) -> Iterator[str]:
    """The outcome of the table's requests without a login."""
    asked = [(line, line.outcomes[ANYBODY]) for line in requests if ANYBODY in line.outcomes]
    served = [
        name
        for line, own in asked
        if any(cell.verdict == "served" for cell in own.cells.values())
        for name in line.names
    ]
    if served:
        yield f"Served without a log-in: {', '.join(served)}."
    elif asked:
        yield f"Nothing of it is served without a log-in ({sum(len(line.names) for line, _ in asked)} requests traced)."


def _uploads(recordings: Mapping[str, Recording]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, recording in recordings.items():
        try:
            proxy = facts(configuration(recording))
        except PreflightError:
            continue
        paths = ", ".join(proxy.upload_path_prefixes)
        files = (
            f"Files of up to {size(proxy.upload_bytes)} to {paths}. " if proxy.upload_bytes and paths else "No files. "
        )
        found[name] = (
            f"{files}Every other request may have a body of up to {size(proxy.prompt_bytes)}. The proxy refuses more with 413."
        )
    return found


def _differences(
    report: Report, recordings: Mapping[str, Recording], differences: Sequence[DeclaredDifference]
) -> Iterator[str]:
    if report.parity is None:
        return
    releases = {name: str(recording.outputs.get("release") or "none") for name, recording in recordings.items()}
    if len(set(releases.values())) > 1:
        yield f"Release: {', '.join(f'{name} {release}' for name, release in releases.items())}."
    zones = {
        name: len({one.inputs.get("availabilityZone") for one in recording.of_type("aws:ec2/subnet:Subnet")})
        for name, recording in recordings.items()
    }
    if len(set(zones.values())) > 1:
        yield f"Availability zones: {', '.join(f'{name} {number}' for name, number in zones.items())}."
    listed = ", ".join(f"{kind} ({number})" for kind, number in sorted(report.parity.declared.items()))
    yield f"{report.parity.verdict[:1].upper()}{report.parity.verdict[1:]}{f': {listed}' if listed else ''}."
    for kind in dict.fromkeys(one.kind for one in differences):
        values = [value for one in differences if one.kind == kind for value in one.values]
        chosen = {value for value in values if len(value) <= _SHORT and not value.endswith(_WHOLE)}
        short = sorted(chosen, key=lambda value: (len(value), value))[:_SHOWN]
        if short:
            more = len(values) - len(short)
            yield f"{kind[:1].upper()}{kind[1:]}: {'; '.join(short)}{f' and {more} more' if more else ''}."
    if differences:
        first, last = differences[0].expires, max(one.expires for one in differences)
        yield (
            f"All declarations end on {first}."
            if first == last
            else f"The first declaration ends on {first}, the last on {last}."
        )


def _approvals(roles: Sequence[Responsible]) -> Iterator[str]:
    people = {one.role: one.shown for one in roles}
    if "prompt reviewers" in people:
        yield f"{people['prompt reviewers']} review every text in prompts/; a release lists each text by digest with its reviewer."
    if "release managers" in people:
        yield f"{people['release managers']} approve the release that delivers it; {people.get('environment approvers', 'no one')} its deployment."


def _losses(losses: Mapping[str, Sequence[ZoneLoss]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, own in losses.items():
        lost = [one.short for one in own if one.short and not one.survives]
        kept = [one.short for one in own if one.short and one.survives]
        if own:
            found[name] = f"An interruption: {'; '.join(lost)}." if lost else f"It continues: {'; '.join(kept)}."
    return found
