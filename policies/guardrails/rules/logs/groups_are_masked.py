"""Log groups of containers and web ACLs have a data protection policy.

An error message may contain a person's e-mail address, a token or a key, and a log has more readers than the database.
CloudWatch Logs finds such values when a line arrives, masks them for everyone without logs:Unmask, and reports them.

The policy cannot see log groups of other stacks, nor texts without a pattern, such as a chat's title: the program itself must
not write those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...checks import containers
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_GROUPS = ("cloudwatch.LogGroup",)
_KEYS = ("name", "id")
_LOGGING = "wafv2.WebAclLoggingConfiguration"
_WANTED = "aws.cloudwatch.LogDataProtectionPolicy for it, or aws.cloudwatch.LogAccountPolicy for all log groups"
_FIX = "add aws.cloudwatch.LogDataProtectionPolicy with an Audit and a Deidentify statement"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each log group to which a container or a web ACL of this stack writes."""
    if any(one.value("policyType") == "DATA_PROTECTION_POLICY" for one in graph.of_type("cloudwatch.LogAccountPolicy")):
        return
    masked = {
        group.urn
        for policy in graph.of_type("cloudwatch.LogDataProtectionPolicy")
        for group in graph.referenced(policy, "logGroupName", _GROUPS, _KEYS)
    }
    written: dict[str, Resource] = {}
    for task in graph.of_type("ecs.TaskDefinition"):
        found, undecided = containers(task, "a log configuration", _FIX)
        yield from undecided
        for container in found:
            logs: Mapping[str, Any] = container.get("logConfiguration", {})
            name = (as_mapping(logs.get("options")) or {}).get("awslogs-group")
            if isinstance(name, str):
                written.update((group.urn, group) for group in graph.identified(name, frozenset(_GROUPS), _KEYS))
    by_acl = {
        group.urn: group
        for logging in graph.of_type(_LOGGING)
        for group in graph.referenced(logging, "logDestinationConfigs", _GROUPS, ("arn", "id"))
    }
    for urn in sorted({*written, *by_acl} - masked):
        what = "receives containers' output unmasked" if urn in written else "receives users' requests unmasked"
        yield violated(graph.by_urn[urn], "", "no data protection policy", _WANTED, _FIX, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("cloudwatch.LogGroup", "ecs.TaskDefinition", _LOGGING),
    level=Level.ADVISORY,
)
