"""A stack's cache: Redis with the replication group's port, TLS and password, as a primary and its replicas."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

import redis
from redis.exceptions import RedisError

from local.authority import Authority
from local.data import replication
from local.signals import Metrics
from local.stack import Stack
from local.wiring import LOOPBACK, Node, Wiring, program

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
NAMESPACE = "AWS/ElastiCache"
PROGRAM = "redis-server"
START_SECONDS = 20
FAILOVER_SECONDS = 2.0
"""How long the cache does not respond during a failover. AWS documents typically less than a minute."""


class InvalidCacheError(Exception):
    """A replication group that ElastiCache would refuse, or that the twin does not support; the message states the
    property and the reason."""


@dataclass
class Cache:
    """One replication group with cluster mode disabled. ``nodes``: member cluster → its interface."""

    stack: Stack
    wiring: Wiring
    nodes: Mapping[str, Node]
    authority: Authority
    """The public authority, which issues the certificates of ElastiCache's endpoints."""
    metrics: Metrics = field(default_factory=Metrics)
    moved: Callable[[str, str], None] = lambda _name, _address: None
    """Called with each DNS name and its address, at the start and when a failover moves a name."""
    metric_seconds: float = 60

    def __post_init__(self) -> None:
        """Read the group. Raises ``InvalidCacheError``."""
        if not shutil.which(PROGRAM):
            raise InvalidCacheError(f"{PROGRAM} is not installed: it is in Debian's package redis-server")
        self.group = self.stack.one(GROUP)
        self.members = [str(one) for one in self.group["memberClusters"]]
        self.port = int(self.group["port"])
        self.password = str(self.group.get("authToken", ""))
        self.tls = bool(self.group.get("transitEncryptionEnabled"))
        self._check()
        self._primary = self.members[0]
        self._down_until = 0.0
        self._held = contextlib.ExitStack()
        self._servers: dict[str, contextlib.ExitStack] = {}
        self._stopping = threading.Event()
        self._counted: dict[tuple[str, str], float] = {}
        self.folder = Path()

    def _check(self) -> None:
        group, engine = self.group, f"{self.group['engine']}{str(self.group['engineVersion']).partition('.')[0]}"
        problems = [
            *(
                ["clusterMode: the twin supports only disabled"]
                if group.get("clusterMode") not in {None, "disabled"}
                else []
            ),
            *(["userGroupIds: the twin does not support user groups"] if group.get("userGroupIds") else []),
            *(["authToken needs transitEncryptionEnabled"] if self.password and not self.tls else []),
            *(
                ["transitEncryptionMode: the twin supports only required"]
                if self.tls and self._mode != "required"
                else []
            ),
            *(
                [f"parameterGroupName is {group['parameterGroupName']}, but the engine is {engine}"]
                if str(group.get("parameterGroupName", "")).startswith("default.")
                and not re.fullmatch(rf"default\.{engine}(\.x)?", str(group["parameterGroupName"]))
                else []
            ),
            *(
                [f"numCacheClusters is {group['numCacheClusters']}, but the group has {len(self.members)} members"]
                if int(group["numCacheClusters"]) != len(self.members)
                else []
            ),
        ]
        if problems:
            raise InvalidCacheError(f"{group.name}: {'; '.join(problems)}")

    @property
    def _mode(self) -> str:
        return str(self.group.get("transitEncryptionMode", "required"))

    def __enter__(self) -> Self:
        """Start every node."""
        self.folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="twin-cache-")))
        names = sorted(self.names())
        self._files = self.authority.issue(*names).write(self.folder)
        self._trusted = self.authority.write(self.folder)
        self._held.callback(self.stop)
        self.start()
        self._moved()
        measuring = threading.Thread(target=self._measure, name="cache metrics", daemon=True)
        measuring.start()
        self._held.callback(measuring.join, 5)
        self._held.callback(self._stopping.set)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; nothing is kept."""
        self._held.close()

    def start(self) -> None:
        """Start the nodes that are not running, the primary first."""
        for member in sorted(self.members, key=lambda one: (one != self._primary, one)):
            if member not in self._servers:
                self._start(member)

    def stop(self) -> None:
        """Stop every node. The content is lost, as when a real cache loses all its nodes."""
        for held in self._servers.values():
            held.close()
        self._servers.clear()

    def failover(self, seconds: float = FAILOVER_SECONDS) -> None:
        """Stop the primary: after ``seconds`` a replica becomes the primary and the name points to it; then the lost
        node returns.

        The data remains, because the replica has a copy. Blocks for ``seconds``. Call it from a thread that outlives
        the cache: on Linux a program ends with the thread that started it.
        """
        lost, others = self._primary, [one for one in self.members if one != self._primary]
        self._servers.pop(lost).close()
        time.sleep(seconds)
        if others:
            self._primary = others[0]
            self.client(self._primary).replicaof("NO", "ONE")
            self._moved()
        self._start(lost)

    def rotate(self, password: str) -> None:
        """Accept another password in addition to the current one, as ``ModifyReplicationGroup`` does with the strategy
        ``ROTATE``.

        Open connections remain open. The twin's replicas continue to use the password that they started with.
        """
        for member in self._servers:
            self.client(member).acl_setuser("default", enabled=True, passwords=[f"+{password}"], keys=None)

    def _moved(self) -> None:
        for name, address in self.names().items():
            self.moved(name, address)

    def names(self) -> Mapping[str, str]:
        """The current address of each DNS name."""
        readers = [one for one in self.members if one != self._primary] or [self._primary]
        primary, reader = str(self.group["primaryEndpointAddress"]), str(self.group["readerEndpointAddress"])
        _, _, domain = primary.partition(f".{self.group.id}.")
        # A node's own name: <node>.<group>.<suffix>.
        nodes = {f"{one}.{self.group.id}.{domain}": self.nodes[one].address for one in self.members}
        return {primary: self.nodes[self._primary].address, reader: self.nodes[readers[0]].address, **nodes}

    def client(self, member: str = "") -> Any:  # noqa: ANN401 - the client's types are partial
        """Return a client of a node that bypasses the network; by default, of the primary."""
        made = redis.Redis(unix_socket_path=str(self._socket(member or self._primary)), password=self.password or None)
        return cast("Any", made)

    def _socket(self, member: str) -> Path:
        return self.folder / f"{member}.sock"

    def _start(self, member: str) -> None:
        node = self.nodes[member]
        address = node.address if self.wiring.isolated else "127.0.0.1"
        _, port = self.wiring.target(node.host, node.address, self.port)
        certificate, key = self._files
        ports = ["--port", "0", "--tls-port", str(port)] if self.tls else ["--port", str(port)]
        tls = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
        trust = ["--tls-ca-cert-file", str(self._trusted)]
        auth = ["--requirepass", self.password, "--masterauth", self.password] if self.password else []
        held = contextlib.ExitStack()
        if member != self._primary:
            listening = self.wiring.listen(node.host, LOOPBACK, 0)
            held.enter_context(replication.link(listening, lambda: self._socket(self._primary)))
            auth += ["--replicaof", LOOPBACK, str(listening.getsockname()[1])]
        data = self.folder / member
        data.mkdir(exist_ok=True)
        self._socket(member).unlink(missing_ok=True)
        command = [PROGRAM, "--bind", address, *ports, *((*tls, *trust) if self.tls else ()), *auth]
        command += ["--save", "", "--appendonly", "no", "--dir", str(data), "--unixsocket", str(self._socket(member))]
        log = held.enter_context((self.folder / f"{member}.log").open("ab"))
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        held.enter_context(program(self.wiring, node.host, command, environment=environment, output=log))
        self._servers[member] = held
        self._wait(member)

    def _wait(self, member: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client(member).ping()
            except (RedisError, OSError) as problem:
                if time.monotonic() > deadline:
                    log = (self.folder / f"{member}.log").read_text(errors="replace")[-2000:]
                    raise InvalidCacheError(f"{self.group.name}: {member} did not start: {problem}\n{log}") from None
                time.sleep(0.02)
            else:
                return

    def reached_by(self, url: str) -> str:
        """Return the reason why a client with this URL is refused (scheme, name, port or password); empty if it is
        accepted."""
        parts = urlsplit(url)
        names = self.names()
        if parts.scheme != ("rediss" if self.tls else "redis"):
            return f"the URL's scheme is {parts.scheme}, but transitEncryptionEnabled is {str(self.tls).lower()}"
        if parts.hostname not in names:
            return f"{parts.hostname} is not a name of the cache, which has: {', '.join(sorted(names))}"
        if (parts.port or 6379) != self.port:
            return f"the URL's port is {parts.port}, but the group's port is {self.port}"
        if (parts.password or "") != self.password:
            return "the URL's password is not the group's authToken"
        return ""

    def measure(self) -> None:
        """Emit the metrics that CloudWatch publishes for each node, except CPU and memory, which would be those of this
        machine."""
        for member in [one for one in self.members if one in self._servers]:
            try:
                told = cast("dict[str, Any]", self.client(member).info())
            except (RedisError, OSError):
                continue
            dimensions = {"CacheClusterId": member}
            values = {"CurrConnections": float(told["connected_clients"])}
            if told["role"] == "slave":
                values["ReplicationLag"] = max(0.0, float(told.get("master_last_io_seconds_ago", 0)))
            for name, key in (("Evictions", "evicted_keys"), ("AuthenticationFailures", "acl_access_denied_auth")):
                total = float(told.get(key, 0))
                values[name] = max(0.0, total - self._counted.get((member, name), 0.0))
                self._counted[member, name] = total
            for name, value in values.items():
                self.metrics.put(NAMESPACE, name, value, time.time(), dimensions)

    def _measure(self) -> None:
        while not self._stopping.wait(self.metric_seconds):
            self.measure()
