"""Policies on whether the parts of a stack fit together: connections, lists, roles, keys, what is left over."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.containers import GOOD, UNKNOWN_TASK
from tests.policies.cases.identity import trust
from tests.policies.cases.network import (
    BALANCER,
    CLOSED,
    EDGE,
    LISTENER,
    PRIVATE,
    TASKS,
    VPC,
    egress,
    inside,
    rule,
)
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
TO_TASKS = egress(EDGE, "to-tasks", fromPort=8443, toPort=8443, referencedSecurityGroupId=UNKNOWN,
                  needs={"referencedSecurityGroupId": TASKS})  # fmt: skip
TO_PROVIDER = egress(EDGE, "to-provider", cidrIpv4="0.0.0.0/0")
WIRED = (*CLOSED, TO_TASKS, TO_PROVIDER)


def acl(logical: str, subnet: dict[str, Any], *more: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    own = inside("ec2.NetworkAcl", logical, subnetIds=[UNKNOWN], needs={"subnetIds": subnet})
    return (own, *({**entry, "inputs": {**entry["inputs"]}, **_of(entry, own)} for entry in more))


def _of(entry: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return {
        "property_dependencies": {**entry["property_dependencies"], "networkAclId": (own["urn"],)},
        "dependencies": (own["urn"],),
    }


def line(logical: str, block: Value, low: Value, high: Value, *, out: bool = False, **more: Value) -> dict[str, Any]:
    return r("ec2.NetworkAclRule", logical, **{"networkAclId": UNKNOWN, "cidrBlock": block, "fromPort": low, "toPort": high,
             "protocol": "tcp", "ruleAction": "allow", "ruleNumber": 100, "egress": out, **more})  # fmt: skip


IN, BACK = line("in", "10.0.2.0/24", 8443, 8443), line("back", "10.0.2.0/24", 1024, 65535, out=True)
TOO_FEW_ANSWERS = line("back", "10.0.2.0/24", 32768, 60999, out=True)
FILTERED = (*WIRED, *acl("list", PRIVATE, IN, BACK))
STORES, STORE = inside("ec2.Subnet", "stores", cidrBlock="10.0.3.0/24"), inside("ec2.SecurityGroup", "store")
# A store in a subnet of its own, which the tasks call: its answers may go to every port from 1024 up.
CROWDED = (
    *WIRED, STORES, STORE,
    r("ec2.VpcEndpoint", "store", vpcEndpointType="Interface", subnetIds=[UNKNOWN], securityGroupIds=[UNKNOWN],
      needs={"subnetIds": STORES, "securityGroupIds": STORE}),
    egress(TASKS, "to-store", referencedSecurityGroupId=UNKNOWN, needs={"referencedSecurityGroupId": STORE}),
)  # fmt: skip
ANSWERS = line("answers", "10.0.3.0/24", 1024, 65535, ruleNumber=200)
TO_ITSELF = egress(TASKS, "to-itself", fromPort=9000, toPort=9000, cidrIpv4="10.0.1.0/24")
USED, SPEAK, ONCE, ZONES = (
    "vpc-network-acl-entries-are-used",
    "reachability-connected-parts-can-connect",
    "stack-declared-once",
    "vpc-subnets-are-named-once",
)
FIT, LEFT, KEYS, READ = (
    "iam-roles-fit-their-service",
    "stack-nothing-is-unused",
    "kms-keys-admit-their-services",
    "ecs-tasks-may-read-their-secrets",
)
ENDS = r("ec2.VpcEndpoint", "logs", vpcEndpointType="Interface", subnetIds=[UNKNOWN], securityGroupIds=[UNKNOWN],
         needs={"subnetIds": PRIVATE, "securityGroupIds": TASKS})  # fmt: skip
BLIND = {
    **PRIVATE,
    "inputs": {**PRIVATE["inputs"], "cidrBlock": UNKNOWN},
    "property_dependencies": {**PRIVATE["property_dependencies"], "cidrBlock": (TOPIC["urn"],)},
}
WITHOUT = tuple(item for item in WIRED if item["name"] not in ("from-edge", "open", "public"))

BUCKET, OTHER = r("s3.Bucket", "a", id="bucket-a"), r("s3.Bucket", "b", id="bucket-b")
SECRET = r("secretsmanager.Secret", "s", arn="arn:aws:secretsmanager:x:1:secret:s-1", id="arn:aws:secretsmanager:x:1:secret:s-1",
           kmsKeyId="arn:key-a")  # fmt: skip


def version(logical: str, **more: Value) -> dict[str, Any]:
    return r("secretsmanager.SecretVersion", logical, secretId=SECRET["inputs"]["id"], **more)


def role(logical: str, service: str, **more: Value) -> dict[str, Any]:
    made = trust({"Service": service})
    return r("iam.Role", logical, id=logical, name=logical, arn=f"arn:{logical}", **{**made["inputs"], **more})


def held(of: str, *actions: str, logical: str = "held", resource: Value = "*", **more: Value) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return r("iam.RolePolicy", logical, role=of, **{"policy": json.dumps({"Statement": statement}), **more})


FLOW, MONITOR = role("flow", "vpc-flow-logs.amazonaws.com"), role("monitor", "monitoring.rds.amazonaws.com")
TASK_ROLE, START = role("task", "ecs-tasks.amazonaws.com"), role("start", "ecs-tasks.amazonaws.com")
LOG = r("ec2.FlowLog", "log", iamRoleArn="arn:flow")
UNCLEAR_ROLE = r("iam.Role", "flow", arn="arn:flow", assumeRolePolicy=UNKNOWN, needs={"assumeRolePolicy": TOPIC})
TASK = r("ecs.TaskDefinition", "job", executionRoleArn="arn:start", taskRoleArn="arn:task", containerDefinitions=json.dumps(
    [{**GOOD, "secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:x:1:secret:s-1:::v"}]}]))  # fmt: skip
READS = held(
    "start", "secretsmanager:GetSecretValue", logical="reads", resource="arn:aws:secretsmanager:x:1:secret:s-*"
)
DECRYPTS = held("start", "kms:Decrypt", logical="decrypts", resource="arn:key-a")


def granted(action: str, *services: str, condition: dict[str, Any] | None = None) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": action, "Resource": "*"}
    return json.dumps({"Statement": {**statement, **({"Condition": condition} if condition else {})}})


def key(logical: str, *services: str, condition: dict[str, Any] | None = None, **more: Value) -> dict[str, Any]:
    policy = granted("kms:Decrypt", *services, condition=condition)
    return r("kms.Key", logical, **{"arn": f"arn:{logical}", "policy": policy, **more})


def topic(*services: str, condition: dict[str, Any] | None = None, **more: Value) -> dict[str, Any]:
    policy = granted("sns:Publish", *services, condition=condition)
    return r("sns.Topic", "topic", **{"arn": "arn:topic", "kmsMasterKeyId": "arn:key-a", "policy": policy, **more})


EVENTS = "events.amazonaws.com"
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
CONTEXT = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:eu-west-1:123456789012:*"}}
SENT = r("cloudwatch.EventTarget", "target", arn="arn:topic", rule="rule")


KEY_A, KEY_B = (
    key("key-a", "logs.eu-west-1.amazonaws.com", "cloudwatch.amazonaws.com"),
    key("key-b", "backup.amazonaws.com"),
)
GROUP = r("cloudwatch.LogGroup", "group", name="/app", kmsKeyId="arn:key-a")
ALARM = r("cloudwatch.MetricAlarm", "alarm", alarmActions=["arn:topic"])
NETWORK_LISTS = (VPC, *acl("list", PRIVATE), inside("ec2.RouteTable", "table"))
TAKEN = (r("ec2.DefaultNetworkAcl", "d", defaultNetworkAclId=UNKNOWN, needs={"defaultNetworkAclId": VPC}),
         r("ec2.DefaultRouteTable", "t", defaultRouteTableId=UNKNOWN, needs={"defaultRouteTableId": VPC}))  # fmt: skip
OPENED_LIST = r(
    "ec2.DefaultNetworkAcl",
    "d",
    defaultNetworkAclId=UNKNOWN,
    ingress=[{"protocol": "-1"}],
    needs={"defaultNetworkAclId": VPC},
)
OVER = "vpc-defaults-are-locked"

CASES = [
    case(SPEAK, "both directions", *WIRED),
    case(SPEAK, "both directions, through a list", *FILTERED),
    case(SPEAK, "a load balancer whose group sends nowhere", *CLOSED, TO_PROVIDER, says=["violated rule", "violated from-edge.referencedSecurityGroupId"]),
    case(SPEAK, "a load balancer that cannot ask its identity provider", *CLOSED, TO_TASKS, says=["violated edge.securityGroups"]),
    case(SPEAK, "targets that do not take it", *(item for item in WIRED if item["name"] != "from-edge"),
         says=["violated rule", "violated to-tasks.referencedSecurityGroupId"]),
    case(SPEAK, "a list without the way in", *WIRED, *acl("list", PRIVATE, BACK), says=["violated list.ingress"]),
    case(SPEAK, "a list without answers", *WIRED, *acl("list", PRIVATE, IN), says=["violated list.egress"]),
    case(SPEAK, "a list with too few answers", *WIRED, *acl("list", PRIVATE, IN, TOO_FEW_ANSWERS), says=["violated list.egress"]),
    case(SPEAK, "a load balancer without a route", *(item for item in WIRED if item["type"].rpartition(":")[2] != "RouteTableAssociation"),
         says=["violated edge.subnets"]),
    case(SPEAK, "no client is admitted", *(item for item in WIRED if item["name"] != "from-world"), says=["violated edge.securityGroups"]),
    case(SPEAK, "an endpoint that nobody reaches", *WIRED, ENDS, says=["violated logs"]),
    case(SPEAK, "another VPC's service, whose port is its owner's choice", *WIRED,
         {**ENDS, "inputs": {**ENDS["inputs"], "serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"}}),
    case(SPEAK, "an endpoint that its clients reach", *WIRED, ENDS, egress(TASKS, referencedSecurityGroupId=UNKNOWN, needs={"referencedSecurityGroupId": TASKS}),
         r("vpc.SecurityGroupIngressRule", "https", securityGroupId=UNKNOWN, ipProtocol="tcp", fromPort=443, toPort=443, referencedSecurityGroupId=UNKNOWN,
           needs={"securityGroupId": TASKS, "referencedSecurityGroupId": TASKS})),
    case(SPEAK, "unknown", *(BLIND if item is PRIVATE else item for item in FILTERED), says=["not proven private.cidrBlock"]),
    case(SPEAK, "not applicable", TOPIC),
    case(USED, "what the groups use", *FILTERED),
    case(USED, "a service port for everybody", *WIRED, *acl("list", PRIVATE, line("in", "0.0.0.0/0", 8443, 8443), BACK), says=["violated in.cidrBlock"]),
    case(USED, "all ports from the service's on", *WIRED, *acl("list", PRIVATE, line("in", "10.0.2.0/24", 8443, 65535), BACK),
         says=["violated in.cidrBlock"]),
    case(USED, "answers to everybody", *WIRED, *acl("list", PRIVATE, IN, line("back", "0.0.0.0/0", 1024, 65535, out=True)),
         says=["violated back.cidrBlock"]),
    case(USED, "a port that nothing listens on", *WIRED, *acl("list", PRIVATE, IN, BACK, line("ssh", "10.0.2.0/24", 22, 22)),
         says=["violated ssh.cidrBlock"]),
    case(USED, "a denial", *WIRED, *acl("list", PRIVATE, IN, BACK, line("ssh", "0.0.0.0/0", 22, 22, ruleAction="deny"))),
    case(USED, "answers from where no group admits", *CROWDED, *acl("list", PRIVATE, IN, BACK, ANSWERS),
         says=["violated list"]),
    case(USED, "answers after a denial of the service's port", *CROWDED,
         *acl("list", PRIVATE, IN, BACK, ANSWERS, line("not", "10.0.3.0/24", 8443, 8443, ruleAction="deny", ruleNumber=150))),
    case(USED, "a denial that comes too late", *CROWDED,
         *acl("list", PRIVATE, IN, BACK, ANSWERS, line("not", "10.0.3.0/24", 8443, 8443, ruleAction="deny", ruleNumber=250)),
         says=["violated list"]),
    case(USED, "a denial of another protocol", *CROWDED,
         *acl("list", PRIVATE, IN, BACK, ANSWERS, line("not", "10.0.3.0/24", 8443, 8443, ruleAction="deny", ruleNumber=150, protocol="udp")),
         says=["violated list"]),
    case(USED, "answers within the only subnet of the list", *WIRED, TO_ITSELF,
         *acl("list", PRIVATE, IN, BACK, line("own", "10.0.1.0/24", 1024, 65535, ruleNumber=200))),
    case(USED, "a list of nothing's subnet", VPC, PRIVATE, *acl("list", PRIVATE, IN)),
    case(USED, "unknown", *WIRED, *acl("list", PRIVATE, line("in", UNKNOWN, 8443, 8443, needs={"cidrBlock": TOPIC}), BACK), says=["not proven in.cidrBlock"]),
    case(USED, "not applicable", TOPIC),
    case(ONCE, "once", BUCKET, OTHER, r("s3.BucketPolicy", "p", bucket="bucket-a"), r("s3.BucketPolicy", "q", bucket="bucket-b")),
    case(ONCE, "twice", BUCKET, r("s3.BucketPolicy", "p", bucket="bucket-a"), r("s3.BucketPolicy", "q", bucket="bucket-a"), says=["violated q.bucket"]),
    case(ONCE, "two values of one secret", SECRET, version("v"), version("w"), says=["violated w.secretId"]),
    case(ONCE, "two values with stages of their own", SECRET, version("v"), version("w", versionStages=["NEXT"])),
    case(ONCE, "one subnet in two lists", VPC, PRIVATE, *acl("one", PRIVATE), *acl("two", PRIVATE), says=["violated two.subnetIds"]),
    case(ONCE, "inline rules beside a rule of its own", VPC, {**TASKS, "inputs": {**TASKS["inputs"], "ingress": [{"protocol": "tcp"}]}},
         r("vpc.SecurityGroupIngressRule", "more", securityGroupId=UNKNOWN, needs={"securityGroupId": TASKS}), says=["violated more.securityGroupId"]),
    case(ONCE, "unknown", SECRET, version("v"), version("w", versionStages=UNKNOWN, needs={"versionStages": TOPIC}), says=["not proven w.versionStages"]),
    case(ONCE, "not applicable", TOPIC),
    case(ZONES, "two", r("rds.SubnetGroup", subnetIds=["a", "b"])),
    case(ZONES, "one twice", r("rds.SubnetGroup", subnetIds=["a", "a"]), says=["violated x.subnetIds"]),
    case(ZONES, "one", r("rds.SubnetGroup", subnetIds=["a"]), says=["violated x.subnetIds"]),
    case(ZONES, "one endpoint in one zone", r("ec2.VpcEndpoint", subnetIds=["a"])),
    case(ZONES, "a service twice in one zone", r("ecs.Service", networkConfiguration={"subnets": ["a", "a"]}),
         says=["violated x.networkConfiguration.subnets"]),
    case(ZONES, "unknown", r("rds.SubnetGroup", subnetIds=UNKNOWN, needs={"subnetIds": TOPIC}), says=["not proven x.subnetIds"]),
    case(ZONES, "unknown, of this stack", VPC, PRIVATE, r("rds.SubnetGroup", subnetIds=UNKNOWN, needs={"subnetIds": PRIVATE})),
    case(ZONES, "not applicable", TOPIC),
    case(FIT, "their own", FLOW, LOG, held("flow", "logs:PutLogEvents"), TASK_ROLE, START, TASK, READS),
    case(FIT, "another service's role", MONITOR, held("monitor", "logs:PutLogEvents"), r("ec2.FlowLog", "log", iamRoleArn="arn:monitor"),
         says=["violated log.iamRoleArn"]),
    case(FIT, "a role without a policy", FLOW, LOG, says=["violated flow"]),
    case(FIT, "a role with a policy inside", role("flow", "vpc-flow-logs.amazonaws.com", inlinePolicies=[{"name": "a"}]), LOG),
    case(FIT, "somebody else's policy", FLOW, LOG, held("flow", "bedrock:InvokeModel", "logs:PutLogEvents"), says=["violated held.policy"]),
    case(FIT, "the database login on the execution role", TASK_ROLE, START, TASK, READS,
         held("start", "rds-db:connect", logical="login"), says=["violated login.policy"]),
    case(FIT, "the database login on the backup's role", role("backup", "backup.amazonaws.com"),
         r("backup.Selection", "selection", iamRoleArn="arn:backup"), held("backup", "rds-db:connect", "backup:StartBackupJob"),
         says=["violated held.policy"]),
    case(FIT, "a role of another stack", LOG),
    case(FIT, "unknown", UNCLEAR_ROLE, LOG, held("arn:flow", "logs:PutLogEvents"), says=["not proven log.iamRoleArn"]),
    case(FIT, "not applicable", TOPIC),
    case(LEFT, "used by reference", GROUP, r("ec2.FlowLog", "log", logDestination=UNKNOWN, needs={"logDestination": GROUP})),
    case(LEFT, "used by name", GROUP, r("ecs.TaskDefinition", containerDefinitions=json.dumps([{"logConfiguration": {"options": {"awslogs-group": "/app"}}}]))),
    case(LEFT, "found by name by its service", r("cloudwatch.LogGroup", name="/aws/lambda/job")),
    case(LEFT, "used by nothing", GROUP, says=["violated group"]),
    case(LEFT, "only spoken about", GROUP, held("start", "logs:PutLogEvents", resource="arn:aws:logs:x:1:log-group:/app:*"), START, TASK, says=["violated group"]),
    case(LEFT, "a rule of events without a target", r("cloudwatch.EventRule", "rule"), says=["violated rule"]),
    case(LEFT, "unknown", r("cloudwatch.LogGroup", "group", name=UNKNOWN, needs={"name": TOPIC}), says=["not proven group"]),
    case(LEFT, "not applicable", TOPIC),
    case(KEYS, "admitted", KEY_A, GROUP, ALARM, r("sns.Topic", "topic", arn="arn:topic", kmsMasterKeyId="arn:key-a")),
    case(KEYS, "refused", KEY_B, {**GROUP, "inputs": {"kmsKeyId": "arn:key-b"}}, says=["violated group.kmsKeyId"]),
    case(KEYS, "a topic that alarms cannot write to", KEY_B, ALARM, r("sns.Topic", "topic", arn="arn:topic", kmsMasterKeyId="arn:key-b"),
         says=["violated topic.kmsMasterKeyId"]),
    case(KEYS, "a topic that no alarm goes to", KEY_B, r("sns.Topic", "topic", arn="arn:topic", kmsMasterKeyId="arn:key-b")),
    case(KEYS, "a policy of its own", key("key-a", "x", policy=None), GROUP, r("kms.KeyPolicy", keyId="arn:key-a", policy=KEY_A["inputs"]["policy"])),
    case(KEYS, "no key", r("cloudwatch.LogGroup", "group")),
    case(KEYS, "unknown", r("kms.Key", "key-a", arn="arn:key-a", policy=UNKNOWN, needs={"policy": TOPIC}), GROUP, says=["not proven group.kmsKeyId"]),
    case(KEYS, "not applicable", VPC),
    case(KEYS, "events are delivered", key("key-a", EVENTS), SENT, topic(EVENTS)),
    case(KEYS, "events by an encryption context", key("key-a", EVENTS, condition=CONTEXT), SENT, topic(EVENTS)),
    case(KEYS, "events of one account are never delivered", key("key-a", EVENTS, condition=OF_ACCOUNT), SENT, topic(EVENTS),
         says=["violated topic.kmsMasterKeyId"]),
    case(KEYS, "a topic policy with a condition", key("key-a", EVENTS), SENT, topic(EVENTS, condition=OF_ACCOUNT),
         says=["violated topic.policy"]),
    case(KEYS, "a topic policy for other services", key("key-a", EVENTS), SENT, topic("events.rds.amazonaws.com"),
         says=["violated topic.policy"]),
    case(KEYS, "a key for events of RDS", key("key-a", "events.rds.amazonaws.com"), SENT, topic(EVENTS),
         says=["violated topic.kmsMasterKeyId"]),
    case(KEYS, "a topic policy of its own", key("key-a", EVENTS), SENT, topic(EVENTS, policy=None),
         r("sns.TopicPolicy", arn="arn:topic", policy=topic(EVENTS)["inputs"]["policy"])),
    case(KEYS, "a topic policy that is not known", key("key-a", EVENTS), SENT,
         topic(EVENTS, policy=UNKNOWN, needs={"policy": VPC}), says=["not proven topic.policy"]),
    case(READ, "allowed", SECRET, KEY_A, START, TASK, READS, DECRYPTS),
    case(READ, "the secret is not allowed", SECRET, KEY_A, START, TASK, DECRYPTS, says=["violated start"]),
    case(READ, "another key", SECRET, KEY_A, START, TASK, READS, held("start", "kms:Decrypt", resource="arn:key-b"), says=["violated s.kmsKeyId"]),
    case(READ, "a grant for other secrets", SECRET, KEY_A, START, TASK, READS, held("start", logical="decrypts", policy=json.dumps({"Statement": {
         "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:key-a", "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": "arn:other"}}}})),
         says=["violated s.kmsKeyId"]),
    case(READ, "another role's policy", SECRET, KEY_A, START, TASK, held("task", "secretsmanager:GetSecretValue"), DECRYPTS, says=["violated start"]),
    case(READ, "policies that are not read here", SECRET, KEY_A, role("start", "ecs-tasks.amazonaws.com", managedPolicyArns=["arn:p"]), TASK),
    case(READ, "unknown", SECRET, KEY_A, START, TASK, held("start", policy=UNKNOWN, needs={"policy": TOPIC}), says=["not proven job.executionRoleArn"]),
    case(READ, "unknown containers", UNKNOWN_TASK, says=["not proven x.containerDefinitions"]),
    case(READ, "not applicable", TOPIC),
    case(OVER, "taken over", *NETWORK_LISTS, *TAKEN),
    case(OVER, "neither", *NETWORK_LISTS, says=["violated vpc.defaultNetworkAclId", "violated vpc.defaultRouteTableId"]),
    case(OVER, "a default list that lets everything through", *NETWORK_LISTS, TAKEN[1], OPENED_LIST, says=["violated d.ingress"]),
    case(OVER, "a network that relies on the default list", VPC),
    case(OVER, "unknown", *NETWORK_LISTS, TAKEN[1], r("ec2.DefaultNetworkAcl", "d", defaultNetworkAclId=UNKNOWN, ingress=UNKNOWN,
         needs={"defaultNetworkAclId": VPC, "ingress": TOPIC}), says=["not proven d.ingress"]),
    case(OVER, "not applicable", TOPIC),
    case("elb-plain-http-forwards-nothing", "a redirect to itself", BALANCER, LISTENER, rule({"type": "redirect", "redirect": {
         "protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}), says=["violated rule.actions[0].redirect"]),
    case("elb-plain-http-forwards-nothing", "a redirect to another host", BALANCER, LISTENER, rule({"type": "redirect", "redirect": {
         "protocol": "HTTPS", "host": "www.example.com", "statusCode": "HTTP_301"}})),
]  # fmt: skip
