"""The whole environment of a stack on one Linux machine: database, cache and every task, joined by the graph's network."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, fields

from local import network as networks
from local.aws.database_login import DatabaseLogin
from local.data import database as databases
from local.data.cache import GROUP as CACHE
from local.data.cache import Cache
from local.data.database import CLUSTER, INSTANCE, Database
from local.dns import LINK_LOCAL, resolver_address
from local.environment import (
    NOTHING,
    DidNotStartError,
    Environment,
    Ground,
    Installed,
    Progress,
    ground,
    say_nothing,
)
from local.places import tasks_per_subnet
from local.private_servers import with_servers
from local.stack import Stack
from local.task.surroundings import CREDENTIALS_ADDRESS
from local.wiring import Namespaces, Node

__all__ = ["DidNotStartError", "Twin", "running"]


@dataclass(repr=False)
class Twin(Environment):
    """A running environment with everything that the stack has."""

    database: Database
    cache: Cache
    network: networks.Network

    def rotate_master(self) -> None:
        """Rotate the master's password as RDS does every seven days, and write it to the managed secret."""
        self.database.rotate()
        self.endpoints.secrets.put(*self.database.managed_secret())

    def causes(self) -> list[str]:
        """Return the causes of ``Environment``, then refusals of the database and connections that the network dropped."""
        found = [*super().causes(), *(f"database: {one}" for one in self.database.causes)]
        return list(dict.fromkeys([*found, *self.dropped()]))

    def dropped(self) -> list[str]:
        """Return the TCP connections that security groups dropped, sorted."""
        where = {address: node.name for node in self.plan.nodes for address in (node.v4, node.public) if address}
        found: set[str] = set()
        for node in self.plan.nodes:
            for egress, connections in self.network.refused(node.name).items() if node.guarded and node.groups else ():
                for address, port in connections:
                    peer = where.get(address, address)
                    ends = (node.name, peer) if egress else (peer, node.name)
                    rules, groups = "egress" if egress else "ingress", self._groups(node)
                    found.add(f"network: {ends[0]} → {ends[1]} port {port}: no {rules} rule of {groups} allows it")
        return sorted(found)

    def _groups(self, node: networks.Interface) -> str:
        return ", ".join(sorted(self.stack.by_arn(one).name for one in node.groups))


@contextlib.contextmanager
def running(
    stack: Stack,
    *,
    installed: Installed = NOTHING,
    progress: Progress = say_nothing,
    bootstrap: Stack | None = None,
) -> Generator[Twin]:
    """Run a whole stack in network namespaces until the block ends; tasks are started, and ``Twin.wait`` waits for
    them.

    ``installed``: the real programs to run. Raises ``network.UnavailableError`` if this machine cannot run namespaces, and
    the errors of the parts for a graph that AWS refuses.
    """
    with contextlib.ExitStack() as held:
        progress("network: namespaces with the graph's addresses, groups, ACLs and routes")
        stack = with_servers(stack)
        plan = networks.plan_network(stack.graph, tasks_per_subnet=tasks_per_subnet(stack))
        network = held.enter_context(networks.running(plan))
        private = databases.authority(stack)
        base = held.enter_context(ground(stack, _wired(stack, plan, network), plan, progress, bootstrap))
        served = [Node(host, one) for host in _hosts(plan) for one in (LINK_LOCAL, resolver_address(stack))]
        held.enter_context(base.resolver.serve(base.wiring, served))
        progress("data: PostgreSQL with the roles of RDS, Redis by TLS")
        login = DatabaseLogin(base.access, base.issuer, stack.one(CLUSTER))
        database = held.enter_context(
            Database(
                stack,
                base.wiring,
                {one.name: base.nodes[one.id][0] for one in stack.all(INSTANCE)},
                private,
                login.refusal,
                base.metrics,
                log=base.endpoints.logs.write,
                moved=base.names.point,
                password=base.endpoints.secrets.master_password,
            )
        )
        base.ignored += database.not_emulated
        cache = held.enter_context(_cache(stack, base))
        made = held.enter_context(base.serving(progress, installed, [private]))
        shared = {one.name: getattr(made, one.name) for one in fields(Environment)}
        yield Twin(**shared, database=database, cache=cache, network=network)


def _cache(stack: Stack, base: Ground) -> Cache:
    members: list[str] = [str(one) for one in stack.one(CACHE)["memberClusters"]]
    places = dict(zip(members, base.nodes[stack.one(CACHE).id], strict=True))
    return Cache(stack, base.wiring, places, base.authority, base.metrics, moved=base.names.point)


def _hosts(plan: networks.Plan) -> list[str]:
    return [node.name for node in plan.nodes if node.v4 and node.subnet]


def _wired(stack: Stack, plan: networks.Plan, network: networks.Network) -> Namespaces:
    """Sockets of the network's hosts; each host in the VPC also has the resolver's and the task agent's addresses."""
    names = {node.name: network.namespace(node.name) for node in plan.nodes}
    names |= {host.name: network.namespace(host.name) for host in plan.hosts}
    own = (LINK_LOCAL, resolver_address(stack), CREDENTIALS_ADDRESS)
    lines = "".join(f"address add {address}/32 dev lo\n" for address in own).encode()
    for host in _hosts(plan):
        subprocess.run(["ip", "-n", names[host], "-batch", "-"], check=True, input=lines)  # noqa: S603, S607 - iproute2
    return Namespaces(names)
