"""The load balancer, its rules and targets, certificates and the WAF."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.conform.documented.model import (
    BrokenConstraint,
    Constraint,
    DocumentedRule,
    Entries,
    Json,
    Measured,
    Number,
    Numbers,
    Shared,
    Text,
    inside,
    listed,
    mapping,
)
from preflight.recording.recorder import RecordedResource, Recording

BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
LISTENER_RULE, TARGETS = "aws:lb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
CERTIFICATE = "aws:acm/certificate:Certificate"

BALANCER_QUOTAS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"
CONDITIONS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html"
FIREWALL_QUOTAS = "https://docs.aws.amazon.com/waf/latest/developerguide/limits.html"
NAMES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"
TARGET_NAMES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"

_VALUES = (
    "hostHeader.values",
    "pathPattern.values",
    "httpHeader.values",
    "httpRequestMethod.values",
    "queryStrings",
    "sourceIp.values",
)
_REFERENCES = ("ipSetReferenceStatement", "regexPatternSetReferenceStatement", "ruleGroupReferenceStatement")


def _conditions(rule: RecordedResource) -> list[Json]:
    """Every value that the conditions of a rule compare with."""
    found: list[Json] = []
    for condition in listed(rule.inputs.get("conditions")):
        for path in _VALUES:
            step, _, rest = path.partition(".")
            value = mapping(condition).get(step)
            found += listed(mapping(value).get(rest) if rest else value)
    return found


def _condition_values(recording: Recording) -> Numbers:
    for rule in recording.of_type(LISTENER_RULE):
        yield rule, "conditions", len(_conditions(rule))


def _wildcards(recording: Recording) -> Numbers:
    for rule in recording.of_type(LISTENER_RULE):
        texts = [text for text in _conditions(rule) if isinstance(text, str)]
        yield rule, "conditions", sum(text.count("*") + text.count("?") for text in texts)


def _same_priority(recording: Recording) -> Iterator[BrokenConstraint]:
    taken: set[tuple[str, int]] = set()
    for rule in recording.of_type(LISTENER_RULE):
        if (priority := rule.inputs.get("priority")) is not None:
            key = (str(rule.inputs.get("listenerArn")), int(priority))
            if key in taken:
                yield BrokenConstraint(rule, "priority", str(priority))
            taken.add(key)


def _rules_of_balancers(recording: Recording) -> Numbers:
    owner = {one.outputs.get("arn"): one.inputs.get("loadBalancerArn") for one in recording.of_type(LISTENER)}
    for balancer in recording.of_type(BALANCER):
        arn = balancer.outputs.get("arn")
        rules = [rule for rule in recording.of_type(LISTENER_RULE) if owner.get(rule.inputs.get("listenerArn")) == arn]
        yield balancer, "", len(rules)


def _health_timeout(recording: Recording) -> Iterator[BrokenConstraint]:
    for group in recording.of_type(TARGETS):
        check = mapping(group.inputs.get("healthCheck"))
        timeout, interval = check.get("timeout", 5), check.get("interval", 30)
        if timeout >= interval:
            yield BrokenConstraint(group, "healthCheck.timeout", f"{timeout} of {interval} s")


def _rate_rules(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        yield acl, "rules", len(list(inside(acl.inputs.get("rules"), "rateBasedStatement")))


def _rates(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        for statement in inside(acl.inputs.get("rules"), "rateBasedStatement"):
            yield acl, "rules", mapping(statement).get("limit", 0)


def _windows(recording: Recording) -> Iterator[BrokenConstraint]:
    for acl in recording.of_type(WEB_ACL):
        for window in inside(acl.inputs.get("rules"), "evaluationWindowSec"):
            if window not in (60, 120, 300, 600):
                yield BrokenConstraint(acl, "rules", f"a window of {window} s")


def _transformations(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        for steps in inside(acl.inputs.get("rules"), "textTransformations"):
            yield acl, "rules", len(steps)


def _patterns(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        for text in inside(acl.inputs.get("rules"), "regexString", "searchString"):
            yield acl, "rules", len(str(text).encode())


def _bodies(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        bodies = listed(acl.inputs.get("customResponseBodies"))
        yield acl, "customResponseBodies", sum(len(str(mapping(one).get("content", "")).encode()) for one in bodies)


def _references(recording: Recording) -> Numbers:
    for acl in recording.of_type(WEB_ACL):
        yield acl, "rules", len(list(inside(acl.inputs.get("rules"), *_REFERENCES)))


CONSTRAINTS: tuple[Constraint, ...] = (
    Text(
        name="load-balancer-name",
        source=NAMES,
        wanted="at most 32 letters, digits and hyphens, without a hyphen at either end and not beginning with internal-",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={BALANCER: ("=name",)},
        pattern=r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
        most=32,
    ),
    Text(
        name="target-group-name",
        source=TARGET_NAMES,
        wanted="at most 32 letters, digits and hyphens, without a hyphen at either end",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={TARGETS: ("=name",)},
        pattern=r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
        most=32,
    ),
    Measured(
        name="rules-per-load-balancer",
        source=BALANCER_QUOTAS,
        wanted="at most 100 rules of one load balancer, its default rules not counted",
        fix="combine rules, or request a higher quota before the deployment",
        numbers=_rules_of_balancers,
        unit="rules",
        most=100,
    ),
    Shared(
        name="listeners-per-load-balancer",
        source=BALANCER_QUOTAS,
        wanted="at most 50 listeners of one load balancer",
        fix="remove listeners",
        type=LISTENER,
        owner="loadBalancerArn",
        most=50,
    ),
    Shared(
        name="certificates-per-load-balancer",
        source=BALANCER_QUOTAS,
        wanted="at most 25 certificates of one load balancer, the default not counted",
        fix="put several names on one certificate",
        type="aws:lb/listenerCertificate:ListenerCertificate",
        owner="listenerArn",
        most=25,
    ),
    Measured(
        name="condition-values-per-rule",
        source=BALANCER_QUOTAS,
        wanted="at most 5 values in all conditions of one rule",
        fix="split the values between several rules",
        numbers=_condition_values,
        unit="values",
        most=5,
    ),
    Measured(
        name="condition-wildcards-per-rule",
        source=CONDITIONS,
        wanted="at most 5 wildcards (* and ?) in all conditions of one rule",
        fix="split the values between several rules",
        numbers=_wildcards,
        unit="wildcards",
        most=5,
    ),
    DocumentedRule(
        name="listener-rule-priorities-differ",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html",
        wanted="a priority that no other rule of the listener has",
        fix="give the rule an unused priority",
        find=_same_priority,
    ),
    Text(
        name="host-header",
        source=CONDITIONS,
        wanted="at most 128 of a-z, A-Z, 0-9, -, ., * and ?, with a dot, and only letters after the last "
        "dot, so no trailing dot",
        fix="write the host name without a trailing dot",
        types={LISTENER_RULE: ("conditions[].hostHeader.values[]",)},
        pattern=r"[A-Za-z0-9.*?-]+\.[A-Za-z*?]+",
        most=128,
    ),
    Text(
        name="path-pattern",
        source=CONDITIONS,
        wanted="at most 128 of A-Z, a-z, 0-9, _-.$/~\"'@:+, & and the wildcards",
        fix="shorten the pattern",
        types={LISTENER_RULE: ("conditions[].pathPattern.values[]",)},
        pattern=r"[A-Za-z0-9_.$/~\"'@:+&*?-]+",
        most=128,
    ),
    Text(
        name="fixed-response-body",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html",
        wanted="at most 1024 characters",
        fix="shorten the response body",
        types={
            LISTENER: ("defaultActions[].fixedResponse.messageBody",),
            LISTENER_RULE: ("actions[].fixedResponse.messageBody",),
        },
        most=1024,
    ),
    Number(
        name="load-balancer-idle-timeout",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        wanted="1 to 4000 seconds",
        fix="choose a time within the range",
        types={BALANCER: ("idleTimeout",)},
        least=1,
        most=4000,
    ),
    Number(
        name="load-balancer-keep-alive",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        wanted="60 to 604800 seconds",
        fix="choose a time within the range",
        types={BALANCER: ("clientKeepAlive",)},
        least=60,
        most=604800,
    ),
    Number(
        name="deregistration-delay",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html",
        wanted="0 to 3600 seconds",
        fix="choose a time within the range",
        types={TARGETS: ("deregistrationDelay",)},
        most=3600,
    ),
    DocumentedRule(
        name="health-check-timeout",
        source="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
        wanted="a timeout shorter than the interval between two checks",
        fix="shorten the timeout or lengthen the interval",
        find=_health_timeout,
    ),
    Text(
        name="certificate-first-name",
        source="https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html",
        wanted="at most 64 characters of the first name, and no trailing dot",
        fix="put a shorter name first, and the long one among the alternative names",
        types={CERTIFICATE: ("domainName",)},
        pattern=r".*[^.]",
        most=64,
    ),
    Measured(
        name="rate-based-rules-per-web-acl",
        source=FIREWALL_QUOTAS,
        wanted="at most 10 rate-based rules of one web ACL",
        fix="combine rate-based rules",
        numbers=_rate_rules,
        unit="rules",
        most=10,
    ),
    Measured(
        name="rate-based-rule-limit",
        source=FIREWALL_QUOTAS,
        wanted="a limit of at least 10 requests",
        fix="raise the limit",
        numbers=_rates,
        unit="requests",
        least=10,
    ),
    DocumentedRule(
        name="rate-based-rule-window",
        source="https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html",
        wanted="a window of 60, 120, 300 or 600 seconds",
        fix="choose one of these windows",
        find=_windows,
    ),
    Measured(
        name="text-transformations-per-statement",
        source=FIREWALL_QUOTAS,
        wanted="at most 10 text transformations of one statement",
        fix="remove transformations",
        numbers=_transformations,
        unit="text transformations",
        most=10,
    ),
    Measured(
        name="firewall-pattern-size",
        source=FIREWALL_QUOTAS,
        wanted="at most 200 characters in a regular expression or a search string",
        fix="split the pattern between several statements",
        numbers=_patterns,
        unit="bytes",
        most=200,
    ),
    Entries(
        name="custom-response-bodies",
        source=FIREWALL_QUOTAS,
        wanted="at most 50 custom response bodies of one web ACL",
        fix="use the same body in several rules",
        types={WEB_ACL: ("customResponseBodies",)},
        most=50,
    ),
    Text(
        name="custom-response-body-size",
        source=FIREWALL_QUOTAS,
        wanted="at most 4096 bytes of one custom response body",
        fix="shorten the response body",
        types={WEB_ACL: ("customResponseBodies[].content",)},
        most=4096,
        measure="bytes",
    ),
    Measured(
        name="custom-response-bodies-size",
        source=FIREWALL_QUOTAS,
        wanted="at most 51200 bytes of all custom response bodies of one web ACL",
        fix="shorten the response bodies",
        numbers=_bodies,
        unit="bytes",
        most=51200,
    ),
    Measured(
        name="references-per-web-acl",
        source=FIREWALL_QUOTAS,
        wanted="at most 50 references to IP sets, pattern sets and rule groups",
        fix="join sets",
        numbers=_references,
        unit="references",
        most=50,
    ),
    Shared(
        name="regex-pattern-sets",
        source=FIREWALL_QUOTAS,
        wanted="at most 10 regex pattern sets of an account in one region",
        fix="merge pattern sets, or request a higher quota before the deployment",
        type="aws:wafv2/regexPatternSet:RegexPatternSet",
        most=10,
    ),
)
