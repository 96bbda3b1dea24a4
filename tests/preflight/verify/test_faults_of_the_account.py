"""Faults that are planted into the account. Each has to be found in the expected lines only."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from preflight.account.lines import Line, Status
from preflight.account.session import AccountError
from preflight.verify.command import account_lines
from preflight.verify.parts import PARTS
from preflight.verify.parts.alarms_and_logs import busy_groups
from tests.preflight.account.loopback import Refusal
from tests.preflight.verify.right_account import BUCKET, SECRET, World, analysis, live_name

Undo = Callable[[], object] | None
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


@pytest.fixture(autouse=True)
def kept(world: World) -> Iterator[None]:
    """Restore the responses after each test."""
    with world.kept():
        yield


@dataclass(frozen=True)
class Fault:
    """One fault of the account and its expected lines."""

    name: str
    part: str
    plant: Callable[[World], Undo]
    """Plants the fault; returns a function that reverts changes in moto, or ``None``."""
    subject: str
    """Prefix of the subject of each line that changes."""
    fix: str
    """A part of the fix."""
    status: Status = Status.MISSING


def says(service: str, operation: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[World], None]:
    """Plants a change of a response."""

    def plant(world: World) -> None:
        answer = world.cloud.answers[service, operation]
        said: Any = answer(None) if callable(answer) else answer  # pyright: ignore[reportArgumentType] (none of these reads it)
        changed = copy.deepcopy(said)
        edit(changed)
        assert changed != said
        world.cloud.answers[service, operation] = changed

    return plant


def service(**changes: object) -> Callable[[World], None]:
    """Plants a change of the ECS service."""
    return says("ecs", "DescribeServices", lambda answer: answer["services"][0].update(changes))


def denied(service_: str, operation: str) -> Callable[[World], None]:
    """Removes a permission."""

    def plant(world: World) -> None:
        world.cloud.answers[service_, operation] = Refusal("AccessDeniedException", status=403)

    return plant


def another_digest(answer: dict[str, Any]) -> None:
    one = answer["taskDefinition"]["containerDefinitions"][-1]
    one["image"] = one["image"].rpartition("@")[0] + "@sha256:" + "0" * 64


def rolled_back(answer: dict[str, Any]) -> None:
    answer["services"][0]["deployments"][0]["rolloutState"] = "IN_PROGRESS"


def no_target(world: World) -> Undo:
    elb, arn = world.client("elbv2"), world.made["target group"]
    targets = [{"Id": "10.0.0.9", "Port": 8443}]
    elb.deregister_targets(TargetGroupArn=arn, Targets=targets)
    return lambda: elb.register_targets(TargetGroupArn=arn, Targets=targets)


def unhealthy(world: World) -> None:
    one = {"Target": {"Id": "10.0.0.9", "Port": 8443}, "TargetHealth": {"State": "unhealthy"}}
    well = {"Target": {"Id": "10.0.1.9", "Port": 8443}, "TargetHealth": {"State": "healthy"}}
    world.cloud.answers["elbv2", "DescribeTargetHealth"] = {"TargetHealthDescriptions": [one, well, well]}


def no_firewall(world: World) -> Undo:
    waf = world.client("wafv2")
    waf.disassociate_web_acl(ResourceArn=world.made["balancer"])
    return lambda: waf.associate_web_acl(WebACLArn=world.made["acl"], ResourceArn=world.made["balancer"])


def no_firewall_log(world: World) -> Undo:
    waf, arn = world.client("wafv2"), world.made["acl"]
    before = waf.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    waf.delete_logging_configuration(ResourceArn=arn)
    return lambda: waf.put_logging_configuration(LoggingConfiguration=before)


def another_listener(world: World) -> Undo:
    elb = world.client("elbv2")
    action = {"Type": "forward", "TargetGroupArn": world.made["target group"]}
    made = elb.create_listener(
        LoadBalancerArn=world.made["balancer"], Protocol="HTTP", Port=8080, DefaultActions=[action]
    )
    return lambda: elb.delete_listener(ListenerArn=made["Listeners"][0]["ListenerArn"])


def alarm(state: str) -> Callable[[World], Undo]:
    """Puts the first alarm into a state."""

    def plant(world: World) -> Undo:
        name = world.context().named("aws:cloudwatch/metricAlarm:MetricAlarm")[0]
        client = world.client("cloudwatch")
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="planted")
        return lambda: client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="right")

    return plant


def silent_alarm(world: World) -> Undo:
    name = world.context().named("aws:cloudwatch/metricAlarm:MetricAlarm")[0]
    client = world.client("cloudwatch")
    client.disable_alarm_actions(AlarmNames=[name])
    return lambda: client.enable_alarm_actions(AlarmNames=[name])


def subscription(arn: str) -> Callable[[World], None]:
    """Plants the ARN of each subscription; empty: no subscription."""

    def plant(world: World) -> None:
        found = world.client("sns").list_subscriptions_by_topic(TopicArn=world.made["topic"])["Subscriptions"]
        said = [{**one, "SubscriptionArn": arn} for one in found if arn]
        world.cloud.answers["sns", "ListSubscriptionsByTopic"] = {"Subscriptions": said}

    return plant


def quiet_logs(hours: float, *, old: bool, busy: bool) -> Callable[[World], None]:
    """Plants a log group to which nothing has been written for some hours."""

    def plant(world: World) -> None:
        names = world.context().named("aws:cloudwatch/logGroup:LogGroup")
        quiet = next(name for name in names if (name in busy_groups(world.stack)) == busy)
        now = dt.datetime.now(dt.UTC).timestamp()
        created = int((now - (10 if old else 0.5) * 3600) * 1000)
        last = int((now - hours * 3600) * 1000)

        def streams(asked: Any) -> Any:  # noqa: ANN401
            here = asked.parameters["logGroupName"] == quiet
            return {"logStreams": [{"logStreamName": "one", "lastIngestionTime": last}]} if here else None

        def groups(asked: Any) -> Any:  # noqa: ANN401
            here = asked.parameters["logGroupNamePrefix"] == quiet
            return {"logGroups": [{"logGroupName": quiet, "creationTime": created}]} if here else None

        world.cloud.answers["logs", "DescribeLogStreams"] = streams
        world.cloud.answers["logs", "DescribeLogGroups"] = groups

    return plant


def no_log_group(world: World) -> Undo:
    client = world.client("logs")
    name = world.context().named("aws:cloudwatch/logGroup:LogGroup")[0]
    client.delete_log_group(logGroupName=name)

    def undo() -> None:
        client.create_log_group(logGroupName=name)
        client.create_log_stream(logGroupName=name, logStreamName="one")
        event = [{"timestamp": int(dt.datetime.now(dt.UTC).timestamp() * 1000), "message": "x"}]
        client.put_log_events(logGroupName=name, logStreamName="one", logEvents=event)

    return undo


def public_instance(world: World) -> None:
    found = world.client("rds").describe_db_instances()["DBInstances"]
    found[0]["PubliclyAccessible"] = True
    keep = ("DBInstanceIdentifier", "PubliclyAccessible")
    answer = {"DBInstances": [{key: one[key] for key in keep} for one in found]}
    world.cloud.answers["rds", "DescribeDBInstances"] = answer


def cluster(**changes: object) -> Callable[[World], None]:
    """Plants a change of the database."""

    def plant(world: World) -> None:
        right = {"Status": "available", "StorageEncrypted": True, "DeletionProtection": True}
        world.cloud.answers["rds", "DescribeDBClusters"] = {"DBClusters": [{**right, **changes}]}

    return plant


def cache(**changes: object) -> Callable[[World], None]:
    """Plants a change of the cache."""
    return says(
        "elasticache", "DescribeReplicationGroups", lambda answer: answer["ReplicationGroups"][0].update(changes)
    )


def new_vault(world: World) -> None:
    no_points(world)
    says("backup", "DescribeBackupVault", lambda answer: answer.update(CreationDate=dt.datetime.now(dt.UTC)))(world)


def no_points(world: World) -> None:
    world.cloud.answers["backup", "ListRecoveryPointsByBackupVault"] = {"RecoveryPoints": []}


def failed_backup(answer: dict[str, Any]) -> None:
    answer["RecoveryPoints"][0]["Status"] = "PARTIAL"


def public_bucket(world: World) -> Undo:
    s3, name = world.client("s3"), live_name(world.stack.resources(BUCKET)[0].name)
    before = s3.get_bucket_policy(Bucket=name)["Policy"]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(PUBLIC))
    return lambda: s3.put_bucket_policy(Bucket=name, Policy=before)


def no_bucket_policy(world: World) -> Undo:
    s3, name = world.client("s3"), live_name(world.stack.resources(BUCKET)[0].name)
    before = s3.get_bucket_policy(Bucket=name)["Policy"]
    s3.delete_bucket_policy(Bucket=name)
    return lambda: s3.put_bucket_policy(Bucket=name, Policy=before)


def unblocked(world: World) -> Undo:
    s3, name = world.client("s3"), live_name(world.stack.resources(BUCKET)[0].name)
    before = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={**before, "BlockPublicPolicy": False})
    return lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=before)


def public_key(world: World) -> Undo:
    kms, alias = world.client("kms"), world.context().named("aws:kms/alias:Alias")[0]
    key = world.made[alias]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(PUBLIC))
    return lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)


def public_topic(world: World) -> Undo:
    sns, arn = world.client("sns"), world.made["topic"]
    before = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(PUBLIC))
    return lambda: sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=before)


def public_secret(world: World) -> Undo:
    client, name = world.client("secretsmanager"), live_name(world.stack.resources(SECRET)[0].name)
    client.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(PUBLIC))
    return lambda: client.delete_resource_policy(SecretId=name)


def public_role(world: World) -> Undo:
    iam, resource = world.client("iam"), world.stack.resources("aws:iam/role:Role")[0]
    before = world.stack.inputs("aws:iam/role:Role")[0]["assumeRolePolicy"]
    document = {**PUBLIC, "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=live_name(resource.name), PolicyDocument=json.dumps(document))
    return lambda: iam.update_assume_role_policy(RoleName=live_name(resource.name), PolicyDocument=before)


def forbidden_path(world: World) -> None:
    found = {"NetworkInsightsAccessScopeAnalyses": [analysis("true", dt.datetime.now(dt.UTC))]}
    world.cloud.answers["ec2", "DescribeNetworkInsightsAccessScopeAnalyses"] = found


def no_scope(world: World) -> None:
    world.cloud.answers["ec2", "DescribeNetworkInsightsAccessScopes"] = {"NetworkInsightsAccessScopes": []}


def no_topic(world: World) -> None:
    world.arns = [arn for arn in world.arns if ":sns:" not in arn]


FAULTS = [
    Fault("a task is missing", "service", service(runningCount=1), "tasks", "runbook"),
    Fault("the deployment is under way", "service", says("ecs", "DescribeServices", rolled_back), "deployment", "COMPLETED"),
    Fault("no service", "service", says("ecs", "DescribeServices", lambda a: a["services"].clear()), "", "pulumi up"),
    Fault("a wrong digest", "service", says("ecs", "DescribeTaskDefinition", another_digest), "image of ", "rolled back"),
    Fault("a task of another definition", "service", says("ecs", "DescribeTasks", lambda a: a["tasks"][0].update(taskDefinitionArn="x")), "running tasks", "events"),
    Fault("an unhealthy task", "service", says("ecs", "DescribeTasks", lambda a: a["tasks"][0].update(healthStatus="UNHEALTHY")), "running tasks", "events"),
    Fault("an unhealthy target", "service", unhealthy, "targets", "describe-target-health"),
    Fault("a target is not registered", "service", no_target, "targets", "describe-target-health"),
    Fault("the firewall is not associated", "service", no_firewall, "firewall", "associate"),
    Fault("the firewall does not log", "service", no_firewall_log, "firewall's log", "pulumi up"),
    Fault("an undeclared listener", "service", another_listener, "listeners", "manual changes"),
    Fault("an alarm", "alarms and logs", alarm("ALARM"), "alarm ", "What to do"),
    Fault("an alarm without data", "alarms and logs", alarm("INSUFFICIENT_DATA"), "alarm ", "run the command again", Status.CANNOT_TELL),
    Fault("an alarm that does nothing", "alarms and logs", silent_alarm, "alarm ", "enable-alarm-actions"),
    Fault("a subscription that is not confirmed", "alarms and logs", subscription("PendingConfirmation"), "subscription of ", "link"),
    Fault("no subscription", "alarms and logs", subscription(""), "subscription of ", "pulumi up"),
    Fault("no topic", "alarms and logs", no_topic, "subscriptions", "pulumi up"),
    Fault("a busy log is silent", "alarms and logs", quiet_logs(5, old=True, busy=True), "log ", "permission"),
    Fault("a busy log is new", "alarms and logs", quiet_logs(5, old=False, busy=True), "log ", "two hours", Status.CANNOT_TELL),
    Fault("a log with little to say is silent", "alarms and logs", quiet_logs(50, old=True, busy=False), "log ", "check again after", Status.CANNOT_TELL),
    Fault("a log group is missing", "alarms and logs", no_log_group, "log ", "pulumi up"),
    Fault("a public database", "data", public_instance, "database's instances", "PubliclyAccessible"),
    Fault("an unencrypted database", "data", cluster(StorageEncrypted=False), "database ", "manual changes"),
    Fault("a database that anyone deletes", "data", cluster(DeletionProtection=False), "database ", "manual changes"),
    Fault("a cache in clear text", "data", cache(TransitEncryptionEnabled=False), "cache", "manual changes"),
    Fault("a cache without a password", "data", cache(AuthTokenEnabled=False), "cache", "manual changes"),
    Fault("no backup", "data", no_points, "backup of ", "list-backup-jobs"),
    Fault("a backup that failed", "data", says("backup", "ListRecoveryPointsByBackupVault", failed_backup), "backup of ", "FAILED"),
    Fault("no backup yet", "data", new_vault, "backup of ", "first night", Status.CANNOT_TELL),
    Fault("a public bucket", "exposure", public_bucket, "policy of bucket ", "statement"),
    Fault("a bucket without its policy", "exposure", no_bucket_policy, "policy of bucket ", "pulumi up"),
    Fault("a bucket's public access is not blocked", "exposure", unblocked, "public access block of ", "pulumi up"),
    Fault("a public key", "exposure", public_key, "policy of key ", "statement"),
    Fault("a public topic", "exposure", public_topic, "policy of topic ", "statement"),
    Fault("a public secret", "exposure", public_secret, "policy of secret ", "statement"),
    Fault("a role for every principal", "exposure", public_role, "trust of role ", "statement"),
    Fault("a network path that a scope forbids", "exposure", forbidden_path, "network access by ", "get-network"),
    Fault("no scope", "exposure", no_scope, "network access", "create-network-insights-access-scope", Status.CANNOT_TELL),
    Fault("no permission for Access Analyzer", "exposure", denied("accessanalyzer", "CheckNoPublicAccess"), "", "access-analyzer:CheckNoPublicAccess", Status.CANNOT_TELL),
    Fault("no permission for alarms' topic", "alarms and logs", denied("resourcegroupstaggingapi", "GetResources"), "subscriptions", "tag:GetResources", Status.CANNOT_TELL),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_of_the_account_is_found(fault: Fault, world: World) -> None:
    part = next(part for part in PARTS if part.name == fault.part)
    undo = fault.plant(world)
    try:
        changed = [line for line in part.lines(world.context()) if line.status is not Status.OK]
    finally:
        if undo is not None:
            undo()
    assert changed, "the fault was not found"
    for line in changed:
        assert line.subject.startswith(fault.subject), line
        assert line.status is fault.status, line
        assert fault.fix in line.fix, line


def test_every_planted_fault_is_taken_back(world: World) -> None:
    assert _not_ok(world) == []


def test_in_another_account_nothing_more_is_asked(world: World) -> None:
    world.cloud.answers["sts", "GetCallerIdentity"] = {"Account": "999999999999", "Arn": "x", "UserId": "x"}
    world.cloud.asked.clear()
    (line,) = account_lines(world.context())
    assert (line.subject, line.status) == ("account", Status.MISSING)
    assert "999999999999" in line.found
    assert {asked.service for asked in world.cloud.asked} == {"sts"}


def test_credentials_that_do_not_count_end_it(world: World) -> None:
    world.cloud.answers["sts", "GetCallerIdentity"] = Refusal("ExpiredToken", status=403)
    with pytest.raises(AccountError, match="aws sso login"):
        account_lines(world.context())


def _not_ok(world: World) -> list[Line]:
    return [line for line in account_lines(world.context()) if line.status is not Status.OK]
