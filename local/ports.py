"""Reserves loopback ports for programs that are about to listen."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def held_ports(*wanted: int) -> Generator[list[int]]:
    """Reserve loopback ports until the block ends; 0 selects a free port. Raises ``OSError`` for a port in use.

    On Linux the kernel assigns a reserved port to no other program and to no outgoing connection; the program that it
    is reserved for can still listen on it, because all programs started here set ``SO_REUSEADDR``. Until it listens,
    connections to the port are refused. Other systems do not let two programs bind a port: there the reservation ends
    when the block starts, and another program may take the port.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in wanted]
        for one, port in zip(sockets, wanted, strict=True):
            # Without it, a port whose last connection was closed a moment ago counts as taken, too.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((LOOPBACK, port))
        ports = [one.getsockname()[1] for one in sockets]
        if sys.platform != "linux":
            stack.close()
        yield ports
