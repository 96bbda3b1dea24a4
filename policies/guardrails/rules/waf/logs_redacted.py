"""Every web ACL logs its decisions, with authorization headers, cookies and query strings redacted.

The log shows why a request was blocked. With session cookies or login codes in it, any reader of the log could
impersonate a user. Redacted fields still appear in sampled requests, so data protection removes them there.

The policy cannot see the logs of other services about the same request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import expect_reference
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, contains_unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acl_logs import protected, redacted
from ...web_acls import ACL

_REDACTED = ("header:authorization", "header:cookie", "queryString")
_FIX = "set redactedFields (authorization, cookie, query string) in the logging configuration"
_PROTECT = "add dataProtectionConfig for authorization, cookie and query string, or turn sampled requests off"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each web ACL."""
    for acl in graph.of_type(ACL):
        logs = referring(graph, acl, "resourceArn", "wafv2.WebAclLoggingConfiguration")
        if not logs:
            yield violated(acl, "", "no logging configuration", "a log without credentials", _FIX, what="has no log")
        for log in logs:
            fix = "name a destination whose name starts with aws-waf-logs-"
            yield from expect_reference(graph, log, "logDestinationConfigs", "a log destination", fix)
            yield from _named(log, fix)
            yield from _redacted(log, protected(acl))
        yield from _samples(acl)


def _named(log: Resource, fix: str) -> Iterator[Finding]:
    """AWS refuses a destination with any other name, so a log group with another name belongs to another service."""
    destinations = log.items("logDestinationConfigs")
    for index, found in enumerate([] if isinstance(destinations, Unknown) else destinations):
        if isinstance(found, str) and not re.search(r"[:/]aws-waf-logs-[^:/]*(:\*)?$", found):
            path, wanted = f"logDestinationConfigs[{index}]", "a name that starts with aws-waf-logs-"
            yield violated(log, path, found, wanted, fix, what="is not a WAF log destination")


def _redacted(log: Resource, protection: set[str]) -> Iterator[Finding]:
    found = log.items("redactedFields")
    if isinstance(found, Unknown) or contains_unknown(found):
        yield not_proven(log, "redactedFields", ["redactedFields"], ", ".join(_REDACTED), _FIX)
        return
    have = redacted(found) | protection
    for field in _REDACTED:
        if field not in have:
            yield violated(log, "redactedFields", sorted(have) or None, f"fields that include {field}", _FIX)


def _samples(acl: Resource) -> Iterator[Finding]:
    enabled = acl.value("visibilityConfig.sampledRequestsEnabled")
    if enabled is False:
        return
    have = protected(acl)
    if isinstance(acl.items("dataProtectionConfig.dataProtections"), Unknown):
        yield not_proven(acl, "dataProtectionConfig", ["dataProtectionConfig"], ", ".join(_REDACTED), _PROTECT)
        return
    for field in _REDACTED:
        if field not in have:
            wanted = f"{field} removed from sampled requests"
            yield violated(acl, "dataProtectionConfig", sorted(have) or None, wanted, _PROTECT)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=(ACL,),
    controls=("WAF.11",),
)
