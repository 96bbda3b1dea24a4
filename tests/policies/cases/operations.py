"""Policies on alarms, log groups and ownership."""

from __future__ import annotations

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


def tagged(tags: Value, **more: Value) -> dict[str, Any]:
    return r("sns.Topic", "topic", tags=tags, **more)


OWNED = {"owner": "team@example.com", "environment": "test"}

CASES = [
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
    case("cloudwatch-service-is-watched", "a database that grows by itself", r("rds.Cluster", serverlessv2ScalingConfiguration={"maxCapacity": 4}), says=["violated x"] * 6),
    case("cloudwatch-service-is-watched", "not applicable", TOPIC),
    case("logs-groups-kept-and-encrypted", "at the longest", r("cloudwatch.LogGroup", retentionInDays=400, kmsKeyId="arn:key")),
    case("logs-groups-kept-and-encrypted", "a day longer", r("cloudwatch.LogGroup", retentionInDays=401, kmsKeyId="arn:key"),
         says=["violated x.retentionInDays"]),
    case("logs-groups-kept-and-encrypted", "never", r("cloudwatch.LogGroup", retentionInDays=0, kmsKeyId="arn:key"),
         says=["violated x.retentionInDays"]),
]  # fmt: skip
