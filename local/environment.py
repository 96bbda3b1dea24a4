"""The environment of a stack on this machine, made from its recorded graph: what ``make twin`` and ``make local`` share.

The order is AWS's own: names, what AWS runs (identity, endpoints, load balancer), then the service, whose tasks need all
of it. A part that refuses a request records the reason in ``refusals``.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.authority import Authority
from local.aws.access import Access, bootstrap_of
from local.aws.endpoints import Endpoints
from local.aws.sessions import Issuer
from local.computed import replacements
from local.dns import Resolver, resolver_address
from local.edge import LoadBalancer
from local.edge.browser import Browser
from local.edge.load_balancer import BALANCER
from local.identity import IdentityProvider, People, Registration
from local.names import Names
from local.network import Plan
from local.network.plan import IDENTITY_PROVIDER, USER
from local.places import Pool, by_subnet, nodes_of
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack
from local.task.agents import Agents
from local.task.container import HEALTHY
from local.task.deployment import SERVICE
from local.task.image import Images
from local.task.service import Service
from local.task.surroundings import Surroundings
from local.wiring import Node, Wiring

START_SECONDS = 120
PROBE_SECONDS = 0.5
"""Between two checks of a container's health while it starts; the graph's interval is for a real machine."""
POLL_SECONDS = 0.1
Progress = Callable[[str], None]


class DidNotStartError(Exception):
    """The environment did not come up; the message has the causes that its parts named."""


def say_nothing(_: str) -> None:
    """Discard progress messages."""


@dataclass(repr=False)
class Environment:
    """A running environment."""

    stack: Stack
    wiring: Wiring
    plan: Plan
    """The network's interfaces and rules."""
    authority: Authority
    """In place of the public ones: what a user's browser has to trust."""
    people: People
    provider: IdentityProvider
    endpoints: Endpoints
    resolver: Resolver
    edge: LoadBalancer
    service: Service
    metrics: Metrics
    refusals: Refusals
    not_emulated: Sequence[str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.stack.name})"

    @property
    def url(self) -> str:
        """Where a user goes."""
        return self.provider.registration.callbacks[0].rsplit("/oauth2/", 1)[0]

    def browser(self) -> Browser:
        """A browser on the internet."""
        return Browser(self.wiring, USER.name, self.public, self.authority.certificate)

    def public(self, name: str) -> Sequence[str]:
        """The addresses of a name, as a client on the internet gets them; ``LookupError`` without any."""
        found = self.resolver.names.find(name, inside=False)
        if found is None or not found.addresses:
            raise LookupError(f"{name} has no public address")
        public = {node.v4: node.public for node in self.plan.nodes if node.public}
        return [public.get(one, one) for one in found.addresses] if self.wiring.isolated else list(found.addresses)

    def causes(self) -> list[str]:
        """Return every refusal and the causes of failed tasks, in order and without duplicates."""
        found = [str(one) for one in self.refusals.entries]
        return list(dict.fromkeys([*found, *(f"task: {one}" for one in self.service.causes)]))

    def kill(self) -> None:
        """Kill every container: for an environment that is to end without its stop timeouts."""
        for task in self.service.tasks:
            task.stop("killed")
            for container in list(task.containers.values()):
                container.kill()

    def said(self) -> list[str]:
        """Causes, and the last lines of containers that are not healthy."""
        return [*self.causes(), *self.said_last()]

    def said_last(self) -> list[str]:
        """The last line of each container that still runs, of tasks that are not healthy."""
        return [
            f"task {task.id[:8]}: container {name}: {running.last[-1]}"
            for task in self.service.tasks
            if task.health != HEALTHY
            for name, running in sorted(task.containers.items())
            if running.last
        ]

    def wait(self, seconds: float = START_SECONDS, enough: Callable[[], object] = lambda: False) -> None:
        """Until the service has its tasks and each is healthy at the load balancer.

        Raises ``DidNotStartError`` as soon as a task has failed or ``enough`` is true, or after this time.
        """
        deadline = time.monotonic() + seconds
        while not self.healthy():
            late = time.monotonic() > deadline
            if self.service.causes or late or enough():
                beginning = [f"the tasks are not healthy after {seconds:g} s"] if late else []
                raise DidNotStartError("\n".join([*beginning, *self.said()]))
            time.sleep(POLL_SECONDS)

    def healthy(self) -> bool:
        """Whether every desired task is registered and healthy on every node of the load balancer."""
        wanted = self.service.primary.settings.desired
        registered = [one for one in self.service.primary.live if one.target is not None]
        return len(registered) >= wanted and all(self.edge.check(one.target) == {"healthy"} for one in registered)


@dataclass
class Ground:
    """The basis of an environment's parts: names, identity, and AWS's services behind the endpoints."""

    stack: Stack
    wiring: Wiring
    plan: Plan
    access: Access
    issuer: Issuer
    authority: Authority
    nodes: Mapping[str, Sequence[Node]]
    """A resource's id → its network interfaces."""
    people: People
    provider: IdentityProvider
    endpoints: Endpoints
    names: Names
    resolver: Resolver
    metrics: Metrics
    refusals: Refusals
    ignored: list[str] = field(default_factory=list[str])
    """Properties that the parts do not emulate, in addition to those of the network's plan and the load balancer."""

    @contextlib.contextmanager
    def serving(
        self, progress: Progress, pythons: Mapping[str, str], authorities: Sequence[Authority] = ()
    ) -> Generator[Environment]:
        """The load balancer and the service, whose tasks start at once. See ``Surroundings`` and ``Images``."""
        stack = self.stack
        with contextlib.ExitStack() as held:
            progress("edge: the load balancer's listeners and rules, the web ACL in front of them")
            edge = LoadBalancer(
                stack,
                self.wiring,
                by_subnet(stack, self.plan, BALANCER),
                authority=self.authority,
                names=self._addresses,
                metrics=self.metrics,
                refusals=self.refusals,
            )
            held.enter_context(edge)
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="twin-images-")))
            folder.chmod(0o755)
            around = Surroundings(
                stack=stack,
                wiring=self.wiring,
                images=Images(stack, folder, pythons),
                agents=Agents(self.wiring, self.issuer, self.authority, self.resolver.resolve, self.refusals),
                authorities=authorities,
                trust=self.authority.certificate,
                resolver=resolver_address(stack),
                resolve=self.resolver.resolve,
                probe_seconds=PROBE_SECONDS,
            )
            count = int(stack.one(SERVICE)["desiredCount"])
            progress(f"service: {count} {'task' if count == 1 else 'tasks'}; prepare runs first")
            service = held.enter_context(Service(stack, around, Pool.of(stack, self.plan), edge, self.metrics))
            planned = (f"{what}: {why}" for what, why in self.plan.not_emulated)
            yield Environment(
                stack, self.wiring, self.plan, self.authority, self.people, self.provider, self.endpoints, self.resolver,
                edge, service, self.metrics, self.refusals, sorted({*planned, *edge.not_emulated, *self.ignored}),
            )  # fmt: skip

    def _addresses(self, name: str) -> Sequence[str]:
        found = self.names.find(name, inside=False)
        return found.addresses if found else ()


@contextlib.contextmanager
def ground(
    stack: Stack, wiring: Wiring, plan: Plan, progress: Progress, bootstrap: Stack | None = None
) -> Generator[Ground]:
    """The ground of a stack until the block ends. ``bootstrap``: see ``bootstrap_of``, which is asked without one."""
    metrics, refusals = Metrics(), Refusals()
    public = Authority.make("CN=Amazon Root CA 1,O=Amazon,C=US")
    access = Access(stack, bootstrap or bootstrap_of(stack))
    issuer, nodes, people = Issuer(access), nodes_of(stack, plan), People.of(stack)
    with contextlib.ExitStack() as held:
        provider = IdentityProvider(
            Registration.of(stack), people, wiring, Node(IDENTITY_PROVIDER.name, IDENTITY_PROVIDER.v4[0]),
            authority=public, refusals=refusals,
        )  # fmt: skip
        held.enter_context(provider)
        progress("AWS: the VPC endpoints, and S3, Secrets Manager, ECR, logs and Bedrock behind them")
        endpoints = held.enter_context(
            Endpoints(wiring, nodes, public, access, issuer, metrics, refusals, replacements(stack))
        )
        names = Names(stack, nodes, {name: list(addresses) for name, addresses in provider.names.items()})
        resolver = Resolver(access, names, endpoints.logs, refusals)
        yield Ground(
            stack, wiring, plan, access, issuer, public, nodes, people, provider, endpoints, names, resolver, metrics,
            refusals,
        )  # fmt: skip
