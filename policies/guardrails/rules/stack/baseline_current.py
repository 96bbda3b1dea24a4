"""The file of frozen findings that the stack names is readable and has not expired.

A baseline lets a team adopt the pack on a stack that has findings already: those are frozen until a date, new ones stop
the update. Without a date they would stay.

Its setting ``file`` names the file, relative to the pack's folder; ``python <the pack's folder> baseline`` writes it. The
key ``guardrails:baseline`` of the stack's configuration has the same meaning, and yields to the setting.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Yield nothing: the frozen findings are known only after all policies have run (see ``evaluation``)."""
    yield from ()


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="fix the frozen findings and remove the file, or write it again with a new date",
    schema={
        "file": {
            "type": "string",
            "default": "",
            "description": "The file of frozen findings, relative to the pack's folder; empty: none.",
        }
    },
)
