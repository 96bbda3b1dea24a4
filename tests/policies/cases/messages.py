"""Policies on messages: to which topic they go, and whether the topic or the queue takes them."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

STATED, KEPT, TAKEN = (
    "cloudwatch-alarms-state-severities",
    "cloudwatch-event-targets-keep-undelivered",
    "sns-topics-admit-their-publishers",
)
OURS, THEIRS = "123456789012", "210987654321"
RULE_ARN = f"arn:aws:events:eu-west-1:{OURS}:rule/rule"
THING = r("other.Thing", "thing")
PAGES, TICKETS = r("sns.Topic", "pages", arn="arn:pages"), r("sns.Topic", "tickets", arn="arn:tickets")
ALARM = "cloudwatch.MetricAlarm"


def stated(logical: str, severity: Value, topic: str = "arn:pages", **more: Value) -> dict[str, Any]:
    return r(ALARM, logical, **{"alarmActions": [topic], "tags": {"severity": severity}, **more})


BOTH = (PAGES, TICKETS, stated("page", "page"), stated("ticket", "ticket", "arn:tickets"))


def told(message: Value, topic: str = "arn:pages", **more: Value) -> dict[str, Any]:
    return r(
        "cloudwatch.EventTarget", "target", rule="rule", arn=topic, inputTransformer={"inputTemplate": message}, **more
    )


def policy(service: Value, action: str, *, resource: str = "*", **condition: Value) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return json.dumps({"Statement": {**statement, **({"Condition": condition} if condition else {})}})


RULE = r("cloudwatch.EventRule", "rule", name="rule", id="rule", arn=RULE_ARN)
TARGET = r("cloudwatch.EventTarget", "target", rule="rule", arn="arn:topic", deadLetterConfig={"arn": "arn:queue"})


def queue(*, resource: str = "*", **condition: Value) -> dict[str, Any]:
    return r(
        "sqs.Queue",
        "queue",
        arn="arn:queue",
        policy=policy("events.amazonaws.com", "sqs:SendMessage", resource=resource, **condition),
    )


def later(one: dict[str, Any], **unknown: Value) -> dict[str, Any]:
    """A resource with values that are not known yet."""
    needs = dict.fromkeys(unknown, (THING["urn"],))
    return {**one, "inputs": {**one["inputs"], **unknown}, "property_dependencies": needs}


def topic(
    service: Value = "cloudwatch.amazonaws.com", action: str = "sns:Publish", **condition: Value
) -> dict[str, Any]:
    return r("sns.Topic", "pages", arn="arn:pages", policy=policy(service, action, **condition))


ON_RULE = {"aws:SourceArn": RULE_ARN}
SENT = r(ALARM, "alarm", alarmActions=["arn:pages"], arn=f"arn:aws:cloudwatch:eu-west-1:{OURS}:alarm:errors")
BUDGET = r("budgets.Budget", "budget", notifications=[{"subscriberSnsTopicArns": ["arn:pages"]}])
OPEN = r("sns.Topic", "pages", arn="arn:pages")

CASES = [
    case(STATED, "an all-clear on its own topic", *BOTH, stated("a", "page", okActions=["arn:pages"])),
    case(STATED, "an all-clear on another topic", *BOTH, stated("a", "page", okActions=["arn:tickets"]), says=["violated tickets"]),
    case(STATED, "a lack of data on another topic", *BOTH, stated("a", "ticket", "arn:tickets", insufficientDataActions=["arn:pages"]),
         says=["violated pages"]),
    case(STATED, "through the topic's policy", *BOTH, r("sns.TopicPolicy", "policy", arn="arn:tickets"),
         later(stated("a", "page"), okActions=UNKNOWN) | {"property_dependencies": {
             "okActions": ("urn:pulumi:test::project::aws:sns/topicPolicy:TopicPolicy::policy",)}}, says=["violated tickets"]),
    case(STATED, "an event on its own topic", *BOTH, told("Deleted. Severity: page.")),
    case(STATED, "an event on another topic", *BOTH, told("Deleted. Severity: Page.", "arn:tickets"), says=["violated tickets"]),
    case(STATED, "an event as plain text on another topic", *BOTH,
         r("cloudwatch.EventTarget", "target", rule="rule", arn="arn:tickets", input='"severity: page"'), says=["violated tickets"]),
    case(STATED, "an event without a severity", *BOTH, told("Deleted. A severity: none.", "arn:tickets")),
    case(STATED, "an event whose message is not known", *BOTH, later(told(""), inputTransformer={"inputTemplate": UNKNOWN}),
         says=["not proven target.arn"]),
    case(STATED, "an event whose message is not known, for a function", *BOTH,
         later(told("", "arn:function"), inputTransformer={"inputTemplate": UNKNOWN})),
    case(STATED, "database events among pages", *BOTH, r("rds.EventSubscription", "events", snsTopic="arn:pages"),
         says=["violated events.snsTopic"]),
    case(STATED, "database events among tickets", *BOTH, r("rds.EventSubscription", "events", snsTopic="arn:tickets")),
    case(STATED, "database events where there is only one topic", PAGES, stated("a", "page"), r("rds.EventSubscription", "events", snsTopic="arn:pages")),
    case(STATED, "database events on a separate topic", *BOTH, r("sns.Topic", "own", arn="arn:own"),
         r("rds.EventSubscription", "events", snsTopic="arn:own")),
    case(STATED, "a budget among pages", *BOTH, BUDGET, says=["violated budget.notifications"]),
    case(KEPT, "a queue for this rule", RULE, TARGET, queue(resource="arn:queue", ArnEquals=ON_RULE)),
    case(KEPT, "a queue for rules of this account", RULE, TARGET, queue(ArnLike={"aws:SourceArn": f"arn:aws:events:*:{OURS}:rule/*"})),
    case(KEPT, "a queue for another rule", RULE, TARGET, queue(ArnEquals={"aws:SourceArn": f"{RULE_ARN}-2"}),
         says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a queue for this account", RULE, TARGET, queue(StringEquals={"aws:SourceAccount": OURS})),
    case(KEPT, "a queue for another account", RULE, TARGET, queue(StringEquals={"aws:SourceAccount": THEIRS}),
         says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a queue for every rule but one", RULE, TARGET, queue(ArnNotEquals={"aws:SourceArn": f"{RULE_ARN}-2"})),
    case(KEPT, "a queue with a condition on TLS", RULE, TARGET, queue(Bool={"aws:SecureTransport": "true"})),
    case(KEPT, "a statement about another queue", RULE, TARGET, queue(resource="arn:other", ArnEquals=ON_RULE),
         says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a rule of another stack", TARGET, queue(ArnEquals=ON_RULE)),
    case(KEPT, "a rule whose ARN is not known", later(RULE, arn=UNKNOWN), TARGET, queue(ArnEquals=ON_RULE),
         says=["not proven target.deadLetterConfig.arn"]),
    case(KEPT, "a rule whose ARN is not known, on an open queue", later(RULE, arn=UNKNOWN), TARGET, queue()),
    case(KEPT, "a rule whose ARN is not known, and a statement about another queue", later(RULE, arn=UNKNOWN), TARGET,
         queue(resource="arn:other", ArnEquals=ON_RULE), says=["violated target.deadLetterConfig.arn"]),
    case(TAKEN, "alarms", SENT, topic()),
    case(TAKEN, "alarms of this account", SENT, topic(StringEquals={"aws:SourceAccount": OURS})),
    case(TAKEN, "alarms of another account", SENT, topic(StringEquals={"aws:SourceAccount": THEIRS}), says=["violated pages.policy"]),
    case(TAKEN, "one alarm, another one", SENT, topic(ArnEquals={"aws:SourceArn": f"arn:aws:cloudwatch:eu-west-1:{OURS}:alarm:other"}),
         says=["violated pages.policy"]),
    case(TAKEN, "alarms, where only events are admitted", SENT, topic(["events.amazonaws.com"]), says=["violated pages.policy"]),
    case(TAKEN, "alarms, where everyone is admitted", SENT, r("sns.Topic", "pages", arn="arn:pages", policy=json.dumps({"Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"}}))),
    case(TAKEN, "alarms that may only subscribe", SENT, topic(action="sns:Subscribe"), says=["violated pages.policy"]),
    case(TAKEN, "alarms by the default policy", SENT, OPEN),
    case(TAKEN, "alarms by a separate policy", SENT, OPEN, r("sns.TopicPolicy", arn="arn:pages", policy=topic()["inputs"]["policy"])),
    case(TAKEN, "an all-clear", r("cloudwatch.CompositeAlarm", "alarm", okActions=["arn:pages"]), topic(["events.amazonaws.com"]),
         says=["violated pages.policy"]),
    case(TAKEN, "a budget by the default policy", BUDGET, OPEN, says=["violated pages.policy"]),
    case(TAKEN, "a budget", BUDGET, topic("budgets.amazonaws.com")),
    case(TAKEN, "a budget, where only alarms are admitted", BUDGET, topic(), says=["violated pages.policy"]),
    case(TAKEN, "database events, where only alarms are admitted", r("rds.EventSubscription", "events", snsTopic="arn:pages"), topic(),
         says=["violated pages.policy"]),
    case(TAKEN, "objects of a bucket for one bucket", r("s3.BucketNotification", "n", arn="arn:n", topics=[{"topicArn": "arn:pages"}]),
         topic("s3.amazonaws.com", ArnEquals={"aws:SourceArn": "arn:aws:s3:::bucket"})),
    case(TAKEN, "a topic of another stack", SENT),
    case(TAKEN, "unknown policy", SENT, later(OPEN, policy=UNKNOWN), says=["not proven pages.policy"]),
    case(TAKEN, "an alarm whose ARN is not known", later(SENT, arn=UNKNOWN), topic(StringEquals={"aws:SourceAccount": OURS}),
         says=["not proven pages.policy"]),
    case(TAKEN, "not applicable", THING),
]  # fmt: skip
