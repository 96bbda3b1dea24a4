"""Every type of resource: what it is charged for, why it is free, or why its cost is not counted.

``tests/preflight/cost/test_types.py`` fails on a type that none of the tables names, so a new resource is never free by
accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from preflight.cost.charges import Amount, Charge, Costed, as_list, as_object
from preflight.cost.models import INPUT, OUTPUT
from preflight.cost.scheduled import runs, scheduled_chats
from preflight.cost.use import (
    CHARACTERS_PER_TOKEN,
    DATABASE_IO_PER_REQUEST,
    HOURS,
    INPUT_OF_A_CHAT,
    RUN_SECONDS,
    UNITS_OF_A_CHAT,
)
from preflight.recording.recorder import RecordedResource

INCLUDED_STORAGE_GIB = 20
"""Ephemeral storage of a Fargate task without charge (https://aws.amazon.com/fargate/pricing/)."""
KEY_VERSIONS = 3
"""A rotated KMS key is charged for its first two rotations too (https://aws.amazon.com/kms/pricing/)."""
Charges = Iterator[Charge]


def _service(resource: RecordedResource, stack: Costed) -> Charges:
    for one in stack.tasks:
        if one.service == resource.inputs["name"]:
            running = Amount.between(one.least, one.most)
            name = f"tasks of {one.service}"
            yield Charge("compute", f"{name}: vCPU", f"fargate.vcpu-hour.{one.architecture}", running.times(one.vcpu))
            yield Charge("compute", f"{name}: memory", f"fargate.gb-hour.{one.architecture}", running.times(one.gib))
            if (more := one.storage_gib - INCLUDED_STORAGE_GIB) > 0:
                yield Charge("compute", f"{name}: storage", "fargate.storage-gb-hour", running.times(more))


def _endpoint(resource: RecordedResource, stack: Costed) -> Charges:
    if resource.inputs.get("vpcEndpointType") != "Interface":
        return  # a gateway endpoint has no charge
    hours = HOURS * len(as_list(resource.inputs.get("subnetIds")))
    yield Charge("network", "interface endpoints", "vpc.endpoint-hour", Amount.fixed(hours))
    service = str(resource.inputs["serviceName"])
    if service.endswith(".logs"):
        yield Charge("network", "data through endpoints", "vpc.endpoint-gb", stack.by_use("log_gib"))


def _address(_: RecordedResource, __: Costed) -> Charges:
    yield Charge("network", "public IPv4 addresses", "vpc.public-ipv4-hour", Amount.fixed(HOURS))


def _nat(resource: RecordedResource, stack: Costed) -> Charges:
    """Prompts leave by it to a provider on the internet, and answers return."""
    yield Charge("network", "NAT gateways", "vpc.nat-gateway-hour", Amount.fixed(HOURS))
    share = CHARACTERS_PER_TOKEN / 1024**3 / len(stack.of_type(resource.type))
    for quantity in ("input_tokens", "output_tokens"):
        yield Charge("network", "data through NAT gateways", "vpc.nat-gateway-gb", stack.by_use(quantity, share))


def _balancer(resource: RecordedResource, stack: Costed) -> Charges:
    yield Charge("edge", "load balancer", "alb.hour", Amount.fixed(HOURS))
    yield Charge("edge", "load balancer: capacity units", "alb.lcu-hour", stack.by_use("lcu_hours"))
    yield Charge("edge", "data to the internet", "data-transfer.out-gb", stack.by_use("sent_gib"))
    if not resource.inputs.get("internal"):
        addresses = len(as_list(resource.inputs.get("subnets")))
        hours = Amount.fixed(HOURS * addresses)
        yield Charge("edge", "public IPv4 addresses of the load balancer", "vpc.public-ipv4-hour", hours)


def _web_acl(resource: RecordedResource, stack: Costed) -> Charges:
    rules = len(as_list(resource.inputs.get("rules")))
    yield Charge("edge", "web ACL", "waf.web-acl-month", Amount.fixed(1))
    yield Charge("edge", "web ACL: rules and managed groups", "waf.rule-month", Amount.fixed(rules))
    yield Charge("edge", "web ACL: requests", "waf.request", stack.by_use("requests"))


def _database(resource: RecordedResource, stack: Costed) -> Charges:
    identifier = resource.inputs["clusterIdentifier"]
    units = as_object(resource.inputs.get("serverlessv2ScalingConfiguration"))
    instances = [
        one.inputs["instanceClass"]
        for one in stack.of_type("aws:rds/clusterInstance:ClusterInstance")
        if one.inputs["clusterIdentifier"] == identifier
    ]
    running = Amount.between(float(units.get("minCapacity", 0)), float(units.get("maxCapacity", 0)))
    for name in sorted(set(instances)):
        number = instances.count(name)
        if name == "db.serverless":
            yield Charge("data", "database: capacity units", "aurora.acu-hour", running.times(number))
        else:
            yield Charge("data", f"database: {name}", f"aurora.instance-hour.{name}", Amount.fixed(number).times(HOURS))
    yield Charge("data", "database: storage", "aurora.storage-gb-month", stack.by_use("database_gib"))
    yield Charge("data", "database: I/O", "aurora.io", stack.by_use("requests", DATABASE_IO_PER_REQUEST))
    if resource.inputs.get("manageMasterUserPassword"):
        yield Charge("operations", "secrets", "secretsmanager.secret-month", Amount.fixed(1))


def _cache(resource: RecordedResource, _: Costed) -> Charges:
    node, number = resource.inputs["nodeType"], int(resource.inputs["numCacheClusters"])
    key = f"elasticache.node-hour.{node}"
    if resource.inputs["engine"] != "valkey":
        key += f".{resource.inputs['engine']}"
    yield Charge("data", f"cache: {node}", key, Amount.fixed(number * HOURS))


def _bucket(resource: RecordedResource, stack: Costed) -> Charges:
    if "uploads" in resource.name and "access" not in resource.name:
        yield Charge("data", "uploaded files", "s3.gb-month", stack.by_use("uploads_gib"))


def _key(resource: RecordedResource, _: Costed) -> Charges:
    versions = KEY_VERSIONS if resource.inputs.get("enableKeyRotation") else 1
    yield Charge("operations", "KMS keys", "kms.key-month", Amount(1, 1, versions))


def _secret(_: RecordedResource, __: Costed) -> Charges:
    yield Charge("operations", "secrets", "secretsmanager.secret-month", Amount.fixed(1))


def _alarm(resource: RecordedResource, _: Costed) -> Charges:
    queries = as_list(resource.inputs.get("metricQueries"))
    metrics = sum(1 for query in queries if as_object(query).get("metric")) if queries else 1
    yield Charge("operations", "metrics of alarms", "cloudwatch.alarm-metric-month", Amount.fixed(metrics))


def _composite(_: RecordedResource, __: Costed) -> Charges:
    """The alarms that it evaluates are charged separately (https://aws.amazon.com/cloudwatch/pricing/)."""
    yield Charge("operations", "composite alarms", "cloudwatch.composite-alarm-month", Amount.fixed(1))


def _logs(resource: RecordedResource, stack: Costed) -> Charges:
    """The application's logs are charged to the group of the proxy, which writes most of them."""
    if resource.name.endswith("proxy-logs"):
        months = float(resource.inputs.get("retentionInDays") or 365) / 30
        yield Charge("operations", "logs: ingestion", "cloudwatch.log-gb", stack.by_use("log_gib"))
        yield Charge("operations", "logs: storage", "cloudwatch.log-gb-month", stack.by_use("log_gib", months))


def _guardrail(resource: RecordedResource, stack: Costed) -> Charges:
    """Each region that is called has a guardrail; together they evaluate every call once."""
    share = 1 / len(stack.of_type(resource.type))
    scheduled = Amount.fixed(scheduled_chats(stack) * UNITS_OF_A_CHAT * share)
    units = stack.by_use("text_units", share).plus(scheduled)
    for policy, name in (
        ("contentPolicyConfig", "content"),
        ("topicPolicyConfig", "topic"),
        ("sensitiveInformationPolicyConfig", "sensitive-information"),
    ):
        given = as_object(resource.inputs.get(policy))
        if given.get("piiEntitiesConfigs") or (given and policy != "sensitiveInformationPolicyConfig"):
            key = f"bedrock.guardrail-text-unit.{name}"
            yield Charge("models", f"guardrail: {name.replace('-', ' ')}", key, units)


def _namespace(_: RecordedResource, __: Costed) -> Charges:
    yield Charge("network", "private DNS zones", "route53.hosted-zone-month", Amount.fixed(1))


def _schedule(resource: RecordedResource, stack: Costed) -> Charges:
    """A scheduled task, by the time that it runs, and the tokens of its chats. EventBridge Scheduler itself is free for the first
    14 million starts of a month (https://aws.amazon.com/eventbridge/pricing/)."""
    for run in runs(stack):
        if run.schedule is not resource:
            continue
        hours = Amount.fixed(run.monthly * RUN_SECONDS / 3600)
        yield Charge(
            "operations", "synthetic chat: vCPU", f"fargate.vcpu-hour.{run.architecture}", hours.times(run.vcpu)
        )
        yield Charge(
            "operations", "synthetic chat: memory", f"fargate.gb-hour.{run.architecture}", hours.times(run.gib)
        )
        for model in run.models:
            for word, prefix, number in (("input", INPUT, INPUT_OF_A_CHAT), ("output", OUTPUT, run.answer_tokens)):
                amount = Amount.fixed(run.monthly * number / 1_000)
                yield Charge("operations", f"synthetic chat: {word} tokens of {model}", prefix + model, amount)


CHARGED: Mapping[str, Callable[[RecordedResource, Costed], Charges]] = {
    "aws:bedrock/guardrail:Guardrail": _guardrail,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _composite,
    "aws:cloudwatch/logGroup:LogGroup": _logs,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:ec2/eip:Eip": _address,
    "aws:ec2/natGateway:NatGateway": _nat,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ecs/service:Service": _service,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:kms/key:Key": _key,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:rds/cluster:Cluster": _database,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": _namespace,
    "aws:wafv2/webAcl:WebAcl": _web_acl,
}
"""Type → its charges. The tokens of the models are charged for the whole stack (``models.py``)."""
