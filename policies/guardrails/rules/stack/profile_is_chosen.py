"""The stack, or the configuration of the policies, chooses the profile of policies that the stack is held to.

Without a choice the pack reports only what makes something reachable or grants it (profile ``exposure``), and a reader may
take a clean report for more than that.

Its setting ``profile`` decides for the whole pack. The key ``guardrails:profile`` of the stack's configuration has the same
meaning, and yields to the setting.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...profiles import DEFAULT, Profile
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, Verdict


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Yield the finding that nothing chooses a profile; a stack without resources needs none."""
    if not settings["profile"] and len(graph):
        yield Finding(
            Verdict.VIOLATED,
            "",
            "the stack",
            "",
            f"no choice, so the profile is {DEFAULT}",
            " or ".join(Profile),
            f"set guardrails:profile in the stack's configuration; {Profile.BASELINE} adds AWS's best practices",
            "has no profile of policies",
        )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="set guardrails:profile in the stack's configuration, or the policy's setting profile",
    schema={
        "profile": {
            "type": "string",
            "enum": ["", *map(str, Profile)],
            "default": "",
            "description": (
                "The profile of the whole pack: exposure (what makes something reachable or grants it), baseline (AWS "
                "Foundational Security Best Practices in addition) or ai-interface (every policy). Empty: the stack's key "
                "guardrails:profile, and without it exposure."
            ),
        }
    },
    level=Level.ADVISORY,
)
