"""Which fields the lines of a log group have, as far as the stack shows it: Envoy's access log, and logs of AWS services.

Sources: the json_format of Envoy's configuration in a container's definition; ``data/log_fields.tsv``; and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .checks import Container, containers
from .data_files import log_fields
from .proxies import proxy_of
from .topology.graph.resources import Graph, Resource, Unknown
from .topology.graph.values import Value, as_list, as_mapping, listed
from .topology.graph.verdicts import Finding

_GROUPS, _GROUP_KEYS = ("cloudwatch.LogGroup",), ("name", "id", "arn")
_DELIVERED = "logDeliveryConfigurations"


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
    unknown: Unknown | None = None
    """The value that decides about the format, if it is not known yet."""

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
        form = log.value("logFormat")
        usual = Format(log.name, log_fields()["flow-log"], is_json=False) if form is None else None
        _add(
            graph, found, log, "logDestination", Format(log.name, unknown=form) if isinstance(form, Unknown) else usual
        )
    for log in graph.of_type("route53.ResolverQueryLogConfig"):
        _add(graph, found, log, "destinationArn", Format(log.name, log_fields()["resolver-query-log"]))
    for log in graph.of_type("wafv2.WebAclLoggingConfiguration"):
        _add(graph, found, log, "logDestinationConfigs", Format(log.name, log_fields()["web-acl-log"]))
    for store in graph.of_type("elasticache.ReplicationGroup"):
        for number, item in enumerate(listed(store.value(_DELIVERED))):
            of = as_mapping(item) or {}
            parts = [of.get("logType"), of.get("logFormat")]
            unknown = next((part for part in parts if isinstance(part, Unknown)), None)
            fields = None if unknown is not None or parts[1] != "json" else log_fields().get(str(parts[0]))
            log = Format(store.name, fields or frozenset(), unknown=unknown)
            _add(
                graph,
                found,
                store,
                f"{_DELIVERED}[{number}].destination",
                log if fields or unknown is not None else None,
            )
    for group in graph.of_type(*_GROUPS):
        name = group.value("name")
        if isinstance(name, str) and _INSIGHTS_NAME.fullmatch(name):
            found.setdefault(group.urn, []).append(Format("Container Insights", pattern=_INSIGHTS))


def _add(graph: Graph, found: _Formats, writer: Resource, path: str, log: Format | None) -> None:
    for group in graph.referenced(writer, path, _GROUPS, _GROUP_KEYS):
        found.setdefault(group.urn, []).append(log)
