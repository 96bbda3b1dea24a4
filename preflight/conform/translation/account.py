"""Roles, keys, secrets, the models' guardrail; logs, alarms, topics and the budget."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import ModelledCall, TranslatedKind, capitalised, document, pairs
from preflight.sdk.wire import Json, Wire

PROVIDER_ONLY = "controls the provider; not sent to AWS"
REGION = "sets the region of the call"


def notifications(value: Json) -> Wire:
    """Notifications of a budget with their subscribers."""
    lists = {"subscriberSnsTopicArns": "SNS", "subscriberEmailAddresses": "EMAIL"}
    result: list[Json] = []
    for item in cast("list[Wire]", value):
        rest = {key: part for key, part in item.items() if key not in lists}
        subscribers = [
            {"SubscriptionType": kind, "Address": address}
            for key, kind in lists.items()
            for address in cast("list[str]", item.get(key, []))
        ]
        result.append({"Notification": capitalised(rest), "Subscribers": subscribers})
    return {"NotificationsWithSubscribers": result}


def metrics(value: Json) -> Wire:
    """Queries of an alarm on several metrics."""
    result: list[Json] = []
    for item in cast("list[Wire]", value):
        query = cast("Wire", capitalised({key: part for key, part in item.items() if key != "metric"}))
        if metric := cast("Wire | None", item.get("metric")):
            names = {key: metric[key] for key in ("namespace", "metricName")}
            rest = {key: part for key, part in metric.items() if key not in {*names, "dimensions"}}
            dimensions = pairs("Dimensions")(metric.get("dimensions", {}))
            query["MetricStat"] = {
                **cast("Wire", capitalised(rest)),
                "Metric": {**cast("Wire", capitalised(names)), **dimensions},
            }
        result.append(query)
    return {"Metrics": result}


def transformation(value: Json) -> Wire:
    """The metric of a filter. CloudFormation has dimensions as a list, and AWS's call as an object."""
    block = cast("Wire", value)
    dimensions = {"dimensions": pairs("dimensions", "Key")(block["dimensions"])["dimensions"]}
    made = {"metricName": block["name"], "metricNamespace": block["namespace"], "metricValue": block["value"]}
    made |= {key: block[key] for key in ("defaultValue", "unit") if block.get(key) is not None}
    return {"MetricTransformations": [capitalised({**made, **dimensions})]}


def suppressor(value: Json) -> Wire:
    """The alarm that holds back a composite alarm's actions, with its times in seconds."""
    block = cast("Wire", value)
    return {
        "ActionsSuppressor": block["alarm"],
        "ActionsSuppressorWaitPeriod": block["waitPeriod"],
        "ActionsSuppressorExtensionPeriod": block["extensionPeriod"],
    }


TABLE = {
    "aws:iam/role:Role": TranslatedKind(
        "AWS::IAM::Role",
        {"name": "RoleName", "assumeRolePolicy": document("AssumeRolePolicyDocument")},
        calls=(ModelledCall("iam", "CreateRole"),),
    ),
    "aws:iam/policy:Policy": TranslatedKind(
        "AWS::IAM::ManagedPolicy",
        {"name": "ManagedPolicyName", "policy": document("PolicyDocument")},
        left_out={"tags": "CloudFormation cannot tag a managed policy; checked against the call"},
        calls=(ModelledCall("iam", "CreatePolicy", {"ManagedPolicyName": "PolicyName"}),),
    ),
    "aws:iam/rolePolicy:RolePolicy": TranslatedKind(
        "AWS::IAM::RolePolicy",
        {"name": "PolicyName", "role": "RoleName", "policy": document("PolicyDocument")},
        added={"PolicyName": "name"},
        calls=(ModelledCall("iam", "PutRolePolicy"),),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": TranslatedKind(
        "",
        {"role": "RoleName"},
        calls=(ModelledCall("iam", "AttachRolePolicy"),),
        why="CloudFormation attaches a policy as a property of the role",
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": TranslatedKind(
        "AWS::IAM::OIDCProvider",
        {"clientIdLists": "ClientIdList", "thumbprintLists": "ThumbprintList"},
        calls=(ModelledCall("iam", "CreateOpenIDConnectProvider"),),
    ),
    "aws:kms/key:Key": TranslatedKind(
        "AWS::KMS::Key",
        {
            "policy": document("KeyPolicy"),
            "deletionWindowInDays": "PendingWindowInDays",
            "customerMasterKeySpec": "KeySpec",
        },
        calls=(
            ModelledCall("kms", "CreateKey", {"KeyPolicy": "Policy", "Key": "TagKey", "Value": "TagValue"}),
            ModelledCall("kms", "ScheduleKeyDeletion"),
        ),
        uncalled={"EnableKeyRotation": "EnableKeyRotation has no such argument"},
    ),
    "aws:kms/alias:Alias": TranslatedKind(
        "AWS::KMS::Alias", {"name": "AliasName"}, calls=(ModelledCall("kms", "CreateAlias"),)
    ),
    "aws:secretsmanager/secret:Secret": TranslatedKind(
        "AWS::SecretsManager::Secret",
        left_out={"recoveryWindowInDays": "an argument of DeleteSecret; checked against the call"},
        calls=(ModelledCall("secretsmanager", "CreateSecret"),),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": TranslatedKind(
        "AWS::SecretsManager::Secret",
        part=True,
        left_out={"secretId": "the secret is the resource itself in CloudFormation; checked against the call"},
        calls=(ModelledCall("secretsmanager", "PutSecretValue"),),
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": TranslatedKind(
        "AWS::SecretsManager::ResourcePolicy",
        {"secretArn": "SecretId", "policy": document("ResourcePolicy")},
        calls=(ModelledCall("secretsmanager", "PutResourcePolicy"),),
    ),
    "aws:bedrock/guardrail:Guardrail": TranslatedKind(
        "AWS::Bedrock::Guardrail",
        left_out={"region": REGION},
        nested={"filtersConfigs": "FiltersConfig", "piiEntitiesConfigs": "PiiEntitiesConfig"},
        calls=(ModelledCall("bedrock", "CreateGuardrail"),),
    ),
    "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration": TranslatedKind(
        "",
        {"loggingConfig": "LoggingConfig"},
        calls=(ModelledCall("bedrock", "PutModelInvocationLoggingConfiguration"),),
        why="CloudFormation has no type for it",
    ),
    "aws:bedrock/guardrailVersion:GuardrailVersion": TranslatedKind(
        "AWS::Bedrock::GuardrailVersion",
        {"guardrailArn": "GuardrailIdentifier"},
        left_out={"region": REGION, "skipDestroy": PROVIDER_ONLY},
        calls=(ModelledCall("bedrock", "CreateGuardrailVersion"),),
    ),
    "aws:cloudwatch/logGroup:LogGroup": TranslatedKind(
        "AWS::Logs::LogGroup",
        {"name": "LogGroupName"},
        calls=(ModelledCall("logs", "CreateLogGroup"), ModelledCall("logs", "PutRetentionPolicy")),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": TranslatedKind(
        "AWS::Logs::MetricFilter",
        {"name": "FilterName", "pattern": "FilterPattern", "metricTransformation": transformation},
        calls=(ModelledCall("logs", "PutMetricFilter"),),
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": TranslatedKind(
        "AWS::Logs::QueryDefinition", calls=(ModelledCall("logs", "PutQueryDefinition"),)
    ),
    "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": TranslatedKind(
        "AWS::Logs::LogGroup",
        {"logGroupName": "LogGroupName", "policyDocument": document("DataProtectionPolicy")},
        part=True,
        calls=(
            ModelledCall(
                "logs",
                "PutDataProtectionPolicy",
                {"LogGroupName": "logGroupIdentifier", "DataProtectionPolicy": "policyDocument"},
            ),
        ),
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": TranslatedKind(
        "AWS::Logs::ResourcePolicy", calls=(ModelledCall("logs", "PutResourcePolicy"),)
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": TranslatedKind(
        "AWS::CloudWatch::CompositeAlarm",
        {"actionsSuppressor": suppressor},
        calls=(ModelledCall("cloudwatch", "PutCompositeAlarm"),),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": TranslatedKind(
        "AWS::CloudWatch::Alarm",
        {
            "name": "AlarmName",
            "dimensions": pairs("Dimensions"),
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
            "metricQueries": metrics,
        },
        calls=(ModelledCall("cloudwatch", "PutMetricAlarm"),),
    ),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": TranslatedKind(
        "AWS::Chatbot::SlackChannelConfiguration",
        {
            "guardrailPolicyArns": "GuardrailPolicies",
            "slackTeamId": "SlackWorkspaceId",
            "userAuthorizationRequired": "UserRoleRequired",
        },
        calls=(
            ModelledCall(
                "chatbot",
                "CreateSlackChannelConfiguration",
                {
                    "GuardrailPolicies": "GuardrailPolicyArns",
                    "SlackWorkspaceId": "SlackTeamId",
                    "UserRoleRequired": "UserAuthorizationRequired",
                    "Key": "TagKey",
                    "Value": "TagValue",
                },
            ),
        ),
    ),
    "aws:cloudwatch/dashboard:Dashboard": TranslatedKind(
        "AWS::CloudWatch::Dashboard", calls=(ModelledCall("cloudwatch", "PutDashboard"),)
    ),
    "aws:cloudwatch/eventRule:EventRule": TranslatedKind(
        "AWS::Events::Rule", {"eventPattern": document("EventPattern")}, calls=(ModelledCall("events", "PutRule"),)
    ),
    "aws:cloudwatch/eventTarget:EventTarget": TranslatedKind(
        "AWS::Events::Rule",
        {
            "rule": "Name",
            "targetId": "Id",
        },
        nested={"inputPaths": "InputPathsMap"},
        within="[Targets]",
        outside=frozenset({"rule", "EventPattern"}),
        placeholders={"Id": "generated", "EventPattern": {"source": ["aws.ecs"]}},
        part=True,
        calls=(ModelledCall("events", "PutTargets", {"Name": "Rule"}, inside="Targets"),),
    ),
    "aws:sns/topic:Topic": TranslatedKind(
        "AWS::SNS::Topic",
        {"name": "TopicName"},
        calls=(ModelledCall("sns", "CreateTopic"),),
        uncalled={
            "KmsMasterKeyId": "an attribute in the call, without a constraint",
        },
    ),
    "aws:sns/topicPolicy:TopicPolicy": TranslatedKind(
        "AWS::SNS::TopicPolicy",
        {"arn": lambda value: {"Topics": [value]}, "policy": document("PolicyDocument")},
        why="an attribute in SetTopicAttributes, without a constraint",
    ),
    "aws:sns/topicSubscription:TopicSubscription": TranslatedKind(
        "AWS::SNS::Subscription",
        {"topic": "TopicArn"},
        left_out={
            "confirmationTimeoutInMinutes": "how long the provider waits; not sent to AWS",
            "endpointAutoConfirms": "whether the provider waits for the confirmation; not sent to AWS",
        },
        calls=(ModelledCall("sns", "Subscribe"),),
    ),
    "aws:sqs/queue:Queue": TranslatedKind(
        "AWS::SQS::Queue",
        {"name": "QueueName", "messageRetentionSeconds": "MessageRetentionPeriod"},
        calls=(ModelledCall("sqs", "CreateQueue"),),
        uncalled={
            "MessageRetentionPeriod": "an attribute in the call, without a constraint",
            "SqsManagedSseEnabled": "an attribute in the call, without a constraint",
        },
    ),
    "aws:sqs/queuePolicy:QueuePolicy": TranslatedKind(
        "AWS::SQS::QueuePolicy",
        {"queueUrl": lambda value: {"Queues": [value]}, "policy": document("PolicyDocument")},
        why="an attribute in SetQueueAttributes, without a constraint",
    ),
    "aws:budgets/budget:Budget": TranslatedKind(
        "AWS::Budgets::Budget",
        {
            "name": "BudgetName",
            "limitAmount": "BudgetLimit.Amount",
            "limitUnit": "BudgetLimit.Unit",
            "costFilters": lambda value: {"CostFilters": {item["name"]: item["values"] for item in value}},
            "notifications": notifications,
            "tags": pairs("ResourceTags", "Key"),
        },
        within="Budget",
        outside=frozenset({"notifications", "tags"}),
        home="us-east-1",
        calls=(ModelledCall("budgets", "CreateBudget", inside="Budget"),),
    ),
}
