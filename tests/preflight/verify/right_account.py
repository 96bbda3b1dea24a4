"""An account on loopback that matches the recorded graph: moto, and responses in AWS's shapes for what moto lacks.

Names that Pulumi generates end in other digits than the recorded ones, as in AWS.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from preflight.account.lines import Line
from preflight.account.session import Account
from preflight.sdk.wire import unwrap
from preflight.verify.calls import CALLS
from preflight.verify.command import account_lines
from preflight.verify.context import VerifyContext
from preflight.verify.reading import listed
from preflight.verify.stack import StackInCheckout
from tests.preflight.account.loopback import Answer, Asked, Cloud, Result
from tests.tasks import interface_task

_BOTO3: Any = importlib.import_module("boto3")
BUCKET, ROLE, SECRET = "aws:s3/bucket:Bucket", "aws:iam/role:Role", "aws:secretsmanager/secret:Secret"
TOPIC, VAULT = "aws:sns/topic:Topic", "aws:backup/vault:Vault"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
SCOPE = "nis-0123456789abcdef0"


def live_name(logical: str) -> str:
    """Another random ending than the recorder's."""
    return f"{logical}-{hashlib.sha256(logical.encode()).hexdigest()[:7]}"


@dataclass
class World:
    """The account and the resources created in it."""

    cloud: Cloud
    stack: StackInCheckout
    arns: list[str] = field(default_factory=list[str])
    """Every resource in the tagging service."""
    made: dict[str, Any] = field(default_factory=dict[str, Any])
    session: Any = field(
        default_factory=lambda: _BOTO3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    )
    _clients: dict[str, Any] = field(default_factory=dict[str, Any])

    def client(self, service: str) -> Any:  # noqa: ANN401
        """A boto3 client that may change the account, unlike ``verify``'s."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service, region_name=self.stack.region, endpoint_url=self.cloud.url
            )
        return self._clients[service]

    def context(self) -> VerifyContext:
        """The command's context."""
        account = Account(self.stack.region, CALLS, endpoint_url=self.cloud.url, session=self.session)
        return VerifyContext(self.stack, account, dt.datetime.now(dt.UTC))

    def lines(self) -> list[Line]:
        """The command's lines for the account."""
        return account_lines(self.context())

    def inputs(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Logical name and inputs of each recorded resource of a type."""
        return [(r.name, i) for r, i in zip(self.stack.resources(kind), self.stack.inputs(kind), strict=True)]

    @contextmanager
    def kept(self) -> Generator[None]:
        """Restore the responses at the end of the block."""
        answers, arns = dict(self.cloud.answers), list(self.arns)
        try:
            yield
        finally:
            self.cloud.answers, self.arns = answers, arns


def make(cloud: Cloud, stack: StackInCheckout) -> World:
    """Fill the account."""
    world = World(cloud, stack)
    for step in (buckets, keys, topics, secrets, roles, alarms, logs, edge, database):
        step(world)
    cloud.answers |= answers(world)
    return world


def buckets(world: World) -> None:
    """Buckets with their policies, and public access blocked."""
    s3 = world.client("s3")
    recorded = {resource.id: resource.name for resource in world.stack.resources(BUCKET)}
    for logical in recorded.values():
        place = {"LocationConstraint": world.stack.region}
        s3.create_bucket(Bucket=live_name(logical), CreateBucketConfiguration=place)
        world.arns.append(f"arn:aws:s3:::{live_name(logical)}")
    for _, inputs in world.inputs("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        settings = {name[0].upper() + name[1:]: inputs[name] for name in names}
        bucket = live_name(recorded[inputs["bucket"]])
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=settings)
    for _, inputs in world.inputs("aws:s3/bucketPolicy:BucketPolicy"):
        bucket = live_name(recorded[inputs["bucket"]])
        s3.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"].replace(inputs["bucket"], bucket))


def keys(world: World) -> None:
    """Keys by their aliases, with their policies."""
    kms = world.client("kms")
    policies = {
        resource.id: i["policy"]
        for resource, (_, i) in zip(
            world.stack.resources("aws:kms/key:Key"), world.inputs("aws:kms/key:Key"), strict=True
        )
    }
    for _, inputs in world.inputs("aws:kms/alias:Alias"):
        key = kms.create_key(Policy=policies[inputs["targetKeyId"]])["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=inputs["name"], TargetKeyId=key)
        world.made[inputs["name"]] = key


def topics(world: World) -> None:
    """The topics with their policies and their confirmed subscriptions."""
    sns = world.client("sns")
    live: dict[str, str] = {}
    for resource in world.stack.resources(TOPIC):
        live[resource.id] = sns.create_topic(Name=live_name(resource.name))["TopicArn"]
        world.arns.append(live[resource.id])
    world.made["topic"] = min(live.values())
    for _, inputs in world.inputs("aws:sns/topicPolicy:TopicPolicy"):
        arn = live[inputs["arn"]]
        policy = inputs["policy"].replace(inputs["arn"], arn)
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    for _, inputs in world.inputs("aws:sns/topicSubscription:TopicSubscription"):
        sns.subscribe(TopicArn=live[inputs["topic"]], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"])


def secrets(world: World) -> None:
    """Secrets without a policy."""
    for logical, _ in world.inputs(SECRET):
        made = world.client("secretsmanager").create_secret(Name=live_name(logical), SecretString="planted")
        world.arns.append(made["ARN"])


def roles(world: World) -> None:
    """Roles below the stack's path."""
    for logical, inputs in world.inputs(ROLE):
        world.client("iam").create_role(
            RoleName=live_name(logical), Path=inputs["path"], AssumeRolePolicyDocument=inputs["assumeRolePolicy"]
        )


def alarms(world: World) -> None:
    """Every alarm, with actions enabled, in state OK."""
    cloudwatch = world.client("cloudwatch")
    for _, inputs in world.inputs("aws:cloudwatch/metricAlarm:MetricAlarm"):
        cloudwatch.put_metric_alarm(
            AlarmName=inputs["name"],
            AlarmDescription=inputs["alarmDescription"],
            AlarmActions=[world.made["topic"]] if inputs.get("alarmActions") else [],
            ComparisonOperator=inputs["comparisonOperator"],
            EvaluationPeriods=inputs["evaluationPeriods"],
            Namespace=inputs.get("namespace") or "AWS/ECS",
            MetricName=inputs.get("metricName") or "CPUUtilization",
            Period=inputs.get("period") or 60,
            Statistic="Sum",
            Threshold=inputs.get("threshold") or 0,
        )
        cloudwatch.set_alarm_state(AlarmName=inputs["name"], StateValue="OK", StateReason="right")
    for _, inputs in world.inputs("aws:cloudwatch/compositeAlarm:CompositeAlarm"):
        # moto describes composite alarms and has no call that creates one.
        world.cloud.backend("cloudwatch", world.stack.region).put_metric_alarm(
            name=inputs["alarmName"],
            description=inputs["alarmDescription"],
            rule=inputs["alarmRule"],
            alarm_actions=[world.made["topic"]] if inputs.get("alarmActions") else [],
            **dict.fromkeys(("namespace", "metric_name", "comparison_operator", "statistic"), ""),
            **dict.fromkeys(("evaluation_periods", "period", "threshold"), 1),
            dimensions=[],
        )
        cloudwatch.set_alarm_state(AlarmName=inputs["alarmName"], StateValue="OK", StateReason="right")


def logs(world: World) -> None:
    """Every log group with a recent event."""
    client = world.client("logs")
    now = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    for _, inputs in world.inputs("aws:cloudwatch/logGroup:LogGroup"):
        client.create_log_group(logGroupName=inputs["name"])
        client.create_log_stream(logGroupName=inputs["name"], logStreamName="one")
        event = [{"timestamp": now, "message": "x"}]
        client.put_log_events(logGroupName=inputs["name"], logStreamName="one", logEvents=event)


def edge(world: World) -> None:
    """Load balancer, target group with healthy targets, listeners, and the WAF with its log."""
    ec2, elb, waf = world.client("ec2"), world.client("elbv2"), world.client("wafv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = sorted(world.stack.settings.network.availability_zones)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    balancer = elb.create_load_balancer(Name="edge", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    ((_, group),) = world.inputs("aws:lb/targetGroup:TargetGroup")
    target = elb.create_target_group(
        Name="targets", Protocol=group["protocol"], Port=group["port"], VpcId=vpc, TargetType=group["targetType"]
    )["TargetGroups"][0]["TargetGroupArn"]
    world.made |= {"balancer": balancer, "target group": target}
    elb.register_targets(
        TargetGroupArn=target, Targets=[{"Id": f"10.0.{n}.9", "Port": 8443} for n, _ in enumerate(zones)]
    )
    for _, inputs in world.inputs("aws:lb/listener:Listener"):
        certificate = world.client("acm").request_certificate(DomainName=world.stack.host)["CertificateArn"]
        secure = {"SslPolicy": inputs.get("sslPolicy"), "Certificates": [{"CertificateArn": certificate}]}
        elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol=inputs["protocol"],
            Port=inputs["port"],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
            **(secure if inputs.get("sslPolicy") else {}),
        )
    ((_, acl),) = world.inputs("aws:wafv2/webAcl:WebAcl")
    made = waf.create_web_acl(
        Name=acl["name"],
        Scope=acl["scope"],
        DefaultAction={"Allow": {}},
        VisibilityConfig={"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "x"},
    )["Summary"]["ARN"]
    world.made["acl"] = made
    waf.associate_web_acl(WebACLArn=made, ResourceArn=balancer)
    for _, inputs in world.inputs("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"):
        waf.put_logging_configuration(
            LoggingConfiguration={"ResourceArn": made, "LogDestinationConfigs": inputs["logDestinationConfigs"]}
        )


def database(world: World) -> None:
    """The cluster and its instances."""
    rds = world.client("rds")
    for _, inputs in world.inputs("aws:rds/cluster:Cluster"):
        rds.create_db_cluster(
            DBClusterIdentifier=inputs["clusterIdentifier"],
            Engine=inputs["engine"],
            MasterUsername=inputs["masterUsername"],
            MasterUserPassword="not-a-password",
            StorageEncrypted=inputs["storageEncrypted"],
            DeletionProtection=inputs["deletionProtection"],
        )
    for logical, inputs in world.inputs("aws:rds/clusterInstance:ClusterInstance"):
        rds.create_db_instance(
            DBInstanceIdentifier=live_name(logical),
            DBClusterIdentifier=inputs["clusterIdentifier"],
            DBInstanceClass=inputs["instanceClass"],
            Engine=inputs["engine"],
            PubliclyAccessible=inputs["publiclyAccessible"],
        )


def answers(world: World) -> dict[tuple[str, str], Answer]:
    """All responses that moto lacks."""
    now = dt.datetime.now(dt.UTC)
    ((vault, _),) = world.inputs(VAULT)
    world.arns.append(f"arn:aws:backup:{world.stack.region}:{world.stack.account}:backup-vault:{live_name(vault)}")
    return {
        ("resourcegroupstaggingapi", "GetResources"): lambda asked: tagged(world, asked),
        ("ecs", "DescribeServices"): lambda _: {"services": [service(world)], "failures": []},
        ("ecs", "DescribeTaskDefinition"): {"taskDefinition": definition(world)},
        ("ecs", "ListTasks"): {"taskArns": [f"{_arn(world)}:task/cluster/{number}" for number in range(2)]},
        ("ecs", "DescribeTasks"): {"tasks": [task(world, number) for number in range(2)]},
        ("elasticache", "DescribeReplicationGroups"): {"ReplicationGroups": [cache(world)]},
        ("backup", "ListRecoveryPointsByBackupVault"): {"RecoveryPoints": points(world, now)},
        ("backup", "DescribeBackupVault"): {
            "BackupVaultName": live_name(vault),
            "CreationDate": now - dt.timedelta(days=9),
        },
        ("accessanalyzer", "CheckNoPublicAccess"): public_access,
        ("ec2", "DescribeNetworkInsightsAccessScopes"): {
            "NetworkInsightsAccessScopes": [{"NetworkInsightsAccessScopeId": SCOPE}]
        },
        ("ec2", "DescribeNetworkInsightsAccessScopeAnalyses"): {
            "NetworkInsightsAccessScopeAnalyses": [analysis("false", now)]
        },
    }


def _arn(world: World) -> str:
    return f"arn:aws:ecs:{world.stack.region}:{world.stack.account}"


def tagged(world: World, asked: Asked) -> Result:
    """The resources with the stack's tags; none for other tags."""
    tags = world.stack.inputs("aws:ecs/cluster:Cluster")[0]["tags"]
    wanted = {one["Key"]: one["Values"] for one in asked.parameters["TagFilters"]}
    fits = wanted == {key: [tags[key]] for key in ("project", "environment")}
    return {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in world.arns if fits], "PaginationToken": ""}


def service(world: World) -> dict[str, Any]:
    """The service in a stable state."""
    ((_, inputs),) = world.inputs("aws:ecs/service:Service")
    return {
        "serviceName": inputs["name"],
        "clusterArn": f"{_arn(world)}:cluster/cluster",
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "loadBalancers": [{"targetGroupArn": world.made["target group"], "containerName": "proxy", "containerPort": 8443}],
        "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED", "taskDefinition": f"{_arn(world)}:task-definition/x:7"}],
    }  # fmt: skip


def definition(world: World) -> dict[str, Any]:
    """The running task definition, with the recorded containers."""
    inputs = interface_task(world.stack.recording).inputs
    containers = [
        {"name": one["name"], "image": one["image"]} for one in json.loads(str(unwrap(inputs["containerDefinitions"])))
    ]
    return {"family": inputs["family"], "containerDefinitions": containers}


def task(world: World, number: int) -> dict[str, Any]:
    """One healthy task."""
    return {
        "taskArn": f"{_arn(world)}:task/cluster/{number}",
        "taskDefinitionArn": f"{_arn(world)}:task-definition/x:7",
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
    }


def cache(world: World) -> dict[str, Any]:
    """The replication group."""
    ((logical, inputs),) = world.inputs(CACHE)
    return {
        "ReplicationGroupId": live_name(logical),
        "Description": inputs["description"],
        "Status": "available",
        "AtRestEncryptionEnabled": inputs["atRestEncryptionEnabled"],
        "TransitEncryptionEnabled": inputs["transitEncryptionEnabled"],
        "AuthTokenEnabled": "authToken" in inputs,
    }


def points(world: World, now: dt.datetime) -> list[dict[str, Any]]:
    """A recovery point of last night for each resource of the plan."""
    return [
        {"ResourceArn": arn, "Status": "COMPLETED", "CreationDate": now - dt.timedelta(hours=9)}
        for _, inputs in world.inputs("aws:backup/selection:Selection")
        for arn in inputs["resources"]
    ]


def public_access(asked: Asked) -> Result:
    """Access Analyzer's result: an Allow for every principal without a condition is public."""
    statements = listed(json.loads(asked.parameters["policyDocument"]).get("Statement"))
    public = [
        one
        for one in statements
        if one["Effect"] == "Allow" and one.get("Principal") in ("*", {"AWS": "*"}) and not one.get("Condition")
    ]
    if public:
        return {
            "result": "FAIL",
            "message": "public",
            "reasons": [{"description": "a statement allows every principal"}],
        }
    return {"result": "PASS", "message": "not public", "reasons": []}


def analysis(found: str, now: dt.datetime) -> dict[str, Any]:
    """An analysis of a scope that has ended."""
    return {
        "NetworkInsightsAccessScopeId": SCOPE,
        "Status": "succeeded",
        "FindingsFound": found,
        "StartDate": now - dt.timedelta(days=1),
    }
