"""Policies on how the rules of a web ACL stand to each other."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.firewalls import BLOCK, BODY, COMMON, COOKIES, LIMITS, PATH, QUERY, RATE, acl, rule, sized
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
ALLOW: dict[str, Any] = {"allow": {}}
NONE: dict[str, Any] = {"overrideAction": {"none": {}}}
COUNTS: dict[str, Any] = {"overrideAction": {"count": {}}}
COUNT: dict[str, Any] = {"count": {}}
UNCLEAR = acl(rules=UNKNOWN, needs={"rules": TOPIC})
HEALTH: dict[str, Any] = {"byteMatchStatement": {"fieldToMatch": {"uriPath": {}}, "positionalConstraint": "STARTS_WITH", "searchString": "/api",
          "textTransformations": [{"priority": 0, "type": "NONE"}]}}  # fmt: skip


def group(name: str, *counting: str, **more: Value) -> dict[str, Any]:
    overrides: list[dict[str, Any]] = [{"name": item, "actionToUse": {"count": {}}} for item in counting]
    return rule(name, {"managedRuleGroupStatement": {"name": f"AWSManagedRules{name}", "vendorName": "AWS",
                "ruleActionOverrides": overrides}}, {}, **{**NONE, **more})  # fmt: skip


def labelled(key: str, scope: str = "LABEL") -> dict[str, Any]:
    return {"labelMatchStatement": {"key": key, "scope": scope}}


def offices(*blocks: str) -> dict[str, Any]:
    return r("wafv2.IpSet", "offices", id="set-1", arn="arn:offices", addresses=list(blocks))


def numbered(*rules: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**item, "priority": number} for number, item in enumerate(rules)]


FROM_OFFICES = rule("offices", {"ipSetReferenceStatement": {"arn": "arn:offices"}}, ALLOW)
ATTACKS = (group("CommonRuleSet"), group("KnownBadInputsRuleSet"), group("AmazonIpReputationList"))
SEES = rule("large", {"sizeConstraintStatement": {"fieldToMatch": {"body": {"oversizeHandling": "MATCH"}}, "size": 8192,
            "comparisonOperator": "GT"}})  # fmt: skip
ANSWER = {"customResponseBodies": [{"key": "slow-down", "content": "Too many requests", "contentType": "TEXT_PLAIN"}]}
SLOW = rule("rate", {"rateBasedStatement": {"limit": 100}},
            {"block": {"customResponse": {"responseCode": 429, "customResponseBodyKey": "slow-down"}}})  # fmt: skip
OWN_RULES = r("wafv2.RuleGroup", "limits", id="group-1", arn="arn:limits", rules=numbered(*LIMITS))
OWN_GROUP = rule("limits", {"ruleGroupReferenceStatement": {"arn": "arn:limits"}}, {}, **NONE)

CASES = [
    case("waf-rules-act", "a group that only counts", acl(group("CommonRuleSet", **COUNTS)),
         says=["violated acl.rules[CommonRuleSet].overrideAction"]),
    case("waf-rules-act", "a group that acts", acl(group("CommonRuleSet"))),
    case("waf-limits-requests", "common rules that only count", acl(RATE, group("CommonRuleSet", **COUNTS)),
         says=["violated acl.rules"] * 4),
    case("waf-limits-requests", "common rules without one of them", acl(RATE, rule("CommonRuleSet", {
         "managedRuleGroupStatement": {"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS",
         "excludedRules": [{"name": "SizeRestrictions_BODY"}]}}, {}, **NONE)), says=["violated acl.rules"]),
    case("waf-limits-requests", "a rule before the limits that allows everything",
         acl(*numbered(rule("everybody", sized({"uriPath": {}}), ALLOW), *LIMITS)), says=["violated acl.rules"]),
    case("waf-limits-requests", "limits in a group of one's own", acl(OWN_GROUP), OWN_RULES),
    case("waf-limits-requests", "limits in a group that only counts", acl({**OWN_GROUP, **COUNTS}), OWN_RULES,
         says=["violated acl.rules"] * 5),
    case("waf-limits-requests", "a limit the wrong way round", acl(RATE, COOKIES, QUERY, BODY, rule("path", {
         "sizeConstraintStatement": {"fieldToMatch": {"uriPath": {}}, "comparisonOperator": "EQ", "size": 2048}})),
         says=["violated acl.rules"]),
    case("waf-limits-requests", "a rate for a label that nothing sets", acl(COOKIES, QUERY, PATH, BODY, rule("rate", {
         "rateBasedStatement": {"limit": 100, "scopeDownStatement": labelled("path:upload")}})), says=["violated acl.rules"]),
    case("waf-limits-requests", "an ACL that blocks whom it does not know, with limits", acl(*LIMITS, defaultAction=BLOCK)),
    case("waf-blocks-identity-headers", "a header that is blocked on one path only",
         r("lb.ListenerRule", "login", actions=[{"type": "authenticate-oidc", "authenticateOidc": {}}]),
         acl(rule("spoofed", {"andStatement": {"statements": [HEALTH, {"sizeConstraintStatement": {"size": 0,
             "comparisonOperator": "GE", "fieldToMatch": {"singleHeader": {"name": "x-amzn-oidc-data"}}}}]}})),
         says=["violated acl.rules"] * 3),
    case("waf-blocks-identity-headers", "by any text, and on two conditions that both are the header",
         r("lb.ListenerRule", "login", actions=[{"type": "authenticate-oidc", "authenticateOidc": {}}]),
         acl(*(rule(name, {"andStatement": {"statements": [
             {"regexMatchStatement": {"regexString": ".*", "fieldToMatch": {"singleHeader": {"name": name}}}},
             {"sizeConstraintStatement": {"size": 1, "comparisonOperator": "GE", "fieldToMatch": {"singleHeader": {"name": name}}}}]}})
             for name in ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity")))),
    case("waf-blocks-identity-headers", "a header that is blocked when it is long",
         r("lb.ListenerRule", "login", actions=[{"type": "authenticate-oidc", "authenticateOidc": {}}]),
         acl(rule("spoofed", {"sizeConstraintStatement": {"size": 100, "comparisonOperator": "GE",
             "fieldToMatch": {"singleHeader": {"name": "x-amzn-oidc-data"}}}})), says=["violated acl.rules"] * 3),
    case("waf-allows-last", "no rule that allows", acl(*numbered(*LIMITS))),
    case("waf-allows-last", "health checks past everything", acl(*numbered(rule("health", HEALTH, ALLOW), *LIMITS)),
         says=["violated acl.rules[health].action"]),
    case("waf-allows-last", "before a managed group", acl(*numbered(rule("health", HEALTH, ALLOW), group("CommonRuleSet"))),
         says=["violated acl.rules[health].action"]),
    case("waf-allows-last", "before a captcha", acl(*numbered(rule("health", HEALTH, ALLOW), rule("ask", HEALTH, {"captcha": {}}))),
         says=["violated acl.rules[health].action"]),
    case("waf-allows-last", "before what only counts",
         acl(*numbered(rule("health", HEALTH, ALLOW), group("CommonRuleSet", **COUNTS), rule("look", HEALTH, COUNT)))),
    case("waf-allows-last", "behind everything", acl(*numbered(*LIMITS, rule("known", HEALTH, ALLOW)), defaultAction=BLOCK)),
    case("waf-allows-last", "a few offices", acl(*numbered(FROM_OFFICES, *LIMITS)), offices("203.0.113.0/24", "2001:db8::/56")),
    case("waf-allows-last", "half the internet as an office", acl(*numbered(FROM_OFFICES, *LIMITS)), offices("0.0.0.0/1"),
         says=["violated acl.rules[offices].action"]),
    case("waf-allows-last", "much of IPv6 as an office", acl(*numbered(FROM_OFFICES, *LIMITS)), offices("2000::/20"),
         says=["violated acl.rules[offices].action"]),
    case("waf-allows-last", "offices that are not known yet", acl(*numbered(FROM_OFFICES, *LIMITS)),
         r("wafv2.IpSet", "offices", arn="arn:offices", addresses=UNKNOWN, needs={"addresses": TOPIC}), says=["not proven acl.rules[offices].action"]),
    case("waf-allows-last", "offices of another stack", acl(*numbered(FROM_OFFICES, *LIMITS)),
         says=["violated acl.rules[offices].action"]),
    case("waf-allows-last", "offices or a path", offices("203.0.113.0/24"), acl(*numbered(rule("mixed", {"orStatement": {
         "statements": [FROM_OFFICES["statement"], HEALTH]}}, ALLOW), *LIMITS)), says=["violated acl.rules[mixed].action"]),
    case("waf-allows-last", "unknown", UNCLEAR, says=["not proven acl.rules"]),
    case("waf-allows-last", "not applicable", TOPIC),
    case("waf-overrides-are-enforced", "nothing counts", acl(group("CommonRuleSet"))),
    case("waf-overrides-are-enforced", "one rule is switched off", acl(group("CommonRuleSet", "GenericLFI_BODY")),
         says=["violated acl.rules[CommonRuleSet].ruleActionOverrides[GenericLFI_BODY]"]),
    case("waf-overrides-are-enforced", "a later rule acts on the label", acl(*numbered(group("CommonRuleSet", "GenericLFI_BODY"),
         rule("lfi", labelled("awswaf:managed:aws:core-rule-set:GenericLFI_Body"))))),
    case("waf-overrides-are-enforced", "a later rule acts on the whole namespace",
         acl(*numbered(group("CommonRuleSet", "GenericLFI_BODY"),
             rule("all", labelled("awswaf:managed:aws:core-rule-set:", "NAMESPACE"))))),
    case("waf-overrides-are-enforced", "an earlier rule looks for the label",
         acl(*numbered(rule("lfi", labelled("awswaf:managed:aws:core-rule-set:GenericLFI_Body")),
             group("CommonRuleSet", "GenericLFI_BODY"))),
         says=["violated acl.rules[CommonRuleSet].ruleActionOverrides[GenericLFI_BODY]"]),
    case("waf-overrides-are-enforced", "a later rule counts the label", acl(*numbered(group("CommonRuleSet", "GenericLFI_BODY"),
         rule("lfi", labelled("awswaf:managed:aws:core-rule-set:GenericLFI_Body"), COUNT, ruleLabels=[{"name": "seen"}]))),
         says=["violated acl.rules[CommonRuleSet].ruleActionOverrides[GenericLFI_BODY]"]),
    case("waf-overrides-are-enforced", "sizes are limited otherwise", acl(*LIMITS, group("CommonRuleSet", "SizeRestrictions_BODY"))),
    case("waf-overrides-are-enforced", "an override that blocks", acl(rule("CommonRuleSet", {"managedRuleGroupStatement": {
         "name": "AWSManagedRulesCommonRuleSet", "ruleActionOverrides": [{"name": "NoUserAgent_HEADER", "actionToUse": {"block": {}}}]}}, {}))),
    case("waf-overrides-are-enforced", "unknown", UNCLEAR, says=["not proven acl.rules"]),
    case("waf-overrides-are-enforced", "not applicable", TOPIC),
    case("waf-rules-fit-together", "labels and answers", acl(*numbered(rule("mark", HEALTH, COUNT, ruleLabels=[{"name": "path:api"}]),
         rule("limit", labelled("path:api")), SLOW), **ANSWER)),
    case("waf-rules-fit-together", "a label that is set too late",
         acl(*numbered(rule("limit", labelled("path:api")), rule("mark", HEALTH, COUNT, ruleLabels=[{"name": "path:api"}]))),
         says=["violated acl.rules[limit].statement"]),
    case("waf-rules-fit-together", "a rate narrowed to a label that nothing sets", acl(rule("rate", {"rateBasedStatement": {
         "limit": 100, "scopeDownStatement": labelled("path:api")}})), says=["violated acl.rules[rate].statement"]),
    case("waf-rules-fit-together", "a whole namespace of labels", acl(*numbered(
         rule("mark", HEALTH, COUNT, ruleLabels=[{"name": "path:api"}]), rule("limit", labelled("path:", "NAMESPACE"))))),
    case("waf-rules-fit-together", "labels of a managed group", acl(*numbered(group("CommonRuleSet"),
         rule("lfi", labelled("awswaf:managed:aws:core-rule-set:GenericLFI_Body"))))),
    case("waf-rules-fit-together", "labels of a managed group that is gone",
         acl(rule("lfi", labelled("awswaf:managed:aws:core-rule-set:GenericLFI_Body"))), says=["violated acl.rules[lfi].statement"]),
    case("waf-rules-fit-together", "labels of an own rule group of another stack", acl(*numbered(
         rule("ours", {"ruleGroupReferenceStatement": {"arn": "arn:x"}}, {}, **NONE), rule("limit", labelled("path:api"))))),
    case("waf-rules-fit-together", "where a client's address is, which AWS tells by label",
         acl(rule("abroad", labelled("awswaf:clientip:geo:country:KP")))),
    case("waf-rules-fit-together", "an answer that no rule gives", acl(RATE, **ANSWER),
         says=["violated acl.customResponseBodies[slow-down]"]),
    case("waf-rules-fit-together", "an answer that is the default's", acl(
         defaultAction={"block": {"customResponse": {"customResponseBodyKey": "slow-down", "responseCode": 403}}}, **ANSWER)),
    case("waf-rules-fit-together", "two rules of one priority", acl(RATE, rule("path", HEALTH)),
         says=["violated acl.rules[priority=1]"]),
    case("waf-rules-fit-together", "unknown", UNCLEAR, says=["not proven acl.rules"]),
    case("waf-rules-fit-together", "not applicable", TOPIC),
    case("waf-stops-known-attacks", "all three", acl(*numbered(*ATTACKS))),
    case("waf-stops-known-attacks", "one is missing", acl(*numbered(*ATTACKS[:2])), says=["violated acl.rules"]),
    case("waf-stops-known-attacks", "one only counts", acl(*numbered(*ATTACKS[:2], group("AmazonIpReputationList", **COUNTS))),
         says=["violated acl.rules"]),
    case("waf-stops-known-attacks", "one is narrowed to a path", acl(*numbered(*ATTACKS[:2], rule("reputation", {
         "managedRuleGroupStatement": {"name": "AWSManagedRulesAmazonIpReputationList", "vendorName": "AWS",
         "scopeDownStatement": HEALTH}}, {}, **NONE))), says=["violated acl.rules"]),
    case("waf-stops-known-attacks", "those of another vendor",
         acl(rule("others", {"managedRuleGroupStatement": {"name": "F5-OWASP", "vendorName": "F5"}}, {}, **NONE))),
    case("waf-stops-known-attacks", "unknown", UNCLEAR, says=["not proven acl.rules"] * 3),
    case("waf-stops-known-attacks", "not applicable", TOPIC),
    case("waf-notices-large-bodies", "AWS's own rule", acl(rule("common", COMMON, {}, **NONE))),
    case("waf-notices-large-bodies", "AWS's own rule, counting", acl(group("CommonRuleSet", "SizeRestrictions_BODY")),
         says=["violated acl.rules"]),
    case("waf-notices-large-bodies", "AWS's rules, only counting", acl(group("CommonRuleSet", **COUNTS)), says=["violated acl.rules"]),
    case("waf-notices-large-bodies", "a rule of one's own", acl(*numbered(group("KnownBadInputsRuleSet"), SEES))),
    case("waf-notices-large-bodies", "a rule that only labels", acl(*numbered(group("KnownBadInputsRuleSet"),
         {**SEES, "action": COUNT, "ruleLabels": [{"name": "body:large"}]}))),
    case("waf-notices-large-bodies", "a rule that only counts", acl(*numbered(group("KnownBadInputsRuleSet"), {**SEES, "action": COUNT})),
         says=["violated acl.rules"]),
    case("waf-notices-large-bodies", "nothing looks into bodies", acl(RATE)),
    case("waf-notices-large-bodies", "a rule on bodies that goes on when they are large", acl(rule("body", {"byteMatchStatement": {
         "fieldToMatch": {"body": {"oversizeHandling": "CONTINUE"}}, "searchString": "x", "positionalConstraint": "CONTAINS"}})),
         says=["violated acl.rules"]),
    case("waf-notices-large-bodies", "unknown", UNCLEAR, says=["not proven acl.rules"]),
    case("waf-notices-large-bodies", "not applicable", TOPIC),
]  # fmt: skip
