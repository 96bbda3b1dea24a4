"""Findings about what a recording does not contain (``preflight.recording.gaps``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from preflight.findings import Finding, Rule, Verdict
from preflight.recording.gaps import Gap
from preflight.recording.recorder import Recording

PACK = "ai-interface-preflight"
_ASK_AWS = "pulumi preview --policy-pack with the same pack asks AWS (preflight pack guardrails writes it)"
VALUES = Rule(
    "recorded-values-are-known",
    PACK,
    "The program reads no value that only AWS, another stack or a provider knows; what depends on one is not proven.",
    f"pass the value in as configuration; {_ASK_AWS}",
    "low",
)
RESOURCES = Rule(
    "recorded-resources-are-complete",
    PACK,
    "The program creates no resources in a provider's plugin: they are not recorded here, and no policy evaluates them.",
    f"create the resources in the program; {_ASK_AWS}",
    "high",
)


def rules(recordings: Mapping[tuple[str, bool], Recording]) -> list[Rule]:
    """The rules that a gap of a recording concerns; none without gaps."""
    found = {gap.hides_resources for recording in recordings.values() for gap in recording.gaps}
    return [rule for hides, rule in ((False, VALUES), (True, RESOURCES)) if hides in found]


def findings(recordings: Mapping[tuple[str, bool], Recording]) -> list[Finding]:
    """One finding for each gap of each environment."""
    seen = {(stack, gap) for (stack, _), recording in recordings.items() for gap in recording.gaps}
    return [*_findings(sorted(seen, key=lambda item: (item[0], item[1])))]


def _findings(seen: list[tuple[str, Gap]]) -> Iterator[Finding]:
    for stack, gap in seen:
        rule = RESOURCES if gap.hides_resources else VALUES
        file, _, line = gap.place.rpartition(":")
        yield Finding(
            environment=stack,
            rule=rule.name,
            verdict=Verdict.NOT_PROVEN,
            headline=f"{gap.what} is not known here",
            wanted="resources that the program registers itself"
            if gap.hides_resources
            else "a value known without AWS",
            fix=rule.remediation,
            pack=PACK,
            severity=rule.severity,
            mandatory=gap.hides_resources,
            description=rule.description,
            source_file=file if line.isdigit() else "",
            source_line=int(line) if line.isdigit() else 0,
        )
