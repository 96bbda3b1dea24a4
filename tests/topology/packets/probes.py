"""Real connections between interfaces of running networks: many at once, from one process.

A socket stays in the namespace in which it was made, so that one process holds all of them. What is dropped leaves no trace
but time: a round ends when nothing has arrived for a while.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from local.network import Network
from local.network.kernel import inside

QUIET_SECONDS = 0.04
"""How long nothing may arrive before a round ends. What arrived late is found by a second round of what disagrees."""
PATIENT_SECONDS = (1.3, 3.5)
"""The same in the rounds for what disagreed: longer than the first and the second repetition of a SYN."""
_AT_ONCE = 4000
_ROUNDS = count()
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempt to connect: from an interface or host, at one of its addresses and ports, to another's."""

    network: int
    source: str
    from_address: str
    from_port: int
    target: str
    address: str
    listening: str
    """The address at the target: its own, where ``address`` is a public one that is translated."""
    port: int
    protocol: str = "tcp"

    @property
    def connection(self) -> tuple[object, ...]:
        """What tells the connection from others."""
        return (self.network, self.protocol, self.from_address, self.from_port, self.listening, self.port)

    @property
    def reverse(self) -> tuple[object, ...]:
        """The same the other way round, which a firewall with a memory would take for its response."""
        return (self.network, self.protocol, self.listening, self.port, self.from_address, self.from_port)


def connect(networks: Sequence[Network], probes: Sequence[Probe], quiet: float = QUIET_SECONDS) -> set[Probe]:
    """The probes that got through."""
    arrived: set[Probe] = set()
    for start in range(0, len(probes), _AT_ONCE):
        arrived |= _round(networks, probes[start : start + _AT_ONCE], quiet)
    return arrived


def without_reverses(probes: Iterable[Probe]) -> Iterator[Probe]:
    """The probes in order, without those that are the reverse of an earlier one."""
    seen: set[tuple[object, ...]] = set()
    for probe in probes:
        if probe.reverse not in seen:
            seen.add(probe.connection)
            yield probe


def _round(networks: Sequence[Network], probes: Sequence[Probe], quiet: float) -> set[Probe]:
    with contextlib.ExitStack() as opened:
        poll = select.epoll()
        opened.callback(poll.close)
        listeners = _listen(networks, probes, opened)
        receivers = {listener.fileno(): listener for listener in listeners}
        for number in receivers:
            poll.register(number, select.EPOLLIN)
        waiting: dict[int, Probe] = {}
        arrived: set[Probe] = set()
        # A datagram of an earlier round may arrive late: the round's number says so.
        number_of_round = next(_ROUNDS)
        position = {probe: f"{number_of_round} {index}" for index, probe in enumerate(probes)}
        for probe, client in _clients(networks, probes, opened):
            if probe.protocol == "udp":
                with contextlib.suppress(OSError):
                    client.sendto(position[probe].encode(), (probe.address, probe.port))
                continue
            failure = client.connect_ex((probe.address, probe.port))
            if failure == 0:
                arrived.add(probe)
            elif failure == errno.EINPROGRESS:
                waiting[client.fileno()] = probe
                poll.register(client.fileno(), select.EPOLLOUT | select.EPOLLERR)
        arrived.update(_wait(poll, waiting, receivers, {value: key for key, value in position.items()}, quiet=quiet))
    return arrived


def _wait(
    poll: select.epoll, waiting: dict[int, Probe], receivers: dict[int, socket.socket], datagrams: Mapping[str, Probe], *,
    quiet: float,
) -> Iterator[Probe]:  # fmt: skip
    """What arrives, until nothing has for a while."""
    last = time.monotonic()
    while time.monotonic() - last < quiet:
        for number, event in poll.poll(quiet / 4):
            if number in receivers:
                yield from _received(receivers[number], datagrams)
            elif probe := waiting.pop(number, None):
                poll.unregister(number)
                if not event & select.EPOLLERR:
                    yield probe
            last = time.monotonic()


def _received(receiver: socket.socket, datagrams: Mapping[str, Probe]) -> Iterator[Probe]:
    """What has arrived at a listener: datagrams say which probe they are, connections are accepted and dropped."""
    with contextlib.suppress(BlockingIOError):
        while receiver.type == socket.SOCK_DGRAM:
            if probe := datagrams.get(receiver.recv(64).decode()):
                yield probe
        while True:
            receiver.accept()[0].close()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _new(address: str, port: int, protocol: str) -> socket.socket:
    made = socket.socket(_family(address), socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    made.setblocking(False)
    # A client may come from a port on which its own interface listens.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def _listen(networks: Sequence[Network], probes: Sequence[Probe], opened: contextlib.ExitStack) -> list[socket.socket]:
    wanted: dict[tuple[int, str], set[tuple[str, int, str]]] = {}
    for probe in probes:
        wanted.setdefault((probe.network, probe.target), set()).add((probe.listening, probe.port, probe.protocol))
    found: list[socket.socket] = []
    for (network, name), places in wanted.items():
        with inside(networks[network].namespace(name)):
            for address, port, protocol in sorted(places):
                made = opened.enter_context(_new(address, port, protocol))
                if protocol == "tcp":
                    made.listen(1024)
                found.append(made)
    return found


def _clients(
    networks: Sequence[Network], probes: Sequence[Probe], opened: contextlib.ExitStack
) -> Iterator[tuple[Probe, socket.socket]]:
    by_source: dict[tuple[int, str], list[Probe]] = {}
    for probe in probes:
        by_source.setdefault((probe.network, probe.source), []).append(probe)
    made: list[tuple[Probe, socket.socket]] = []
    for (network, name), own in by_source.items():
        with inside(networks[network].namespace(name)):
            for probe in own:
                client = opened.enter_context(_new(probe.from_address, probe.from_port, probe.protocol))
                if probe.protocol == "tcp":
                    # Closed without a trace, so that the same ports can be used at once again.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                made.append((probe, client))
    yield from made
