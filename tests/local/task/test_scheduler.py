"""What the service starts and stops, with tasks that are only states: order and bounds of each kind of deployment."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from local.stack import Stack
from local.task import service as services
from local.task.definition import Definition
from local.task.deployment import IN_PROGRESS
from local.task.image import Images
from local.task.service import Service
from local.task.services import SERVICE
from local.task.surroundings import Surroundings
from local.task.task import PENDING, RUNNING, STOPPED
from local.wiring import Loopback, Node
from tests.local.around import stack_of, until

SECONDS = 20
_numbers = itertools.count(1)


@dataclass(eq=False)
class State:
    """A task without containers: it runs as soon as it starts, unless its definition says otherwise."""

    definition: Definition
    node: Node
    around: Surroundings
    group: str
    changed: Callable[[State], None]
    id: str = field(default_factory=lambda: f"task-{next(_numbers)}")
    status: str = PENDING
    health: str = "HEALTHY"
    cause: str = ""
    stop_code: str = ""
    stopped_reason: str = ""
    started_at: float = 0
    disk_percent: float = 0
    arn: str = ""
    containers: dict[str, object] = field(default_factory=dict[str, object])

    def start(self) -> State:
        """Run, or fail."""
        if self.definition.family in FAILING:
            self.status, self.cause = STOPPED, "container interface ended with exit code 1"
        else:
            self.status, self.started_at = RUNNING, time.time()
        self.changed(self)
        return self

    def stop(self, reason: str, code: str = "") -> None:
        """End at once."""
        self.status, self.stopped_reason, self.stop_code = STOPPED, reason, code

    def join(self, _seconds: float) -> bool:
        """It has ended."""
        return True

    @property
    def age(self) -> float:
        """Since it runs."""
        return time.time() - self.started_at

    def unhealthy(self) -> str:
        """Why it is."""
        return "container interface: 4 health checks in a row failed: refused" if self.health == "UNHEALTHY" else ""


FAILING: set[str] = set()
"""Families of task definitions whose tasks fail."""


@dataclass
class Everywhere:
    """An interface for every task."""

    given: int = 0

    def take(self, subnet: str) -> Node:
        """See ``Interfaces``."""
        self.given += 1
        return Node(subnet, f"10.0.0.{self.given}")

    def give(self, node: Node) -> None:
        """See ``Interfaces``."""


@dataclass
class Counts:
    """The targets, and the most and fewest that were registered."""

    state: str = "healthy"
    targets: set[str] = field(default_factory=set[str])
    history: list[int] = field(default_factory=list[int])

    def register(self, address: str, zone: str, port: int | None = None) -> str:
        """See ``Targets``."""
        assert zone
        assert port
        self.targets.add(address)
        self.history.append(len(self.targets))
        return address

    def deregister(self, target: str, *, wait: bool = False) -> None:
        """See ``Targets``."""
        del wait
        self.targets.discard(target)
        self.history.append(len(self.targets))

    def states(self, target: str) -> set[str]:
        """See ``Targets``."""
        return {self.state if target in self.targets else "draining"}


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[Stack], tuple[Service, Counts]]]:
    """A running service of a stack."""
    monkeypatch.setattr(services, "Task", State)
    monkeypatch.setattr(services, "TICK_SECONDS", 0.005)
    monkeypatch.setattr(services, "BACKOFF_SECONDS", 0.01)
    FAILING.clear()
    made: list[Service] = []

    def start(stack: Stack) -> tuple[Service, Counts]:
        wiring, counts = Loopback(), Counts()

        def no_agent(_stack: Stack, _definition: Definition, _node: Node, _task: str) -> object:
            raise AssertionError

        around = Surroundings(stack, wiring, Images(stack, Path()), no_agent, [], "", "")  # pyright: ignore[reportArgumentType]
        service = Service(stack, around, Everywhere(), counts)
        service.__enter__()
        made.append(service)
        return service, counts

    yield start
    for one in made:
        one.__exit__()


def _percent(least: int, most: int, **more: object) -> Stack:
    stack = stack_of("prod")
    return stack.changed(
        stack.one(SERVICE), deploymentMinimumHealthyPercent=least, deploymentMaximumPercent=most, **more
    )


def test_a_rolling_deployment_starts_new_tasks_beside_the_old_ones(
    make: Callable[[Stack], tuple[Service, Counts]],
) -> None:
    service, counts = make(stack_of("prod"))
    desired = service.primary.settings.desired
    assert service.wait(SECONDS)
    counts.history.clear()

    service.deploy(stack_of("prod"))

    assert service.wait(SECONDS)
    assert (min(counts.history), max(counts.history), len(counts.targets)) == (desired, 2 * desired, desired)


def test_a_restart_stops_every_task_before_the_first_new_one(make: Callable[[Stack], tuple[Service, Counts]]) -> None:
    service, counts = make(_percent(0, 100))
    desired = service.primary.settings.desired
    assert service.wait(SECONDS)
    counts.history.clear()

    service.deploy(_percent(0, 100))

    assert service.wait(SECONDS)
    assert counts.history == [*reversed(range(desired)), *range(1, desired + 1)]


def test_half_at_a_time_keeps_the_bounds(make: Callable[[Stack], tuple[Service, Counts]]) -> None:
    service, counts = make(_percent(50, 100, desiredCount=4))
    assert service.wait(SECONDS)
    counts.history.clear()

    service.deploy(_percent(50, 100, desiredCount=4))

    assert service.wait(SECONDS)
    assert (min(counts.history), max(counts.history)) == (2, 4)


def test_the_breaker_counts_half_of_the_desired_tasks_and_at_least_three(
    make: Callable[[Stack], tuple[Service, Counts]],
) -> None:
    service, counts = make(_percent(100, 200, desiredCount=10))
    assert service.wait(SECONDS)
    family = service.primary.definition.family
    broken = service.primary
    made = service.deploy(_percent(100, 200, desiredCount=10))
    made.definition = replace(made.definition, family="broken")
    FAILING.add("broken")

    assert until(SECONDS, lambda: made.rollout == "FAILED")
    assert made.threshold == 5
    assert made.failed >= 5
    assert service.wait(SECONDS)
    assert service.primary.rolls_back
    assert (service.primary.definition.family, len(counts.targets)) == (family, 10)
    assert broken.definition.family == family


def test_without_a_breaker_a_deployment_goes_on(make: Callable[[Stack], tuple[Service, Counts]]) -> None:
    service, _ = make(_percent(100, 200))
    assert service.wait(SECONDS)
    stack = _percent(100, 200, deploymentCircuitBreaker={"enable": False, "rollback": False})
    made = service.deploy(stack)
    made.definition = replace(made.definition, family="broken")
    FAILING.add("broken")

    assert until(SECONDS, lambda: made.failed > made.threshold + 2)
    assert made.rollout == IN_PROGRESS


@pytest.mark.parametrize(("grace", "replaced"), [(0, True), (600, False)])
def test_an_unhealthy_target_is_replaced_after_the_grace_period_only(
    make: Callable[[Stack], tuple[Service, Counts]], grace: int, *, replaced: bool
) -> None:
    stack = stack_of("prod")
    service, counts = make(stack.changed(stack.one(SERVICE), healthCheckGracePeriodSeconds=grace))
    assert service.wait(SECONDS)
    counts.state = "unhealthy"

    assert until(1, lambda: any("ELB health checks" in one for one in service.causes)) == replaced
    counts.state = "healthy"


def test_a_container_that_is_unhealthy_is_replaced(make: Callable[[Stack], tuple[Service, Counts]]) -> None:
    stack = stack_of("prod")
    service, _ = make(stack.changed(stack.one(SERVICE), healthCheckGracePeriodSeconds=0))
    assert service.wait(SECONDS)
    first = service.tasks[0]
    first.health = "UNHEALTHY"  # pyright: ignore[reportAttributeAccessIssue]

    assert until(SECONDS, lambda: first not in service.tasks)
    assert "container interface: 4 health checks in a row failed: refused" in service.causes[-1]


def test_tasks_spread_over_the_subnets(make: Callable[[Stack], tuple[Service, Counts]]) -> None:
    service, _ = make(stack_of("prod"))
    assert service.wait(SECONDS)

    assert sorted(task.node.host for task in service.tasks) == sorted(service.primary.settings.subnets)
