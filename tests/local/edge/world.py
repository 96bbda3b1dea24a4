"""The edge of a recorded stack on loopback: load balancer, identity provider, a target, and people's browsers."""

from __future__ import annotations

import contextlib
import ipaddress
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.authority import Authority
from local.edge import LoadBalancer
from local.edge.browser import Browser
from local.edge.surroundings import CONNECT_SECONDS
from local.edge.targets import RegisteredTarget
from local.identity import IdentityProvider, People, Registration
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Resource, Stack
from local.wiring import Loopback, Node, Wiring
from tests.local.edge.target import Target, serving

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
RULE = "aws:lb/listenerRule:ListenerRule"
LISTENER = "aws:lb/listener:Listener"
ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SERVICE = "aws:ecs/service:Service"
START_SECONDS = 10
LOG_SECONDS = 5


@dataclass
class Clock:
    """Real time, and how far a test has moved on."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class World:
    """What a test has at hand."""

    stack: Stack
    wiring: Wiring
    authority: Authority
    edge: LoadBalancer
    provider: IdentityProvider
    people: People
    metrics: Metrics
    refusals: Refusals
    clock: Clock
    names: dict[str, tuple[str, ...]]
    targets: list[Target] = field(default_factory=list[Target])
    registered: list[RegisteredTarget] = field(default_factory=list[RegisteredTarget])

    @property
    def host(self) -> str:
        """The public name of the interface."""
        return self.provider.registration.callbacks[0].split("/")[2]

    @property
    def target(self) -> Target:
        """The first target."""
        return self.targets[0]

    def url(self, path: str, scheme: str = "https") -> str:
        """A URL of the interface."""
        return f"{scheme}://{self.host}{path}"

    def browser(self) -> Browser:
        """A fresh browser on the internet."""
        return Browser(self.wiring, "internet", self.resolve, self.authority.certificate)

    def member(self) -> Browser:
        """A browser of someone who has logged in."""
        browser = self.browser()
        assert browser.login(self.people.member.subject, self.url("/")).status == 200
        return browser

    def resolve(self, name: str) -> Sequence[str]:
        """The addresses of a name."""
        return self.names[name]

    def sum(self, name: str, **dimensions: str) -> float:
        """The sum of a metric with exactly these dimensions."""
        wanted = frozenset(dimensions.items())
        return sum(one.value for one in self.metrics.data if one.name == name and one.dimensions == wanted)

    def balancer_sum(self, name: str) -> float:
        """The sum of a metric of the load balancer as a whole."""
        return self.sum(name, LoadBalancer=str(self.edge.resource["arnSuffix"]))

    def line(self, text: str, kind: str = "access") -> str:
        """The one line of a log that contains a text; it is written after the response."""
        ends = time.monotonic() + LOG_SECONDS
        while time.monotonic() < ends:
            found = [line for line in self.edge.around.journal.lines[kind] if text in line]
            if found:
                assert len(found) == 1, found
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no line of the {kind} log contains {text!r}")

    def reset(self) -> None:
        """Forget what an earlier test did: the clock, what was emitted, faults, targets."""
        self.clock.ahead = 0
        self.metrics.data.clear()
        self.refusals.entries.clear()
        self.edge.around.forget()
        if self.edge.firewall is not None:
            self.edge.firewall.forget()
        self.edge.around.journal.lines.clear()
        self.edge.around.provider_seconds = CONNECT_SECONDS
        self.provider.down, self.provider.slow_seconds, self.provider.failing_status = False, 0, 0
        for target, known in zip(self.targets, self.registered, strict=True):
            target.reset()
            if known not in self.edge.group.targets:
                self.registered[self.registered.index(known)] = self.edge.register(known.address, known.zone)
        for one in self.edge.group.targets[:]:
            if one not in self.registered:
                self.edge.deregister(one, wait=True)
        for one in self.registered:
            assert self.edge.wait_healthy(one, START_SECONDS), self.causes()
        self.metrics.data.clear()
        self.refusals.entries.clear()

    def causes(self) -> str:
        """Everything that was refused, as text."""
        return "\n".join(map(str, self.refusals.entries))


def nodes(stack: Stack) -> dict[str, Node]:
    """A node of the load balancer for each of its subnets, by the subnet's id."""
    found: dict[str, Node] = {}
    for index, subnet in enumerate(stack.one(BALANCER)["subnets"]):
        network = ipaddress.ip_network(str(stack.by_arn(subnet)["cidrBlock"]))
        found[subnet] = Node(f"edge-{index + 1}", str(network[10]))
    return found


def task_subnets(stack: Stack) -> list[Resource]:
    """The subnets of the service."""
    subnets: list[str] = stack.one(SERVICE)["networkConfiguration"]["subnets"]
    return [stack.by_arn(one) for one in subnets]


def task_node(stack: Stack, index: int) -> tuple[Node, str]:
    """A place for a task, and its Availability Zone: one subnet of the service after the other."""
    subnets = task_subnets(stack)
    subnet = subnets[index % len(subnets)]
    address = str(ipaddress.ip_network(str(subnet["cidrBlock"]))[20 + index])
    return Node(f"task-{index + 1}", address), str(subnet["availabilityZone"])


@contextlib.contextmanager
def world(
    stack: Stack,
    *,
    targets: int = 1,
    wiring: Wiring | None = None,
    people: People | None = None,
    start_seconds: float = START_SECONDS,
    sections: Mapping[str, Any] | None = None,
    **provider: float,
) -> Generator[World]:
    """The edge of a stack; ``sections`` are its stack file's, where it has none; ``provider`` sets fields of the identity provider before it starts."""
    wired = wiring or Loopback()
    authority, metrics, refusals, clock = Authority.make(), Metrics(), Refusals(), Clock()
    registration = Registration.of(stack, sections)
    known = people or People.of(stack, sections)
    outside = Node("internet", "203.0.113.5")
    places = nodes(stack)
    with contextlib.ExitStack() as running:
        issuer = IdentityProvider(registration, known, wired, outside, authority=authority, refusals=refusals)
        for name, value in provider.items():
            setattr(issuer, name, value)
        running.enter_context(issuer)
        names = dict(issuer.names)
        addresses = tuple(one.address for one in places.values())
        names |= dict.fromkeys((registration.callbacks[0].split("/")[2], "unknown.example"), addresses)
        edge = LoadBalancer(
            stack, wired, places,
            authority=authority, names=lambda name: names[name], metrics=metrics, refusals=refusals, clock=clock,
        )  # fmt: skip
        made = World(stack, wired, authority, edge, issuer, known, metrics, refusals, clock, names)
        check: dict[str, Any] = stack.one(GROUP)["healthCheck"]
        running.enter_context(edge)
        for index in range(targets):
            node, zone = task_node(stack, index)
            target = Target(str(check["path"]))
            running.enter_context(serving(target, wired, node, edge.group.port, authority))
            made.targets.append(target)
            made.registered.append(edge.register(node.address, zone))
        for one in made.registered:
            assert edge.wait_healthy(one, start_seconds), made.causes()
        yield made
