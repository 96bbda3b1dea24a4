"""A stack's database cluster: its engine, names, parameters, certificate, login and failover."""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import string
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from components.data.certificates import database_authority
from local.authority import Authority
from local.data import postgres
from local.data.listener import InstanceListener, Log
from local.signals import Metrics
from local.stack import Resource, Stack, items
from local.wiring import Node, Wiring
from preflight.conform.database_trust import AUTHORITIES, DEFAULT

Login = Callable[[str, str], str]
"""Token and user → the reason why a login by IAM is refused; empty if it is allowed."""
CLUSTER, INSTANCE = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
NAMESPACE = "AWS/RDS"
PASSWORD_CHARACTERS = string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_{|}~ %"
"""RDS generates passwords from printable characters without ``/``, ``'``, ``"`` and ``@``."""
PASSWORD_LENGTH = 28
FORCES_TLS = 15
"""The first version in which rds.force_ssl defaults to 1."""
FAILOVER_SECONDS = 2.0
"""How long the cluster does not respond during a failover. AWS documents typically less than a minute."""
NAME_SECONDS = 1.0
"""How long after a failover the cluster's name still has the previous writer's address; the TTL of Aurora's names is
five seconds."""


class InvalidDatabaseError(Exception):
    """A cluster that RDS would refuse to create; the message states the resource, the property and the reason."""


def new_password() -> str:
    """Generate a master password with the characters that RDS uses."""
    return "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(PASSWORD_LENGTH))


def authority(stack: Stack) -> Authority:
    """The authority that issues the instances' certificates, in place of RDS's own in the region."""
    wanted = {str(one.get("caCertIdentifier", DEFAULT)) for one in stack.all(INSTANCE)}
    if len(wanted) != 1 or not wanted <= set(AUTHORITIES):
        raise InvalidDatabaseError(
            f"caCertIdentifier: {sorted(wanted)}; the twin supports one of {sorted(AUTHORITIES)}"
        )
    subject = Authority.in_place_of(database_authority(stack.region)).subject
    return Authority.make(subject.replace("RSA2048 G1", AUTHORITIES[wanted.pop()]))


@dataclass
class Database:
    """``nodes``: logical name of each instance → its interface."""

    stack: Stack
    wiring: Wiring
    nodes: Mapping[str, Node]
    issuer: Authority
    """``authority(stack)``."""
    login: Login
    metrics: Metrics = field(default_factory=Metrics)
    log: Log = lambda _group, _stream, _line: None
    moved: Callable[[str, str], None] = lambda _name, _address: None
    """Called with each DNS name and its address, at the start and when a failover moves a name."""
    metric_seconds: float = 60
    causes: list[str] = field(default_factory=list[str])
    """Every refused login, with the property that caused it."""
    entered: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The accepted logins in order: user, and ``password`` or ``token``."""
    not_emulated: tuple[str, ...] = ()
    """Parameters of the parameter group that PostgreSQL does not know: RDS's own, and those of other engines."""
    password: str = field(default_factory=new_password, repr=False)
    """The master's password, which RDS generates and stores in the managed secret."""

    def __post_init__(self) -> None:
        """Read the cluster. Raises ``InvalidDatabaseError`` for what RDS refuses."""
        self.cluster = self.stack.one(CLUSTER)
        self.instances = self.stack.where(INSTANCE, clusterIdentifier=self.cluster["clusterIdentifier"])
        if not self.instances:
            raise InvalidDatabaseError(f"{self.cluster.name}: no instance refers to its clusterIdentifier")
        self.port = int(self.cluster["port"])
        self.master, self.name = str(self.cluster["masterUsername"]), str(self.cluster["databaseName"])
        self.version = int(str(self.cluster["engineVersion"]).partition(".")[0])
        self._writer = self.instances[0].name
        self._named = self._writer
        self._down_until = 0.0
        self._renaming: threading.Timer | None = None
        self._held = contextlib.ExitStack()
        self._stopping = threading.Event()
        self._parameters()

    def _parameters(self) -> None:
        group = self.stack.one(PARAMETERS)
        if self.cluster.get("dbClusterParameterGroupName") != group["name"]:
            raise InvalidDatabaseError(f"{self.cluster.name}: dbClusterParameterGroupName is not {group.name}'s name")
        family = f"{self.cluster['engine']}{self.version}"
        if group["family"] != family:
            raise InvalidDatabaseError(
                f"{group.name}: family is {group['family']}, but the cluster's engine is {family}"
            )
        given = {str(one["name"]): str(one["value"]) for one in items(group.get("parameters"))}
        known = postgres.parameters_known(self.version)
        self.applied = {name: value for name, value in given.items() if name in known}
        self.force_ssl = given.get("rds.force_ssl", "1" if self.version >= FORCES_TLS else "0") == "1"
        self.not_emulated = tuple(sorted(set(given) - known - {"rds.force_ssl"}))

    def __enter__(self) -> Self:
        """Start the database, which is empty like a new cluster."""
        group = f"/aws/rds/cluster/{self.cluster['clusterIdentifier']}"
        self._exports = {str(one): f"{group}/{one}" for one in self.cluster.get("enabledCloudwatchLogsExports", [])}
        self.server = self._held.enter_context(
            postgres.running(self.version, self.applied, lambda line: self._write("postgresql", line))
        )
        self.server.make(self.master, self.name)
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="twin-database-")))
        self._listener = InstanceListener(self, self.server.socket, self._context(folder), self.force_ssl)
        self._listener.start()
        self._held.callback(self._listener.stop)
        self.start()
        self._rename()
        self._held.callback(self._cancel)
        measuring = threading.Thread(target=self._measure, name="database metrics", daemon=True)
        measuring.start()
        self._held.callback(measuring.join, 5)
        self._held.callback(self._stopping.set)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; nothing is kept."""
        self._held.close()

    def start(self) -> None:
        """Listen at every instance's address; after ``stop``, this corresponds to ``StartDBCluster``."""
        for one in self.instances:
            node = self.nodes[one.name]
            self._listener.listen(self.wiring.listen(node.host, node.address, self.port), node.address)

    def stop(self) -> None:
        """Refuse new connections and close the open ones, as ``StopDBCluster`` does. The data remains."""
        self._listener.close()
        self.server.cut()

    def failover(self, seconds: float = FAILOVER_SECONDS, name_seconds: float = NAME_SECONDS) -> None:
        """Make another instance the writer.

        All connections are closed and nothing responds for ``seconds``. For another ``name_seconds`` the cluster's name
        has the address of the previous writer, which is now a reader and refuses writes.
        """
        others = [one.name for one in self.instances if one.name != self._writer]
        self._cancel()
        self._down_until, self._named = time.monotonic() + seconds, self._writer
        if others:
            self._writer = others[0]
        self._listener.cut()
        self.server.cut()
        self._renaming = threading.Timer(seconds + name_seconds, self._rename)
        self._renaming.daemon = True
        self._renaming.start()

    def answer(self, *, renamed: bool = False) -> None:
        """Respond again before a failover has ended; with ``renamed``, the cluster's name already has the new writer's
        address."""
        self._down_until = 0
        if renamed:
            self._cancel()
            self._rename()

    def _cancel(self) -> None:
        if self._renaming:
            self._renaming.cancel()
            self._renaming.join()

    def _rename(self) -> None:
        self._named = self._writer
        for name, address in self.names().items():
            self.moved(name, address)

    def names(self) -> Mapping[str, str]:
        """The current address of each DNS name."""
        readers = [one.name for one in self.instances if one.name != self._named] or [self._named]
        return {
            str(self.cluster["endpoint"]): self.nodes[self._named].address,
            str(self.cluster["readerEndpoint"]): self.nodes[readers[0]].address,
            **{str(one["endpoint"]): self.nodes[one.name].address for one in self.instances},
        }

    def managed_secret(self) -> tuple[str, str]:
        """Return the ARN and the value of the secret in which RDS stores the master's password (Aurora user guide,
        Secrets Manager)."""
        if not self.cluster.get("manageMasterUserPassword"):
            raise InvalidDatabaseError(f"{self.cluster.name}: manageMasterUserPassword is not set")
        (one,) = items(self.cluster["masterUserSecrets"])
        return str(one["secretArn"]), json.dumps({"username": self.master, "password": self.password})

    def rotate(self) -> None:
        """Set a new master password, as RDS does every seven days; open connections remain open."""
        self.password = new_password()

    def unavailable(self) -> bool:
        """Whether connections are refused at the moment."""
        return time.monotonic() < self._down_until

    def read_only(self, address: str) -> bool:
        """Whether the instance with this address is read-only."""
        return address != self.nodes[self._writer].address

    def unencrypted(self, reason: str) -> None:
        """Record that a connection without TLS was refused; the client gets ``reason``."""
        self._cause(f"{reason} (rds.force_ssl)", "")

    def refused(self, user: str, database: str, secret: str) -> str:
        """Record the cause and return the error that the client gets (see ``Admission``)."""
        if self.server.logs_in_by_token(user):
            cause = self.login(secret, user)
            self._count("IamDbAuthConnectionRequests")
            self._count("IamDbAuthConnectionFailure" if cause else "IamDbAuthConnectionSuccess")
            if cause:
                self._write("iam-db-auth-error", f"user {user}: {cause}")
                return self._cause(
                    f"{user} could not log in by IAM: {cause}", f'PAM authentication failed for user "{user}"'
                )
            way = "token"
        elif (user, secret) != (self.master, self.password):
            known = self.server.ask("postgres", "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolcanlogin", user)
            why = "the password is wrong" if user == self.master else "it has no password and not the role rds_iam"
            cause = f"{user} could not log in: {why if known else 'there is no such role'}"
            return self._cause(cause, f'password authentication failed for user "{user}"')
        else:
            way = "password"
        if database != self.name and not self.server.ask(
            "postgres", "SELECT 1 FROM pg_database WHERE datname = %s", database
        ):
            self._cause(f"{user} requested the database {database}, but databaseName is {self.name}", "")
        self.entered.append((user, way))
        return ""

    def _cause(self, cause: str, answer: str) -> str:
        self.causes.append(f"database {self.cluster.name}: {cause}")
        return answer

    def _write(self, kind: str, line: str) -> None:
        if kind in self._exports:
            self.log(self._exports[kind], self.instances[0].name, line)

    def _count(self, name: str) -> None:
        for dimensions in self._dimensions(self.instances[:1]):
            self.metrics.put(NAMESPACE, name, 1, time.time(), dimensions)

    def _dimensions(self, instances: Sequence[Resource]) -> list[dict[str, str]]:
        cluster = {"DBClusterIdentifier": str(self.cluster["clusterIdentifier"])}
        return [cluster, *({"DBInstanceIdentifier": one.id} for one in instances)]

    def measure(self) -> None:
        """Emit the CloudWatch metrics of a cluster that the twin can measure.

        The capacity is the minimum of ``serverlessv2ScalingConfiguration``, because load is not modelled. CPU, memory
        and storage are not emitted, because the values would be those of this machine.
        """
        if self.unavailable():
            return
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> %s"
        ((count,),) = self.server.ask("postgres", query, postgres.SUPERUSER)
        scaling: Mapping[str, Any] = self.cluster.get("serverlessv2ScalingConfiguration", {})
        values = {"DatabaseConnections": float(str(count))}
        if scaling:
            least, most = float(scaling["minCapacity"]), float(scaling["maxCapacity"])
            values |= {"ServerlessDatabaseCapacity": least, "ACUUtilization": 100 * least / most}
        if len(self.instances) > 1:
            # The readers see the writer's own data.
            values["AuroraReplicaLagMaximum"] = 0
        for name, value in values.items():
            for dimensions in self._dimensions([one for one in self.instances if one.name == self._writer]):
                self.metrics.put(NAMESPACE, name, value, time.time(), dimensions)

    def _measure(self) -> None:
        while not self._stopping.wait(self.metric_seconds):
            self.measure()

    def _context(self, folder: Path) -> ssl.SSLContext:
        """The certificate has the names of the cluster and its instances, as RDS issues it."""
        return self.issuer.issue(*sorted(self.names())).server_context(folder)
