"""A chat channel names guardrail policies, and none of them allows everything.

All members of the channel can run commands in the account as the channel's role, within these policies. AWS takes
AdministratorAccess if none is named, so the role alone decides, and each invited member has it.

The policy cannot see what a customer managed policy allows, who is in the channel, or which roles its members choose.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.values import listed, unknowns_in
from ...topology.graph.verdicts import Finding, not_proven, violated

_TYPES = ("chatbot.SlackChannelConfiguration", "chatbot.TeamsChannelConfiguration")
_PATH = "guardrailPolicyArns"
_OPEN = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")
_WANTED = "guardrail policies that allow only what the channel needs"
_FIX = "set guardrailPolicyArns to arn:aws:iam::aws:policy/AWSDenyAll for a channel that only reads, or to a policy with what it may do"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one channel."""
    found = resource.value(_PATH)
    if unknown := list(unknowns_in(found)):
        yield not_proven(resource, _PATH, unknown, _WANTED, _FIX)
    names = [str(one) for one in listed(found) if not isinstance(one, Unknown)]
    if not names and not unknown:
        yield violated(resource, _PATH, "none, which is AdministratorAccess", _WANTED, _FIX)
    for name in names:
        if name.endswith(_OPEN):
            yield violated(resource, _PATH, name, _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=_TYPES,
)
