"""The terminal output: one table, the parity line, ingress and egress, then each finding with its fix."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from preflight.findings import Exemption, Finding, Report, Verdict, by_cause, grouped

WIDTH = 110
LATER = "proven with known values; in a first preview {values} not known yet"
_COLORS = {Verdict.VIOLATED: "31", Verdict.NOT_PROVEN: "33"}


def text(report: Report, *, terminal: bool, color: bool | None = None, verbose: bool = False) -> str:
    """The report as text. Outside a terminal it contains neither color nor duration, so that two runs produce the same
    text. ``verbose`` lists the values that a first preview does not know; otherwise one line counts them. ``color`` defaults to
    ``terminal``."""
    colored = terminal if color is None else color
    blocks = [_title(report, terminal=terminal), _table(report)]
    blocks += ["\n".join(textwrap.wrap(f"note: {note}", WIDTH, subsequent_indent="  ")) for note in report.notes]
    if report.connectivity:
        blocks.append(_connectivity(report))
    blocks.extend(_findings(report.failing, terminal=colored))
    others = [finding for finding in report.findings if not finding.fails]
    later = [f for f in others if f.is_later]
    if advice := [f for f in others if f.is_advice]:
        blocks.append("advice, which does not fail the check:")
        blocks.extend(_findings(advice, terminal=colored))
    if excepted := [f for f in others if f.exemption is not None]:
        blocks.append("\n".join(["allowed by exceptions:", *_exempted(excepted)]))
    if later:
        blocks.append(_later(later, verbose=verbose))
    if report.messages:
        blocks.append("\n".join(["messages of the program:", *(f"  {message}" for message in report.messages)]))
    blocks.append(_verdict(report))
    return "\n\n".join(blocks) + "\n"


def _title(report: Report, *, terminal: bool) -> str:
    count = len(report.environments)
    facts = [f"{count} environment{'' if count == 1 else 's'}", f"{len(report.rules)} policies"]
    if terminal:
        facts.append(f"{report.seconds:.1f} s")
    left, right = f"{report.project} preflight", " · ".join(facts)
    return left + right.rjust(max(WIDTH - len(left), len(right) + 2))


def _table(report: Report) -> str:
    width = max([len(e.name) for e in report.environments] + [len("parity")]) + 2
    lines = [
        f"  {'':{width}}{'resources':>11}{'proven':>9}{'violated':>11}{'not proven':>13}{'advice':>9}{'exceptions':>13}"
    ]
    for e in report.environments:
        expiry = f"   next expires {e.next_expiry}" if e.next_expiry else ""
        numbers = f"{e.resources:>11}{e.proven:>9}{e.violated:>11}{e.not_proven:>13}{e.advised:>9}{e.exceptions:>13}"
        lines.append(f"  {e.name:{width}}{numbers}{expiry}")
    if report.parity is not None:
        declared = ", ".join(f"{kind} {number}" for kind, number in sorted(report.parity.declared.items()))
        lines.append(f"  {'parity':{width}}{report.parity.verdict}" + (f": {declared}" if declared else ""))
    return "\n".join(lines)


def _connectivity(report: Report) -> str:
    """Once if the environments agree, otherwise once for each environment."""
    same = len({(w.ingress, w.egress, w.proven, w.admission) for w in report.connectivity}) == 1
    lines: list[str] = []
    for connectivity in report.connectivity[:1] if same else report.connectivity:
        if not same:
            lines.append(f"  {connectivity.environment}")
        first, *more = connectivity.ingress or ("none",)
        lines.append(f"  ingress   {first}")
        lines.extend(f"            {path}" for path in more)
        proof = (
            "no other ingress path (proven)"
            if connectivity.proven
            else "not proven that no other ingress path exists (see the findings)"
        )
        lines.append(f"            {proof}")
        lines += _labelled("egress", ", ".join(connectivity.egress) or "none")
        for sentence in connectivity.admission:
            lines += _labelled("access", sentence)
    return "\n".join(lines)


def _labelled(label: str, content: str) -> list[str]:
    parts = textwrap.wrap(content, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
    return [f"  {'' if number else label:10}{part}" for number, part in enumerate(parts)]


def _findings(findings: Sequence[Finding], *, terminal: bool) -> Iterator[str]:
    """Each cause once."""
    for finding, environments, others in by_cause(grouped(findings)):
        yield _finding(finding, environments, others, terminal=terminal)


def _finding(finding: Finding, environments: Iterable[str], others: Sequence[str], *, terminal: bool) -> str:
    facts = [finding.rule, ", ".join(environments)]
    if finding.severity:
        facts.append(finding.severity)
    head = f"{finding.verdict}: {finding.headline}"
    if terminal:
        head = f"\033[{_COLORS[finding.verdict]}m{head}\033[0m"
    lines = [head, f"  {' · '.join(facts)}"]
    also = {"also": f"({len(others)}) {', '.join(others)}"} if others else {}
    for label, value in (finding.details | also).items():
        wrapped = textwrap.wrap(value, WIDTH - 12, break_long_words=False, break_on_hyphens=False) or [""]
        lines.extend(f"  {label if number == 0 else '':10}{part}" for number, part in enumerate(wrapped))
    return "\n".join(lines)


def _later(findings: list[Finding], *, verbose: bool) -> str:
    places = _places(findings)
    values = "1 value is" if len(places) == 1 else f"{len(places)} values are"
    line = LATER.format(values=values)
    return "\n".join([f"{line}:", *places]) if verbose else f"{line} (--verbose lists them)"


def _places(findings: list[Finding]) -> list[str]:
    rules: dict[str, list[str]] = {}
    for finding, _ in grouped(findings):
        rules.setdefault(finding.headline, []).append(finding.rule)
    return [f"  {headline} ({', '.join(sorted(set(names)))})" for headline, names in sorted(rules.items())]


def _exempted(findings: list[Finding]) -> list[str]:
    """Each exception once, with everything that it allows."""
    places: dict[tuple[str, Exemption], list[str]] = {}
    for finding, environments in grouped(findings):
        if finding.exemption is not None:
            where = f"{finding.headline} ({', '.join(environments)})"
            places.setdefault((finding.rule, finding.exemption), []).append(where)
    lines: list[str] = []
    for (rule, exemption), where in sorted(places.items(), key=lambda item: (item[0][0], item[1])):
        lines.append(f"  {rule} until {exemption.expires} ({exemption.owner})")
        for text in (*where, exemption.reason):
            lines += textwrap.wrap(
                text, WIDTH, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
            )
    return lines


def _verdict(report: Report) -> str:
    groups = grouped(report.failing)
    if not groups and any(environment.advised for environment in report.environments):
        return "clean: every policy is proven in every environment, or advises only"
    if not groups:
        return "clean: every policy is proven in every environment"
    number = f"{len(groups)} finding" + ("" if len(groups) == 1 else "s")
    return f"{number} to act on"
