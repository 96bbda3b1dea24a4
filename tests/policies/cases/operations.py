"""Policies on alarms, log groups and ownership."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

ROLE = r("other.Thing", "thing")
TOPIC = r("sns.Topic", "topic")
SUBSCRIPTION = r("sns.TopicSubscription", "mail", topic=UNKNOWN, protocol="email", needs={"topic": TOPIC})
TEXT = "Errors. Runbook: https://runbooks.example.com/#errors"


def alarm(**changed: Value) -> dict[str, Any]:
    good = {"alarmActions": [UNKNOWN], "alarmDescription": TEXT, "needs": {"alarmActions": TOPIC}}
    return r("cloudwatch.MetricAlarm", "alarm", **{**good, **changed})


def on(metric: str, namespace: str = "AWS/ApplicationELB") -> dict[str, Any]:
    return alarm(namespace=namespace, metricName=metric)


HEARD = "cloudwatch-alarms-have-destinations"
QUIET = r("cloudwatch.MetricAlarm", "alarm", name="errors", alarmActions=[], alarmDescription=TEXT)


def composite(rule: Value = 'ALARM("errors")', logical: str = "page", **more: Value) -> dict[str, Any]:
    """A composite alarm with a destination."""
    good = {"alarmActions": [UNKNOWN], "alarmDescription": TEXT, "needs": {"alarmActions": TOPIC}, "alarmName": logical}
    return r("cloudwatch.CompositeAlarm", logical, **{**good, "alarmRule": rule, **more})


def tagged(tags: Value, **more: Value) -> dict[str, Any]:
    return r("sns.Topic", "topic", tags=tags, **more)


MASKED = "logs-groups-are-masked"
APP = r("cloudwatch.LogGroup", "app", name="/app")
WRITES = r(
    "ecs.TaskDefinition",
    "task",
    containerDefinitions=json.dumps(
        [{"name": "api", "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/app"}}}]
    ),
)
TICKETS = r("sns.Topic", "tickets", arn="arn:tickets")
STATED, KEPT, SHOWN = (
    "cloudwatch-alarms-state-severities",
    "cloudwatch-event-targets-keep-undelivered",
    "cloudwatch-services-have-dashboards",
)


def stated(logical: str, severity: Value, topic: str = "arn:pages") -> dict[str, Any]:
    return r("cloudwatch.MetricAlarm", logical, alarmActions=[topic], tags={"severity": severity})


PAGES = r("sns.Topic", "pages", arn="arn:pages")
EVENTS = "events.amazonaws.com"
RULE = r("cloudwatch.EventRule", "rule", name="rule", id="rule")


def sent(**more: Value) -> dict[str, Any]:
    return r(
        "cloudwatch.EventTarget",
        "target",
        **{"rule": "rule", "arn": "arn:topic", "deadLetterConfig": {"arn": "arn:queue"}, **more},
    )


def queue(policy: Value = None) -> dict[str, Any]:
    return r("sqs.Queue", "queue", arn="arn:queue", url="https://queue", **({"policy": policy} if policy else {}))


def queued(service: str, action: str = "sqs:SendMessage") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "arn:queue"}
    return json.dumps({"Statement": statement})


ADMITS = r("sqs.QueuePolicy", "admits", queueUrl="https://queue", policy=queued(EVENTS))
SERVICE = r("ecs.Service", "service")


def board(*kinds: str) -> dict[str, Any]:
    return r("cloudwatch.Dashboard", "board", dashboardBody=json.dumps({"widgets": [{"type": kind} for kind in kinds]}))


OWNED = {"owner": "team@example.com", "environment": "test"}

CHANNELS = "chatbot-channels-have-guardrails"


def channel(**more: Value) -> dict[str, Any]:
    given: dict[str, Value] = {"guardrailPolicyArns": ["arn:aws:iam::aws:policy/AWSDenyAll"], **more}
    return r("chatbot.SlackChannelConfiguration", "alerts", **given)


CASES = [
    case(CHANNELS, "a channel that only reads", channel()),
    case(CHANNELS, "without guardrails, which is AdministratorAccess", channel(guardrailPolicyArns=None),
         says=["violated alerts.guardrailPolicyArns"]),
    case(CHANNELS, "an empty list", channel(guardrailPolicyArns=[]), says=["violated alerts.guardrailPolicyArns"]),
    case(CHANNELS, "everything", channel(guardrailPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
         says=["violated alerts.guardrailPolicyArns"]),
    case(CHANNELS, "unknown", channel(guardrailPolicyArns=UNKNOWN), says=["not proven alerts.guardrailPolicyArns"]),
    case(CHANNELS, "everything, beside one that is not known",
         channel(guardrailPolicyArns=[UNKNOWN, "arn:aws:iam::aws:policy/AdministratorAccess"]),
         says=["not proven alerts.guardrailPolicyArns", "violated alerts.guardrailPolicyArns"]),
    case(CHANNELS, "not applicable", TOPIC),
    case(HEARD, "a topic that a chat channel reads", alarm(), TOPIC,
         channel(snsTopicArns=[UNKNOWN], needs={"snsTopicArns": TOPIC})),
    case("cloudwatch-alarms-have-destinations", "a topic that somebody reads", alarm(), TOPIC, SUBSCRIPTION),
    case("cloudwatch-alarms-have-destinations", "a topic that nobody reads", alarm(), TOPIC, says=["violated topic"]),
    case("cloudwatch-alarms-have-destinations", "no action", alarm(alarmActions=[]), says=["violated alarm.alarmActions"]),
    case("cloudwatch-alarms-have-destinations", "switched off", alarm(actionsEnabled=False), TOPIC, SUBSCRIPTION,
         says=["violated alarm.actionsEnabled"]),
    case("cloudwatch-alarms-have-destinations", "no runbook", alarm(alarmDescription="Errors"), TOPIC, SUBSCRIPTION,
         says=["violated alarm.alarmDescription"]),
    case("cloudwatch-alarms-have-destinations", "no description", alarm(alarmDescription=None), TOPIC, SUBSCRIPTION,
         says=["violated alarm.alarmDescription"]),
    case("cloudwatch-alarms-have-destinations", "unknown", TOPIC, SUBSCRIPTION,
         alarm(alarmDescription=UNKNOWN, needs={"alarmActions": TOPIC, "alarmDescription": TOPIC}),
         says=["not proven alarm.alarmDescription"]),
    case("cloudwatch-alarms-have-destinations", "not applicable", TOPIC),
    case(HEARD, "a composite alarm speaks for it", QUIET, composite(), TOPIC, SUBSCRIPTION),
    case(HEARD, "a composite alarm of a composite alarm", QUIET, TOPIC, SUBSCRIPTION,
         composite('OK(other) OR ALARM(inner)'), composite("ALARM(errors)", "inner", alarmActions=[])),
    case(HEARD, "a composite alarm without a destination", QUIET, composite(alarmActions=[]), TOPIC, SUBSCRIPTION,
         says=["violated alarm.alarmActions", "violated page.alarmActions"]),
    case(HEARD, "a composite alarm of others", QUIET, composite('ALARM("errors-2")'), TOPIC, SUBSCRIPTION,
         says=["violated alarm.alarmActions"]),
    case(HEARD, "it only keeps a composite alarm quiet", QUIET, composite('ALARM(a) AND NOT ALARM("errors")'), TOPIC,
         SUBSCRIPTION, says=["violated alarm.alarmActions"]),
    case(HEARD, "it holds back a composite alarm", QUIET, TOPIC, SUBSCRIPTION,
         composite("ALARM(a)", actionsSuppressor={"alarm": "errors", "waitPeriod": 60, "extensionPeriod": 60})),
    case(HEARD, "a rule that is not known yet", QUIET, TOPIC, SUBSCRIPTION,
         composite(UNKNOWN, needs={"alarmActions": TOPIC, "alarmRule": QUIET})),
    case(STATED, "a topic for each severity", stated("a", "page"), stated("b", "ticket", "arn:tickets"), PAGES, TICKETS),
    case(STATED, "both on one topic", stated("a", "page"), stated("b", "ticket"), PAGES, says=["violated pages"]),
    case(STATED, "no severity", r("cloudwatch.MetricAlarm", "alarm", alarmActions=["arn:pages"]), PAGES,
         says=["violated alarm.tags.severity"]),
    case(STATED, "another severity", stated("alarm", "urgent"), PAGES, says=["violated alarm.tags.severity"]),
    case(STATED, "unknown", r("cloudwatch.MetricAlarm", "alarm", tags={"severity": UNKNOWN}, needs={"tags": PAGES}), PAGES,
         says=["not proven alarm.tags.severity"]),
    case(STATED, "not applicable", TOPIC),
    case(KEPT, "a queue that admits the rule", RULE, sent(), queue(), ADMITS),
    case(KEPT, "a queue with its own policy", RULE, sent(), queue(queued(EVENTS))),
    case(KEPT, "a queue elsewhere", RULE, sent()),
    case(KEPT, "no queue", RULE, sent(deadLetterConfig=None), says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a queue without a policy", RULE, sent(), queue(), says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a queue that admits another service", RULE, sent(), queue(queued("sns.amazonaws.com")),
         says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a queue from which it may only read", RULE, sent(), queue(queued(EVENTS, "sqs:ReceiveMessage")),
         says=["violated target.deadLetterConfig.arn"]),
    case(KEPT, "a rule without a target", RULE, says=["violated rule"]),
    case(KEPT, "unknown", RULE, sent(), TOPIC,
         r("sqs.Queue", "queue", arn="arn:queue", policy=UNKNOWN, needs={"policy": TOPIC}),
         says=["not proven target.deadLetterConfig.arn"]),
    case(KEPT, "not applicable", TOPIC),
    case(SHOWN, "alarms", SERVICE, board("alarm")),
    case(SHOWN, "metrics and text", SERVICE, board("text", "metric")),
    case(SHOWN, "text alone", SERVICE, board("text"), says=["violated board.dashboardBody"]),
    case(SHOWN, "none", SERVICE, r("rds.Cluster", "database"), says=["violated service"]),
    case(SHOWN, "unknown", SERVICE, TOPIC,
         r("cloudwatch.Dashboard", "board", dashboardBody=UNKNOWN, needs={"dashboardBody": TOPIC}),
         says=["not proven board.dashboardBody"]),
    case(SHOWN, "not applicable", TOPIC),
    case("logs-groups-kept-and-encrypted", "for ninety days by a key", r("cloudwatch.LogGroup", retentionInDays=90, kmsKeyId="arn:key")),
    case("logs-groups-kept-and-encrypted", "for ever, in clear", r("cloudwatch.LogGroup"),
         says=["violated x.retentionInDays", "violated x.kmsKeyId"]),
    case("logs-groups-kept-and-encrypted", "for ten years", r("cloudwatch.LogGroup", retentionInDays=3653, kmsKeyId="arn:key"),
         says=["violated x.retentionInDays"]),
    case("logs-groups-kept-and-encrypted", "a key that is not known yet", (KEY := r("kms.Key", "key")),
         r("cloudwatch.LogGroup", retentionInDays=90, kmsKeyId=UNKNOWN, needs={"kmsKeyId": KEY})),
    case("logs-groups-kept-and-encrypted", "unknown",
         r("cloudwatch.LogGroup", retentionInDays=UNKNOWN, kmsKeyId="arn:key", needs={"retentionInDays": KEY}),
         says=["not proven x.retentionInDays"]),
    case("logs-groups-kept-and-encrypted", "not applicable", TOPIC),
    case(MASKED, "a policy", APP, WRITES, r("cloudwatch.LogDataProtectionPolicy", "mask", logGroupName="/app")),
    case(MASKED, "by reference", APP, WRITES,
         r("cloudwatch.LogDataProtectionPolicy", "mask", logGroupName=UNKNOWN, needs={"logGroupName": APP})),
    case(MASKED, "the account's", APP, WRITES, r("cloudwatch.LogAccountPolicy", "mask", policyType="DATA_PROTECTION_POLICY")),
    case(MASKED, "the account's subscription", APP, WRITES,
         r("cloudwatch.LogAccountPolicy", "all", policyType="SUBSCRIPTION_FILTER_POLICY"), says=["violated app"]),
    case(MASKED, "none", APP, WRITES, says=["violated app"]),
    case(MASKED, "another group's", APP, WRITES, r("cloudwatch.LogGroup", "other", name="/other"),
         r("cloudwatch.LogDataProtectionPolicy", "mask", logGroupName="/other"), says=["violated app"]),
    case(MASKED, "a group that no container writes to", APP),
    case(MASKED, "unknown", APP, r("ecs.TaskDefinition", "task", containerDefinitions=UNKNOWN, needs={"containerDefinitions": APP}),
         says=["not proven task.containerDefinitions"]),
    case(MASKED, "not applicable", TOPIC),
    case("stack-ownership-tags", "owned", tagged(OWNED)),
    case("stack-ownership-tags", "owned by default", tagged(None, tagsAll=OWNED)),
    case("stack-ownership-tags", "nobody's", tagged({"environment": "test"}), says=["violated topic.tags.owner"]),
    case("stack-ownership-tags", "an empty owner", tagged({**OWNED, "owner": " "}), says=["violated topic.tags.owner"]),
    case("stack-ownership-tags", "no tags", r("sns.Topic", "topic"), says=["violated topic.tags.owner", "violated topic.tags.environment"]),
    case("stack-ownership-tags", "unknown", tagged(UNKNOWN, needs={"tags": ROLE}),
         says=["not proven topic.tags.owner", "not proven topic.tags.environment"]),
    case("stack-ownership-tags", "unknown owner", tagged({**OWNED, "owner": UNKNOWN}, needs={"tags": ROLE}), says=["not proven topic.tags.owner"]),
    case("stack-ownership-tags", "not applicable: a type without tags", SUBSCRIPTION),
    case("cloudwatch-service-is-watched", "all of it", r("lb.LoadBalancer"), on("HTTPCode_ELB_5XX_Count")),
    case("cloudwatch-service-is-watched", "not at all", r("lb.LoadBalancer"), says=["violated x"]),
    case("cloudwatch-service-is-watched", "a network load balancer", r("lb.LoadBalancer", loadBalancerType="network")),
    case("cloudwatch-service-is-watched", "targets of which only health is watched", r("lb.TargetGroup"), on("UnHealthyHostCount"), says=["violated x"]),
    case("cloudwatch-service-is-watched", "another service's processor", r("ecs.Service"), on("CPUUtilization", "AWS/RDS"), on("RunningTaskCount", "ECS"),
         on("MemoryUtilization", "AWS/ECS"), says=["violated x"]),
    case("cloudwatch-service-is-watched", "rolled back by a metric that the application publishes", r("ecs.Service", alarms={"alarmNames": ["a"]}),
         r("cloudwatch.MetricAlarm", "m", name="a", namespace="shop/orders", metricName="Failures"), says=["violated x"] * 3),
    case("cloudwatch-service-is-watched", "rolled back by another service's metric", r("ecs.Service", alarms={"alarmNames": ["a"]}),
         r("cloudwatch.MetricAlarm", "m", name="a", namespace="AWS/RDS", metricName="CPUUtilization"),
         says=["violated x.alarms.alarmNames", *["violated x"] * 3]),
    case("cloudwatch-service-is-watched", "a metric in a formula", r("wafv2.WebAcl"), r("cloudwatch.MetricAlarm", "m", metricQueries=[
         {"expression": "a"}, {"metric": {"namespace": "AWS/WAFV2", "metricName": "BlockedRequests"}}])),
    case("cloudwatch-service-is-watched", "a cache without a replica", r("elasticache.ReplicationGroup", numCacheClusters=1), says=["violated x"] * 4),
    case("cloudwatch-service-is-watched", "a cache with a replica", r("elasticache.ReplicationGroup", numCacheClusters=2), says=["violated x"] * 5),
    case("cloudwatch-service-is-watched", "a database", r("rds.Cluster"), says=["violated x"] * 5),
    case("cloudwatch-service-is-watched", "a database without a reader", r("rds.Cluster", clusterIdentifier="c"),
         r("rds.ClusterInstance", "i", clusterIdentifier="c"), says=["violated x"] * 4),
    case("cloudwatch-service-is-watched", "a database that grows by itself", r("rds.Cluster", serverlessv2ScalingConfiguration={"maxCapacity": 4}), says=["violated x"] * 6),
    case("cloudwatch-service-is-watched", "not applicable", TOPIC),
    case("logs-groups-kept-and-encrypted", "at the longest", r("cloudwatch.LogGroup", retentionInDays=400, kmsKeyId="arn:key")),
    case("logs-groups-kept-and-encrypted", "a day longer", r("cloudwatch.LogGroup", retentionInDays=401, kmsKeyId="arn:key"),
         says=["violated x.retentionInDays"]),
    case("logs-groups-kept-and-encrypted", "never", r("cloudwatch.LogGroup", retentionInDays=0, kmsKeyId="arn:key"),
         says=["violated x.retentionInDays"]),
]  # fmt: skip
