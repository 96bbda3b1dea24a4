"""Policies on what one resource means for another: keys of data, roles of schedules, restore tests, subnets and logs."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

ALONE, OCCASION, REACH, TESTED = (
    "kms-data-keys-serve-data-alone",
    "iam-grants-state-their-occasion",
    "scheduler-roles-reach-their-targets",
    "backup-restores-are-tested",
)
MASKED, READERS, ONCE, ZONES, FIT, LEFT, WATCHED = (
    "logs-groups-are-masked",
    "elb-access-logs-have-named-readers",
    "stack-declared-once",
    "vpc-subnets-are-named-once",
    "iam-roles-fit-their-service",
    "stack-nothing-is-unused",
    "cloudwatch-service-is-watched",
)
THING = r("other.Thing", "thing")
DATA, OPERATIONS = (
    r("kms.Key", "data", arn="arn:data", id="data"),
    r("kms.Key", "operations", arn="arn:operations", id="operations"),
)
LOG = r("cloudwatch.LogGroup", "log", name="/app", arn="arn:log", kmsKeyId="arn:operations")
KEYS = (DATA, OPERATIONS, LOG)


def database(key: Value = "arn:data", **more: Value) -> dict[str, Any]:
    return r("rds.Cluster", "database", kmsKeyId=key, **more)


def encryption(key: Value) -> dict[str, Any]:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}}]
    return r("s3.BucketServerSideEncryptionConfiguration", "encryption", bucket="bucket", rules=rules)


BUCKET = r("s3.Bucket", "bucket", id="bucket", bucket="bucket", arn="arn:aws:s3:::bucket")
TRAIL = r("s3.BucketLogging", "logging", bucket="other", targetBucket="bucket")


def may(action: Value, resource: Value = "arn:aws:x", **condition: Value) -> dict[str, Any]:
    statement = {"Sid": "May", "Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, **({"Condition": {"StringEquals": condition}} if condition else {})}


def held(*statements: dict[str, Any], text: Value = None) -> dict[str, Any]:
    policy = text or json.dumps({"Statement": list(statements)})
    return r("iam.RolePolicy", "held", role="start", policy=policy, needs={"policy": THING})


TASK, QUEUE = "arn:aws:ecs:eu-west-1:123456789012:task-definition/job:1", "arn:aws:sqs:eu-west-1:123456789012:dead"
START = r("iam.Role", "start", name="start", arn="arn:start")
STARTS = may("ecs:RunTask", TASK.replace(":1", ":*"))


def schedule(*, subnets: Value = None, **target: Value) -> dict[str, Any]:
    of_task = {"taskDefinitionArn": TASK, "networkConfiguration": {"subnets": subnets or ["a"]}}
    given = {"arn": "arn:cluster", "roleArn": "arn:start", "ecsParameters": of_task, **target}
    return r("scheduler.Schedule", "schedule", target=given, needs={"target": THING})


DEAD = {"deadLetterConfig": {"arn": QUEUE}}
VAULT = r("backup.Vault", "vault", name="vault", id="vault")
PLAN = r("backup.Plan", "plan", rules=[{"targetVaultName": "vault"}])
TESTS = r(
    "backup.RestoreTestingPlan", "tests", name="tests", id="tests", recoveryPointSelection={"includeVaults": ["*"]}
)
STORE = r("rds.Cluster", "store", arn="arn:store", id="store")
SAVED = r("backup.Selection", "saved", resources=["arn:store"])
PLANNED = (VAULT, PLAN, TESTS, STORE, SAVED)


def test(*arns: Value, **more: Value) -> dict[str, Any]:
    given = {"restoreTestingPlanName": "tests", "protectedResourceArns": list(arns) or None, **more}
    known = {key: value for key, value in given.items() if value is not None}
    return r("backup.RestoreTestingSelection", "test", **known, needs={"protectedResourceArns": THING})


def trusted(*services: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return r("iam.Role", "restore", arn="arn:restore", assumeRolePolicy=json.dumps({"Statement": statement}))


RESTORES = r("iam.RolePolicyAttachment", role="arn:restore", policyArn="arn:aws:iam::aws:policy/x")
ACL_LOG = r("wafv2.WebAclLoggingConfiguration", "logging", logDestinationConfigs=["arn:log"])
MASK = r("cloudwatch.LogDataProtectionPolicy", "mask", logGroupName="/app")


def alarm(metric: str, namespace: str, **more: Value) -> dict[str, Any]:
    needs = more.pop("needs", {})
    return r(
        "cloudwatch.MetricAlarm",
        more.pop("logical", "alarm"),
        namespace=namespace,
        metricName=metric,
        needs=needs,
        **more,
    )


TAKES = "elb-refusals-take-effect"


def listener(kind: Value) -> dict[str, Any]:
    return r(
        "lb.Listener", "listener", arn="arn:listener", defaultActions=[{"type": kind}], needs={"defaultActions": THING}
    )


def refuses(kind: str = "fixed-response") -> dict[str, Any]:
    return r("lb.ListenerRule", "refuses", listenerArn="arn:listener", actions=[{"type": kind}])


HTTPS = listener("fixed-response")
FORWARDS = r(
    "lb.ListenerRule",
    "forwards",
    listenerArn="arn:listener",
    actions=[{"type": "authenticate-oidc"}, {"type": "forward"}],
)
RULE = r("cloudwatch.EventRule", "rule", name="rule", id="rule")
OTHER_RULE = r("cloudwatch.EventRule", "other", name="other", id="other")
SENT = r("cloudwatch.EventTarget", "target", rule="rule", deadLetterConfig={"arn": "arn:queue"})
DEADS = r("sqs.Queue", "queue", name="queue", arn="arn:queue")
ON_RULE = alarm("FailedInvocations", "AWS/Events", dimensions={"RuleName": "rule"}, logical="rule")
ON_QUEUE = alarm("ApproximateNumberOfMessagesVisible", "AWS/SQS", dimensions={"QueueName": "queue"})

CASES = [
    case(ALONE, "a key for each", *KEYS, database(), encryption("arn:data")),
    case(ALONE, "a database with the key of a log", *KEYS, database("arn:operations"), says=["violated database.kmsKeyId"]),
    case(ALONE, "its login with the key of a log", *KEYS, database(masterUserSecretKmsKeyId="arn:operations"),
         says=["violated database.masterUserSecretKmsKeyId"]),
    case(ALONE, "a bucket with the key of a log", *KEYS, BUCKET, encryption("arn:operations"), says=["violated encryption.rules"]),
    case(ALONE, "a bucket of access logs with the key of a log", *KEYS, BUCKET, TRAIL, encryption("arn:operations")),
    case(ALONE, "a database with the key of a topic", DATA, r("sns.Topic", "topic", kmsMasterKeyId="data"), database(),
         says=["violated database.kmsKeyId"]),
    case(ALONE, "a key that is known later", *KEYS, r("rds.Cluster", "database", kmsKeyId=UNKNOWN, needs={"kmsKeyId": OPERATIONS}),
         says=["violated database.kmsKeyId"]),
    case(ALONE, "one of two keys, known later", *KEYS, r("rds.Cluster", "database", kmsKeyId=UNKNOWN, needs={"kmsKeyId": [DATA, OPERATIONS]}),
         says=["not proven database.kmsKeyId"]),
    case(ALONE, "a key of nothing of the stack", *KEYS, r("rds.Cluster", "database", kmsKeyId=UNKNOWN, needs={"kmsKeyId": THING}),
         says=["not proven database.kmsKeyId"]),
    case(ALONE, "a key of nothing of the stack, without logs", DATA, r("rds.Cluster", "database", kmsKeyId=UNKNOWN, needs={"kmsKeyId": THING})),
    case(ALONE, "a key of another stack", LOG, database("arn:operations")),
    case(ALONE, "not applicable", THING),
    case(OCCASION, "stated", held(may("iam:PassRole", **{"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
         may("ecs:RunTask", **{"ecs:cluster": "arn:cluster"}), may("ecs:TagResource", **{"ecs:CreateAction": "RunTask"}),
         may("ec2:CreateTags", **{"aws:RequestTag/owner": "team"}))),
    case(OCCASION, "a role for any service", held(may("iam:PassRole")), says=["violated held.policy[May].Condition"]),
    case(OCCASION, "a role for any service, by a pattern in small letters", held(may("iam:pass*")), says=["violated held.policy[May].Condition"]),
    case(OCCASION, "a task on any cluster", held(may(["ecs:RunTask"], **{"aws:PrincipalTag/a": "b"})),
         says=["violated held.policy[May].Condition"]),
    case(OCCASION, "a task on any instance of any cluster", held(may("ecs:StartTask")), says=["violated held.policy[May].Condition"]),
    case(OCCASION, "tags at any time, of two services", held(may(["ecs:TagResource", "ec2:CreateTags"])),
         says=["violated held.policy[May].Condition"] * 2),
    case(OCCASION, "everything, which another policy reports", held(may(["*", "iam:*"]))),
    case(OCCASION, "refused", held({**may("iam:PassRole"), "Effect": "Deny"})),
    case(OCCASION, "inside a role", r("iam.Role", "role", inlinePolicies=[{"policy": json.dumps({"Statement": [may("iam:PassRole")]})}]),
         says=["violated role.inlinePolicies[0].policy[May].Condition"]),
    case(OCCASION, "unknown", held(text=UNKNOWN), says=["not proven held.policy"]),
    case(OCCASION, "not applicable", THING),
    case(REACH, "its task", START, held(STARTS), schedule()),
    case(REACH, "its task and its queue", START, held(STARTS, may("sqs:SendMessage", QUEUE)), schedule(**DEAD)),
    case(REACH, "another task", START, held(may("ecs:RunTask", "arn:aws:ecs:eu-west-1:123456789012:task-definition/other:*")), schedule(),
         says=["violated schedule.target.ecsParameters.taskDefinitionArn"]),
    case(REACH, "its task may only be described", START, held(may("ecs:DescribeTasks", "*")), schedule(),
         says=["violated schedule.target.ecsParameters.taskDefinitionArn"]),
    case(REACH, "its queue is missing in the role", START, held(STARTS), schedule(**DEAD), says=["violated schedule.target.deadLetterConfig.arn"]),
    case(REACH, "a role of another stack", schedule()),
    case(REACH, "a role with an attached policy", START, r("iam.RolePolicyAttachment", role="start", policyArn="arn:p"), schedule()),
    case(REACH, "a role with a policy inside", r("iam.Role", "start", arn="arn:start", inlinePolicies=[{"name": "a"}]), schedule()),
    case(REACH, "unknown policy", START, held(text=UNKNOWN), schedule(), says=["not proven schedule.target.ecsParameters.taskDefinitionArn"]),
    case(REACH, "unknown task", START, held(STARTS), schedule(ecsParameters={"taskDefinitionArn": UNKNOWN}),
         says=["not proven schedule.target.ecsParameters.taskDefinitionArn"]),
    case(REACH, "not applicable", THING),
    case(TESTED, "what is backed up is restored", *PLANNED, test("arn:store")),
    case(TESTED, "everything is restored", *PLANNED, test("*")),
    case(TESTED, "what has a tag is restored", *PLANNED, test(protectedResourceConditions={"stringEquals": []})),
    case(TESTED, "something else is restored", *PLANNED, test("arn:other"), says=["violated store"]),
    case(TESTED, "unknown what is restored", *PLANNED, test(UNKNOWN), says=["not proven store"]),
    case(TESTED, "nothing of this stack is backed up", VAULT, PLAN, TESTS, STORE, test("arn:other")),
    case(MASKED, "a web ACL's log", LOG, ACL_LOG, MASK),
    case(MASKED, "a web ACL's log without a policy", LOG, ACL_LOG, says=["violated log"]),
    case(READERS, "records of another bucket", BUCKET, TRAIL, says=["violated bucket.policy"]),
    case(READERS, "records of a bucket in which a trail names every object", BUCKET, TRAIL,
         r("s3.Bucket", "other", id="other", bucket="other"), r("cloudtrail.Trail", "trail", s3BucketName="other")),
    case(READERS, "records of another bucket that a policy denies", BUCKET, TRAIL, r("s3.BucketPolicy", bucket="bucket", policy=json.dumps(
        {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}}))),
    case(ONCE, "two policies on one log", LOG, MASK, r("cloudwatch.LogDataProtectionPolicy", "twice", logGroupName="/app"),
         says=["violated twice.logGroupName"]),
    case(ZONES, "a schedule in one subnet", schedule(subnets=["a"])),
    case(ZONES, "a schedule with one subnet twice", schedule(subnets=["a", "a"]),
         says=["violated schedule.target.ecsParameters.networkConfiguration.subnets"]),
    case(FIT, "a restore test's role", trusted("backup.amazonaws.com"), RESTORES, test(iamRoleArn="arn:restore")),
    case(FIT, "a restore test with another service's role", trusted("vpc-flow-logs.amazonaws.com"), RESTORES, test(iamRoleArn="arn:restore"),
         says=["violated test.iamRoleArn"]),
    case(LEFT, "a log that is only read", LOG, r("cloudwatch.QueryDefinition", "query", logGroupNames=["/app"], queryString="fields a"),
         r("cloudwatch.LogMetricFilter", "filter", logGroupName="/app"), says=["violated log"]),
    case(WATCHED, "a rule and its queue", RULE, SENT, DEADS, ON_RULE, ON_QUEUE),
    case(WATCHED, "a rule whose queue is not watched", RULE, SENT, DEADS, ON_RULE, says=["violated queue"]),
    case(WATCHED, "a rule that is not watched", RULE, SENT, DEADS, ON_QUEUE, says=["violated rule"]),
    case(WATCHED, "an alarm about another rule", OTHER_RULE, {**SENT, "inputs": {"rule": "other"}}, ON_RULE, says=["violated other"]),
    case(WATCHED, "an alarm about every rule", RULE, SENT, alarm("FailedInvocations", "AWS/Events")),
    case(WATCHED, "a rule without a target", RULE),
    case(WATCHED, "a queue of work", DEADS),
    case(WATCHED, "the dead letters of a queue", DEADS, r("sqs.Queue", "work", redrivePolicy=json.dumps({"deadLetterTargetArn": "arn:queue"})),
         says=["violated queue"]),
    case(WATCHED, "an alarm about a rule that is known later", RULE, SENT,
         alarm("FailedInvocations", "AWS/Events", dimensions={"RuleName": UNKNOWN}, needs={"dimensions": RULE})),
    case(WATCHED, "an alarm about another rule that is known later", RULE, OTHER_RULE, SENT,
         alarm("FailedInvocations", "AWS/Events", dimensions={"RuleName": UNKNOWN}, needs={"dimensions": OTHER_RULE}), says=["violated rule"]),
    case(WATCHED, "a formula about another rule that is known later", RULE, OTHER_RULE, SENT, r("cloudwatch.MetricAlarm", "alarm", metricQueries=[
        {"id": "m1", "metric": {"namespace": "AWS/Events", "metricName": "InvocationsSentToDlq", "dimensions": {"RuleName": UNKNOWN}}}],
        needs={"metricQueries": OTHER_RULE}), says=["violated rule"]),
    case(TAKES, "beside a rule that forwards", HTTPS, refuses(), FORWARDS),
    case(TAKES, "on a listener that forwards the rest", listener("forward"), refuses()),
    case(TAKES, "on a listener that only redirects", listener("redirect"), refuses(), says=["violated refuses.listenerArn"]),
    case(TAKES, "a rule that redirects", listener("redirect"), refuses("redirect")),
    case(TAKES, "on another listener than the one that forwards", listener("redirect"), refuses(),
         r("lb.Listener", "https", arn="arn:https", defaultActions=[{"type": "forward"}]), says=["violated refuses.listenerArn"]),
    case(TAKES, "a listener of another stack", refuses()),
    case(TAKES, "unknown", r("lb.Listener", "listener", arn="arn:listener", defaultActions=UNKNOWN, needs={"defaultActions": THING}), refuses(),
         says=["not proven refuses.listenerArn"]),
    case(TAKES, "unknown type", listener(UNKNOWN), refuses(), says=["not proven refuses.listenerArn"]),
    case(TAKES, "unknown default beside a rule that forwards", listener(UNKNOWN), refuses(), FORWARDS),
    case(TAKES, "not applicable", THING),
    case(WATCHED, "a rule that is not known, and an alarm about something else", {**RULE, "inputs": {"id": "rule"}}, SENT,
         alarm("FailedInvocations", "AWS/Events", dimensions={"RuleName": "rule"})),
]  # fmt: skip
