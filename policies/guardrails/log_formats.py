"""Which fields the lines of a log group have, as far as the stack shows it: Envoy's access log, and logs of AWS services.

Sources: the json_format of Envoy's configuration in a container's definition; AWS's pages
https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html,
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html,
https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Log_Delivery.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .checks import Container, containers
from .proxies import proxy_of
from .topology.graph.resources import Graph, Resource, contains_unknown
from .topology.graph.values import Value, as_list, as_mapping, listed
from .topology.graph.verdicts import Finding

_GROUPS, _GROUP_KEYS = ("cloudwatch.LogGroup",), ("name", "id", "arn")
_ENGINE, _SLOW = "engine-log", "slow-log"

FLOW = frozenset(
    [
        "version",
        "accountId",
        "interfaceId",
        "srcAddr",
        "dstAddr",
        "srcPort",
        "dstPort",
        "protocol",
        "packets",
        "bytes",
        "start",
        "end",
        "action",
        "logStatus",
    ]
)
"""CloudWatch Logs' names for the fields of a flow log in the default format, whose lines are no JSON."""
DNS = frozenset(
    [
        "version",
        "account_id",
        "region",
        "vpc_id",
        "query_timestamp",
        "query_name",
        "query_type",
        "query_class",
        "rcode",
        "answers",
        "srcaddr",
        "srcport",
        "transport",
        "srcids",
        "firewall_rule_action",
        "firewall_rule_group_id",
        "firewall_domain_list_id",
        "firewall_protection",
    ]
)
WEB_ACL = frozenset(
    [
        "action",
        "args",
        "captchaResponse",
        "challengeResponse",
        "clientAsn",
        "cfDistributionTenantId",
        "excludedRules",
        "forwardedAsn",
        "formatVersion",
        "httpRequest",
        "httpSourceId",
        "httpSourceName",
        "ja3Fingerprint",
        "ja4Fingerprint",
        "labels",
        "nonTerminatingMatchingRules",
        "oversizeFields",
        "rateBasedRuleList",
        "requestBodySize",
        "requestBodySizeInspectedByWAF",
        "requestHeadersInserted",
        "responseCodeSent",
        "ruleGroupList",
        "terminatingRuleId",
        "terminatingRuleMatchDetails",
        "terminatingRuleType",
        "timestamp",
        "uri",
        "webaclId",
    ]
)
CACHE: dict[str, frozenset[str]] = {
    _ENGINE: frozenset(["CacheClusterId", "CacheNodeId", "LogLevel", "Time", "Role", "Message"]),
    _SLOW: frozenset(
        ["CacheClusterId", "CacheNodeId", "Id", "Timestamp", "Duration", "Command", "ClientAddress", "ClientName"]
    ),
}
_INSIGHTS_NAME = re.compile(r"/aws/ecs/containerinsights/[^/]+/performance")
_INSIGHTS = re.compile(
    r"(Version|Type|Timestamp|AvailabilityZone|ClusterName|ServiceName|Task\w+|Container\w+|Instance\w+|EC2InstanceId|ImageId|"
    r"Image|LaunchType|KnownStatus|PullStartedAt|PullStoppedAt|CreatedAt|StartedAt|CapacityProviderName|DesiredTaskCount|"
    r"RunningTaskCount|PendingTaskCount|DeploymentCount|TaskSetCount|CloudWatchMetrics|(Cpu|Memory|Storage|Network|Disk|Ephemeral|"
    r"GPU|EBS|Restart|UnHealthy)\w*)"
)


@dataclass(frozen=True, slots=True)
class Format:
    """The format of one writer's lines."""

    writer: str
    fields: frozenset[str] = frozenset()
    is_json: bool = True
    pattern: re.Pattern[str] | None = None

    def has(self, field: str) -> bool:
        """Whether a line may have a field; of ``a.b`` its first part decides, unless a field has the whole name."""
        names = (field, field.partition(".")[0])
        return any(name in self.fields or (self.pattern is not None and self.pattern.fullmatch(name)) for name in names)


_Formats = dict[str, list[Format | None]]


def formats_of(graph: Graph, wanted: str, fix: str) -> tuple[dict[str, list[Format]], list[Finding]]:
    """URN of a log group → the formats of all that write to it, and a finding for each task whose containers are not known.

    A group with a writer whose format the stack does not show is missing, as is one without a writer.
    """
    found: _Formats = {}
    findings: list[Finding] = []
    for task in graph.of_type("ecs.TaskDefinition"):
        inside, undecided = containers(task, wanted, fix)
        findings += undecided
        for container in inside:
            _container(graph, found, container)
    _services(graph, found)
    known = {urn: [one for one in formats if one is not None] for urn, formats in found.items()}
    return {urn: formats for urn, formats in known.items() if len(formats) == len(found[urn])}, findings


def _container(graph: Graph, found: _Formats, container: Container) -> None:
    name = (as_mapping((as_mapping(container.get("logConfiguration")) or {}).get("options")) or {}).get("awslogs-group")
    groups = graph.identified(name, _GROUPS, _GROUP_KEYS) if isinstance(name, str) else []
    proxy = proxy_of(container)
    fields = frozenset(_json_formats(proxy.configuration)) if proxy else frozenset[str]()
    for group in groups:
        found.setdefault(group.urn, []).append(Format(container.name, fields) if fields else None)


def _json_formats(tree: Value) -> Iterator[str]:
    """The fields of every access log in a configuration."""
    for key, value in (as_mapping(tree) or {}).items():
        if key == "json_format":
            yield from as_mapping(value) or {}
        else:
            yield from _json_formats(value)
    for item in as_list(tree) or []:
        yield from _json_formats(item)


def _services(graph: Graph, found: _Formats) -> None:
    for log in graph.of_type("ec2.FlowLog"):
        usual = not contains_unknown(log.value("logFormat")) and log.value("logFormat") is None
        _add(graph, found, log, "logDestination", Format(log.name, FLOW, is_json=False) if usual else None)
    for log in graph.of_type("route53.ResolverQueryLogConfig"):
        _add(graph, found, log, "destinationArn", Format(log.name, DNS))
    for log in graph.of_type("wafv2.WebAclLoggingConfiguration"):
        _add(graph, found, log, "logDestinationConfigs", Format(log.name, WEB_ACL))
    for cache in graph.of_type("elasticache.ReplicationGroup"):
        for number, item in enumerate(listed(cache.value("logDeliveryConfigurations"))):
            of = as_mapping(item) or {}
            fields = CACHE.get(str(of.get("logType"))) if of.get("logFormat") == "json" else None
            path = f"logDeliveryConfigurations[{number}].destination"
            _add(graph, found, cache, path, Format(cache.name, fields) if fields else None)
    for group in graph.of_type(*_GROUPS):
        name = group.value("name")
        if isinstance(name, str) and _INSIGHTS_NAME.fullmatch(name):
            found.setdefault(group.urn, []).append(Format("Container Insights", pattern=_INSIGHTS))


def _add(graph: Graph, found: _Formats, writer: Resource, path: str, log: Format | None) -> None:
    for group in graph.referenced(writer, path, _GROUPS, _GROUP_KEYS):
        found.setdefault(group.urn, []).append(log)
