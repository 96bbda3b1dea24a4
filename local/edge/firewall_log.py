"""The web ACL's log according to its logging configuration: filtered, redacted and protected, as JSON lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from local.edge.received import ReceivedRequest
from local.edge.surroundings import EdgeSurroundings
from local.stack import Resource

LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
REDACTED = "REDACTED"


@dataclass(frozen=True)
class Terminated:
    """The result of an evaluation."""

    rule: str
    status: int | None
    """The status of the response to a blocked request."""
    counted: list[str]
    """The counting rules that matched."""
    over: list[str]
    """The rate rules whose limit was exceeded."""
    labels: list[str]

    @property
    def action(self) -> str:
        """``BLOCK`` or ``ALLOW``."""
        return "ALLOW" if self.status is None else "BLOCK"


@dataclass
class Log:
    """Selects and redacts the lines of the log. Without a logging configuration nothing is logged."""

    around: EdgeSurroundings
    arn: str
    filter: dict[str, Any]
    redacted: list[dict[str, Any]]
    protected: list[dict[str, Any]]
    destinations: list[str]

    @classmethod
    def of(cls, around: EdgeSurroundings, acl: Resource) -> Log:
        """The log of a web ACL."""
        protection: dict[str, Any] = acl.get("dataProtectionConfig", {})
        protected: list[dict[str, Any]] = protection.get("dataProtections", [])
        found = next(iter(around.stack.where(LOGGING, resourceArn=acl["arn"])), None)
        if found is None:
            return cls(around, acl["arn"], {}, [], protected, [])
        redacted: list[dict[str, Any]] = found.get("redactedFields", [])
        return cls(
            around, acl["arn"], found.get("loggingFilter", {}), redacted, protected, found["logDestinationConfigs"]
        )

    def add(self, request: ReceivedRequest, ended: Terminated) -> None:
        """Add a line unless the filter drops it."""
        actions = {ended.action, *("COUNT" for _ in ended.counted)}
        if not self.destinations or not self._kept(actions, ended.labels):
            return
        line = {
            "timestamp": int(self.around.clock() * 1000),
            "formatVersion": 1,
            "webaclId": self.arn,
            "terminatingRuleId": ended.rule,
            "terminatingRuleType": "RATE_BASED" if ended.rule in ended.over else "REGULAR",
            "action": ended.action,
            "httpSourceName": "ALB",
            "rateBasedRuleList": [{"rateBasedRuleName": name} for name in ended.over],
            "nonTerminatingMatchingRules": [{"ruleId": name, "action": "COUNT"} for name in ended.counted],
            "responseCodeSent": ended.status,
            "httpRequest": {
                "clientIp": request.client,
                "headers": [{"name": k, "value": self._header(k, v)} for k, v in request.sent_headers()],
                "uri": self._shown("uriPath", request.path),
                "args": self._protect("QUERY_STRING", "", self._shown("queryString", request.query)),
                "httpMethod": self._shown("method", request.method),
            },
            "labels": [{"name": name} for name in ended.labels],
        }
        self.around.journal.add("firewall", json.dumps(line))

    def _header(self, name: str, value: str) -> str:
        if any(str(one["singleHeader"]["name"]).lower() == name for one in self.redacted if one.get("singleHeader")):
            return REDACTED
        if name == "cookie":
            pairs = [part.strip().partition("=") for part in value.split(";")]
            value = "; ".join(f"{key}={self._protect('SINGLE_COOKIE', key, held)}" for key, _, held in pairs)
        return self._protect("SINGLE_HEADER", name, value)

    def _protect(self, kind: str, name: str, value: str) -> str:
        """A value as data protection leaves it in logs."""
        for one in self.protected:
            field = one["field"]
            declared: list[str] = field.get("fieldKeys") or []
            keys = [key.lower() for key in declared]
            if field["fieldType"] == kind and (not keys or name.lower() in keys):
                return hashlib.sha256(value.encode()).hexdigest() if one["action"] == "HASH" else REDACTED
        return value

    def _shown(self, kind: str, value: str) -> str:
        return REDACTED if any(one.get(kind) is not None for one in self.redacted) else value

    def _kept(self, actions: set[str], labels: list[str]) -> bool:
        for one in self.filter.get("filters", []):
            held = [_holds(condition, actions, labels) for condition in one["conditions"]]
            if any(held) if one["requirement"] == "MEETS_ANY" else all(held):
                return one["behavior"] == "KEEP"
        return self.filter.get("defaultBehavior", "KEEP") == "KEEP"


def _holds(condition: dict[str, Any], actions: set[str], labels: list[str]) -> bool:
    if condition.get("actionCondition"):
        return condition["actionCondition"]["action"] in actions
    name = str(condition["labelNameCondition"]["labelName"])
    return any(label == name or label.endswith(f":{name}") for label in labels)
