"""An ECS service of a stack: it keeps the desired number of tasks, replaces tasks that end, and deploys new task
definitions. The load balancer finds the tasks of the interface's, and Cloud Map names those of the others.

CPU and memory limits are not enforced, and their metrics are not emitted: see ``local.task.replaced``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from local.signals import Metrics
from local.stack import Stack, items
from local.task.deployment import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    SUBNET,
    Deployment,
    Event,
    InAlarm,
    Interfaces,
    Placed,
    Registries,
    Targets,
    event,
)
from local.task.surroundings import Surroundings
from local.task.task import RUNNING, Task

TICK_SECONDS = 0.1
BACKOFF_SECONDS = 1.0
"""Seconds before a failed task is replaced. ECS increases the wait with each failure."""
STOP_SECONDS = 130
"""Fargate's longest stop timeout, plus the twin's overhead."""
NAMESPACE, DISK = "ECS/ContainerInsights", "TaskEphemeralStorageUtilization"
SCHEDULER = "ServiceSchedulerInitiated"


@dataclass
class Service:
    """The service, from its creation until the block ends."""

    stack: Stack
    around: Surroundings
    interfaces: Interfaces
    targets: Targets | None
    metrics: Metrics = field(default_factory=Metrics)
    in_alarm: InAlarm = lambda _: False
    told: Callable[[Event], None] = lambda _: None
    """Called with each event from the service's own threads."""
    metric_seconds: float = 60
    name: str = ""
    """The logical name of the service; empty for the interface's."""
    registries: Registries | None = None
    """Where the tasks are found by name."""
    events: list[Event] = field(default_factory=list[Event])
    deployments: list[Deployment] = field(default_factory=list[Deployment])
    """The deployments, newest first; the first one is the primary."""
    causes: list[str] = field(default_factory=list[str])
    """The reasons for failed tasks, in order."""

    def __post_init__(self) -> None:
        """Read the service. Raises ``InvalidServiceError`` and ``InvalidTaskDefinitionError``."""
        self.deployments.append(Deployment.of(self.stack, self.name))
        self.zones = {one.id: str(one["availabilityZone"]) for one in self.stack.all(SUBNET)}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._helpers: list[threading.Thread] = []
        self._completed: Deployment | None = None
        self._measured = 0.0

    def __enter__(self) -> Self:
        """Create the service."""
        self._begin(self.primary)
        self._thread = threading.Thread(target=self._run, name="service", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the service: every task stops immediately, without draining."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        live = [one for deployment in self.deployments for one in deployment.live]
        for one in live:
            one.task.stop("service deleted", SCHEDULER)
        for one in live:
            one.task.join(STOP_SECONDS)
        for helper in self._helpers:
            helper.join(STOP_SECONDS)

    @property
    def primary(self) -> Deployment:
        """The newest deployment."""
        return self.deployments[0]

    @property
    def tasks(self) -> list[Task]:
        """The tasks of all deployments that have not stopped."""
        with self._lock:
            return [one.task for deployment in self.deployments for one in deployment.live]

    @property
    def complete(self) -> bool:
        """Whether the newest deployment has the desired number of healthy tasks."""
        with self._lock:
            healthy = [one for one in self.primary.live if one.healthy(self.targets)]
        return len(healthy) >= self.primary.settings.desired

    def deploy(self, stack: Stack) -> Deployment:
        """Update the service from another recording of the stack; returns immediately."""
        return self._deploy(Deployment.of(stack, self.name))

    def wait(self, seconds: float) -> bool:
        """Wait until the newest deployment has ended. Returns whether it completed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.primary.rollout == IN_PROGRESS:
            time.sleep(TICK_SECONDS)
        return self.primary.rollout == COMPLETED

    def scale(self, desired: int) -> None:
        """Set the desired number of tasks, as scaling does; returns immediately."""
        with self._lock:
            for one in self.deployments:
                one.settings = one.settings.scaled(desired)

    def stop_task(self, task: Task, reason: str = "Task stopped by user") -> None:
        """Stop a task as ``StopTask`` does: it is drained, stopped and then replaced."""
        with self._lock:
            for deployment in self.deployments:
                for one in deployment.live:
                    if one.task is task:
                        self._stop(one, reason, "UserInitiated")

    def _deploy(self, made: Deployment) -> Deployment:
        with self._lock:
            self.deployments.insert(0, made)
            self._begin(made)
        return made

    def _begin(self, made: Deployment) -> None:
        made.alarmed = frozenset(one for one in made.settings.alarms if self.in_alarm(one))
        self._tell(
            event(
                "ECS Deployment State Change",
                f"ECS deployment {made.id} in progress.",
                eventName="SERVICE_DEPLOYMENT_IN_PROGRESS",
                deploymentId=made.id,
            )
        )

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            with self._lock:
                self._tick()

    def _tick(self) -> None:
        for deployment in list(self.deployments):
            for one in list(deployment.placed):
                self._follow(deployment, one)
        self._schedule()
        self._conclude()
        if time.monotonic() - self._measured >= self.metric_seconds:
            self._measured = time.monotonic()
            self.measure()

    def _follow(self, deployment: Deployment, one: Placed) -> None:
        """Process the changes of one task since the last call."""
        if one.gone:
            if not one.released:
                self._ended(deployment, one)
            return
        if one.task.status == RUNNING and one.target is None and self.targets and not one.stopping:
            node = one.task.node
            one.target = self.targets.register(node.address, self.zones[one.subnet], deployment.settings.port)
            self._say(f"registered 1 targets in (target-group {self._group})")
        self._announce(deployment, one)
        if one.stopping:
            return
        if one.healthy(self.targets):
            if not one.counted:
                one.counted, deployment.failed = True, 0
            return
        failed = self._failed_checks(deployment, one)
        if failed:
            self._count(deployment, one, failed)
            self._stop(one, failed.partition(":")[0], SCHEDULER)

    def _announce(self, deployment: Deployment, one: Placed) -> None:
        """Cloud Map answers with the address of a task that is healthy and is not being stopped."""
        registry, wanted = deployment.settings.registry, one.healthy(self.targets)
        if not self.registries or not registry or wanted == one.named:
            return
        one.named = wanted
        (self.registries.register if wanted else self.registries.deregister)(registry, one.task.node.address)

    def _failed_checks(self, deployment: Deployment, one: Placed) -> str:
        """Why a task is to be replaced; nothing counts before the grace period is over."""
        if not one.task.started_at or one.task.age < deployment.settings.grace_seconds:
            return ""
        if cause := one.task.unhealthy():
            return f"Task failed container health checks: {cause}"
        if self.targets and one.target is not None and "unhealthy" in self.targets.states(one.target):
            address = f"{one.task.node.address}:{deployment.settings.port}"
            return f"Task failed ELB health checks in (target-group {self._group}): target {address} is unhealthy"
        return ""

    def _ended(self, deployment: Deployment, one: Placed) -> None:
        one.released = True
        self._announce(deployment, one)
        if one.target is not None and self.targets and not one.stopping:
            self.targets.deregister(one.target)
        self.interfaces.give(one.task.node)
        if one.task.cause:
            self._count(deployment, one, one.task.cause)
            deployment.not_before = time.monotonic() + BACKOFF_SECONDS
        self._say(f"has stopped 1 running tasks: (task {one.task.id}). {one.task.stopped_reason}")

    def _count(self, deployment: Deployment, one: Placed, cause: str) -> None:
        self.causes.append(cause)
        deployment.causes.append(cause)
        if not one.counted:
            one.counted = True
            deployment.failed += 1

    def _schedule(self) -> None:
        """Start and stop tasks within the bounds of the deployment."""
        primary, settings = self.primary, self.primary.settings
        former = [one for deployment in self.deployments[1:] for one in deployment.live]
        current = primary.live
        kept = [one for one in former if not one.stopping]
        healthy = sum(one.healthy(self.targets) for one in (*current, *former))
        missing = [one for one in kept if not one.healthy(self.targets)]
        # A task that serves no request may go at once; a healthy one only above the least.
        spare = max(0, healthy - settings.least)
        for one in [*missing, *[one for one in kept if one not in missing][:spare]]:
            if primary.rollout != FAILED:
                self._stop(one, f"Scaling activity initiated by (deployment {primary.id})", SCHEDULER)
        wanted = [one for one in current if not one.stopping]
        for one in wanted[settings.desired :]:
            self._stop(one, f"Scaling activity initiated by (deployment {primary.id})", SCHEDULER)
        headroom = min(settings.desired - len(wanted), settings.most - len(wanted) - len(former))
        stuck = primary.rollout == FAILED or time.monotonic() < primary.not_before
        for _ in range(0 if stuck else headroom):
            self._start(primary)

    def _start(self, deployment: Deployment) -> None:
        used = [one.subnet for known in self.deployments for one in known.live]
        subnet = min(deployment.settings.subnets, key=lambda one: (used.count(one), one))
        try:
            node = self.interfaces.take(subnet)
        except LookupError as problem:
            self.causes.append(f"service {deployment.settings.name}: {problem}")
            deployment.not_before = time.monotonic() + BACKOFF_SECONDS
            return
        around = replace(self.around, stack=deployment.stack)
        group = f"service:{deployment.settings.name}"
        task = Task(deployment.definition, node, around, group, self._changed)
        deployment.placed.append(Placed(task, subnet))
        self._say(f"has started 1 tasks: (task {task.id}).")
        task.start()

    def _changed(self, task: Task) -> None:
        containers = [
            {"name": name, "exitCode": one.code, "healthStatus": one.health}
            for name, one in list(task.containers.items())
        ]
        self._tell(
            event(
                "ECS Task State Change",
                f"task {task.id} {task.status} {task.health}",
                lastStatus=task.status,
                healthStatus=task.health,
                taskArn=task.arn,
                group=task.group,
                stopCode=task.stop_code,
                stoppedReason=task.stopped_reason,
                containers=containers,
            )
        )

    def _stop(self, one: Placed, reason: str, code: str) -> None:
        """Drain the task's target for the target group's delay, then stop the task; runs in a thread."""
        if one.stopping or one.gone:
            return
        one.stopping = True
        for deployment in self.deployments:
            if one in deployment.placed:
                self._announce(deployment, one)

        def stop() -> None:
            if self.targets and one.target is not None:
                self._say(f"has begun draining connections on 1 tasks: (task {one.task.id}).")
                self.targets.deregister(one.target, wait=True)
                self._say(f"deregistered 1 targets in (target-group {self._group})")
            one.task.stop(reason, code)

        helper = threading.Thread(target=stop, name=f"stop {one.task.id[:8]}", daemon=True)
        self._helpers.append(helper)
        helper.start()

    def _conclude(self) -> None:
        """Whether the primary deployment has completed or failed."""
        primary = self.primary
        if primary.rollout != IN_PROGRESS:
            return
        settings = primary.settings
        if settings.breaker and primary.failed >= primary.threshold:
            self._fail(primary, "tasks failed to start.", rolls_back=settings.breaker_rolls_back)
            return
        alarms = [one for one in settings.alarms if one not in primary.alarmed and self.in_alarm(one)]
        if alarms:
            self._fail(primary, f"alarm detected: {', '.join(alarms)}.", rolls_back=settings.alarms_roll_back)
            return
        healthy = [one for one in primary.live if one.healthy(self.targets)]
        others = [one for deployment in self.deployments[1:] for one in deployment.live]
        if len(healthy) == settings.desired and not others:
            primary.rollout, primary.reason = COMPLETED, f"ECS deployment {primary.id} completed."
            self._completed = primary
            del self.deployments[1:]
            self._tell_deployment(primary, "SERVICE_DEPLOYMENT_COMPLETED")
            self._say("has reached a steady state.")

    def _fail(self, primary: Deployment, why: str, *, rolls_back: bool) -> None:
        primary.rollout, primary.reason = FAILED, f"ECS deployment circuit breaker: {why}"
        self._tell_deployment(primary, "SERVICE_DEPLOYMENT_FAILED")
        before = self._completed
        if not rolls_back or before is None or primary.rolls_back:
            return
        self._say(f"rolling back to deployment {before.id}.")
        # The tasks of the earlier deployment that still run are its own again.
        kept = [one for one in self.deployments if one is before]
        made = Deployment(before.stack, before.definition, before.settings, rolls_back=True)
        for one in kept:
            made.placed, one.placed = (
                [placed for placed in one.placed if not placed.stopping],
                [placed for placed in one.placed if placed.stopping],
            )
        self._deploy(made)

    def measure(self) -> None:
        """Emit what Container Insights publishes for a service: the numbers of tasks, and the use of each task's disk."""
        settings, live = self.primary.settings, [one for known in self.deployments for one in known.live]
        running = sum(one.task.status == RUNNING for one in live)
        values: Mapping[str, float] = {
            "RunningTaskCount": running,
            "PendingTaskCount": len(live) - running,
            "DesiredTaskCount": settings.desired,
        }
        dimensions = {"ClusterName": settings.cluster, "ServiceName": settings.name}
        for name, value in values.items():
            self.metrics.put(NAMESPACE, name, value, time.time(), dimensions)
        for one in live:
            if one.task.status == RUNNING:
                self.metrics.put(NAMESPACE, DISK, one.task.disk_percent, time.time(), dimensions)

    @property
    def _group(self) -> str:
        return str(next(items(self.primary.settings.resource.get("loadBalancers")))["targetGroupArn"])

    def _say(self, text: str) -> None:
        self._tell(event("service", f"(service {self.primary.settings.name}) {text}"))

    def _tell_deployment(self, one: Deployment, name: str) -> None:
        self._tell(event("ECS Deployment State Change", one.reason, eventName=name, deploymentId=one.id))

    def _tell(self, one: Event) -> None:
        self.events.append(one)
        self.told(one)
