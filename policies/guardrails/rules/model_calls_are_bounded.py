"""Where a stack has a guardrail, every grant to call a model names it, and a denial refuses every other and its draft.

A guardrail is an option of the caller: without the condition, whoever holds the role leaves it out. A draft changes
without a version, and so without a review.

It judges policies on identities and endpoints; what the guardrail itself stops is for review.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, cast

from ..checks import Statement, condition_keys, document, listed, statements, undecided
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Resource
from ..topology.verdicts import Finding, violated

_KEY = "bedrock:guardrailidentifier"
_CALLS = ("bedrock:Converse", "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
_TYPES = ("ec2.VpcEndpoint", "ec2.VpcEndpointPolicy", "iam.Policy", "iam.RolePolicy")
_WANTED = "a condition on bedrock:GuardrailIdentifier"
_FIX = "allow the call with a condition on bedrock:GuardrailIdentifier, and deny it with any other, and with its DRAFT"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each policy that lets a model be called, in a stack with a guardrail."""
    if not graph.of_type("bedrock.Guardrail"):
        return
    for resource in graph.of_type(*_TYPES):
        of = document(resource, "policy")
        if of.unknown is not None and "bedrock" not in str(resource.value("serviceName") or "bedrock"):
            continue
        yield from undecided(resource, "policy", of, _WANTED, _FIX)
        found = statements(of.value) if of.known else []
        calls = [item for item in found if item.allows and _calls(item)]
        for item in calls:
            if _KEY not in condition_keys(item):
                place = f"policy[{item.label}].Condition"
                yield violated(resource, place, "no such condition", _WANTED, _FIX, what="calls without the guardrail")
        if calls:
            yield from _denials(resource, calls, [item for item in found if not item.allows and _calls(item)])


def _denials(resource: Resource, calls: list[Statement], denials: list[Statement]) -> Iterator[Finding]:
    others = any(
        operator.lower().startswith(("stringnot", "null")) for item in denials for operator, _ in _values(item)
    )
    if not others:
        wanted = "a denial of every other guardrail, which holds whatever another policy allows"
        yield violated(resource, "policy", "no such denial", wanted, _FIX, what="rests on one policy")
    allowed = [value for item in calls for _, value in _values(item)]
    denied = [value for item in denials for _, value in _values(item)]
    if any(value.endswith((":*", "DRAFT")) for value in allowed) and not any(v.endswith("DRAFT") for v in denied):
        yield violated(resource, "policy", "every version", "no draft", _FIX, what="calls with a draft")


def _calls(statement: Statement) -> bool:
    return any(fnmatchcase(action, pattern) for action in _CALLS for pattern in statement.actions)


def _values(statement: Statement) -> Iterator[tuple[str, str]]:
    for operator, block in cast("dict[str, dict[str, Any]]", statement.conditions).items():
        for key, values in block.items():
            if key.lower() == _KEY:
                yield from ((operator, str(value)) for value in listed(values))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("bedrock.Guardrail",),
    unknown_blocks=False,
)
