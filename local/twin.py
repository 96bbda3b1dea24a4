"""A stack's environment on this machine: every part is created from the recorded graph, and the network connects them.

The order of creation is AWS's: network and names, AWS's services (identity provider, endpoints, database, cache, load
balancer), then the service, whose tasks need all of them. A part that refuses a request records the reason in
``refusals``.
"""

from __future__ import annotations

import contextlib
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import network as networks
from local.authority import Authority
from local.aws.access import Access, bootstrap_of
from local.aws.database_login import DatabaseLogin
from local.aws.endpoints import Endpoints
from local.aws.sessions import Issuer
from local.computed import replacements
from local.data import database as databases
from local.data.cache import GROUP as CACHE
from local.data.cache import Cache
from local.data.database import CLUSTER, INSTANCE, Database
from local.dns import LINK_LOCAL, Resolver, resolver_address
from local.edge import LoadBalancer
from local.edge.browser import Browser
from local.edge.load_balancer import BALANCER
from local.identity import IdentityProvider, People, Registration
from local.names import Names
from local.network.plan import IDENTITY_PROVIDER, USER
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack
from local.task.agents import Agents
from local.task.container import HEALTHY
from local.task.deployment import SERVICE, SUBNET
from local.task.image import Images
from local.task.service import Service
from local.task.surroundings import CREDENTIALS_ADDRESS, Surroundings
from local.wiring import Namespaces, Node, Wiring

START_SECONDS = 120
PROBE_SECONDS = 0.5
"""Seconds between two health checks while a container starts; the graph's interval is longer than this machine
needs."""
POLL_SECONDS = 0.1
Progress = Callable[[str], None]


class DidNotStartError(Exception):
    """The environment did not start; the message contains the causes that its parts recorded."""


@dataclass
class Pool:
    """The network interfaces for tasks: subnet → the free ones."""

    free: dict[str, list[Node]]
    subnets: Mapping[str, str]
    """Address → its subnet's id."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, subnet: str) -> Node:
        """Take a free interface in a subnet."""
        with self._lock:
            if not self.free.get(subnet):
                raise LookupError(f"the subnet {subnet} has no free network interface for a task")
            return self.free[subnet].pop(0)

    def give(self, node: Node) -> None:
        """Return the interface of a stopped task to the pool."""
        with self._lock:
            self.free[self.subnets[node.address]].append(node)


@dataclass(repr=False)
class Twin:
    """A running environment."""

    stack: Stack
    wiring: Wiring
    authority: Authority
    people: People
    provider: IdentityProvider
    endpoints: Endpoints
    resolver: Resolver
    database: Database
    cache: Cache
    edge: LoadBalancer
    service: Service
    metrics: Metrics
    refusals: Refusals
    network: networks.Network
    not_emulated: Sequence[str]

    def __repr__(self) -> str:
        return f"Twin({self.stack.name})"

    @property
    def plan(self) -> networks.Plan:
        """The network's interfaces and rules."""
        return self.network.plan

    @property
    def url(self) -> str:
        """The URL that users open."""
        return self.provider.registration.callbacks[0].rsplit("/oauth2/", 1)[0]

    def browser(self) -> Browser:
        """Return a browser on the internet."""
        return Browser(self.wiring, USER.name, self.public, self.authority.certificate)

    def public(self, name: str) -> Sequence[str]:
        """Resolve a name as a client on the internet does. Raises ``LookupError`` if it has no address."""
        found = self.resolver.names.find(name, inside=False)
        if found is None or not found.addresses:
            raise LookupError(f"{name} has no public address")
        public = {node.v4: node.public for node in self.plan.nodes if node.public}
        return [public.get(one, one) for one in found.addresses] if self.wiring.isolated else list(found.addresses)

    def rotate_master(self) -> None:
        """Rotate the master's password as RDS does every seven days, and write it to the managed secret."""
        self.database.rotate()
        self.endpoints.secrets.put(*self.database.managed_secret())

    def causes(self) -> list[str]:
        """Return every refusal and the causes of failed tasks, in order and without duplicates."""
        found = [str(one) for one in self.refusals.entries]
        found += [f"task: {one}" for one in self.service.causes]
        found += [f"database: {one}" for one in self.database.causes]
        return list(dict.fromkeys([*found, *self.dropped()]))

    def dropped(self) -> list[str]:
        """Return the TCP connections that security groups dropped, sorted."""
        where = {address: node.name for node in self.plan.nodes for address in (node.v4, node.public) if address}
        found: set[str] = set()
        for node in self.plan.nodes:
            groups = ", ".join(sorted(self.stack.by_arn(one).name for one in node.groups)) if node.guarded else ""
            for egress in (True, False) if groups else ():
                for address, port in self.network.refused(node.name, egress=egress):
                    peer = where.get(address, address)
                    ends = (node.name, peer) if egress else (peer, node.name)
                    rules = "egress" if egress else "ingress"
                    found.add(f"network: {ends[0]} → {ends[1]} port {port}: no {rules} rule of {groups} allows it")
        return sorted(found)

    def kill(self) -> None:
        """Kill every container, so that the environment ends without waiting for its stop timeouts."""
        for task in self.service.tasks:
            task.stop("killed")
            for container in list(task.containers.values()):
                container.kill()

    def said(self) -> list[str]:
        """Return the causes, and the last log lines of unhealthy containers."""
        return [*self.causes(), *self.said_last()]

    def said_last(self) -> list[str]:
        """Return the last log line of each running container in tasks that are not healthy."""
        return [
            f"task {task.id[:8]}: container {name}: {running.last[-1]}"
            for task in self.service.tasks
            if task.health != HEALTHY
            for name, running in sorted(task.containers.items())
            if running.last
        ]

    def wait(self, seconds: float = START_SECONDS, enough: Callable[[], object] = lambda: False) -> None:
        """Wait until the service has its tasks and the load balancer reports each as healthy.

        Raises ``DidNotStartError`` after this time, or as soon as a task has failed or ``enough`` returns true.
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


def _say_nothing(_: str) -> None:
    return


@contextlib.contextmanager
def running(
    stack: Stack,
    *,
    pythons: Mapping[str, str] | None = None,
    progress: Progress = _say_nothing,
    bootstrap: Stack | None = None,
) -> Generator[Twin]:
    """Run a whole stack in network namespaces until the block ends; tasks are started, and ``Twin.wait`` waits for
    them.

    ``pythons``: version of Open WebUI → an interpreter that has it; the stand-in replaces all other versions. Raises
    ``network.UnavailableError`` if this machine cannot run namespaces, and the errors of the parts for a graph that AWS
    refuses.
    """
    with contextlib.ExitStack() as held:
        progress("network: namespaces with the graph's addresses, groups, ACLs and routes")
        plan = networks.plan_network(stack.graph(), tasks_per_subnet=_tasks_per_subnet(stack))
        network = held.enter_context(networks.running(plan))
        wiring = _wired(stack, plan, network)
        yield held.enter_context(_environment(stack, network, wiring, pythons or {}, progress, bootstrap))


@contextlib.contextmanager
def _environment(  # noqa: PLR0917 - called once
    stack: Stack,
    network: networks.Network,
    wiring: Wiring,
    pythons: Mapping[str, str],
    progress: Progress,
    bootstrap: Stack | None,
) -> Generator[Twin]:
    plan, metrics, refusals = network.plan, Metrics(), Refusals()
    public = Authority.make("CN=Amazon Root CA 1,O=Amazon,C=US")
    private = databases.authority(stack)
    access = Access(stack, bootstrap or bootstrap_of(stack))
    issuer = Issuer(access)
    nodes = _nodes(stack, plan)
    with contextlib.ExitStack() as held:
        people = People.of(stack)
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
        served = [Node(host, one) for host in _hosts(plan) for one in (LINK_LOCAL, resolver_address(stack))]
        held.enter_context(resolver.serve(wiring, served))
        progress("data: PostgreSQL with the roles of RDS, Redis by TLS")
        login = DatabaseLogin(access, issuer, stack.one(CLUSTER))
        database = held.enter_context(
            Database(
                stack,
                wiring,
                {one.name: nodes[one.id][0] for one in stack.all(INSTANCE)},
                private,
                login.refusal,
                metrics,
                log=endpoints.logs.write,
                moved=names.point,
                password=endpoints.secrets.master_password,
            )
        )
        members: list[str] = [str(one) for one in stack.one(CACHE)["memberClusters"]]
        places = dict(zip(members, nodes[stack.one(CACHE).id], strict=True))
        cache = held.enter_context(Cache(stack, wiring, places, public, metrics, moved=names.point))
        progress("edge: the load balancer's listeners and rules, the web ACL in front of them")
        edge = held.enter_context(
            LoadBalancer(
                stack,
                wiring,
                _by_subnet(stack, plan, BALANCER),
                authority=public,
                names=lambda name: _addresses(names, name),
                metrics=metrics,
                refusals=refusals,
            )
        )
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="twin-images-")))
        folder.chmod(0o755)

        around = Surroundings(
            stack=stack,
            wiring=wiring,
            images=Images(stack, folder, pythons),
            agents=Agents(wiring, issuer, public, resolver.resolve, refusals),
            authorities=[private],
            trust=public.certificate,
            resolver=resolver_address(stack),
            probe_seconds=PROBE_SECONDS,
        )
        progress(f"service: {stack.one(SERVICE)['desiredCount']} tasks; prepare runs first")
        service = held.enter_context(Service(stack, around, _pool(stack, plan), edge, metrics))
        ignored = sorted(
            {*(f"{what}: {why}" for what, why in plan.not_emulated), *edge.not_emulated, *database.not_emulated}
        )
        yield Twin(
            stack, wiring, public, people, provider, endpoints, resolver, database, cache, edge, service, metrics,
            refusals, network, ignored,
        )  # fmt: skip


def _addresses(names: Names, name: str) -> Sequence[str]:
    found = names.find(name, inside=False)
    return found.addresses if found else ()


def _hosts(plan: networks.Plan) -> list[str]:
    return [node.name for node in plan.nodes if node.v4 and node.subnet]


def _wired(stack: Stack, plan: networks.Plan, network: networks.Network) -> Namespaces:
    """Sockets of the network's hosts; each host in the VPC also has the resolver's and the task agent's addresses."""
    names = {node.name: network.namespace(node.name) for node in plan.nodes}
    names |= {host.name: network.namespace(host.name) for host in plan.hosts}
    for host in _hosts(plan):
        for address in (LINK_LOCAL, resolver_address(stack), CREDENTIALS_ADDRESS):
            command = ["ip", "-n", names[host], "address", "add", f"{address}/32", "dev", "lo"]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - iproute2
    return Namespaces(names)


def _tasks_per_subnet(stack: Stack) -> int:
    """Enough interfaces for a deployment at its largest, and for one task a subnet that is being replaced."""
    service = stack.one(SERVICE)
    most = int(service["desiredCount"]) * int(service.get("deploymentMaximumPercent", 200)) / 100
    return math.ceil(most / len(service["networkConfiguration"]["subnets"])) + 1


def _nodes(stack: Stack, plan: networks.Plan) -> dict[str, list[Node]]:
    """A resource's id → its network interfaces. A cluster has those of its instances, in their order."""
    found: dict[str, list[Node]] = {}
    for resource in stack.resources:
        if placed := [Node(one.name, one.v4) for one in plan.of(resource.recorded.urn) if one.v4]:
            found[resource.id] = placed
    return found


def _subnets(stack: Stack) -> dict[str, str]:
    """URN of a subnet → its id."""
    return {one.recorded.urn: one.id for one in stack.all(SUBNET)}


def _by_subnet(stack: Stack, plan: networks.Plan, type_: str) -> dict[str, Node]:
    subnets = _subnets(stack)
    return {subnets[one.subnet]: Node(one.name, one.v4) for one in plan.of(stack.one(type_).recorded.urn)}


def _pool(stack: Stack, plan: networks.Plan) -> Pool:
    subnets = _subnets(stack)
    free: dict[str, list[Node]] = {}
    of: dict[str, str] = {}
    for one in plan.of(stack.one(SERVICE).recorded.urn):
        free.setdefault(subnets[one.subnet], []).append(Node(one.name, one.v4))
        of[one.v4] = subnets[one.subnet]
    return Pool(free, of)
