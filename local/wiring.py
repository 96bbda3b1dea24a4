"""Connections between the twin's programs: by the graph's addresses in network namespaces, or on loopback.

A part never opens a socket itself. It requests a socket of a host (``edge``, ``task-1``, ``database``) for an address
and port of the graph, and the socket belongs to that host. In namespaces these are the real address and port, and the
kernel drops the packets that the graph forbids. On loopback each pair of address and port is mapped to a free port of
127.0.0.1, and nothing is dropped.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from local.processes import ending, ends_with_us

CLONE_NEWNET = 0x40000000
"""``CLONE_NEWNET`` from ``sched.h``: the kind of namespace that ``setns`` enters."""
NAMESPACES = Path("/run/netns")
_LIBC = ctypes.CDLL(None, use_errno=True)
LOOPBACK = "127.0.0.1"
BACKLOG = 1024
_LISTENING_PORTS = range(16_384, 32_768)
"""Linux's ``ip_local_port_range`` begins at 32768."""
_ATTEMPTS = 1000


class Wiring(Protocol):
    """Sockets, programs and names of the hosts."""

    @property
    def isolated(self) -> bool:
        """Whether the kernel enforces the graph's network rules."""
        ...

    def listen(self, host: str, address: str, port: int, kind: socket.SocketKind = ...) -> socket.socket:
        """Return a socket of the host that listens (TCP) or is bound (UDP) at the graph's address and port."""
        ...

    def target(self, host: str, address: str, port: int) -> tuple[str, int]:
        """Return the address and port with which the host reaches the graph's address and port."""
        ...

    def open(self, host: str, kind: socket.SocketKind = ...) -> socket.socket:
        """Return an unconnected socket of the host: connect it to a ``target``."""
        ...

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a program on the host."""
        ...


@dataclass(frozen=True)
class Node:
    """A network interface of the graph: its host, and its private address (on the internet, its public one)."""

    host: str
    address: str


@dataclass
class Namespaces:
    """Hosts as network namespaces: host → the namespace's name below ``/run/netns``."""

    names: Mapping[str, str]
    isolated: bool = True

    def listen(self, host: str, address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return a socket that listens or is bound at the graph's address and port."""
        made = self.open(host, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        if kind == socket.SOCK_STREAM:
            made.listen(BACKLOG)
        return made

    def target(self, host: str, address: str, port: int) -> tuple[str, int]:
        """Return the graph's address and port."""
        del host
        return address, port

    def open(self, host: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return an unconnected socket: a separate thread enters the namespace and creates it, and the socket stays
        there."""
        made: list[socket.socket] = []
        problem: list[BaseException] = []

        def make() -> None:
            try:
                _enter(NAMESPACES / self.names[host])
                made.append(socket.socket(socket.AF_INET, kind))
            except BaseException as error:
                problem.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if problem:
            raise problem[0]
        return made[0]

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command line: ``ip netns exec`` also mounts the host's own ``/etc/hosts`` and ``resolv.conf``."""
        return ["ip", "netns", "exec", self.names[host], *command]


def _enter(namespace: Path) -> None:
    """Move the calling thread into a network namespace."""
    with namespace.open() as opened:
        if _LIBC.setns(opened.fileno(), CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))


@dataclass
class Loopback:
    """Every host is this machine: a pair of address and port is a free port of 127.0.0.1, the same for all hosts.

    Only a host's own addresses, loopback and link-local ones, are other ports on other hosts.
    """

    isolated: bool = False
    ports: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    """Address and port → port of 127.0.0.1; a host's own address has the host before it, ``task-1 127.0.0.1``."""

    def listen(self, host: str, address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return a socket that listens or is bound at the loopback port of the graph's address and port."""
        made = self.open(host, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(self.target(host, address, port))
        if kind == socket.SOCK_STREAM:
            made.listen(BACKLOG)
        return made

    def target(self, host: str, address: str, port: int) -> tuple[str, int]:
        """Return the loopback port; a pair without a listener gets its port now."""
        pair = _place(host, address), port
        if pair not in self.ports:
            self.ports[pair] = _free_port(self.ports.values())
        return LOOPBACK, self.ports[pair]

    def open(self, host: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return an unconnected socket."""
        del host
        return socket.socket(socket.AF_INET, kind)

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command line unchanged."""
        del host
        return list(command)


def _free_port(taken: Collection[int]) -> int:
    """Return a port that is free for TCP and UDP.

    It is below the ports that the kernel gives to outgoing connections, one of which could take it before its listener
    opens.
    """
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_LISTENING_PORTS)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            tcp.bind((LOOPBACK, port))
            udp.bind((LOOPBACK, port))
            if port not in taken:
                return port
    raise OSError(errno.EADDRINUSE, f"no free port among {_LISTENING_PORTS.start} to {_LISTENING_PORTS.stop - 1}")


def _place(host: str, address: str) -> str:
    """An address as ``Loopback`` knows it."""
    known = ipaddress.ip_address(address)
    return f"{host} {address}" if known.is_loopback or known.is_link_local else address


@contextlib.contextmanager
def program(
    wiring: Wiring,
    host: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[Any] | int | None = None,
    directory: Path | None = None,
    stop_seconds: float = 10,
    orphaned: str = "TERM",
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program on a host until the block ends: SIGTERM, then SIGKILL after ``stop_seconds``.

    It gets the signal ``orphaned`` where this process is killed before it can do that.
    """
    process = subprocess.Popen(  # noqa: S603 - the twin's own programs and the task's commands
        [*ends_with_us(orphaned), *wiring.command(host, command)],
        env=dict(environment),
        cwd=directory,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
    )
    with ending(process, stop_seconds):
        yield process
