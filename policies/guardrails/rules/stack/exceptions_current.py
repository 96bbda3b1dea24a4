"""Every entry of the stack's file of exceptions has a reason, an owner and an expiry date, and still matches a finding.

An exception that is no longer reviewed leaves a gap open indefinitely.

The policy concerned still reports an excepted finding, as advice, so it stays visible.

Its setting ``file`` names the file, relative to the pack's folder; the pack itself brings no exceptions. The key
``guardrails:exceptions`` of the stack's configuration has the same meaning, and yields to the setting.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Yield nothing: the matching entries are known only after all policies have run (see ``evaluation``)."""
    yield from ()


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="correct, renew or remove the entry",
    schema={
        "file": {
            "type": "string",
            "default": "",
            "description": "The file of exceptions, relative to the pack's folder; empty: no finding is excepted.",
        }
    },
)
