"""Policies on web ACLs."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.edge import FORWARD, login
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
SEEN = {"cloudwatchMetricsEnabled": True, "metricName": "m", "sampledRequestsEnabled": False}
BLOCK: dict[str, Any] = {"block": {}}


def sized(field: dict[str, Any]) -> dict[str, Any]:
    return {"sizeConstraintStatement": {"fieldToMatch": field, "comparisonOperator": "GT", "size": 4096}}


def rule(name: str, statement: dict[str, Any], action: dict[str, Any] = BLOCK, **more: Value) -> dict[str, Any]:
    return {"name": name, "priority": 1, "action": action, "statement": statement, "visibilityConfig": SEEN, **more}


RATE = rule("rate", {"rateBasedStatement": {"limit": 100}})
ALL_COOKIES: dict[str, Any] = {"matchPattern": {"all": {}}, "matchScope": "VALUE", "oversizeHandling": "MATCH"}
COOKIES = rule("cookies", sized({"cookies": ALL_COOKIES}))
QUERY = rule("query", sized({"queryString": {}}))
PATH = rule("path", sized({"uriPath": {}}))
BODY = rule(
    "body",
    {"regexMatchStatement": {"regexString": "[0-9]{8}", "fieldToMatch": {"singleHeader": {"name": "Content-Length"}}}},
)
LIMITS = [RATE, COOKIES, QUERY, PATH, BODY]
COMMON = {"managedRuleGroupStatement": {"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS"}}


def spoofed(*names: str) -> dict[str, Any]:
    return {"orStatement": {"statements": [
        {"sizeConstraintStatement": {"fieldToMatch": {"singleHeader": {"name": name}}, "size": 0, "comparisonOperator": "GE"}}
        for name in names]}}  # fmt: skip


HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity")
LOGIN = r("lb.ListenerRule", "login", actions=[login(), FORWARD])
PROTECTED = {"dataProtections": [
    {"action": "SUBSTITUTION", "field": {"fieldType": "SINGLE_HEADER", "fieldKeys": ["authorization", "cookie"]}},
    {"action": "SUBSTITUTION", "field": {"fieldType": "QUERY_STRING"}}]}  # fmt: skip


def acl(*rules: dict[str, Any], **changed: Value) -> dict[str, Any]:
    return r("wafv2.WebAcl", "acl", **{"rules": list(rules), "visibilityConfig": SEEN, **changed})


def logs(target: dict[str, Any], *fields: dict[str, Any], **changed: Value) -> dict[str, Any]:
    return r("wafv2.WebAclLoggingConfiguration", "logs", **{
        "resourceArn": UNKNOWN, "logDestinationConfigs": ["arn:aws:logs:eu-west-1:1:log-group:aws-waf-logs-x"],
        "redactedFields": list(fields), "needs": {"resourceArn": target}, **changed})  # fmt: skip


REDACTED: tuple[dict[str, Any], ...] = (
    {"singleHeader": {"name": "authorization"}},
    {"singleHeader": {"name": "cookie"}},
    {"queryString": {}},
)
EMPTY = acl()
SAMPLED = acl(visibilityConfig={**SEEN, "sampledRequestsEnabled": True})
CLEAN = acl(visibilityConfig={**SEEN, "sampledRequestsEnabled": True}, dataProtectionConfig=PROTECTED)
UNCLEAR = acl(rules=UNKNOWN, needs={"rules": TOPIC})

PROTECTED_ACL = acl(dataProtectionConfig=PROTECTED)
UNCLEAR_PROTECTION = acl(visibilityConfig={**SEEN, "sampledRequestsEnabled": True}, dataProtectionConfig=UNKNOWN,
                         needs={"dataProtectionConfig": TOPIC})  # fmt: skip
CASES = [
    case("waf-limits-requests", "everything is limited", acl(*LIMITS)),
    case("waf-limits-requests", "the common rules limit sizes", acl(RATE, rule("common", COMMON, {}, overrideAction={"none": {}}))),
    case("waf-limits-requests", "no rules", EMPTY, says=["violated acl.rules"] * 5),
    case("waf-limits-requests", "a rate rule that only counts",
         acl(rule("rate", {"rateBasedStatement": {"limit": 100}}, {"count": {}}), *LIMITS[1:]), says=["violated acl.rules"]),
    case("waf-limits-requests", "a common rule that is relaxed",
         acl(RATE, rule("common", {"managedRuleGroupStatement": {"name": "AWSManagedRulesCommonRuleSet",
             "ruleActionOverrides": [{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}]}}, {})),
         says=["violated acl.rules"]),
    case("waf-limits-requests", "rules as resources of their own", EMPTY, *(
        r("wafv2.WebAclRule", item["name"], webAclArn=UNKNOWN, action=item["action"], statement=item["statement"],
          needs={"webAclArn": EMPTY}) for item in LIMITS)),
    case("waf-limits-requests", "unknown", UNCLEAR, says=["not proven acl.rules"] * 5),
    case("waf-limits-requests", "not applicable", TOPIC),
    case("waf-blocks-identity-headers", "all three", LOGIN, acl(rule("spoofed", spoofed(*HEADERS)))),
    case("waf-blocks-identity-headers", "one is missing", LOGIN, acl(rule("spoofed", spoofed(*HEADERS[:2]))),
         says=["violated acl.rules"]),
    case("waf-blocks-identity-headers", "they are only counted", LOGIN, acl(rule("spoofed", spoofed(*HEADERS), {"count": {}})),
         says=["violated acl.rules"] * 3),
    case("waf-blocks-identity-headers", "no login here", acl()),
    case("waf-blocks-identity-headers", "unknown", LOGIN, UNCLEAR, says=["not proven acl.rules"] * 3),
    case("waf-blocks-identity-headers", "not applicable", TOPIC),
    case("waf-logs-redacted", "redacted, no samples", EMPTY, logs(EMPTY, *REDACTED)),
    case("waf-logs-redacted", "protected, with samples", CLEAN, logs(CLEAN)),
    case("waf-logs-redacted", "no log", EMPTY, says=["violated acl"]),
    case("waf-logs-redacted", "nothing is redacted", EMPTY, logs(EMPTY), says=["violated logs.redactedFields"] * 3),
    case("waf-logs-redacted", "cookies stay", EMPTY, logs(EMPTY, REDACTED[0], REDACTED[2]), says=["violated logs.redactedFields"]),
    case("waf-logs-redacted", "samples hold credentials", SAMPLED, logs(SAMPLED, *REDACTED),
         says=["violated acl.dataProtectionConfig"] * 3),
    case("waf-logs-redacted", "no destination", EMPTY, logs(EMPTY, *REDACTED, logDestinationConfigs=[]),
         says=["violated logs.logDestinationConfigs"]),
    case("waf-logs-redacted", "unknown", EMPTY,
         logs(EMPTY, redactedFields=UNKNOWN, needs={"resourceArn": EMPTY, "redactedFields": TOPIC}),
         says=["not proven logs.redactedFields"]),
    case("waf-logs-redacted", "not applicable", TOPIC),
    case("waf-rules-are-measured", "all", acl(RATE)),
    case("waf-rules-are-measured", "one is not", acl(rule("quiet", COMMON, visibilityConfig={"cloudwatchMetricsEnabled": False})),
         says=["violated acl.rules[quiet].visibilityConfig.cloudwatchMetricsEnabled"]),
    case("waf-rules-are-measured", "the ACL is not", r("wafv2.WebAcl", "acl", rules=[]),
         says=["violated acl.visibilityConfig.cloudwatchMetricsEnabled"]),
    case("waf-rules-are-measured", "unknown", acl(rules=UNKNOWN), says=["not proven acl.rules"]),
    case("waf-rules-are-measured", "a rule that is not known", acl(rules=[UNKNOWN]), says=["not proven acl.rules"]),
    case("waf-rules-are-measured", "unknown metrics", acl(visibilityConfig=UNKNOWN),
         says=["not proven acl.visibilityConfig.cloudwatchMetricsEnabled"]),
    case("waf-rules-are-measured", "not applicable", TOPIC),
    case("waf-rules-act", "blocking, and labelling for another",
         acl(RATE, rule("label", sized({"uriPath": {}}), {"count": {}}, ruleLabels=[{"name": "path:upload"}]))),
    case("waf-rules-act", "only counting", acl(RATE, rule("trial", sized({"uriPath": {}}), {"count": {}})),
         says=["violated acl.rules[trial].action"]),
    case("waf-rules-act", "unknown", UNCLEAR, says=["not proven acl.rules"]),
    case("waf-rules-act", "not applicable", TOPIC),
    case("waf-logs-redacted", "redacted by data protection alone", PROTECTED_ACL, logs(PROTECTED_ACL)),
    case("waf-logs-redacted", "unknown protection", UNCLEAR_PROTECTION, logs(UNCLEAR_PROTECTION, *REDACTED),
         says=["not proven acl.dataProtectionConfig"]),
    case("waf-rules-are-measured", "unknown metrics of a rule",
         acl(rule("quiet", COMMON, visibilityConfig={"cloudwatchMetricsEnabled": UNKNOWN})),
         says=["not proven acl.rules[quiet].visibilityConfig.cloudwatchMetricsEnabled"]),
]  # fmt: skip
