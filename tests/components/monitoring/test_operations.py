"""Key, log groups, the topics and their recipients, and the alarms."""

import json
from typing import Any

import pytest

from preflight.recording.recorder import Recording
from tests.components.task_fixtures import (
    ACCOUNT,
    REGION,
    RUNBOOK,
    TAGS,
    TICKETS,
    TOPIC,
    build,
    document,
    is_secret,
    made,
    one,
    text,
)

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def test_it_makes_one_key_three_log_groups_and_a_topic_for_each_severity() -> None:
    assert made(build("operations")) == {
        "aws:cloudwatch/logGroup:LogGroup": 3,
        "aws:kms/alias:Alias": 1,
        "aws:kms/key:Key": 1,
        "aws:sns/topic:Topic": 2,
        "aws:sns/topicPolicy:TopicPolicy": 2,
        "aws:sns/topicSubscription:TopicSubscription": 2,
    }


def test_the_key_rotates_and_can_be_restored_for_a_month() -> None:
    key = one(build("operations"), "aws:kms/key:Key").inputs

    assert (key["enableKeyRotation"], key["deletionWindowInDays"]) == (True, 30)


def test_the_key_serves_the_account_and_five_uses_of_this_account_only() -> None:
    service = {"Effect": "Allow", "Resource": ["*"]}
    cluster = {"kms:EncryptionContext:aws:ecs:clusterAccount": [ACCOUNT]}
    log_groups = [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"]
    publishers = [
        "budgets.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "events.rds.amazonaws.com",
    ]
    topics = [f"arn:aws:sns:{REGION}:{ACCOUNT}:*"]

    assert document(one(build("operations"), "aws:kms/key:Key")) == [
        {
            **service,
            "Sid": "AccountDelegatesToItsRoles",
            "Action": ["kms:*"],
            "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]},
        },
        {
            **service,
            "Sid": "LogGroupsOfThisAccount",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "Principal": {"Service": [f"logs.{REGION}.amazonaws.com"]},
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        },
        {
            **service,
            "Sid": "MessagesToTheAlarmTopic",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Principal": {"Service": publishers},
            "Condition": {"StringEquals": {"aws:SourceAccount": [ACCOUNT]}},
        },
        {
            **service,
            "Sid": "EventsToTheAlarmTopic",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Principal": {"Service": ["events.amazonaws.com"]},
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}},
        },
        {
            **service,
            "Sid": "EphemeralStorageDataKeys",
            "Action": ["kms:GenerateDataKeyWithoutPlaintext"],
            "Principal": {"Service": ["fargate.amazonaws.com"]},
            "Condition": {"StringEquals": cluster},
        },
        {
            **service,
            "Sid": "EphemeralStorageGrants",
            "Action": ["kms:CreateGrant"],
            "Principal": {"Service": ["fargate.amazonaws.com"]},
            "Condition": {
                "StringEquals": cluster,
                "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]},
            },
        },
    ]


def test_every_log_group_is_encrypted_and_expires() -> None:
    recording = build("operations", log_retention_days=30)
    key = one(recording, "aws:kms/key:Key").outputs["arn"]

    assert [
        (g.inputs["name"], g.inputs["retentionInDays"], g.inputs["kmsKeyId"]) for g in recording.of_type(LOG_GROUP)
    ] == [
        ("/ai-interface/test/interface", 30, key),
        ("/ai-interface/test/prepare", 30, key),
        ("/ai-interface/test/proxy", 30, key),
    ]


@pytest.mark.parametrize("name", ["operations-alarms", "operations-tickets"])
def test_only_aws_services_of_this_account_publish_and_only_by_tls(name: str) -> None:
    recording = build("operations")
    topic = one(recording, "aws:sns/topic:Topic", name).outputs["arn"]

    assert document(one(recording, "aws:sns/topicPolicy:TopicPolicy", f"{name}-policy")) == [
        {
            "Sid": "PublishFromThisAccount",
            "Effect": "Allow",
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Principal": {
                "Service": [
                    "budgets.amazonaws.com",
                    "cloudwatch.amazonaws.com",
                    "events.rds.amazonaws.com",
                ]
            },
            "Condition": {"StringEquals": {"aws:SourceAccount": [ACCOUNT]}},
        },
        {
            "Sid": "PublishFromEventBridge",
            "Effect": "Allow",
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Principal": {"Service": ["events.amazonaws.com"]},
        },
        {
            "Sid": "RefuseEventsOfOtherAccounts",
            "Effect": "Deny",
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Principal": {"Service": ["events.amazonaws.com"]},
            "Condition": {
                "Null": {"aws:SourceAccount": ["false"]},
                "StringNotEquals": {"aws:SourceAccount": [ACCOUNT]},
            },
        },
        {
            "Sid": "RefusePlaintext",
            "Effect": "Deny",
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Principal": "*",
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
        },
    ]


@pytest.mark.parametrize("name", ["operations-alarms", "operations-tickets"])
def test_alarm_messages_are_encrypted_and_reach_the_owner(name: str) -> None:
    recording = build("operations")
    topic = one(recording, "aws:sns/topic:Topic", name)
    subscription = one(recording, SUBSCRIPTION, f"{name}-email").inputs

    assert topic.inputs["kmsMasterKeyId"] == one(recording, "aws:kms/key:Key").outputs["arn"]
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "on-call@example.com")
    assert subscription["topic"] == topic.outputs["arn"]


@pytest.mark.parametrize("preview", [False, True])
def test_a_pager_gets_pages_and_its_url_is_a_secret_even_when_given_as_plain_text(preview: bool) -> None:
    url = "https://pager.example.com/integration/key"
    pager = {"name": "pager", "severity": "page", "protocol": "https", "endpoint": url}
    desk = {"name": "desk", "severity": "ticket", "protocol": "email", "endpoint": "desk@example.com"}
    recording = build("operations", preview=preview, subscriptions=[pager, desk])
    to_pager = one(recording, SUBSCRIPTION, "operations-alarms-to-pager").inputs
    to_desk = one(recording, SUBSCRIPTION, "operations-tickets-to-desk").inputs

    assert is_secret(to_pager["endpoint"])
    assert text(to_pager["endpoint"]) == url
    assert (to_pager["protocol"], to_pager["endpointAutoConfirms"], to_pager["confirmationTimeoutInMinutes"]) == (
        "https",
        True,
        5,
    )
    assert (to_desk["protocol"], to_desk["endpoint"]) == ("email", "desk@example.com")
    assert url not in str([{**r.inputs, "endpoint": ""} for r in recording.resources])
    assert len(recording.of_type(SUBSCRIPTION)) == 4


@pytest.mark.parametrize(
    "wrong", [{"severity": "both"}, {"protocol": "http"}, {"protocol": "sqs"}, {"name": "the pager"}]
)
def test_other_recipients_are_refused(wrong: dict[str, str]) -> None:
    recipient = {"name": "pager", "severity": "page", "protocol": "https", "endpoint": "https://a.example.com", **wrong}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        build("operations", subscriptions=[recipient])


def _alarms(name: str, recording: Recording | None = None) -> dict[str, dict[str, Any]]:
    alarms = (recording or build(name)).of_type(ALARM)
    return {alarm.name.removeprefix(f"{name}-"): alarm.inputs for alarm in alarms}


@pytest.mark.parametrize("name", ["edge-alarms", "service-alarms"])
def test_every_alarm_has_the_destination_of_its_severity_a_runbook_entry_and_an_owner(name: str) -> None:
    for role, alarm in _alarms(name).items():
        section = "undelivered" if role.endswith(("-undelivered", "-dead-letters")) else role
        assert alarm["alarmActions"] == alarm["okActions"] == [TOPIC]
        assert alarm["alarmDescription"].endswith(f"Severity: page. What to do: {RUNBOOK}#{section}")
        assert alarm["tags"] == {**TAGS, "severity": "page"}
        assert alarm["name"] == f"ai-interface test {role}"


def test_the_edge_is_watched_for_errors_targets_and_blocked_requests() -> None:
    balancer = {"LoadBalancer": "app/edge/0123456789abcdef"}
    targets = {**balancer, "TargetGroup": "targetgroup/t/0123456789abcdef"}
    watched = {
        role: (
            a["metricName"],
            a.get("statistic") or a["extendedStatistic"],
            a["threshold"],
            a["dimensions"],
            a["treatMissingData"],
        )
        for role, a in _alarms("edge-alarms").items()
        if "metricName" in a
    }

    expected = {
        "edge-errors": ("HTTPCode_ELB_5XX_Count", "Sum", 10, balancer, "notBreaching"),
        "target-errors": ("HTTPCode_Target_5XX_Count", "Sum", 10, targets, "notBreaching"),
        "login-errors": ("ELBAuthError", "Sum", 0, balancer, "notBreaching"),
        "no-healthy-targets": ("HealthyHostCount", "Maximum", 1, targets, "notBreaching"),
        "unhealthy-targets": ("UnHealthyHostCount", "Maximum", 0, targets, "notBreaching"),
        "firewall-blocked": (
            "BlockedRequests",
            "Sum",
            500,
            {"WebACL": "firewall", "Region": REGION, "Rule": "ALL"},
            "notBreaching",
        ),
    }
    assert watched == expected


@pytest.mark.parametrize(
    ("role", "metrics", "expression"),
    [
        ("edge-outage", ["HTTPCode_ELB_5XX_Count", "RequestCount"], "100 * m1 / MAX([m1, m2])"),
        ("target-outage", ["HTTPCode_Target_5XX_Count", "RequestCount"], "100 * m1 / m2"),
    ],
)
def test_an_outage_at_low_traffic_is_a_share_of_the_requests(role: str, metrics: list[str], expression: str) -> None:
    alarm = _alarms("edge-alarms")[role]
    *counted, value = alarm["metricQueries"]

    assert [query["metric"]["metricName"] for query in counted] == metrics
    assert (value["expression"], alarm["threshold"]) == (expression, 50)
    assert {query["metric"]["period"] for query in counted} == {300}


@pytest.mark.parametrize(
    ("size", "threshold"),
    [({}, 90), ({"full_cpu_percent": 45}, 45)],
)
def test_the_line_of_cpu_follows_from_what_the_application_can_use(size: dict[str, Any], threshold: int) -> None:
    assert _alarms("service-alarms", build("service-alarms", **size))["cpu"]["threshold"] == threshold


def test_a_silent_service_counts_as_too_few_tasks() -> None:
    alarm = _alarms("service-alarms", build("service-alarms", minimum_tasks=2))["tasks-missing"]

    assert (alarm["metricName"], alarm["comparisonOperator"], alarm["threshold"]) == (
        "RunningTaskCount",
        "LessThanThreshold",
        2,
    )
    assert alarm["treatMissingData"] == "breaching"


def test_the_fullest_disk_counts_and_the_alarm_is_about_its_share() -> None:
    recording = build("service-alarms")
    alarm = _alarms("service-alarms", recording)["disk"]
    service = {"ClusterName": "ai-interface-test", "ServiceName": "interface"}

    assert (alarm["namespace"], alarm["metricName"]) == ("ECS/ContainerInsights", "TaskEphemeralStorageUtilization")
    assert (alarm["statistic"], alarm["threshold"], alarm["dimensions"]) == ("Maximum", 80, service)
    assert alarm["alarmDescription"].endswith(f"{RUNBOOK}#disk")
    # Without enhanced Container Insights, there is no such metric and the alarm never fires.
    assert one(build("service"), "aws:ecs/cluster:Cluster").inputs["settings"] == [
        {"name": "containerInsights", "value": "enhanced"}
    ]


@pytest.mark.parametrize(("start", "minutes"), [(270, 7), (300, 7), (301, 8), (0, 2)])
def test_the_alarm_on_unhealthy_targets_waits_for_longer_than_a_start_takes(start: int, minutes: int) -> None:
    alarm = _alarms("edge-alarms", build("edge-alarms", target_start_seconds=start))["unhealthy-targets"]

    assert (alarm["period"], alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (60, minutes, minutes)


def test_errors_of_targets_and_unhealthy_targets_undo_a_deployment() -> None:
    component = one(build("edge-alarms"), "ai-interface:index:EdgeAlarms")

    assert component.outputs["rollbackAlarmNames"] == [
        "ai-interface test target-errors",
        "ai-interface test unhealthy-targets",
    ]


def test_a_failed_deployment_of_this_service_is_told_with_its_reason() -> None:
    recording = build("service-alarms")
    rule = one(recording, "aws:cloudwatch/eventRule:EventRule").inputs
    target = one(recording, "aws:cloudwatch/eventTarget:EventTarget").inputs

    assert json.loads(rule["eventPattern"]) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change"],
        "resources": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/ai-interface-test/interface"],
        "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
    }
    assert target["arn"] == TICKETS
    assert target["inputTransformer"]["inputPaths"] == {"reason": "$.detail.reason"}
    message = json.loads(target["inputTransformer"]["inputTemplate"])
    assert message.endswith(f"Severity: ticket. What to do: {RUNBOOK}#deployment-failed")


@pytest.mark.parametrize(
    ("name", "rule"),
    [("service-alarms", "service-alarms-deployment-failed"), ("state-alarms", "state-alarms-backup-failed")],
)
def test_a_message_that_cannot_be_delivered_is_kept_and_pages_the_team(name: str, rule: str) -> None:
    recording = build(name)
    queue = one(recording, "aws:sqs/queue:Queue")
    target = one(recording, "aws:cloudwatch/eventTarget:EventTarget").inputs
    made_rule = one(recording, "aws:cloudwatch/eventRule:EventRule", rule)

    assert target["deadLetterConfig"] == {"arn": queue.outputs["arn"]}
    assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 185}
    # Encrypted, but not with the topic's key, which may be the reason.
    assert queue.inputs["sqsManagedSseEnabled"] is True
    assert queue.inputs["messageRetentionSeconds"] == 14 * 24 * 3600
    assert document(one(recording, "aws:sqs/queuePolicy:QueuePolicy")) == [
        {
            "Sid": "UndeliveredMessagesOfThisRule",
            "Effect": "Allow",
            "Action": ["sqs:SendMessage"],
            "Resource": [queue.outputs["arn"]],
            "Principal": {"Service": ["events.amazonaws.com"]},
            "Condition": {"ArnEquals": {"aws:SourceArn": [made_rule.outputs["arn"]]}},
        },
        {
            "Sid": "RefusePlaintext",
            "Effect": "Deny",
            "Action": ["sqs:*"],
            "Resource": [queue.outputs["arn"]],
            "Principal": "*",
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
        },
    ]
    alarms = _alarms(name, recording)
    role = rule.removeprefix(f"{name}-")
    failed = [query["metric"] for query in alarms[f"{role}-undelivered"]["metricQueries"] if "metric" in query]
    assert {one["metricName"]: one["dimensions"] for one in failed} == {
        metric: {"RuleName": made_rule.outputs["name"]}
        for metric in ("FailedInvocations", "InvocationsFailedToBeSentToDlq", "InvocationsSentToDlq")
    }
    waiting = alarms[f"{role}-dead-letters"]
    assert (waiting["metricName"], waiting["dimensions"]) == (
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": queue.outputs["name"]},
    )
    for alarm in (alarms[f"{role}-undelivered"], waiting):
        assert (alarm["threshold"], alarm["alarmActions"]) == (0, [TOPIC])
        assert alarm["alarmDescription"].endswith(f"{RUNBOOK}#undelivered")
