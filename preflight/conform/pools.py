"""The database accepts all connections that the tasks' pools can open, and an alarm is on their number.

A pool without a size opens fifteen connections, and a task has three pools. If the pools of all tasks exceed the
database's connection limit, connections are refused in the middle of a deployment. Whether the alarm can fire is checked
for every alarm (``alarms_can_fire``).

The application's preset declares the pools in ``connection_pools``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.conform.documented.model import listed, mapping
from preflight.conform.documented.services import containers as documented_containers
from preflight.conform.located import violated
from preflight.conform.reaching.calls import containers, variables_of
from preflight.conform.reaching.model import TASK_DEFINITION
from preflight.conform.stack_file import preset_of
from preflight.findings import Finding
from preflight.recording.recorder import RecordedResource, Recording

RULE = "conform-pools"
DEFAULT_SIZE, DEFAULT_OVERFLOW = 5, 10
"""SQLAlchemy's (https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool)."""
ACCEPTED = ((1, 189), (4, 823), (8, 1669), (16, 3360))
"""Maximum capacity units → connections that Aurora PostgreSQL accepts, regardless of the current capacity."""
MOST = 5000
"""The maximum number of connections, reached with 32 units at the latest."""
SMALL_MINIMUM, MOST_WITH_A_SMALL_MINIMUM = 0.5, 2000
"""The maximum number of connections with such a small minimum capacity

(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html#aurora-serverless-v2.max-connections)."""
KEPT_BACK = 5
"""``superuser_reserved_connections`` (3) and ``rds.rds_superuser_reserved_connections`` (2) at their defaults, which
are not available to the tasks' role."""
_ACCEPTED_SOURCE = "Aurora user guide, maximum connections for Aurora Serverless v2"


def accepted(minimum: float, maximum: float) -> int:
    """The number of connections that a cluster of this range of capacity units accepts."""
    most = MOST_WITH_A_SMALL_MINIMUM if minimum <= SMALL_MINIMUM else MOST
    # The number depends on memory, so it is linear between the documented points and beyond the last one.
    place = max(1, min(len(ACCEPTED) - 1, sum(units <= maximum for units, _ in ACCEPTED)))
    (low, at_low), (high, at_high) = ACCEPTED[place - 1], ACCEPTED[place]
    return min(most, at_low + math.floor((at_high - at_low) * (maximum - low) / (high - low)))


def of_a_task(variables: Mapping[str, str], pools: Mapping[str, int]) -> int | None:
    """The number of connections that one task's pools may open; ``None``: unlimited. ``pools`` are the preset's."""
    total = 0
    for prefix, number in pools.items():
        size = variables.get(f"{prefix}_SIZE", "")
        if size == "0":
            return None
        if size:
            total += number * (int(size) + int(variables.get(f"{prefix}_MAX_OVERFLOW") or 0))
        else:
            total += number * (DEFAULT_SIZE + DEFAULT_OVERFLOW)
    return total


def findings(recording: Recording) -> list[Finding]:
    """Findings about the pools and their alarm, sorted; none for a stack whose tasks use no database."""
    graph = Graph.from_recorded(recording.resources)
    found: list[Finding] = []
    pools = preset_of(recording.stack).connection_pools
    for task in graph.of_type(TASK_DEFINITION):
        for container in containers(task) or []:
            variables = variables_of(container)
            if "DATABASE_HOST" in variables and container.get("essential"):
                found += _Evaluation(recording.stack, graph, task, str(container["name"]), pools, variables).findings()
    return sorted(found, key=lambda one: (one.urn, one.headline))


@dataclass(frozen=True)
class _Evaluation:
    stack: str
    graph: Graph
    task: Resource
    container: str
    pools: Mapping[str, int]
    variables: Mapping[str, str]

    def findings(self) -> Iterator[Finding]:
        place = f"containerDefinitions[{self.container}].environment"
        if not self.pools:
            yield self._finding(
                self.task,
                f"{place}: the container uses a database, but its preset declares no connection pools",
                "no connection_pools",
                "the pools that the application opens, so that their sum can be compared with the database's connection limit",
                "set connection_pools in the preset",
            )
        for prefix, pools in self.pools.items():
            if not self.variables.get(f"{prefix}_SIZE", "").strip("0"):
                unbounded = f"{prefix}_SIZE" in self.variables
                yield self._finding(
                    self.task,
                    f"{place}[{prefix}_SIZE]: the pool has no size",
                    "0, which opens a connection for each request"
                    if unbounded
                    else f"no variable, so that each of {pools} pools opens {DEFAULT_SIZE + DEFAULT_OVERFLOW}",
                    "a size and an overflow derived from the database's connection limit",
                    f"set {prefix}_SIZE and {prefix}_MAX_OVERFLOW",
                )
        each = of_a_task(self.variables, self.pools)
        if each is None:
            return
        for service in self._services():
            yield from self._fits(service, each)
            yield from self._alarms(service, each)

    def _services(self) -> list[Resource]:
        definitions = (TASK_DEFINITION,)
        services = self.graph.of_type("ecs.Service")
        return [s for s in services if self.task in self.graph.referenced(s, "taskDefinition", definitions).resources]

    def _fits(self, service: Resource, each: int) -> Iterator[Finding]:
        percent = _number(service, "deploymentMaximumPercent", 200)
        tasks = math.floor(self._most_tasks(service) * percent / 100)
        for cluster in self._clusters():
            scaling = "serverlessv2ScalingConfiguration"
            minimum, maximum = (
                _number(cluster, f"{scaling}.minCapacity", 0),
                _number(cluster, f"{scaling}.maxCapacity", 0),
            )
            available = accepted(minimum, maximum) - KEPT_BACK
            if tasks * each > available:
                yield self._finding(
                    cluster,
                    f"{scaling}.maxCapacity: the database accepts fewer connections than the tasks' pools may open",
                    f"{maximum:g} capacity units, {available} connections for the tasks; {tasks} tasks (a deployment runs "
                    f"{percent:g} percent of {self._most_tasks(service)}) open up to {each} each",
                    f"{tasks * each} connections or more ({_ACCEPTED_SOURCE})",
                    "lower the size of the pools or the number of tasks, or raise maxCapacity",
                )

    def _alarms(self, service: Resource, each: int) -> Iterator[Finding]:
        most = self._most_tasks(service) * each
        watching = [
            alarm for alarm in self.graph.of_type("cloudwatch.MetricAlarm") if "DatabaseConnections" in _metrics(alarm)
        ]
        if not watching:
            yield self._finding(
                service,
                "taskDefinition: no alarm monitors the number of connections",
                "no alarm on DatabaseConnections",
                f"an alarm on the {most} connections that the tasks may open",
                "add one, with a destination",
            )

    def _clusters(self) -> list[Resource]:
        host = self.variables["DATABASE_HOST"]
        return [one for one in self.graph.of_type("rds.Cluster") if one.value("endpoint") == host]

    def _most_tasks(self, service: Resource) -> int:
        for target in self.graph.of_type("appautoscaling.Target"):
            if str(target.value("resourceId")).endswith(f"/{service.value('name')}"):
                return int(_number(target, "maxCapacity", 1))
        return int(_number(service, "desiredCount", 1))

    def _finding(self, resource: Resource, headline: str, found: str, wanted: str, fix: str) -> Finding:
        return violated(self.stack, RULE, resource, headline, found=found, wanted=wanted, fix=fix)


def connections_of_a_task(recording: Recording, service: RecordedResource) -> int | None:
    """The number of connections that the pools of one task of a service may open: none without a database, and ``None`` if
    it has no limit."""
    pools = preset_of(recording.stack).connection_pools
    for task in recording.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        if task.outputs.get("arn") == service.inputs.get("taskDefinition"):
            for container in documented_containers(task):
                variables = variables_of(container)
                if "DATABASE_HOST" in variables and container.get("essential"):
                    return of_a_task(variables, pools)
    return 0


def _metrics(alarm: Resource) -> set[str]:
    queries = [mapping(mapping(one).get("metric")) for one in listed(alarm.value("metricQueries"))]
    return {str(alarm.value("metricName")), *(str(one.get("metricName")) for one in queries)}


def _number(resource: Resource, path: str, default: float) -> float:
    value = resource.value(path)
    return float(value) if isinstance(value, int | float) else default
