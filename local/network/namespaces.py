"""A plan in the kernel: namespaces, links and rules that exist only while a block runs.

The names of namespaces begin with ``PREFIX``, their owner's process id and its start time. A killed run leaves its
namespaces behind; the next run removes those of owners that no longer exist, and no others.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import FrameType

from . import sets
from .kernel import HOLDERS, available, inside, program
from .layout import Box, Layout, lay_out
from .model import Interface, Plan
from .nftables import GROUPS, REFUSED

PREFIX = "ai-interface"
_NAMED = re.compile(rf"{PREFIX}\.(\d+)\.(\d+)\.\d+")
_FILES = Path("/etc/netns")
_SERIAL = count()
_SECONDS_TO_END = 5.0


class UnavailableError(RuntimeError):
    """This machine cannot run a network of namespaces; the message states the reason."""


class Network:
    """A running network: interfaces and hosts by name."""

    def __init__(self, plan: Plan, names: Mapping[str, str]) -> None:
        self.plan = plan
        self._names = dict(names)
        """The namespace of each interface and host (and of the routers between them)."""
        self._running: list[subprocess.Popen[bytes]] = []

    def node(self, name: str) -> Interface:
        """Return one interface of the plan."""
        return self.plan.node(name)

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The name below ``/run/netns`` of each interface's and host's network namespace."""
        ends = {*(node.name for node in self.plan.nodes), *(host.name for host in self.plan.hosts)}
        return {name: self._names[name] for name in sorted(ends)}

    def namespace(self, name: str) -> str:
        """Return the network namespace of an interface or a host."""
        if name not in self._names:
            raise KeyError(f"no interface or host {name}; there are {', '.join(sorted(self._names))}")
        return self._names[name]

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs a program in a namespace, with that namespace's hosts file."""
        return [program("ip"), "netns", "exec", self.namespace(name), *argv]

    def popen(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, **options: object
    ) -> subprocess.Popen[bytes]:
        """Start a program in a namespace; the end of the network stops it."""
        started = subprocess.Popen(self.command(name, argv), env=env, **options)  # type: ignore[call-overload] # noqa: S603
        self._running.append(started)
        return started

    def socket(self, name: str, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Open a socket of this process in a namespace."""
        with inside(self.namespace(name)):
            return socket.socket(family, kind | socket.SOCK_CLOEXEC)

    def resolve(self, names: Mapping[str, Iterable[str]], only: Iterable[str] = ()) -> None:
        """Make programs in the namespaces (or in some of them) resolve these host names to these addresses.

        Replaces the previous entries. There is no other name service: all other names do not resolve.
        """
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        lines += [f"{address} {name}" for name in sorted(names) for address in names[name]]
        for name in tuple(only) or tuple(self._names):
            folder = _FILES / self.namespace(name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text("\n".join([*lines, ""]))
            (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def refused(self, name: str) -> dict[bool, list[tuple[str, int]]]:
        """Return the connections that an interface's security groups have dropped: for egress (``True``) and ingress the peers and TCP
        ports, sorted; IPv4 only."""
        with inside(self.namespace(name)):
            asked = sets.asking()
        with asked:
            return {
                egress: sorted(map(_connection, sets.keys(asked, GROUPS, REFUSED[egress]))) for egress in (True, False)
            }

    def close(self) -> None:
        """Stop every running program, by force after a few seconds."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def _connection(key: bytes) -> tuple[str, int]:
    """Address and port of an element: each begins at a multiple of four bytes."""
    return socket.inet_ntoa(key[:4]), int.from_bytes(key[4:6])


@contextlib.contextmanager
def running(plan: Plan) -> Generator[Network]:
    """Run a plan's network while the block runs. Raises ``UnavailableError`` if this machine cannot."""
    with running_many([plan]) as networks:
        yield networks[0]


@contextlib.contextmanager
def running_many(plans: Sequence[Plan]) -> Generator[list[Network]]:
    """Run several separate networks at once, which is faster than one after the other."""
    if why := available():
        raise UnavailableError(why)
    remove_leftovers()
    layouts = [lay_out(plan) for plan in plans]
    names = [{key: f"{_own_prefix()}.{next(_SERIAL)}" for key in layout.boxes} for layout in layouts]
    networks = [Network(plan, own) for plan, own in zip(plans, names, strict=True)]
    with _ends_on_terminate():
        try:
            _create(layouts, names)
            yield networks
        finally:
            for network in networks:
                network.close()
            _remove(name for own in names for name in own.values())


def remove_leftovers() -> list[str]:
    """Remove the namespaces whose owners no longer exist, and return their names."""
    found = {path.name for folder in (HOLDERS, _FILES) if folder.is_dir() for path in folder.iterdir()}
    dead = sorted(name for name in found if (match := _NAMED.fullmatch(name)) and _started(int(match[1])) != match[2])
    _remove(dead)
    return dead


def _started(process: int) -> str:
    """When a process started, in ticks since boot; empty if there is none. A process id alone can be reused."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _own_prefix() -> str:
    return f"{PREFIX}.{os.getpid()}.{_started(os.getpid())}"


def _create(layouts: Sequence[Layout], names: Sequence[Mapping[str, str]]) -> None:
    ip, nft = program("ip"), program("nft")
    _batch([ip, "-batch", "-"], [f"netns add {name}" for own in names for name in own.values()])
    for layout, own in zip(layouts, names, strict=True):
        for key, box in layout.boxes.items():
            with inside(own[key]):
                _switches(box, v6=layout.v6)
    lines = [
        f"link add {here} netns {own[near]} type veth peer name {there} netns {own[far]}"
        for layout, own in zip(layouts, names, strict=True)
        for here, near, there, far in layout.links
    ]
    _batch([ip, "-batch", "-"], lines)
    started: list[tuple[subprocess.Popen[bytes], str]] = []
    for layout, own in zip(layouts, names, strict=True):
        for key, box in layout.boxes.items():
            with inside(own[key]):
                started.append((_start([ip, "-batch", "-"], "\n".join([*box.commands, ""])), key))
                if box.commands_v6:
                    started.append((_start([ip, "-6", "-batch", "-"], "\n".join([*box.commands_v6, ""])), key))
                if box.rules:
                    started.append((_start([nft, "-f", "-"], box.rules), key))
    problems = [f"{key}: {_problem(process)}" for process, key in started if process.wait() != 0]
    for process, _ in started:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        process.stderr.close()
    if problems:
        raise RuntimeError("\n".join(problems))


def _start(line: list[str], text: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - ours
    assert process.stdin is not None  # noqa: S101 - it was asked for
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(text.encode())
        process.stdin.close()
    return process


def _problem(process: subprocess.Popen[bytes]) -> str:
    return "" if process.stderr is None else process.stderr.read().decode().strip()


def _batch(line: list[str], commands: Sequence[str]) -> None:
    text = "\n".join([*commands, ""]).encode()
    done = subprocess.run(line, input=text, capture_output=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode().strip())


def _switches(box: Box, *, v6: bool) -> None:
    """The kernel's settings of one namespace, made before its links so that they inherit them."""
    low, high = box.source_ports
    switches = {
        "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0, "ipv4/ip_local_port_range": f"{low} {high}",
        "ipv4/ip_forward": int(box.forwards), "ipv6/conf/default/disable_ipv6": int(not v6),
    }  # fmt: skip
    if v6:
        switches |= {
            "ipv6/conf/default/accept_dad": 0, "ipv6/conf/default/accept_ra": 0,
            "ipv6/conf/all/forwarding": int(box.forwards),
        }  # fmt: skip
    for name, setting in switches.items():
        Path("/proc/sys/net", name).write_text(f"{setting}\n")


def _remove(names: Iterable[str]) -> None:
    """Remove namespaces. Another process may remove the same leftovers at the same time."""
    known = [name for name in names if (HOLDERS / name).exists() or (_FILES / name).exists()]
    for name in known:
        shutil.rmtree(_FILES / name, ignore_errors=True)
    text = "\n".join([*(f"netns delete {name}" for name in known if (HOLDERS / name).exists()), ""])
    line = [program("ip"), "-force", "-batch", "-"]
    done = subprocess.run(line, input=text.encode(), capture_output=True, check=False)  # noqa: S603 - ours
    if left := [name for name in known if (HOLDERS / name).exists()]:
        raise RuntimeError(f"cannot remove {', '.join(left)}: {done.stderr.decode().strip()}")


@contextlib.contextmanager
def _ends_on_terminate() -> Generator[None]:
    """Let SIGTERM end the block as Ctrl-C does, unless the program has its own answer to it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
