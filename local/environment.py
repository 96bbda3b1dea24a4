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

from local import handshakes, private_servers
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
from local.private_model import PrivateModel
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Resource, Stack
from local.task.agents import Agents
from local.task.container import HEALTHY
from local.task.image import Images
from local.task.service import Service
from local.task.services import interface, others
from local.task.surroundings import Surroundings
from local.task.task import Task
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


@dataclass(frozen=True)
class Installed:
    """The real programs that this machine has. Stand-ins replace all others."""

    interfaces: Mapping[str, str] = field(default_factory=dict[str, str])
    """Version of Open WebUI → an interpreter that has it."""
    gateways: Mapping[str, str] = field(default_factory=dict[str, str])
    """Version of LiteLLM → an interpreter that has it."""


NOTHING = Installed()
"""Stand-ins alone."""


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
    """The interface's service."""
    others: Mapping[str, Service]
    """The services that its tasks call, by the name that each has in ECS."""
    servers: Mapping[str, PrivateModel]
    """The private model, search and tool servers that its tasks call, by ``host:port``."""
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
        """Return every refusal, the causes of failed tasks and what is wrong with client certificates, in order and without
        duplicates."""
        found = [*(str(one) for one in self.refusals.entries), *(f"task: {one}" for one in self._failed())]
        return list(dict.fromkeys([*found, *handshakes.problems(self.service.tasks, self.wiring, self._inside)]))

    def _inside(self, name: str) -> Sequence[str]:
        found = self.resolver.names.find(name)
        return found.addresses if found else ()

    @property
    def services(self) -> Sequence[Service]:
        """Every service, the interface's first."""
        return [self.service, *self.others.values()]

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks of every service that have not stopped, the interface's first."""
        return [task for one in self.services for task in one.tasks]

    def _failed(self) -> Sequence[str]:
        return [cause for one in self.services for cause in one.causes]

    def kill(self) -> None:
        """Kill every container: for an environment that is to end without its stop timeouts."""
        for task in self.tasks:
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
            for task in self.tasks
            if task.health != HEALTHY
            for name, running in sorted(task.containers.items())
            if running.last
        ]

    def wait(self, seconds: float = START_SECONDS, enough: Callable[[], object] = lambda: False) -> None:
        """Until each service has its tasks, and each is healthy, the interface's at the load balancer.

        Raises ``DidNotStartError`` as soon as a task has failed or ``enough`` is true, or after this time.
        """
        deadline = time.monotonic() + seconds
        while not self.healthy():
            late = time.monotonic() > deadline
            if self._failed() or late or enough():
                beginning = [f"the tasks are not healthy after {seconds:g} s"] if late else []
                raise DidNotStartError("\n".join([*beginning, *self.said()]))
            time.sleep(POLL_SECONDS)

    def healthy(self) -> bool:
        """Whether every desired task is healthy, those of the interface on every node of the load balancer."""
        if not all(one.complete for one in self.others.values()):
            return False
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
    servers: Mapping[str, PrivateModel]
    metrics: Metrics
    refusals: Refusals
    replaced: Mapping[str, str]
    """Key or certificate of the recording → the real one."""
    ignored: list[str] = field(default_factory=list[str])
    """Properties that the parts do not emulate, in addition to those of the network's plan and the load balancer."""

    @contextlib.contextmanager
    def serving(
        self, progress: Progress, installed: Installed, authorities: Sequence[Authority] = ()
    ) -> Generator[Environment]:
        """The load balancer and the services, whose tasks start at once. See ``Surroundings``."""
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
                images=Images(stack, folder, installed.interfaces, installed.gateways),
                agents=Agents(self.wiring, self.issuer, self.authority, self.resolver.resolve, self.refusals),
                authorities=authorities,
                trust=self.authority.certificate,
                resolver=resolver_address(stack),
                resolve=self.resolver.resolve,
                replaced=self.replaced,
                probe_seconds=PROBE_SECONDS,
            )
            called: dict[str, Service] = {}
            for one in others(stack):
                made = self._service(one, around, None)
                called[made.primary.settings.name] = held.enter_context(made)
                progress(f"service {made.primary.settings.name}: {_tasks(one)}")
                if not self.wiring.isolated:
                    _await(made)
            own = interface(stack)
            progress(f"service: {_tasks(own)}; prepare runs first")
            service = held.enter_context(self._service(own, around, edge))
            planned = (f"{what}: {why}" for what, why in self.plan.not_emulated)
            yield Environment(
                stack, self.wiring, self.plan, self.authority, self.people, self.provider, self.endpoints, self.resolver,
                edge, service, called, self.servers, self.metrics, self.refusals, sorted({*planned, *edge.not_emulated, *self.ignored}),
            )  # fmt: skip

    def _service(self, service: Resource, around: Surroundings, edge: LoadBalancer | None) -> Service:
        # On loopback, Envoy keeps the addresses that names had when it started.
        pool = Pool.of(self.stack, self.plan, service, same_again=not self.wiring.isolated)
        registries = self.names.discovery
        return Service(self.stack, around, pool, edge, self.metrics, name=service.name, registries=registries)

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
        servers = private_servers.declared(stack)
        private = private_servers.authorities(servers)
        replaced = replacements(stack) | {before: after.certificate for before, after in private.items()}
        progress("AWS: the VPC endpoints, and S3, Secrets Manager, ECR, logs and Bedrock behind them")
        endpoints = held.enter_context(Endpoints(wiring, nodes, public, access, issuer, metrics, refusals, replaced))
        others = {**provider.names, **private_servers.addresses(stack, servers, nodes)}
        names = Names(stack, nodes, {name: list(addresses) for name, addresses in others.items()})
        resolver = Resolver(access, names, endpoints.logs, refusals)
        if servers:
            progress(f"private servers: {', '.join(f'{one.name}:{one.port}' for one in servers)}")
        models = private_servers.running(
            stack, servers, wiring=wiring, nodes=nodes, public=public, private=private, secrets=endpoints.secrets,
            refusals=refusals,
        )  # fmt: skip
        yield Ground(
            stack, wiring, plan, access, issuer, public, nodes, people, provider, endpoints, names, resolver,
            held.enter_context(models), metrics, refusals, replaced,
        )  # fmt: skip


def _tasks(service: Resource) -> str:
    count = int(service["desiredCount"])
    return f"{count} {'task' if count == 1 else 'tasks'}"


def _await(service: Service) -> None:
    """Until the service has its tasks, or one has failed: on loopback, Envoy looks a name up once, when it starts."""
    deadline = time.monotonic() + START_SECONDS
    while not service.complete and not service.causes and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
